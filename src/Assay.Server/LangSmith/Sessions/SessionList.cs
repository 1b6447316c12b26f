using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>The question behind <c>GET /sessions</c>: conditions, order, page and figures.</summary>
internal sealed class SessionList(
    Caller caller,
    IQueryCollection asked,
    MetadataContext db,
    TraceQueries queries,
    bool? isExperiment = null
)
{
    private const int MaxFacetValues = 20;

    /// <summary>The page, with figures unless they were declined, and how many projects meet the conditions.</summary>
    public async Task<(
        IReadOnlyList<(Project Project, SessionFigures? Figures)> Page,
        int Total
    )> ReadAsync(CancellationToken cancellationToken)
    {
        var found = await FindAsync(cancellationToken);
        var ordered = await OrderAsync(found, cancellationToken);
        var page = ordered
            .Skip(asked.Int("offset", 0, 0, int.MaxValue))
            .Take(asked.Int("limit", 100, 1, 100))
            .ToList();
        if (asked.Bool("include_stats") == false)
        {
            return ([.. page.Select(p => (p, (SessionFigures?)null))], found.Count);
        }

        var figures = await FiguresAsync(page, cancellationToken);
        return (
            [
                .. page.Select(p =>
                    (p, (SessionFigures?)figures.GetValueOrDefault(p.Id, SessionFigures.None))
                ),
            ],
            found.Count
        );
    }

    /// <summary>The newest projects that meet the conditions.</summary>
    public async Task<IReadOnlyList<Project>> NewestAsync(
        int limit,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await FindAsync(cancellationToken))
                .OrderByDescending(p => p.StartTime)
                .ThenBy(p => p.Id)
                .Take(limit),
        ];

    /// <summary>The figures of projects.</summary>
    public async Task<IReadOnlyDictionary<Guid, SessionFigures>> FiguresAsync(
        IReadOnlyList<Project> projects,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<Guid> ids = [.. projects.Select(p => p.Id)];
        var since = asked.Time("stats_start_time");
        var stats = asked.Text("stats_filter") is { } filter
            ? await FilteredAsync(
                ids,
                since,
                LangSmithFilterParser.Parse(filter),
                cancellationToken
            )
            : await queries.ProjectStatsAsync(
                caller,
                ids,
                since,
                null,
                rootsOnly: true,
                cancellationToken
            );
        var feedback = await queries.ProjectFeedbackAsync(caller, ids, cancellationToken);
        var scores = await SessionScores.ReadAsync(
            caller,
            projects,
            stats,
            since,
            db,
            queries,
            cancellationToken
        );
        var figures = new Dictionary<Guid, SessionFigures>();
        foreach (var id in ids)
        {
            var runs = stats.GetValueOrDefault(id) ?? new RunStats();
            figures[id] = new SessionFigures(
                scores.TryGetValue(id, out var score) ? runs with { Feedback = score } : runs,
                feedback.GetValueOrDefault(id) ?? SessionFigures.None.Feedback,
                asked.Bool("facets") == true
                    ? await queries.FacetsAsync(
                        caller,
                        id,
                        since,
                        null,
                        MaxFacetValues,
                        cancellationToken
                    )
                    : []
            );
        }

        return figures;
    }

    private async Task<List<Project>> FindAsync(CancellationToken cancellationToken)
    {
        var projects = db.Projects.AsNoTracking().Where(p => p.WorkspaceId == caller.WorkspaceId);
        if (asked.Text("name") is { } name)
        {
            projects = projects.Where(p => p.Name == name);
        }

        if (asked.Text("name_contains") is { } part)
        {
            var pattern =
                "%"
                + part.Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("%", "\\%", StringComparison.Ordinal)
                    .Replace("_", "\\_", StringComparison.Ordinal)
                + "%";
            projects = projects.Where(p => EF.Functions.Like(p.Name, pattern, "\\"));
        }

        if (asked.Ids("id") is { Count: > 0 } ids)
        {
            projects = projects.Where(p => ids.Contains(p.Id));
        }

        IReadOnlyList<Guid?> datasets = [.. asked.Ids("reference_dataset").Select(d => (Guid?)d)];
        if (datasets.Count > 0)
        {
            projects = projects.Where(p => datasets.Contains(p.ReferenceDatasetId));
        }

        // A project that bears every one of the tags.
        foreach (var value in asked.Ids("tag_value_id"))
        {
            projects = projects.Where(p =>
                db.ResourceTaggings.Any(t =>
                    t.WorkspaceId == caller.WorkspaceId
                    && t.ValueId == value
                    && t.ResourceId == p.Id
                )
            );
        }

        if (isExperiment is { } wanted)
        {
            projects = projects.Where(p => p.ReferenceDatasetId != null == wanted);
        }

        if (asked.Bool("reference_free") == true)
        {
            projects = projects.Where(p => p.ReferenceDatasetId == null);
        }

        var found = await projects.ToListAsync(cancellationToken);
        if (Wanted() is { Count: > 0 } pairs)
        {
            found = [.. found.Where(p => Contains(p.ExtraJson, pairs))];
        }

        if (asked.Text("filter") is not { } text)
        {
            return found;
        }

        var filter = SessionFilter.Parse(text);
        var figures = SessionFilter.ReadsFigures(filter)
            ? await FiguresAsync(found, cancellationToken)
            : new Dictionary<Guid, SessionFigures>();
        return
        [
            .. found.Where(p =>
                filter.IsMatch((p, figures.GetValueOrDefault(p.Id, SessionFigures.None)))
            ),
        ];
    }

    /// <summary>What the metadata of a project must contain.</summary>
    private JsonObject Wanted()
    {
        var wanted = new JsonObject();
        if (asked.Text("metadata") is { } text)
        {
            try
            {
                wanted =
                    JsonNode.Parse(text) as JsonObject ?? throw new JsonException("not an object");
            }
            catch (JsonException)
            {
                throw new BadRequestBodyException(
                    StatusCodes.Status422UnprocessableEntity,
                    "metadata: must be a JSON object"
                );
            }
        }

        if (asked.Text("dataset_version") is { } version)
        {
            wanted["dataset_version"] = version;
        }

        return wanted;
    }

    private static bool Contains(string? extra, JsonObject wanted) =>
        extra is not null
        && JsonNode.Parse(extra)?["metadata"] is JsonObject have
        && wanted.All(w => JsonNode.DeepEquals(have[w.Key], w.Value));

    private async Task<IEnumerable<Project>> OrderAsync(
        List<Project> found,
        CancellationToken cancellationToken
    )
    {
        var column = asked.Text("sort_by") ?? "start_time";
        var isDescending = asked.Bool("sort_by_desc") ?? true;
        if (column is "start_time" or "name")
        {
            return Sort(
                found,
                column == "name" ? p => (IComparable)p.Name : p => p.StartTime,
                isDescending
            );
        }

        var figures = await FiguresAsync(found, cancellationToken);
        var key = asked.Text("sort_by_feedback_key") ?? "";
        var isOfSession = asked.Text("sort_by_feedback_source") == "session";
        return Sort(
            found,
            p =>
            {
                var stats = figures[p.Id].Runs;
                return column switch
                {
                    "last_run_start_time" => stats.LastRunStart,
                    "latency_p50" => stats.Latency?.P50,
                    "latency_p99" => stats.Latency?.P99,
                    "error_rate" => stats.RunCount == 0
                        ? null
                        : (double)stats.ErrorCount / stats.RunCount,
                    "runs_count" => stats.RunCount,
                    "feedback" => (isOfSession ? figures[p.Id].Feedback : stats.Feedback)
                        .GetValueOrDefault(key)
                        ?.Average,
                    _ => throw new BadRequestBodyException(
                        StatusCodes.Status422UnprocessableEntity,
                        $"sort_by: '{column}' is not one of name, start_time, last_run_start_time, latency_p50, latency_p99, error_rate, feedback, runs_count"
                    ),
                };
            },
            isDescending
        );
    }

    /// <summary>Projects without a value come last in either direction.</summary>
    private static IEnumerable<Project> Sort(
        IEnumerable<Project> projects,
        Func<Project, IComparable?> key,
        bool isDescending
    )
    {
        var keyed = projects.Select(p => (Project: p, Key: key(p))).OrderBy(p => p.Key is null);
        return (isDescending ? keyed.ThenByDescending(p => p.Key) : keyed.ThenBy(p => p.Key))
            .ThenBy(p => p.Project.Id)
            .Select(p => p.Project);
    }

    private async Task<IReadOnlyDictionary<Guid, RunStats>> FilteredAsync(
        IReadOnlyList<Guid> ids,
        DateTimeOffset? since,
        Filter filter,
        CancellationToken cancellationToken
    )
    {
        var stats = new Dictionary<Guid, RunStats>();
        foreach (var id in ids)
        {
            stats[id] = await queries.StatsAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [id],
                    IsRoot = true,
                    From = since,
                    Filter = filter,
                },
                cancellationToken
            );
        }

        return stats;
    }
}
