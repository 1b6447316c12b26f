using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Feedback;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Feedback on LangSmith's wire. Feedback for a run that is not there yet is never refused.</summary>
internal static class FeedbackEndpoints
{
    public static void MapFeedback(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/feedback", CreateAsync).Needs(Permission.Ingest);
        app.MapPost("/api/v1/feedback/eager", CreateAsync).Needs(Permission.Ingest);
        app.MapGet("/api/v1/feedback", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/feedback/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/feedback/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/feedback/{id:guid}", DeleteAsync).Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        TraceIngest ingest,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        FeedbackJson.Check(document.RootElement);
        if (document.RootElement.Field("feedback_config").IsSaid())
        {
            FeedbackSettingEndpoints.Config(document.RootElement.Field("feedback_config"));
        }

        var item = FeedbackJson.Read(document.RootElement, null, time.GetUtcNow())!;
        await ingest.AcceptAsync(
            context.Caller(),
            new IngestBatch([], [item]),
            context.RequestAborted
        );
        await KeepConfigAsync(context, document.RootElement, item.Key, time.GetUtcNow());
        return WireResult.Json(w => FeedbackJson.Write(w, item));
    }

    private static async Task<IResult> ListAsync(HttpContext context, TraceQueries queries)
    {
        var items = await queries.FeedbackAsync(
            context.Caller(),
            Read(context.Request.Query) with
            {
                WorkspaceId = context.Caller().WorkspaceId,
            },
            context.RequestAborted
        );
        var names = await NamesAsync(context, items);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in items)
            {
                FeedbackJson.Write(w, item, names);
            }

            w.WriteEndArray();
        });
    }

    /// <summary>The conditions of a list of feedback; the workspace is the caller's to say.</summary>
    public static FeedbackQuery Read(IQueryCollection q) =>
        new()
        {
            WorkspaceId = Guid.Empty,
            RunIds = q.Ids("run"),
            ProjectIds = q.Ids("session"),
            Keys = q.Words("key"),
            SourceTypes = q.Words("source"),
            UserIds = q.Ids("user"),
            ComparativeExperimentId = q.Id("comparative_experiment_id"),
            HasComment = q.Flag("has_comment"),
            HasScore = q.Flag("has_score"),
            IsOnRun = q.Text("level") switch
            {
                null => null,
                "run" => true,
                "session" => false,
                _ => throw BodyFields.Wrong("level", "run or session"),
            },
            From = q.Time("min_created_at"),
            To = q.Time("max_created_at"),
            Limit = q.Int("limit", 100, 1, 100),
            Offset = q.Int("offset", 0, 0, int.MaxValue),
        };

    private static async Task<IResult> GetAsync(Guid id, HttpContext context, TraceQueries queries)
    {
        var found = await queries.FeedbackAsync(
            context.Caller(),
            new FeedbackQuery { WorkspaceId = context.Caller().WorkspaceId, Id = id },
            context.RequestAborted
        );
        if (found.Count == 0)
        {
            return Errors.NotFound("Feedback");
        }

        var names = await NamesAsync(context, found);
        return WireResult.Json(w => FeedbackJson.Write(w, found[0], names));
    }

    /// <summary>Names of those who gave feedback, when the client asks for them.</summary>
    private static async Task<IReadOnlyDictionary<Guid, string>?> NamesAsync(
        HttpContext context,
        IReadOnlyList<FeedbackRecord> items
    )
    {
        var ids = items.Select(f => f.UserId).OfType<Guid>().Distinct().ToList();
        if (context.Request.Query.Flag("include_user_names") != true || ids.Count == 0)
        {
            return null;
        }

        return (
            await context
                .RequestServices.GetRequiredService<Members>()
                .ListAsync(context.Caller(), context.RequestAborted)
        )
            .Where(m => ids.Contains(m.Id))
            .ToDictionary(m => m.Id, m => m.Name ?? m.Email ?? "");
    }

    private static async Task<IResult> PatchAsync(
        Guid id,
        HttpContext context,
        IRunStore store,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        FeedbackJson.CheckJudgement(json);
        await store.SettleAsync(context.RequestAborted);
        var changed = await store.UpdateFeedbackAsync(
            context.Caller().WorkspaceId,
            id,
            old => FeedbackJson.Change(old, json, time.GetUtcNow()),
            context.RequestAborted
        );
        return changed is null
            ? Errors.NotFound("Feedback")
            : WireResult.Json(w => FeedbackJson.Write(w, changed));
    }

    private static async Task<IResult> DeleteAsync(Guid id, HttpContext context, IRunStore store)
    {
        await store.SettleAsync(context.RequestAborted);
        return await store.DeleteFeedbackAsync(
            context.Caller().WorkspaceId,
            id,
            context.RequestAborted
        )
            ? Results.Json(new { })
            : Errors.NotFound("Feedback");
    }

    /// <summary>The first feedback of a key may bring what the key means; later ones do not change it.</summary>
    internal static async Task KeepConfigAsync(
        HttpContext context,
        JsonElement json,
        string key,
        DateTimeOffset now
    )
    {
        if (json.RawObject("feedback_config") is not { } config)
        {
            return;
        }

        var workspace = context.Caller().WorkspaceId;
        var metadata = context.RequestServices.GetRequiredService<
            IDbContextFactory<MetadataContext>
        >();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (
            !await db.FeedbackConfigs.AnyAsync(
                c => c.WorkspaceId == workspace && c.Key == key,
                context.RequestAborted
            )
        )
        {
            db.FeedbackConfigs.Add(
                new FeedbackConfig
                {
                    WorkspaceId = workspace,
                    Key = key,
                    ConfigJson = config,
                    ModifiedAt = now,
                }
            );
            try
            {
                await db.SaveChangesAsync(context.RequestAborted);
            }
            catch (DbUpdateException)
            {
                // Another feedback of the key brought it at the same moment.
            }
        }
    }
}
