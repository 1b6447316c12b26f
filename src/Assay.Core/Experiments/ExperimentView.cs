using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
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
public sealed partial record ColumnView(string Column, bool IsHidden, int? Precision)
{
    /// <summary>Values are coloured.</summary>
    public bool HasColors { get; private init; } = true;

    /// <summary>Colours of values by their text: labels, or scores as they are written.</summary>
    public IReadOnlyDictionary<string, string> Colors { get; private init; } =
        new Dictionary<string, string>();

    /// <summary>Colours at scores, lowest first; between two of them they blend.</summary>
    public IReadOnlyList<(double At, string Color)> Gradient { get; private init; } = [];

    /// <summary>The colour of a value, in CSS; null when the view names none.</summary>
    public string? ColorOf(string text) => HasColors ? Colors.GetValueOrDefault(text) : null;

    /// <inheritdoc cref="ColorOf(string)"/>
    public string? ColorOf(double score)
    {
        if (!HasColors)
        {
            return null;
        }

        if (ColorOf(score.ToString("0.######", CultureInfo.InvariantCulture)) is { } named)
        {
            return named;
        }

        if (Gradient.Count == 0)
        {
            return null;
        }

        var next = Gradient.Count(g => g.At <= score);
        if (next == 0 || next == Gradient.Count)
        {
            return Gradient[Math.Clamp(next - 1, 0, Gradient.Count - 1)].Color;
        }

        var (low, high) = (Gradient[next - 1], Gradient[next]);
        var share = (score - low.At) / (high.At - low.At);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"color-mix(in oklab,{high.Color} {100 * share:0.#}%,{low.Color})"
        );
    }

    /// <summary>True for the column of a feedback key.</summary>
    public bool IsOf(string key) => Column == key || Column == "feedback." + key;

    /// <summary>True for the column of a metric.</summary>
    public bool IsOf(Metric metric) =>
        metric.Kind == MetricKind.Score
            ? IsOf(metric.Key)
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
                )
                {
                    HasColors =
                        !c.TryGetProperty("disable_colors", out var none)
                        || none.ValueKind != JsonValueKind.True,
                    Colors = MapOf(c),
                    Gradient = GradientOf(c),
                }),
        ];
    }

    private static Dictionary<string, string> MapOf(JsonElement column)
    {
        var colors = new Dictionary<string, string>(StringComparer.Ordinal);
        if (
            column.TryGetProperty("color_map", out var map)
            && map.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var entry in map.EnumerateObject())
            {
                if (Css(entry.Value) is { } color)
                {
                    colors[entry.Name] = color;
                }
            }
        }

        return colors;
    }

    private static IReadOnlyList<(double, string)> GradientOf(JsonElement column) =>
        column.TryGetProperty("color_gradient", out var stops)
        && stops.ValueKind == JsonValueKind.Array
            ?
            [
                .. stops
                    .EnumerateArray()
                    .Where(s => s.ValueKind == JsonValueKind.Array && s.GetArrayLength() == 2)
                    .Select(s =>
                        (
                            At: s[0].ValueKind == JsonValueKind.Number
                            && s[0].TryGetDouble(out var at)
                                ? at
                                : double.NaN,
                            Color: Css(s[1])
                        )
                    )
                    .Where(s => double.IsFinite(s.At) && s.Color is not null)
                    .Select(s => (s.At, s.Color!))
                    .DistinctBy(s => s.At)
                    .OrderBy(s => s.At),
            ]
            : [];

    /// <summary>A colour as it may stand in a style: hexadecimal or by name; whatever else a client sent is none.</summary>
    private static string? Css(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
        && value.GetString() is { } text
        && Color().IsMatch(text)
            ? text
            : null;

    [GeneratedRegex(
        "^(?:#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})|[a-zA-Z]{3,20})$",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex Color();
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
