using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>What the token of a shared dataset opens of its experiments: their runs and feedback, read only, never a run of another project.</summary>
internal static class SharedExperimentEndpoints
{
    private const int MaxTokens = 20;

    public static void MapSharedExperiments(this IEndpointRouteBuilder app)
    {
        var shared = app.MapSharedDatasetGroup();
        shared.MapPost("/examples/runs", (Delegate)RowsAsync).IsOpen();
        shared.MapPost("/datasets/runs/query", QueryAsync).IsOpen();
        shared.MapPost("/datasets/runs/stats", StatsAsync).IsOpen();
        shared.MapPost("/datasets/runs/delta", (Delegate)DeltaAsync).IsOpen();
        shared.MapPost("/datasets/runs/delta/stream", (Delegate)DeltaStreamAsync).IsOpen();
        shared.MapGet("/datasets/runs/{run:guid}", RunAsync).IsOpen();
        shared.MapGet("/datasets/feedback", FeedbackAsync).IsOpen();
        shared.MapGet("/datasets/comparative", ComparativeAsync).IsOpen();
        shared.MapGet("/datasets/sessions", SessionsAsync).IsOpen();
        app.MapGet("/api/v1/public/datasets/sessions-bulk", SessionsBulkAsync).IsOpen();
    }

    private static async Task<IResult> RowsAsync(HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.RowsAsync(
            context,
            context.Visitor(),
            context.SharedDataset().Id,
            document.RootElement,
            isPublic: true
        );
    }

    private static async Task<IResult> DeltaAsync(HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.DeltaAsync(
            context,
            context.Visitor(),
            context.SharedDataset().Id,
            document.RootElement
        );
    }

    private static async Task<IResult> DeltaStreamAsync(HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.DeltaStreamAsync(
            context,
            context.Visitor(),
            context.SharedDataset().Id,
            document.RootElement
        );
    }

    private static async Task<IResult> QueryAsync(
        HttpContext context,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var query = RunQueryJson.Read(document.AsObject());
        var experiments = await ExperimentsAsync(context);
        var page = Within(query, experiments) is { } question
            ? await queries.QueryAsync(context.Visitor(), question, context.RequestAborted)
            : new RunPage([], null);
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("runs");
            // Runs asked for by id come whatever their project is.
            foreach (var run in page.Runs.Where(r => experiments.Contains(r.ProjectId)))
            {
                RunOut.WritePublic(w, run, url, RunRelations.None, withProject: true);
            }

            w.WriteEndArray();
            w.WriteStartObject("cursors");
            w.WriteString("next", page.Next);
            w.WriteNull("prev");
            w.WriteEndObject();
            w.WriteNull("parsed_query");
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> StatsAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var query = RunQueryJson.Read(document.AsObject());
        var experiments = await ExperimentsAsync(context);
        if (query.RunIds.Count > 0)
        {
            return Errors.Invalid("id: figures of a shared dataset are asked for by session");
        }

        var stats = Within(query, experiments) is { } question
            ? await queries.StatsAsync(context.Visitor(), question, context.RequestAborted)
            : new RunStats();
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            StatsOut.Write(w, stats, isSession: false);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> RunAsync(
        Guid run,
        HttpContext context,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var experiments = await ExperimentsAsync(context);
        if (
            (
                await queries.QueryAsync(
                    context.Visitor(),
                    new RunQuery
                    {
                        WorkspaceId = context.Visitor().WorkspaceId,
                        RunIds = [run],
                        Parts = RunParts.All,
                    },
                    context.RequestAborted
                )
            ).Runs.FirstOrDefault(r => experiments.Contains(r.ProjectId))
            is not { } found
        )
        {
            return Errors.NotFound("Shared run");
        }

        return WireResult.Json(w =>
            RunOut.WritePublic(
                w,
                found,
                Attachments.Url(context, protection),
                RunRelations.None,
                withProject: true
            )
        );
    }

    private static async Task<IResult> FeedbackAsync(HttpContext context, TraceQueries queries)
    {
        var experiments = await ExperimentsAsync(context);
        var visitor = context.Visitor();
        var asked = FeedbackEndpoints.Read(context.Request.Query) with
        {
            WorkspaceId = visitor.WorkspaceId,
        };
        var wanted = asked.ProjectIds.Count > 0 ? asked.ProjectIds : [.. experiments];
        var within = wanted.Where(experiments.Contains).ToList();
        // Feedback need not name the project of its run: what is asked for by run is asked for by runs that are shared.
        var runs = asked.RunIds.Count == 0 ? [] : (
                    await queries.QueryAsync(
                        visitor,
                        new RunQuery
                        {
                            WorkspaceId = visitor.WorkspaceId,
                            RunIds = [.. asked.RunIds.Take(100)],
                            Limit = 100,
                            Parts = RunParts.None,
                        },
                        context.RequestAborted
                    )
                ).Runs.Where(r => within.Contains(r.ProjectId)).Select(r => r.Id).ToList();
        var items =
            asked.RunIds.Count > 0 && runs.Count == 0 || within.Count == 0
                ? []
                : await queries.FeedbackAsync(
                    visitor,
                    asked.RunIds.Count > 0
                        ? asked with
                        {
                            RunIds = runs,
                            ProjectIds = [],
                        }
                        : asked with
                        {
                            ProjectIds = within,
                        },
                    context.RequestAborted
                );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in items)
            {
                FeedbackJson.WritePublic(w, item);
            }

            w.WriteEndArray();
        });
    }

    private static Task<IResult> ComparativeAsync(
        HttpContext context,
        ComparativeExperiments comparisons,
        TraceQueries queries
    ) =>
        ComparativeEndpoints.AnswerAsync(
            context.SharedDataset().Id,
            context,
            context.Visitor(),
            comparisons,
            queries,
            isPublic: true
        );

    private static async Task<IResult> SessionsAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    ) =>
        Sessions(
            await ListAsync(
                context.SharedDataset(),
                context.Request.Query.ToDictionary(q => q.Key, q => q.Value),
                metadata,
                queries,
                context.RequestAborted
            )
        );

    /// <summary>The experiments of several shared datasets, newest first; unknown tokens give none.</summary>
    private static async Task<IResult> SessionsBulkAsync(
        HttpContext context,
        DatasetCatalog catalog,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        var tokens = context.Request.Query.Uuids("share_tokens");
        if (tokens.Count is 0 or > MaxTokens)
        {
            throw BodyFields.Wrong("share_tokens", $"1 to {MaxTokens} tokens");
        }

        var found = new List<(Project Project, SessionFigures? Figures)>();
        foreach (var token in tokens.Distinct())
        {
            if (await catalog.FindSharedAsync(token, context.RequestAborted) is { } dataset)
            {
                found.AddRange(
                    await ListAsync(dataset, [], metadata, queries, context.RequestAborted)
                );
            }
        }

        return Sessions(found.OrderByDescending(f => f.Project.StartTime));
    }

    /// <summary>Whatever the visitor asks for, only experiments of the shared dataset are looked at.</summary>
    private static async Task<IReadOnlyList<(Project Project, SessionFigures? Figures)>> ListAsync(
        Dataset dataset,
        Dictionary<string, StringValues> asked,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries,
        CancellationToken cancellationToken
    )
    {
        asked["reference_dataset"] = new StringValues(dataset.Id.ToString());
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (page, _) = await new SessionList(
            SharedDatasets.Visitor(dataset),
            new QueryCollection(asked),
            db,
            queries
        ).ReadAsync(cancellationToken);
        return page;
    }

    private static IResult Sessions(
        IEnumerable<(Project Project, SessionFigures? Figures)> sessions
    ) =>
        WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var (project, figures) in sessions)
            {
                SessionOut.WritePublic(w, project, figures);
            }

            w.WriteEndArray();
        });

    /// <summary>The ids of the shared dataset's experiments.</summary>
    private static async Task<HashSet<Guid>> ExperimentsAsync(HttpContext context)
    {
        var dataset = context.SharedDataset();
        await using var db = await context
            .RequestServices.GetRequiredService<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(context.RequestAborted);
        return
        [
            .. await db
                .Projects.AsNoTracking()
                .Where(p =>
                    p.WorkspaceId == dataset.WorkspaceId && p.ReferenceDatasetId == dataset.Id
                )
                .Select(p => p.Id)
                .ToListAsync(context.RequestAborted),
        ];
    }

    /// <summary>The question, asked of shared experiments alone; null when it asks for none of them.</summary>
    private static RunQuery? Within(RunQuery query, HashSet<Guid> experiments)
    {
        IReadOnlyList<Guid> wanted =
            query.ProjectIds.Count == 0
                ? [.. experiments]
                : [.. query.ProjectIds.Where(experiments.Contains)];
        return wanted.Count == 0 ? null : query with { ProjectIds = wanted };
    }
}
