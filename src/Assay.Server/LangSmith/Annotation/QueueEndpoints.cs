using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Annotation queues themselves on LangSmith's wire.</summary>
internal static class QueueEndpoints
{
    public static void MapQueues(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/annotation-queues", CreateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/annotation-queues", ListAsync).Needs(Permission.Read);
        app.MapDelete("/api/v1/annotation-queues", DeleteManyAsync).Needs(Permission.Delete);
        app.MapPost("/api/v1/annotation-queues/populate", PopulateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/annotation-queues/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/annotation-queues/{id:guid}", ChangeAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/annotation-queues/{id:guid}", DeleteAsync).Needs(Permission.Delete);
        app.MapGet("/api/v1/annotation-queues/{id:guid}/queues", OfRunAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/platform/annotation-queues/{id:guid}/reviewers", AssignAsync)
            .Needs(Permission.Write);
        app.MapDelete(
                "/api/v1/platform/annotation-queues/{id:guid}/reviewers/{reviewer:guid}",
                UnassignAsync
            )
            .Needs(Permission.Write);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        AnnotationQueues queues,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var now = time.GetUtcNow();
        var queue = new AnnotationQueue
        {
            Id = json.Uuid("id") ?? Guid.CreateVersion7(now),
            WorkspaceId = context.Caller().WorkspaceId,
            Name = json.StrictText("name") ?? "",
            IsPairwise = json.StrictText("queue_type") == "pairwise",
            CreatedAt = now,
            UpdatedAt = now,
        };
        Apply(queue, json);
        await queues.CreateAsync(context.Caller(), queue, context.RequestAborted);
        var sessions = json.Uuids("session_ids");
        if (sessions.Count > 0)
        {
            await FillAsync(context, queues, queue.Id, sessions);
        }

        // The rubric is in GET only: clients tell the two shapes apart by the key's presence.
        var names = await ReviewersAsync(context);
        return WireResult.Json(w => QueueOut.Write(w, queue, names, withRubric: false));
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        AnnotationQueues queues,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var q = context.Request.Query;
        IEnumerable<QueueSummary> found = await queues.ListAsync(
            context.Caller(),
            context.RequestAborted
        );
        if (q.Uuids("ids") is { Count: > 0 } ids)
        {
            found = found.Where(s => ids.Contains(s.Queue.Id));
        }

        if (q.Word("name") is { } name)
        {
            found = found.Where(s => s.Queue.Name == name);
        }

        if (q.Word("name_contains") is { } part)
        {
            found = found.Where(s =>
                s.Queue.Name.Contains(part, StringComparison.OrdinalIgnoreCase)
            );
        }

        if (q.Uuids("dataset_id") is [var dataset, ..])
        {
            found = found.Where(s => s.Queue.DefaultDatasetId == dataset);
        }

        if (q.Uuids("tag_value_id") is { Count: > 0 } values)
        {
            var tagged = await TaggedAsync(context, metadata, values);
            found = found.Where(s => tagged.Contains(s.Queue.Id));
        }

        if (q.Word("queue_type") is { } type)
        {
            if (type is not ("single" or "pairwise"))
            {
                throw BodyFields.Wrong("queue_type", "single or pairwise");
            }

            found = found.Where(s => s.Queue.IsPairwise == (type == "pairwise"));
        }

        if (q.Flag("assigned_to_me") == true)
        {
            var me = QueueReviews.Reviewer(context.Caller());
            found = found.Where(s => s.Queue.Reviewers.Contains(me));
        }

        found = q.Word("sort_by") switch
        {
            null or "created_at" => found.OrderBy(s => s.Queue.CreatedAt).ThenBy(s => s.Queue.Id),
            "updated_at" => found.OrderBy(s => s.Queue.UpdatedAt).ThenBy(s => s.Queue.Id),
            "name" => found.OrderBy(s => s.Queue.Name, StringComparer.OrdinalIgnoreCase),
            "total_runs" => found.OrderBy(s => s.Waiting + s.Completed),
            _ => throw BodyFields.Wrong("sort_by", "created_at, updated_at, name or total_runs"),
        };
        if (q.Flag("sort_by_desc") ?? true)
        {
            found = found.Reverse();
        }

        var names = await ReviewersAsync(context);
        var page = found
            .Skip(q.Whole("offset", 0, 0, int.MaxValue))
            .Take(q.Whole("limit", 100, 1, 100))
            .ToList();
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            page.ForEach(s =>
                QueueOut.Write(w, s.Queue, names, withRubric: false, s.Waiting + s.Completed)
            );
            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        var queue = await queues.GetAsync(context.Caller(), id, context.RequestAborted);
        var names = await ReviewersAsync(context);
        return WireResult.Json(w => QueueOut.Write(w, queue, names, withRubric: true));
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var queue = await queues.UpdateAsync(
            context.Caller(),
            id,
            q =>
            {
                q.Name = json.StrictText("name") ?? q.Name;
                Apply(q, json);
            },
            context.RequestAborted
        );
        var names = await ReviewersAsync(context);
        return WireResult.Json(w => QueueOut.Write(w, queue, names, withRubric: true));
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        await queues.DeleteAsync(context.Caller(), [id], context.RequestAborted);
        return Results.Json(new { message = "Annotation queue deleted" });
    }

    private static async Task<IResult> DeleteManyAsync(HttpContext context, AnnotationQueues queues)
    {
        var ids = context.Request.Query.Uuids("queue_ids");
        if (ids.Count == 0)
        {
            return Errors.Invalid("queue_ids: must name at least one queue");
        }

        await queues.DeleteAsync(context.Caller(), ids, context.RequestAborted);
        return Results.Json(new { message = "Annotation queues deleted" });
    }

    /// <summary>Puts the roots of whole projects into a queue.</summary>
    private static async Task<IResult> PopulateAsync(HttpContext context, AnnotationQueues queues)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (json.Uuid("queue_id") is not { } queue)
        {
            return Errors.Invalid("queue_id: must be a UUID");
        }

        await queues.GetAsync(context.Caller(), queue, context.RequestAborted);
        var count = await FillAsync(context, queues, queue, json.Uuids("session_ids"));
        return Results.Json(new { message = $"{count} runs added", count });
    }

    private static async Task<IResult> OfRunAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        var found = await queues.OfRunAsync(context.Caller(), id, context.RequestAborted);
        var names = await ReviewersAsync(context);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var queue in found)
            {
                QueueOut.Write(w, queue, names, withRubric: false);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> AssignAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var workspace = context.Caller().WorkspaceId;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (
            json.Uuid("identity_id") is not { } reviewer
            || !await db.WorkspaceMembers.AnyAsync(
                m => m.WorkspaceId == workspace && m.MemberId == reviewer,
                context.RequestAborted
            )
        )
        {
            return Errors.Invalid("identity_id: must be a member of the workspace");
        }

        await queues.UpdateAsync(
            context.Caller(),
            id,
            q =>
            {
                if (!q.Reviewers.Contains(reviewer))
                {
                    q.Reviewers.Add(reviewer);
                }
            },
            context.RequestAborted
        );
        return Results.Json(
            new { queue_id = id, identity_id = reviewer },
            statusCode: StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> UnassignAsync(
        Guid id,
        Guid reviewer,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        await queues.UpdateAsync(
            context.Caller(),
            id,
            q => q.Reviewers.Remove(reviewer),
            context.RequestAborted
        );
        return Results.NoContent();
    }

    /// <summary>Resources that bear every one of the tags.</summary>
    private static async Task<HashSet<Guid>> TaggedAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        IReadOnlyList<Guid> values
    )
    {
        var workspace = context.Caller().WorkspaceId;
        var all = values.Distinct().ToList();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return
        [
            .. await db
                .ResourceTaggings.Where(t => t.WorkspaceId == workspace && all.Contains(t.ValueId))
                .GroupBy(t => t.ResourceId)
                .Where(g => g.Select(t => t.ValueId).Distinct().Count() == all.Count)
                .Select(g => g.Key)
                .ToListAsync(context.RequestAborted),
        ];
    }

    /// <summary>Members by id, to say who is assigned.</summary>
    private static async Task<IReadOnlyDictionary<Guid, MemberView>> ReviewersAsync(
        HttpContext context
    ) =>
        (
            await context
                .RequestServices.GetRequiredService<Members>()
                .ListAsync(context.Caller(), context.RequestAborted)
        ).ToDictionary(m => m.Id);

    private static async Task<int> FillAsync(
        HttpContext context,
        AnnotationQueues queues,
        Guid queue,
        IReadOnlyList<Guid> projects
    )
    {
        if (projects.Count == 0)
        {
            throw BodyFields.Wrong("session_ids", "a list with at least one id");
        }

        var caller = context.Caller();
        var page = await context
            .RequestServices.GetRequiredService<TraceQueries>()
            .QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = projects,
                    IsRoot = true,
                    Ascending = true,
                    Limit = AnnotationQueues.MaxItems,
                    Parts = RunParts.None,
                },
                context.RequestAborted
            );
        if (page.Runs.Count > 0)
        {
            await queues.AddAsync(
                caller,
                queue,
                [
                    .. page.Runs.Select(r => new NewQueueItem(r.Id)
                    {
                        ProjectId = r.ProjectId,
                        StartTime = r.StartTime,
                    }),
                ],
                context.RequestAborted
            );
        }

        return page.Runs.Count;
    }

    private static void Apply(AnnotationQueue queue, JsonElement json)
    {
        queue.Description = json.StrictText("description") ?? queue.Description;
        queue.DefaultDatasetId = json.Uuid("default_dataset") ?? queue.DefaultDatasetId;
        queue.ReviewersPerItem = json.Has("num_reviewers_per_item")
            ? json.Number("num_reviewers_per_item")
            : queue.ReviewersPerItem;
        queue.HasReservations = json.Flag("enable_reservations") ?? queue.HasReservations;
        queue.ReservationMinutes = json.Number("reservation_minutes") ?? queue.ReservationMinutes;
        queue.AccessMode = json.StrictText("reviewer_access_mode") ?? queue.AccessMode;
        queue.Instructions = json.StrictText("rubric_instructions") ?? queue.Instructions;
        queue.MetadataJson = json.ObjectText("metadata") ?? queue.MetadataJson;
        if (json.ArrayText("rubric_items") is { } rubric)
        {
            foreach (var item in json.Field("rubric_items").EnumerateArray())
            {
                if (item.Text("feedback_key") is not { Length: > 0 })
                {
                    throw BodyFields.Wrong("rubric_items", "a list of items with feedback_key");
                }
            }

            queue.RubricJson = rubric;
        }
    }
}
