using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>Metrics over steps that programs log for experiments (or any project): written in batches, read as series. Thread-safe.</summary>
public sealed class ExperimentLog(IDbContextFactory<MetadataContext> metadata)
{
    /// <summary>The most points of one call.</summary>
    public const int MaxBatch = 10_000;

    /// <summary>The most points of one experiment.</summary>
    public const int MaxPoints = 500_000;

    /// <summary>The most series of one answer.</summary>
    public const int MaxSeries = 200;

    /// <summary>The longest name of a metric.</summary>
    public const int MaxKey = 200;

    /// <summary>Writes points; a step that is there already gets the new value. All of them or none.</summary>
    /// <exception cref="DatasetProblemException">The experiment is not there, a point makes no sense, or there would be too many.</exception>
    public async Task WriteAsync(
        Caller caller,
        Guid experimentId,
        IReadOnlyList<MetricPoint> points,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Ingest);
        if (points.Count > MaxBatch)
        {
            throw DatasetProblemException.Invalid($"metrics: at most {MaxBatch} points at once");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await MustExistAsync(db, caller, experimentId, cancellationToken);
        // Of two values for one step the later one counts.
        var latest = points
            .GroupBy(p => (p.Key, p.Step))
            .Select(g => g.Last())
            .GroupBy(p => p.Key, StringComparer.Ordinal)
            .ToList();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var series in latest)
        {
            foreach (var chunk in series.Chunk(500))
            {
                var steps = chunk.Select(p => p.Step).ToList();
                await db
                    .MetricPoints.Where(p =>
                        p.ExperimentId == experimentId
                        && p.Key == series.Key
                        && steps.Contains(p.Step)
                    )
                    .ExecuteDeleteAsync(cancellationToken);
                db.MetricPoints.AddRange(
                    chunk.Select(p => new MetricPoint
                    {
                        WorkspaceId = caller.WorkspaceId,
                        ExperimentId = experimentId,
                        Key = p.Key,
                        Step = p.Step,
                        Value = p.Value,
                        At = p.At,
                    })
                );
                await db.SaveChangesAsync(cancellationToken);
                db.ChangeTracker.Clear();
            }
        }

        if (
            await db.MetricPoints.CountAsync(p => p.ExperimentId == experimentId, cancellationToken)
            > MaxPoints
        )
        {
            throw DatasetProblemException.Invalid(
                $"metrics: an experiment keeps at most {MaxPoints} points"
            );
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Series of an experiment by key, steps in order: at most <see cref="MaxSeries"/>, the first by name, and how many there are. Long ones are
    /// thinned as <see cref="SeriesThinner"/> says; points are read one by one, so memory does not grow with what was logged.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="experimentId">The experiment.</param>
    /// <param name="key">Only this metric; null means all.</param>
    /// <param name="most">At most this many points of each.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<(IReadOnlyList<MetricSeries> Series, int Total)> SeriesAsync(
        Caller caller,
        Guid experimentId,
        string? key,
        int most,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var wanted = db
            .MetricPoints.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && p.ExperimentId == experimentId);
        if (key is not null)
        {
            wanted = wanted.Where(p => p.Key == key);
        }

        var counts = await wanted
            .GroupBy(p => p.Key)
            .Select(g => new { g.Key, Count = g.Count() })
            .OrderBy(g => g.Key)
            .Take(MaxSeries + 1)
            .ToListAsync(cancellationToken);
        var total =
            counts.Count <= MaxSeries
                ? counts.Count
                : await wanted.Select(p => p.Key).Distinct().CountAsync(cancellationToken);
        var thinners = counts
            .Take(MaxSeries)
            .ToDictionary(
                c => c.Key,
                c => new SeriesThinner(c.Count, most),
                StringComparer.Ordinal
            );
        List<string> keys = [.. thinners.Keys];
        await foreach (
            var point in wanted
                .Where(p => keys.Contains(p.Key))
                .OrderBy(p => p.Key)
                .ThenBy(p => p.Step)
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
        {
            thinners[point.Key].Add(point);
        }

        return (
            [
                .. thinners
                    .OrderBy(t => t.Key, StringComparer.Ordinal)
                    .Select(t => new MetricSeries(t.Key, t.Value.Count, t.Value.Points))
                    .Where(s => s.Points.Count > 0),
            ],
            total
        );
    }

    /// <summary>The last value of each series by experiment and key.</summary>
    public async Task<
        IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, double>>
    > LastValuesAsync(
        Caller caller,
        IReadOnlyList<Guid> experimentIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var own = db
            .MetricPoints.AsNoTracking()
            .Where(p =>
                p.WorkspaceId == caller.WorkspaceId && experimentIds.Contains(p.ExperimentId)
            );
        var ends = own.GroupBy(p => new { p.ExperimentId, p.Key })
            .Select(g => new
            {
                g.Key.ExperimentId,
                g.Key.Key,
                Step = g.Max(p => p.Step),
            });
        var last = await own.Join(
                ends,
                p => new
                {
                    p.ExperimentId,
                    p.Key,
                    p.Step,
                },
                e => new
                {
                    e.ExperimentId,
                    e.Key,
                    e.Step,
                },
                (p, _) =>
                    new
                    {
                        p.ExperimentId,
                        p.Key,
                        p.Value,
                    }
            )
            .ToListAsync(cancellationToken);
        return last.GroupBy(p => p.ExperimentId)
            .ToDictionary(
                g => g.Key,
                IReadOnlyDictionary<string, double> (g) =>
                    g.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal)
            );
    }

    /// <summary>Removes the series of an experiment that is gone.</summary>
    public async Task DropAsync(
        Guid workspaceId,
        Guid experimentId,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .MetricPoints.Where(p => p.WorkspaceId == workspaceId && p.ExperimentId == experimentId)
            .ExecuteDeleteAsync(cancellationToken);
    }

    internal static async Task MustExistAsync(
        MetadataContext db,
        Caller caller,
        Guid experimentId,
        CancellationToken cancellationToken
    )
    {
        if (
            !await db.Projects.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == experimentId,
                cancellationToken
            )
        )
        {
            throw DatasetProblemException.NotFound($"Experiment {experimentId}");
        }
    }
}

/// <summary>The points of one metric.</summary>
/// <param name="Key">The metric.</param>
/// <param name="Count">How many points there are in all.</param>
/// <param name="Points">The points, steps in order; fewer than <paramref name="Count"/> when thinned.</param>
public sealed record MetricSeries(string Key, int Count, IReadOnlyList<MetricPoint> Points);
