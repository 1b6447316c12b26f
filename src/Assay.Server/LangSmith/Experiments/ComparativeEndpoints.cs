using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>Comparative experiments on LangSmith's wire.</summary>
internal static class ComparativeEndpoints
{
    public static void MapComparative(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets/comparative", CreateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/datasets/{id:guid}/comparative", ListAsync).Needs(Permission.Read);
        app.MapDelete("/api/v1/datasets/comparative/{id:guid}", DeleteAsync)
            .Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        ComparativeExperiments comparisons
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var made = await comparisons.CreateAsync(
            context.Caller(),
            new ComparativeExperiment
            {
                Id = json.Uuid("id") ?? Guid.Empty,
                DatasetId = json.Uuid("reference_dataset_id") ?? Guid.Empty,
                Name = json.StrictText("name"),
                Description = json.StrictText("description"),
                ExtraJson = json.ObjectText("extra"),
                ExperimentIds = [.. json.Uuids("experiment_ids")],
                CreatedAt = json.Moment("created_at") ?? default,
            },
            context.RequestAborted
        );
        var known = await comparisons.ListAsync(
            context.Caller(),
            made.DatasetId,
            context.RequestAborted
        );
        return WireResult.Json(w => Write(w, known.First(c => c.Comparison.Id == made.Id), null));
    }

    private static Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        ComparativeExperiments comparisons,
        TraceQueries queries
    ) => AnswerAsync(id, context, context.Caller(), comparisons, queries, isPublic: false);

    /// <summary>The comparative experiments of a dataset; for visitors without what belongs to the workspace.</summary>
    public static async Task<IResult> AnswerAsync(
        Guid id,
        HttpContext context,
        Caller caller,
        ComparativeExperiments comparisons,
        TraceQueries queries,
        bool isPublic
    )
    {
        var q = context.Request.Query;
        IEnumerable<ComparativeSummary> found = await comparisons.ListAsync(
            caller,
            id,
            context.RequestAborted
        );
        if (q.Word("name") is { } name)
        {
            found = found.Where(c => c.Comparison.Name == name);
        }

        if (q.Word("name_contains") is { } part)
        {
            found = found.Where(c =>
                c.Comparison.Name?.Contains(part, StringComparison.OrdinalIgnoreCase) == true
            );
        }

        if (q.Uuids("id") is { Count: > 0 } ids)
        {
            found = found.Where(c => ids.Contains(c.Comparison.Id));
        }

        var isDescending = q.Flag("sort_by_desc") ?? true;
        var sortBy = q.Word("sort_by");
        found = sortBy switch
        {
            null or "created_at" => isDescending ? found : found.Reverse(),
            "name" => isDescending
                ? found.OrderByDescending(c => c.Comparison.Name, StringComparer.Ordinal)
                : found.OrderBy(c => c.Comparison.Name, StringComparer.Ordinal),
            _ => throw BodyFields.Wrong("sort_by", "created_at or name"),
        };
        var page = found
            .Skip(q.Whole("offset", 0, 0, int.MaxValue))
            .Take(q.Whole("limit", 100, 1, 100))
            .ToList();
        var stats = new Dictionary<Guid, IReadOnlyList<FeedbackRecord>>();
        foreach (var item in page)
        {
            stats[item.Comparison.Id] = await queries.FeedbackAsync(
                caller,
                new FeedbackQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ComparativeExperimentId = item.Comparison.Id,
                    Limit = 10_000,
                },
                context.RequestAborted
            );
        }

        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in page)
            {
                Write(w, item, stats[item.Comparison.Id], isPublic);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        ComparativeExperiments comparisons
    ) =>
        await comparisons.DeleteAsync(context.Caller(), id, context.RequestAborted)
            ? Results.Json(new { message = "Comparative experiment deleted" })
            : Errors.NotFound("Comparative experiment");

    private static void Write(
        Utf8JsonWriter w,
        ComparativeSummary item,
        IReadOnlyList<FeedbackRecord>? feedback,
        bool isPublic = false
    )
    {
        var c = item.Comparison;
        w.WriteStartObject();
        w.WriteString("id", c.Id);
        w.WriteString("name", c.Name);
        w.WriteString("description", c.Description);
        if (!isPublic)
        {
            w.WriteString("tenant_id", c.WorkspaceId);
            w.WriteString("reference_dataset_id", c.DatasetId);
        }

        w.WriteJson("extra", isPublic ? PublicMetadata.Extra(c.ExtraJson) : c.ExtraJson);
        w.WriteString("created_at", WireAsOf.Time(c.CreatedAt));
        w.WriteString("modified_at", WireAsOf.Time(c.ModifiedAt));
        w.WriteStartArray("experiments_info");
        foreach (var (id, name) in item.Experiments)
        {
            w.WriteStartObject();
            w.WriteString("id", id);
            w.WriteString("name", name);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        if (feedback is not null)
        {
            w.WriteStartObject("feedback_stats");
            foreach (var key in feedback.GroupBy(f => f.Key))
            {
                var scores = key.Select(f => f.Score).OfType<double>().ToList();
                w.WriteStartObject(key.Key);
                w.WriteNumber("n", key.Count());
                w.WriteNumber("avg", scores.Count == 0 ? null : scores.Average());
                w.WriteEndObject();
            }

            w.WriteEndObject();
        }

        w.WriteEndObject();
    }
}
