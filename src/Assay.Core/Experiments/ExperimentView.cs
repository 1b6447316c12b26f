using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Experiments;

/// <summary>How the columns of a dataset's experiments are to be shown, as a client said it (LangSmith's experiment view overrides).</summary>
public sealed class ExperimentView
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The dataset.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The columns, JSON array text: <c>column</c> with <c>hide</c>, <c>precision</c>, <c>disable_colors</c>, <c>color_map</c>, <c>color_gradient</c>.</summary>
    public required string ColumnsJson { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>How one column is to be shown.</summary>
/// <param name="Column">A feedback key, with or without <c>feedback.</c> before it, or <c>latency</c>, <c>tokens</c>, <c>cost</c>.</param>
/// <param name="IsHidden">Not at all.</param>
/// <param name="Precision">Digits after the point; null for as many as needed.</param>
public sealed record ColumnView(string Column, bool IsHidden, int? Precision)
{
    /// <summary>True for the column of a metric.</summary>
    public bool IsOf(Metric metric) =>
        metric.Kind == MetricKind.Score
            ? Column == metric.Key || Column == "feedback." + metric.Key
            : Column == metric.Key[1..] || Column == "total_" + metric.Key[1..];

    internal static IReadOnlyList<ColumnView> Read(string json)
    {
        // Checked when it came in.
        using var document = JsonDocument.Parse(json);
        return
        [
            .. document
                .RootElement.EnumerateArray()
                .Select(c => new ColumnView(
                    c.GetProperty("column").GetString() ?? "",
                    c.TryGetProperty("hide", out var hide) && hide.ValueKind == JsonValueKind.True,
                    c.TryGetProperty("precision", out var digits)
                    && digits.ValueKind == JsonValueKind.Number
                        ? digits.GetInt32()
                        : null
                )),
        ];
    }
}

internal sealed class ExperimentViewMapping : IEntityTypeConfiguration<ExperimentView>
{
    public void Configure(EntityTypeBuilder<ExperimentView> builder)
    {
        builder.ToTable("experiment_view");
        builder.Property(v => v.Id).ValueGeneratedNever();
        builder.HasIndex(v => new { v.WorkspaceId, v.DatasetId });
    }
}

/// <summary>Views of experiments: made, listed, changed, deleted. Thread-safe.</summary>
public sealed class ExperimentViews(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most views of one dataset.</summary>
    public const int MaxViews = 50;

    /// <summary>Those of a dataset, oldest first.</summary>
    /// <exception cref="DatasetProblemException">The dataset is not there.</exception>
    public async Task<IReadOnlyList<ExperimentView>> ListAsync(
        Caller caller,
        Guid datasetId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        return await db
            .ExperimentViews.AsNoTracking()
            .Where(v => v.WorkspaceId == caller.WorkspaceId && v.DatasetId == datasetId)
            .OrderBy(v => v.CreatedAt)
            .ThenBy(v => v.Id)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Makes one.</summary>
    /// <exception cref="DatasetProblemException">The dataset is not there, or has too many.</exception>
    public async Task<ExperimentView> CreateAsync(
        Caller caller,
        Guid datasetId,
        string columnsJson,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if ((await ListAsync(caller, datasetId, cancellationToken)).Count >= MaxViews)
        {
            throw DatasetProblemException.Invalid($"A dataset keeps at most {MaxViews} views");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow();
        var view = new ExperimentView
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            DatasetId = datasetId,
            ColumnsJson = columnsJson,
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.ExperimentViews.Add(view);
        await db.SaveChangesAsync(cancellationToken);
        return view;
    }

    /// <summary>Changes the columns of one; null when there is none.</summary>
    public async Task<ExperimentView?> ChangeAsync(
        Caller caller,
        Guid datasetId,
        Guid id,
        string columnsJson,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var view = await db.ExperimentViews.FirstOrDefaultAsync(
            v => v.WorkspaceId == caller.WorkspaceId && v.DatasetId == datasetId && v.Id == id,
            cancellationToken
        );
        if (view is not null)
        {
            view.ColumnsJson = columnsJson;
            view.ModifiedAt = time.GetUtcNow();
            await db.SaveChangesAsync(cancellationToken);
        }

        return view;
    }

    /// <summary>Deletes one; false when there is none.</summary>
    public async Task<bool> DeleteAsync(
        Caller caller,
        Guid datasetId,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .ExperimentViews.Where(v =>
                    v.WorkspaceId == caller.WorkspaceId && v.DatasetId == datasetId && v.Id == id
                )
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }
}
