using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Datasets;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.UI.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Queues;

/// <summary>What the screens of annotation queues ask for: items to review, what reviewers say, runs for queues.</summary>
internal static class QueueUiEndpoints
{
    private const int MaxSelected = 1_000;

    public static void MapQueues(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/queues", ListAsync);
        ui.MapQueueExport();
        ui.MapPost("/queues/{queueId:guid}/add", AddAsync).PageNeeds(Permission.Write);
        ui.MapPost("/projects/{projectId:guid}/enqueue", AddQueryAsync).PageNeeds(Permission.Write);
        ui.MapPost("/queues/{queueId:guid}/remove", RemoveAsync).PageNeeds(Permission.Delete);
        ui.MapPost("/queues/{queueId:guid}/next", NextAsync).PageNeeds(Permission.Write);
        const string item = "/queues/{queueId:guid}/items/{itemId:guid}";
        ui.MapPost($"{item}/done", DoneAsync).PageNeeds(Permission.Write);
        ui.MapPost($"{item}/skip", SkipAsync).PageNeeds(Permission.Write);
        ui.MapPost($"{item}/undo", UndoAsync).PageNeeds(Permission.Write);
        ui.MapPost($"{item}/hold", HoldAsync).PageNeeds(Permission.Write);
        ui.MapPost($"{item}/dataset", AddExampleAsync).PageNeeds(Permission.Write);
        ui.MapPost($"{item}/decision", DecideAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> ListAsync(AnnotationQueues queues, CurrentCaller caller) =>
        Results.Json(
            (await queues.ListAsync(caller.Value, caller.Aborted)).Select(s => new
            {
                s.Queue.Id,
                s.Queue.Name,
                s.Queue.IsPairwise,
                s.Waiting,
            })
        );

    private static Task<IResult> AddAsync(
        Guid queueId,
        Chosen chosen,
        AnnotationQueues queues,
        TraceQueries queries,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            var queue = await queues.GetAsync(caller.Value, queueId, caller.Aborted);
            if (chosen.Thread is { Length: > 0 } thread && chosen.Project is { } project)
            {
                return await AddThreadAsync(queue, project, thread, queues, queries, caller);
            }

            if (chosen.Runs is not { Count: > 0 and <= MaxSelected } ids)
            {
                throw new DatasetProblemException(
                    DatasetProblem.Invalid,
                    $"1 to {MaxSelected:N0} runs at once."
                );
            }

            var runs = (
                await queries.QueryAsync(
                    caller.Value,
                    new RunQuery
                    {
                        WorkspaceId = caller.Value.WorkspaceId,
                        RunIds = ids,
                        Limit = ids.Count,
                        Parts = RunParts.None,
                    },
                    caller.Aborted
                )
            ).Runs;
            var byId = runs.DistinctBy(r => r.Id).ToDictionary(r => r.Id);
            List<Run> found = [.. ids.Where(byId.ContainsKey).Select(i => byId[i])];
            return await PutAsync(queue, found, queues, caller);
        });

    /// <summary>Everything the list shows with its query, up to what a queue takes at once.</summary>
    private static Task<IResult> AddQueryAsync(
        Guid projectId,
        Guid queue,
        HttpContext context,
        AnnotationQueues queues,
        TraceQueries queries,
        CurrentCaller caller,
        TimeProvider time
    ) =>
        AnswerAsync(async () =>
        {
            var known = await queues.GetAsync(caller.Value, queue, caller.Aborted);
            var state = ListState.Read(projectId, context.Request, time.GetUtcNow());
            var query = state.ToQuery(caller.Value.WorkspaceId) with
            {
                Limit = 1_000,
                Parts = RunParts.None,
            };
            var found = new List<Run>();
            while (found.Count < AnnotationQueues.MaxItems)
            {
                var page = await queries.QueryAsync(caller.Value, query, caller.Aborted);
                found.AddRange(page.Runs);
                if (page.Next is null)
                {
                    break;
                }

                query = query with { Cursor = page.Next };
            }

            return await PutAsync(
                known,
                [.. found.Take(AnnotationQueues.MaxItems)],
                queues,
                caller
            );
        });

    private static async Task<IResult> PutAsync(
        AnnotationQueue queue,
        List<Run> runs,
        AnnotationQueues queues,
        CurrentCaller caller
    )
    {
        if (runs.Count == 0)
        {
            throw new DatasetProblemException(DatasetProblem.Invalid, "There are no such runs.");
        }

        if (queue.IsPairwise && runs.Count != 2)
        {
            throw new DatasetProblemException(
                DatasetProblem.Invalid,
                "A pairwise queue takes two runs at a time, or two experiments on its page."
            );
        }

        var items = queue.IsPairwise
            ? [Item(runs[0]) with { OtherRunId = runs[1].Id }]
            : runs.Select(Item).ToList();
        var before = caller.Value;
        var added = await queues.AddAsync(before, queue.Id, items, caller.Aborted);
        return Results.Json(new { count = added.DistinctBy(a => a.Id).Count(), queue.Name });
    }

    private static async Task<IResult> AddThreadAsync(
        AnnotationQueue queue,
        Guid project,
        string thread,
        AnnotationQueues queues,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        if (queue.IsPairwise)
        {
            throw new DatasetProblemException(
                DatasetProblem.Invalid,
                "A pairwise queue takes runs only."
            );
        }

        var last = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = [project],
                ThreadId = thread,
                IsRoot = true,
                Limit = 1,
                Parts = RunParts.None,
            },
            caller.Aborted
        );
        if (last.Runs is not [var run])
        {
            throw new DatasetProblemException(DatasetProblem.NotFound, "The thread is gone.");
        }

        await queues.AddAsync(
            caller.Value,
            queue.Id,
            [Item(run) with { ThreadId = thread }],
            caller.Aborted
        );
        return Results.Json(new { count = 1, queue.Name });
    }

    private static NewQueueItem Item(Run run) =>
        new(run.Id) { ProjectId = run.ProjectId, StartTime = run.StartTime };

    private static Task<IResult> RemoveAsync(
        Guid queueId,
        Removed removed,
        AnnotationQueues queues,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            var ids = removed.Items ?? [];
            await queues.RemoveAsync(
                caller.Value,
                queueId,
                items => items.Where(i => ids.Contains(i.Id)),
                caller.Aborted
            );
            return Results.Json(new { count = ids.Count });
        });

    /// <summary>The next item for the caller, reserved, as a fragment.</summary>
    private static Task<IResult> NextAsync(
        Guid queueId,
        Guid? item,
        AnnotationQueues queues,
        QueueReviews reviews,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            var queue = await queues.GetAsync(caller.Value, queueId, caller.Aborted);
            var place = await reviews.ReserveAsync(caller.Value, queueId, item, caller.Aborted);
            return new RazorComponentResult<ReviewItem>(new { Queue = queue, Place = place });
        });

    private static Task<IResult> DoneAsync(
        Guid queueId,
        Guid itemId,
        Given given,
        ReviewDesk desk,
        QueueReader reader,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            var (place, _) = await reader.PlaceAsync(caller.Value, itemId, caller.Aborted);
            Demand(place.Item, queueId);
            var isSwapped = ItemView.Swaps(place.Item, QueueReviews.Reviewer(caller.Value));
            await desk.FinishAsync(
                caller.Value,
                itemId,
                given.Answers(isSwapped),
                given.Seconds,
                caller.Aborted
            );
            return Results.Json(new { done = itemId });
        });

    private static Task<IResult> SkipAsync(
        Guid queueId,
        Guid itemId,
        QueueReviews reviews,
        QueueReader reader,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            await DemandAsync(reader, caller, queueId, itemId);
            await reviews.SkipAsync(caller.Value, itemId, null, caller.Aborted);
            return Results.Json(new { skipped = itemId });
        });

    private static Task<IResult> UndoAsync(
        Guid queueId,
        Guid itemId,
        ReviewDesk desk,
        QueueReader reader,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            await DemandAsync(reader, caller, queueId, itemId);
            await desk.UndoAsync(caller.Value, itemId, caller.Aborted);
            return Results.Json(new { open = itemId });
        });

    /// <summary>The caller is still at it.</summary>
    private static Task<IResult> HoldAsync(
        Guid queueId,
        Guid itemId,
        QueueReviews reviews,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            await reviews.ReserveAsync(caller.Value, queueId, itemId, caller.Aborted);
            return Results.Json(new { held = itemId });
        });

    private static Task<IResult> AddExampleAsync(
        Guid queueId,
        Guid itemId,
        NewExample example,
        ReviewDesk desk,
        QueueReader reader,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            await DemandAsync(reader, caller, queueId, itemId);
            var id = await desk.AddExampleAsync(
                caller.Value,
                itemId,
                example.Dataset,
                Raw(example.Correction),
                caller.Aborted
            );
            return Results.Json(new { id });
        });

    private static Task<IResult> DecideAsync(
        Guid queueId,
        Guid itemId,
        Given given,
        ReviewDesk desk,
        AnnotationQueues queues,
        QueueReader reader,
        CurrentCaller caller
    ) =>
        AnswerAsync(async () =>
        {
            await DemandAsync(reader, caller, queueId, itemId);
            var queue = await queues.GetAsync(caller.Value, queueId, caller.Aborted);
            if (!QueueAccess.SeesOthers(caller.Value, queue))
            {
                throw new AccessDeniedException(Permission.Manage);
            }

            await desk.DecideAsync(
                caller.Value,
                itemId,
                given.Clear ? null : given.Answers(isSwapped: false),
                given.Gold,
                caller.Aborted
            );
            return Results.Json(new { decided = itemId });
        });

    private static async Task DemandAsync(
        QueueReader reader,
        CurrentCaller caller,
        Guid queueId,
        Guid itemId
    ) =>
        Demand((await reader.PlaceAsync(caller.Value, itemId, caller.Aborted)).Place.Item, queueId);

    private static void Demand(QueueItem item, Guid queueId)
    {
        if (item.QueueId != queueId)
        {
            throw new DatasetProblemException(DatasetProblem.NotFound, "Queue item not found");
        }
    }

    /// <summary>Problems as the screens say them; they are no failures of the server and belong in no error log.</summary>
    private static async Task<IResult> AnswerAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work();
        }
        catch (FilterException e)
        {
            return Results.BadRequest(new { detail = e.Message });
        }
        catch (DatasetProblemException e)
        {
            return Results.Json(
                new { detail = e.Message },
                statusCode: e.Problem switch
                {
                    DatasetProblem.NotFound => StatusCodes.Status404NotFound,
                    DatasetProblem.Conflict => StatusCodes.Status409Conflict,
                    _ => StatusCodes.Status422UnprocessableEntity,
                }
            );
        }
    }

    private static string? Raw(JsonElement? json) =>
        json is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value
            ? value.GetRawText()
            : null;

    private sealed record Chosen(IReadOnlyList<Guid>? Runs, Guid? Project, string? Thread);

    private sealed record Removed(IReadOnlyList<Guid>? Items);

    private sealed record NewExample(Guid Dataset, JsonElement? Correction);

    /// <summary>What the form of a reviewer or an adjudicator sends; of a pair <c>a</c> is the side that stood left.</summary>
    private sealed record Given(
        IReadOnlyDictionary<string, Answer>? Said,
        string? Note,
        JsonElement? Correction,
        double? Seconds,
        bool Gold,
        bool Clear
    )
    {
        public ReviewAnswers Answers(bool isSwapped) =>
            new()
            {
                Answers = (Said ?? new Dictionary<string, Answer>())
                    .Where(a => a.Value is not null)
                    .ToDictionary(
                        a => a.Key,
                        a =>
                            isSwapped
                                ? a.Value with
                                {
                                    Label = a.Value.Label switch
                                    {
                                        ReviewAnswers.First => ReviewAnswers.Second,
                                        ReviewAnswers.Second => ReviewAnswers.First,
                                        var other => other,
                                    },
                                }
                                : a.Value
                    ),
                Note = Note,
                CorrectionJson = Raw(Correction),
            };
    }
}
