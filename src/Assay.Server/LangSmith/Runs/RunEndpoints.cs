using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Net.Http.Headers;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Runs on LangSmith's wire: ingest and query.</summary>
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
        app.MapPost("/api/v1/runs/query/validate", (Delegate)ValidateAsync).Needs(Permission.Read);
        app.MapAttachments();
    }

    private static async Task<IResult> PostAsync(HttpContext context, TraceIngest ingest)
    {
        using var body = await JsonBody.ReadAsync(context);
        return await AcceptAsync(
            context,
            ingest,
            [RunJson.Read(body.Root, RunOperation.Create, body.Utf8)]
        );
    }

    private static async Task<IResult> PatchAsync(Guid id, HttpContext context, TraceIngest ingest)
    {
        using var body = await JsonBody.ReadAsync(context);
        return await AcceptAsync(
            context,
            ingest,
            [RunJson.Read(body.Root, RunOperation.Update, body.Utf8, id)]
        );
    }

    private static async Task<IResult> BatchAsync(HttpContext context, TraceIngest ingest)
    {
        using var body = await JsonBody.ReadAsync(context);
        if (body.Root.ValueKind != JsonValueKind.Object)
        {
            return Errors.Invalid("body: must be an object with 'post' and 'patch'");
        }

        var runs = body
            .Root.Items("post")
            .Select(r => RunJson.Read(r, RunOperation.Create, body.Utf8))
            .Concat(
                body.Root.Items("patch")
                    .Select(r => RunJson.Read(r, RunOperation.Update, body.Utf8))
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
        using var reader = new MultipartRuns(context.Caller(), blobs, ingest, time);
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
        var run = await queries.FindAsync(
            caller,
            id,
            context.Request.Query.Id("session_id"),
            RunParts.All,
            context.RequestAborted
        );
        if (run is null)
        {
            return Errors.NotFound("Run");
        }

        var relations = await RunRelations.LoadAsync(
            caller,
            [run],
            withTraces: true,
            context.RequestServices,
            context.RequestAborted
        );
        return WireResult.Json(w =>
            RunOut.Write(w, run, caller, Attachments.Url(context, protection), relations)
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

        var parsed = RunQueryJson.ParsedQuery(document.RootElement);
        var page = await queries.QueryAsync(caller, query, context.RequestAborted);
        var url = Attachments.Url(context, protection);
        var relations = await RunRelations.LoadAsync(
            caller,
            page.Runs,
            RunQueryJson.WantsTraces(document.RootElement),
            context.RequestServices,
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("runs");
            foreach (var run in page.Runs)
            {
                RunOut.Write(w, run, caller, url, relations);
            }

            w.WriteEndArray();
            w.WriteStartObject("cursors");
            w.WriteString("next", page.Next);
            w.WriteNull("prev");
            w.WriteEndObject();
            w.WriteString("parsed_query", parsed);
            w.WriteEndObject();
        });
    }

    /// <summary>What is wrong with a question, without asking it.</summary>
    private static async Task<IResult> ValidateAsync(HttpContext context)
    {
        using var document = await DocumentAsync(context);
        var errors = RunQueryJson.Problems(document.AsObject());
        return Results.Json(
            new
            {
                valid = errors.Count == 0,
                errors = errors.Select(e => new { field = e.Field, message = e.Message }),
            }
        );
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

    internal static void Unlimit(HttpContext context)
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
