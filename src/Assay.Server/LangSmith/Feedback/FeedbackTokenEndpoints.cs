using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Feedback;

/// <summary>Links that let whoever has them judge one run under one key, without an account, until they expire.</summary>
internal static class FeedbackTokenEndpoints
{
    private const int MaxTokens = 1_000;

    public static void MapFeedbackTokens(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/feedback/tokens", CreateAsync).Needs(Permission.Ingest);
        app.MapGet("/api/v1/feedback/tokens", ListAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/feedback/tokens/{token:guid}", SubmitAsync).IsOpen();
        app.MapGet("/api/v1/feedback/tokens/{token:guid}", SubmitByLinkAsync).IsOpen();
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        var isMany = json.ValueKind == JsonValueKind.Array;
        IReadOnlyList<JsonElement> asked = isMany ? [.. json.EnumerateArray()] : [json];
        if (asked.Count is 0 or > MaxTokens)
        {
            return Errors.Invalid($"body: must name 1 to {MaxTokens} tokens");
        }

        var caller = context.Caller();
        var tokens = asked.Select(j => Read(j, caller.WorkspaceId, time.GetUtcNow())).ToList();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        db.FeedbackTokens.AddRange(tokens);
        await db.SaveChangesAsync(context.RequestAborted);
        foreach (var (token, body) in tokens.Zip(asked))
        {
            await FeedbackEndpoints.KeepConfigAsync(context, body, token.Key, time.GetUtcNow());
        }

        return WireResult.Json(w =>
        {
            if (isMany)
            {
                Write(w, context, tokens);
            }
            else
            {
                Write(w, context, tokens[0]);
            }
        });
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var q = context.Request.Query;
        if (q.Uuids("run_id") is not [var run, ..])
        {
            return Errors.Invalid("run_id: must be a UUID");
        }

        var workspace = context.Caller().WorkspaceId;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var tokens = await db
            .FeedbackTokens.AsNoTracking()
            .Where(t => t.WorkspaceId == workspace && t.RunId == run)
            .OrderBy(t => t.CreatedAt)
            .ThenBy(t => t.Id)
            .Skip(q.Whole("offset", 0, 0, int.MaxValue))
            .Take(q.Whole("limit", 100, 1, 100))
            .ToListAsync(context.RequestAborted);
        return WireResult.Json(w => Write(w, context, tokens));
    }

    private static async Task<IResult> SubmitAsync(
        Guid token,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceIngest ingest,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await TakeAsync(token, context, metadata, ingest, time, document.RootElement);
    }

    /// <summary>A plain link in a mail: score, value, comment and correction come in the query.</summary>
    private static async Task<IResult> SubmitByLinkAsync(
        Guid token,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceIngest ingest,
        TimeProvider time
    )
    {
        var q = context.Request.Query;
        using var buffer = new MemoryStream();
        await using (var w = new Utf8JsonWriter(buffer))
        {
            w.WriteStartObject();
            foreach (var name in (string[])["score", "value"])
            {
                if (q.Word(name) is { } text)
                {
                    w.WritePropertyName(name);
                    Scalar(w, text);
                }
            }

            foreach (var name in (string[])["comment", "correction"])
            {
                if (q.Word(name) is { } text)
                {
                    w.WriteString(name, text);
                }
            }

            w.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return await TakeAsync(token, context, metadata, ingest, time, document.RootElement);
    }

    private static async Task<IResult> TakeAsync(
        Guid token,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceIngest ingest,
        TimeProvider time,
        JsonElement json
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var known = await db
            .FeedbackTokens.AsNoTracking()
            .SingleOrDefaultAsync(t => t.Id == token, context.RequestAborted);
        if (known is null)
        {
            return Errors.NotFound("Feedback token");
        }

        FeedbackJson.CheckJudgement(json);
        var now = time.GetUtcNow();
        if (known.ExpiresAt <= now)
        {
            return Errors.Detail(StatusCodes.Status403Forbidden, "The feedback link has expired");
        }

        var source = json.ObjectText("metadata");
        var item = FeedbackJson.Judgement(json, known.Key, now) with
        {
            RunId = known.RunId,
            SourceType = "api",
            SourceMetadataJson = source,
        };
        await ingest.AcceptAsync(
            new Caller(known.WorkspaceId, Permission.Ingest, Name: "feedback link"),
            new IngestBatch([], [item]),
            context.RequestAborted
        );
        return Results.Json(new { message = "Feedback received", id = item.Id });
    }

    private static FeedbackToken Read(JsonElement json, Guid workspaceId, DateTimeOffset now)
    {
        json.MustBeObject();
        if (json.Uuid("run_id") is not { } run)
        {
            throw BodyFields.Wrong("run_id", "a UUID");
        }

        if (json.StrictText("feedback_key") is not { Length: > 0 and <= FeedbackJson.MaxKey } key)
        {
            throw BodyFields.Wrong(
                "feedback_key",
                $"a text of 1 to {FeedbackJson.MaxKey} characters"
            );
        }

        if (json.Field("feedback_config").IsSaid())
        {
            FeedbackSettingEndpoints.Config(json.Field("feedback_config"));
        }

        return new FeedbackToken
        {
            Id = ShareLinks.NewToken(),
            WorkspaceId = workspaceId,
            RunId = run,
            Key = key,
            ExpiresAt = json.Moment("expires_at") ?? now + Life(json.Field("expires_in")),
            CreatedAt = now,
        };
    }

    private static TimeSpan Life(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return TimeSpan.FromHours(3);
        }

        json.MustBeObject();
        var minutes =
            ((json.Number("days") ?? 0) * 1_440L)
            + ((json.Number("hours") ?? 0) * 60L)
            + (json.Number("minutes") ?? 0);
        return minutes is > 0 and <= 3_660 * 1_440L
            ? TimeSpan.FromMinutes(minutes)
            : throw BodyFields.Wrong("expires_in", "longer than nothing and at most ten years");
    }

    private static void Scalar(Utf8JsonWriter w, string text)
    {
        if (bool.TryParse(text, out var flag))
        {
            w.WriteBooleanValue(flag);
        }
        else if (
            double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
        )
        {
            w.WriteNumberValue(number);
        }
        else
        {
            w.WriteStringValue(text);
        }
    }

    private static void Write(
        Utf8JsonWriter w,
        HttpContext context,
        IReadOnlyList<FeedbackToken> tokens
    )
    {
        w.WriteStartArray();
        foreach (var token in tokens)
        {
            Write(w, context, token);
        }

        w.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter w, HttpContext context, FeedbackToken token)
    {
        w.WriteStartObject();
        w.WriteString("id", token.Id);
        w.WriteString("url", $"{Base(context)}/{token.Id}");
        w.WriteString("expires_at", WireAsOf.Time(token.ExpiresAt));
        w.WriteString("feedback_key", token.Key);
        w.WriteEndObject();
    }

    /// <summary>The address as this client wrote it, prefix and all: clients check that the link begins with the endpoint they were given.</summary>
    private static string Base(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target.Split('?', 2)[0].TrimEnd('/');
        return $"{context.Request.Scheme}://{context.Request.Host}{path}";
    }
}
