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

    private static Task<IResult> PostAsync(HttpContext context, TraceIngest ingest) =>
        IngestAsync(
            context,
            ingest,
            body => [RunJson.Read(body.Root, RunOperation.Create, body.Utf8)],
            (runs, body) =>
                runs.ReadRunAsync(body, RunOperation.Create, null, context.RequestAborted)
        );

    private static Task<IResult> PatchAsync(Guid id, HttpContext context, TraceIngest ingest) =>
        IngestAsync(
            context,
            ingest,
            body => [RunJson.Read(body.Root, RunOperation.Update, body.Utf8, id)],
            (runs, body) => runs.ReadRunAsync(body, RunOperation.Update, id, context.RequestAborted)
        );

    private static Task<IResult> BatchAsync(HttpContext context, TraceIngest ingest) =>
        IngestAsync(
            context,
            ingest,
            body =>
                body.Root.ValueKind != JsonValueKind.Object
                    ? throw new BadRequestBodyException(
                        StatusCodes.Status422UnprocessableEntity,
                        "body: must be an object with 'post' and 'patch'"
                    )
                    :
                    [
                        .. body
                            .Root.Items("post")
                            .Select(r => RunJson.Read(r, RunOperation.Create, body.Utf8)),
                        .. body
                            .Root.Items("patch")
                            .Select(r => RunJson.Read(r, RunOperation.Update, body.Utf8)),
                    ],
            (runs, body) => runs.ReadBatchAsync(body, context.RequestAborted)
        );

    /// <summary>A small body is read at once, which is fastest; a large one, one of unknown size and one that is broken somewhere run by run.</summary>
    private static async Task<IResult> IngestAsync(
        HttpContext context,
        TraceIngest ingest,
        Func<JsonBody, IReadOnlyList<(RunWrite? Run, string? Problem)>> read,
        Func<JsonRuns, Stream, Task<RejectionList>> stream
    )
    {
        var services = context.RequestServices;
        await using var runs = new JsonRuns(
            context.Caller(),
            services.GetRequiredService<IBlobStore>(),
            ingest,
            services.GetRequiredService<TimeProvider>(),
            DefaultProject(context)
        );
        if (!JsonBody.IsSmall(context.Request))
        {
            await using var large = RequestBody.Open(context.Request);
            return (await stream(runs, large)).Answer();
        }

        using var body = await JsonBody.ReadAsync(context);
        if (!body.IsJson)
        {
            await using var broken = new MemoryStream(body.Utf8.ToArray(), writable: false);
            return (await stream(runs, broken)).Answer();
        }

        return await AcceptAsync(context, ingest, read(body));
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

        await using var body = RequestBody.Open(context.Request);
        await using var reader = new MultipartRuns(
            context.Caller(),
            blobs,
            ingest,
            time,
            DefaultProject(context)
        );
        return (await reader.ReadAsync(body, boundary, context.RequestAborted)).Answer();
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
        var rejections = new RejectionList(reason => ingest.Refused(context.Caller(), reason));
        foreach (var (run, problem) in runs)
        {
            if (run is null)
            {
                rejections.Add(Guid.Empty, problem ?? "not a run");
            }
        }

        var receipt = await ingest.AcceptAsync(
            context.Caller(),
            new IngestBatch(
                [.. runs.Select(r => r.Run).OfType<RunWrite>()],
                [],
                DefaultProject(context)
            ),
            context.RequestAborted
        );
        rejections.AddCounted(receipt.Rejections);
        return rejections.Answer();
    }

    private static string DefaultProject(HttpContext context) =>
        context.Request.Headers["Langsmith-Project"].ToString();

    /// <summary>The body as JSON, whatever the content type says: JavaScript clients send some of it as text.</summary>
    internal static Task<JsonDocument> DocumentAsync(HttpContext context) =>
        RequestBody.DocumentAsync(context.Request, context.RequestAborted);
}
