using System.Text;
using System.Text.Json;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Traces;

/// <summary>Payloads straight to the browser: whole, by byte range, searched, and the media inside them. Memory stays flat whatever their size.</summary>
internal static class PayloadEndpoints
{
    private const long MaxMediaPayload = 64 << 20;

    public static void MapPayloads(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/runs/{runId:guid}/payload/{kind}", ReadAsync);
        ui.MapGet("/runs/{runId:guid}/payload/{kind}/search", SearchAsync);
        ui.MapGet("/runs/{runId:guid}/media/{kind}", MediaAsync);
        ui.MapGet("/runs/{runId:guid}/files/{name}", FileAsync);
    }

    private static async Task<IResult> ReadAsync(
        Guid runId,
        PayloadKind kind,
        Guid? project,
        bool? download,
        TraceQueries queries,
        CurrentCaller caller
    ) =>
        await queries.OpenPayloadAsync(caller.Value, runId, project, kind, caller.Aborted)
            is { } stream
            ? Results.Stream(
                stream,
                "application/json",
                download == true ? $"{runId}-{kind.ToString().ToLowerInvariant()}.json" : null,
                enableRangeProcessing: true
            )
            : Results.NotFound();

    /// <summary>Byte offsets of a text, ASCII case ignored, at most 200 from <paramref name="from"/> on.</summary>
    private static async Task<IResult> SearchAsync(
        Guid runId,
        PayloadKind kind,
        Guid? project,
        string q,
        long? from,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        if (q.Length is 0 or > 1_000)
        {
            return Results.BadRequest(new { detail = "q: 1 to 1,000 characters" });
        }

        await using var stream = await queries.OpenPayloadAsync(
            caller.Value,
            runId,
            project,
            kind,
            caller.Aborted
        );
        return stream is null
            ? Results.NotFound()
            : Results.Json(
                await PayloadSearch.FindAsync(
                    stream,
                    Encoding.UTF8.GetBytes(q),
                    Math.Max(0, from ?? 0),
                    caller.Aborted
                )
            );
    }

    private static async Task<IResult> MediaAsync(
        Guid runId,
        PayloadKind kind,
        Guid? project,
        string at,
        string type,
        HttpContext context,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        await using var stream = await queries.OpenPayloadAsync(
            caller.Value,
            runId,
            project,
            kind,
            caller.Aborted
        );
        if (stream is null || stream.Length > MaxMediaPayload)
        {
            return Results.NotFound();
        }

        using var document = await JsonDocument.ParseAsync(
            stream,
            new JsonDocumentOptions { MaxDepth = 256 },
            caller.Aborted
        );
        if (Follow(document.RootElement, at) is not { ValueKind: JsonValueKind.String } value)
        {
            return Results.NotFound();
        }

        var text = value.GetString() ?? "";
        var comma = text.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
            ? text.IndexOf(',', StringComparison.Ordinal)
            : -1;
        try
        {
            var bytes = Convert.FromBase64String(
                text[(comma + 1)..].Replace('-', '+').Replace('_', '/')
            );
            Contain(context);
            return Results.Bytes(bytes, IsShown(type) ? type : "application/octet-stream");
        }
        catch (FormatException)
        {
            return Results.NotFound();
        }
    }

    private static async Task<IResult> FileAsync(
        Guid runId,
        string name,
        Guid? project,
        HttpContext context,
        TraceQueries queries,
        IBlobStore blobs,
        CurrentCaller caller
    )
    {
        var run = await queries.FindAsync(
            caller.Value,
            runId,
            project,
            RunParts.Details,
            caller.Aborted
        );
        if (
            run?.Attachments.FirstOrDefault(a => a.Name == name) is not { } file
            || await blobs.OpenAsync(file.BlobKey, caller.Aborted) is not { } stream
        )
        {
            return Results.NotFound();
        }

        Contain(context);
        return IsShown(file.ContentType)
            ? Results.Stream(stream, file.ContentType, enableRangeProcessing: true)
            : Results.Stream(
                stream,
                "application/octet-stream",
                file.Name,
                enableRangeProcessing: true
            );
    }

    /// <summary>Only what browsers show without running anything in it; SVG is a document with scripts, hence not here.</summary>
    internal static bool IsShown(string type) =>
        type
            is "image/png"
                or "image/jpeg"
                or "image/gif"
                or "image/webp"
                or "image/avif"
                or "audio/mpeg"
                or "audio/mp3"
                or "audio/wav"
                or "audio/x-wav"
                or "audio/ogg"
                or "audio/webm"
                or "audio/mp4"
                or "video/mp4"
                or "video/webm";

    /// <summary>A client's bytes under our address must never act as our page.</summary>
    private static void Contain(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        context.Response.Headers.CacheControl = "private, max-age=3600";
    }

    private static JsonElement? Follow(JsonElement json, string pointer)
    {
        foreach (var step in pointer.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(step, out var member))
            {
                json = member;
            }
            else if (
                json.ValueKind == JsonValueKind.Array
                && int.TryParse(step, System.Globalization.CultureInfo.InvariantCulture, out var i)
                && i >= 0
                && i < json.GetArrayLength()
            )
            {
                json = json[i];
            }
            else
            {
                return null;
            }
        }

        return json;
    }
}
