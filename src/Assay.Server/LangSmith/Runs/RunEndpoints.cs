using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Net.Http.Headers;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Runs on LangSmith's wire: ingest, query, statistics, deletion, attachments, feedback.</summary>
internal static class RunEndpoints
{
    private const long MaxJsonBody = 256L << 20;

    public static void MapRuns(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/runs", PostAsync).Needs(Permission.Ingest);
        app.MapPatch("/api/v1/runs/{id:guid}", PatchAsync).Needs(Permission.Ingest);
        app.MapPost("/api/v1/runs/batch", BatchAsync).Needs(Permission.Ingest);
        app.MapPost("/api/v1/runs/multipart", MultipartAsync).Needs(Permission.Ingest);
        app.MapGet("/api/v1/runs/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/query", QueryAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/stats", StatsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/group", GroupAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/delete", DeleteRunsAsync).Needs(Permission.Delete);
        app.MapPost("/api/v1/runs/delete/traces", DeleteTracesAsync).Needs(Permission.Delete);
        app.MapGet("/attachments/{token}", AttachmentAsync).IsOpen();
    }

    private static async Task<IResult> PostAsync(HttpContext context, TraceIngest ingest)
    {
        using var document = await DocumentAsync(context);
        return await AcceptAsync(
            context,
            ingest,
            [RunJson.Read(document.RootElement, RunOperation.Create)]
        );
    }

    private static async Task<IResult> PatchAsync(Guid id, HttpContext context, TraceIngest ingest)
    {
        using var document = await DocumentAsync(context);
        return await AcceptAsync(
            context,
            ingest,
            [RunJson.Read(document.RootElement, RunOperation.Update, id)]
        );
    }

    private static async Task<IResult> BatchAsync(HttpContext context, TraceIngest ingest)
    {
        using var document = await DocumentAsync(context);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            return Errors.Invalid("body: must be an object with 'post' and 'patch'");
        }

        var runs = document
            .RootElement.Items("post")
            .Select(r => RunJson.Read(r, RunOperation.Create))
            .Concat(
                document
                    .RootElement.Items("patch")
                    .Select(r => RunJson.Read(r, RunOperation.Update))
            )
            .ToList();
        return await AcceptAsync(context, ingest, runs);
    }

    private static async Task<IResult> MultipartAsync(
        HttpContext context,
        TraceIngest ingest,
        IBlobStore blobs,
        TimeProvider time
    )
    {
        if (
            !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value
                is not { Length: > 0 and <= 200 } boundary
        )
        {
            return Errors.Invalid("Content-Type: must be multipart/form-data with a boundary");
        }

        Unlimit(context);
        await using var body = RequestBody.Open(context.Request);
        var reader = new MultipartRuns(context.Caller(), blobs, ingest, time);
        return Answer(await reader.ReadAsync(body, boundary, context.RequestAborted));
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var caller = context.Caller();
        var run = await queries.FindAsync(caller, id, null, RunParts.All, context.RequestAborted);
        if (run is null)
        {
            return Errors.NotFound("Run");
        }

        var children = await queries.ChildIdsAsync(
            caller,
            run.TraceId,
            run.Id,
            context.RequestAborted
        );
        return WireResult.Json(w =>
            RunOut.Write(w, run, caller, Url(context, protection), children)
        );
    }

    private static async Task<IResult> QueryAsync(
        HttpContext context,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await DocumentAsync(context);
        var caller = context.Caller();
        var query = RunQueryJson.Read(document.RootElement);
        if (
            query is
            {
                ProjectIds.Count: 0,
                RunIds.Count: 0,
                TraceId: null,
                ParentRunId: null,
                ReferenceExampleIds.Count: 0
            }
        )
        {
            return Errors.Invalid(
                "At least one of session, id, trace, parent_run or reference_example must be given"
            );
        }

        var page = await queries.QueryAsync(caller, query, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("runs");
            foreach (var run in page.Runs)
            {
                RunOut.Write(w, run, caller, Url(context, protection));
            }

            w.WriteEndArray();
            w.WriteStartObject("cursors");
            w.WriteString("next", page.Next);
            w.WriteNull("prev");
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> StatsAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await DocumentAsync(context);
        var stats = await queries.StatsAsync(
            context.Caller(),
            RunQueryJson.Read(document.RootElement),
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            StatsOut.Write(w, stats);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> GroupAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await DocumentAsync(context);
        var json = document.RootElement;
        var query = RunQueryJson.Read(json);
        if (json.Id("session_id") is not { } project)
        {
            return Errors.Invalid("session_id: must be a UUID");
        }

        var limit = Math.Clamp(json.Int("limit") ?? 10, 1, 100);
        var page = await queries.ConversationsAsync(
            context.Caller(),
            new Core.Threads.ConversationQuery
            {
                WorkspaceId = context.Caller().WorkspaceId,
                ProjectId = project,
                Filter = query.Filter,
                From = query.From,
                To = query.To,
                Limit = limit,
                Offset = Math.Max(0, json.Int("offset") ?? 0),
            },
            context.RequestAborted
        );
        return WireResult.Json(w => StatsOut.WriteThreads(w, page));
    }

    private static async Task<IResult> DeleteRunsAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await DocumentAsync(context);
        var ids = document.RootElement.Ids("run_ids");
        return ids.Count == 0
            ? Errors.Invalid("run_ids: must name at least one run")
            : Results.Json(
                new
                {
                    deleted = await queries.DeleteRunsAsync(
                        context.Caller(),
                        ids,
                        context.RequestAborted
                    ),
                }
            );
    }

    private static async Task<IResult> DeleteTracesAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await DocumentAsync(context);
        var ids = document.RootElement.Ids("trace_ids");
        return ids.Count == 0
            ? Errors.Invalid("trace_ids: must name at least one trace")
            : Results.Json(
                new
                {
                    deleted = await queries.DeleteTracesAsync(
                        context.Caller(),
                        ids,
                        context.RequestAborted
                    ),
                }
            );
    }

    private static async Task<IResult> AttachmentAsync(
        string token,
        HttpContext context,
        IBlobStore blobs,
        IDataProtectionProvider protection
    )
    {
        try
        {
            var parts = Protector(protection).Unprotect(token).Split('\n', 2);
            var stream = await blobs.OpenAsync(parts[0], context.RequestAborted);
            if (stream is null)
            {
                return Errors.NotFound("Attachment");
            }

            // Whatever a client uploaded is never run by a browser on our origin.
            context.Response.Headers.ContentSecurityPolicy =
                "sandbox; default-src 'none'; img-src 'self'; media-src 'self'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Results.File(stream, parts[1], enableRangeProcessing: true);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return Errors.Detail(
                StatusCodes.Status403Forbidden,
                "The link is not valid or has expired."
            );
        }
    }

    private static ITimeLimitedDataProtector Protector(IDataProtectionProvider provider) =>
        provider.CreateProtector("Assay.Attachment").ToTimeLimitedDataProtector();

    private static Func<Attachment, string> Url(
        HttpContext context,
        IDataProtectionProvider protection
    )
    {
        var request = context.Request;
        return file =>
            $"{request.Scheme}://{request.Host}/attachments/{Protector(protection).Protect($"{file.BlobKey}\n{file.ContentType}", TimeSpan.FromHours(12))}";
    }

    private static async Task<IResult> AcceptAsync(
        HttpContext context,
        TraceIngest ingest,
        IReadOnlyList<(RunWrite? Run, string? Problem)> runs
    )
    {
        var rejections = runs.Where(r => r.Run is null)
            .Select(r => new Rejection(Guid.Empty, r.Problem ?? "not a run"))
            .ToList();
        var receipt = await ingest.AcceptAsync(
            context.Caller(),
            new IngestBatch(
                [.. runs.Select(r => r.Run).OfType<RunWrite>()],
                [],
                context.Request.Headers["Langsmith-Project"].ToString()
            ),
            context.RequestAborted
        );
        return Answer([.. rejections, .. receipt.Rejections]);
    }

    /// <summary>Good neighbours are kept; a 422 says which were refused and why, and clients do not send it again.</summary>
    private static IResult Answer(IReadOnlyList<Rejection> rejections) =>
        rejections.Count == 0
            ? Results.Json(new { }, statusCode: StatusCodes.Status202Accepted)
            : Results.Json(
                new
                {
                    detail = rejections
                        .Take(100)
                        .Select(r => new
                        {
                            loc = new[] { "body", r.Id.ToString() },
                            msg = r.Reason,
                            type = "value_error",
                        }),
                },
                statusCode: StatusCodes.Status422UnprocessableEntity
            );

    /// <summary>The body as JSON, whatever the content type says: JavaScript clients send some of it as text.</summary>
    internal static async Task<JsonDocument> DocumentAsync(HttpContext context)
    {
        Unlimit(context);
        await using var body = RequestBody.Open(context.Request);
        var bytes = await RequestBody.ReadAsync(body, MaxJsonBody, context.RequestAborted);
        return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 256 });
    }

    private static void Unlimit(HttpContext context)
    {
        if (
            context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is
            { } rate
        )
        {
            rate.MinDataRate = null;
        }
    }
}
