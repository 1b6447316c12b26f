using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>What the token of a shared dataset opens of its experiments: their runs and feedback, read only, never a run of another project.</summary>
internal static class SharedExperimentEndpoints
{
    private const int MaxTokens = 20;

    public static void MapSharedExperiments(this IEndpointRouteBuilder app)
    {
        var shared = app.MapGroup("/api/v1/public/{token:guid}");
        shared.MapPost("/examples/runs", RowsAsync).IsOpen();
        shared.MapPost("/datasets/runs/query", QueryAsync).IsOpen();
        shared.MapPost("/datasets/runs/stats", StatsAsync).IsOpen();
        shared.MapPost("/datasets/runs/delta", DeltaAsync).IsOpen();
        shared.MapPost("/datasets/runs/delta/stream", DeltaStreamAsync).IsOpen();
        shared.MapGet("/datasets/runs/{run:guid}", RunAsync).IsOpen();
        shared.MapGet("/datasets/feedback", FeedbackAsync).IsOpen();
        shared.MapGet("/datasets/comparative", ComparativeAsync).IsOpen();
        app.MapGet("/api/v1/public/datasets/sessions-bulk", SessionsAsync).IsOpen();
    }

    private static async Task<IResult> RowsAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset
            ? Errors.NotFound("Shared dataset")
            : await ExperimentAnswers.RowsAsync(
                context,
                SharedDatasetEndpoints.Visitor(dataset),
                dataset.Id,
                document.RootElement,
                isPublic: true
            );
    }

    private static async Task<IResult> DeltaAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset
            ? Errors.NotFound("Shared dataset")
            : await ExperimentAnswers.DeltaAsync(
                context,
                SharedDatasetEndpoints.Visitor(dataset),
                dataset.Id,
                document.RootElement
            );
    }

    private static async Task<IResult> DeltaStreamAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset
            ? Errors.NotFound("Shared dataset")
            : await ExperimentAnswers.DeltaStreamAsync(
                context,
                SharedDatasetEndpoints.Visitor(dataset),
                dataset.Id,
                document.RootElement
            );
    }

    private static async Task<IResult> QueryAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var query = RunQueryJson.Read(document.AsObject());
        if (await OpenAsync(token, context, catalog) is not var (dataset, experiments))
        {
            return Errors.NotFound("Shared dataset");
        }

        var page = Within(query, experiments) is { } question
            ? await queries.QueryAsync(
                SharedDatasetEndpoints.Visitor(dataset),
                question,
                context.RequestAborted
            )
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

    private static async Task<IResult> StatsAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        TraceQueries queries
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var query = RunQueryJson.Read(document.AsObject());
        if (await OpenAsync(token, context, catalog) is not var (dataset, experiments))
        {
            return Errors.NotFound("Shared dataset");
        }

        if (query.RunIds.Count > 0)
        {
            return Errors.Invalid("id: figures of a shared dataset are asked for by session");
        }

        var stats = Within(query, experiments) is { } question
            ? await queries.StatsAsync(
                SharedDatasetEndpoints.Visitor(dataset),
                question,
                context.RequestAborted
            )
            : new RunStats();
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            StatsOut.Write(w, stats, isSession: false);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> RunAsync(
        Guid token,
        Guid run,
        HttpContext context,
        DatasetCatalog catalog,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        if (
            await OpenAsync(token, context, catalog) is not var (dataset, experiments)
            || (
                await queries.QueryAsync(
                    SharedDatasetEndpoints.Visitor(dataset),
                    new RunQuery
                    {
                        WorkspaceId = dataset.WorkspaceId,
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

    private static async Task<IResult> FeedbackAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        TraceQueries queries
    )
    {
        if (await OpenAsync(token, context, catalog) is not var (dataset, experiments))
        {
            return Errors.NotFound("Shared dataset");
        }

        var visitor = SharedDatasetEndpoints.Visitor(dataset);
        var asked = FeedbackEndpoints.Read(context.Request.Query) with
        {
            WorkspaceId = dataset.WorkspaceId,
        };
        var wanted = asked.ProjectIds.Count > 0 ? asked.ProjectIds : [.. experiments];
        var within = wanted.Where(experiments.Contains).ToList();
        // Feedback need not name the project of its run: what is asked for by run is asked for by runs that are shared.
        var runs = asked.RunIds.Count == 0 ? [] : (
                    await queries.QueryAsync(
                        visitor,
                        new RunQuery
                        {
                            WorkspaceId = dataset.WorkspaceId,
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
                FeedbackJson.Write(w, item with { UserId = null });
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> ComparativeAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        ComparativeExperiments comparisons,
        TraceQueries queries
    ) =>
        await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset
            ? Errors.NotFound("Shared dataset")
            : await ComparativeEndpoints.AnswerAsync(
                dataset.Id,
                context,
                SharedDatasetEndpoints.Visitor(dataset),
                comparisons,
                queries,
                isPublic: true
            );

    /// <summary>The experiments of several shared datasets, newest first; unknown tokens give none.</summary>
    private static async Task<IResult> SessionsAsync(
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

        var found = new List<(Core.Projects.Project Project, SessionFigures? Figures)>();
        foreach (var token in tokens.Distinct())
        {
            if (await catalog.FindSharedAsync(token, context.RequestAborted) is { } dataset)
            {
                await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
                var (page, _) = await new SessionList(
                    SharedDatasetEndpoints.Visitor(dataset),
                    new QueryCollection(
                        new Dictionary<string, Microsoft.Extensions.Primitives.StringValues>
                        {
                            ["reference_dataset"] = dataset.Id.ToString(),
                        }
                    ),
                    db,
                    queries
                ).ReadAsync(context.RequestAborted);
                found.AddRange(page);
            }
        }

        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var (project, figures) in found.OrderByDescending(f => f.Project.StartTime))
            {
                SessionOut.Write(w, project, figures);
            }

            w.WriteEndArray();
        });
    }

    /// <summary>The shared dataset and the ids of its experiments; null when the token opens none.</summary>
    private static async Task<(Dataset Dataset, HashSet<Guid> Experiments)?> OpenAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        if (await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset)
        {
            return null;
        }

        await using var db = await context
            .RequestServices.GetRequiredService<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(context.RequestAborted);
        var experiments = await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == dataset.WorkspaceId && p.ReferenceDatasetId == dataset.Id)
            .Select(p => p.Id)
            .ToListAsync(context.RequestAborted);
        return (dataset, [.. experiments]);
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
