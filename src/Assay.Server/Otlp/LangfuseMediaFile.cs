using System.Text.Json;
using Assay.Core.Blobs;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.Otlp;

/// <summary>
/// A handed-over file by the id that texts name it by, for Langfuse's SDKs that resolve their marks. A note per id, in the blob store beside the
/// file, tells the run; whether the file is still there the run decides, so what was deleted with it is not found.
/// </summary>
internal static class LangfuseMediaFile
{
    private const int MaxId = 64;

    /// <summary>Remembers which span a file came with. The last one who hands the same file over is remembered.</summary>
    public static async Task NoteAsync(
        IBlobStore blobs,
        Guid workspaceId,
        string mediaId,
        string traceId,
        string? spanId,
        CancellationToken cancellationToken
    )
    {
        using var note = new MemoryStream(
            JsonSerializer.SerializeToUtf8Bytes(new Note(traceId, spanId))
        );
        await blobs.PutAsync(Key(workspaceId, mediaId), note, cancellationToken);
    }

    /// <summary><c>GET /api/public/media/{id}</c>.</summary>
    public static async Task<IResult> GetAsync(
        string id,
        HttpContext context,
        IBlobStore blobs,
        TraceQueries queries,
        TraceMemory memory,
        IDataProtectionProvider protection,
        TimeProvider time
    )
    {
        var caller = context.Caller();
        var cancel = context.RequestAborted;
        if (
            id.Length is 0 or > MaxId
            || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            || await ReadAsync(blobs, Key(caller.WorkspaceId, id), cancel) is not { } note
        )
        {
            return NotFound(id);
        }

        var traceBytes = Convert.FromHexString(note.TraceId);
        var traceId = SpanIds.Trace(traceBytes);
        Run? run;
        if (note.SpanId is { } span)
        {
            var state = memory.Of(caller.WorkspaceId, traceId);
            Guid runId;
            lock (state.Lock)
            {
                runId = SpanBatch.RunId(state, traceBytes, Convert.ToUInt64(span, 16));
            }

            run = await queries.FindAsync(caller, runId, null, RunParts.Details, cancel);
        }
        else
        {
            var roots = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    TraceId = traceId,
                    IsRoot = true,
                    OrderBy = RunField.StartTime,
                    Ascending = true,
                    Limit = 1,
                    Parts = RunParts.Details,
                },
                cancel
            );
            run = roots.Runs.Count == 0 ? null : roots.Runs[0];
        }

        if (run?.Attachments.FirstOrDefault(a => a.Name == id) is not { } file)
        {
            return NotFound(id);
        }

        return Results.Json(
            new
            {
                mediaId = id,
                contentType = file.ContentType,
                contentLength = file.Length,
                uploadedAt = run.ReceivedAt ?? run.StartTime,
                url = Attachments.Url(context, protection)(file),
                urlExpiry = time.GetUtcNow() + Attachments.Lifetime,
            }
        );
    }

    private static IResult NotFound(string id) =>
        Errors.Detail(
            StatusCodes.Status404NotFound,
            $"There is no media {(id.Length > MaxId ? id[..MaxId] : id)}"
        );

    private static async Task<Note?> ReadAsync(
        IBlobStore blobs,
        string key,
        CancellationToken cancellationToken
    )
    {
        await using var stream = await blobs.OpenAsync(key, cancellationToken);
        return stream is null
            ? null
            : await JsonSerializer.DeserializeAsync<Note>(
                stream,
                cancellationToken: cancellationToken
            );
    }

    private static string Key(Guid workspaceId, string mediaId) =>
        $"{workspaceId:N}/media/{mediaId}";

    private sealed record Note(string TraceId, string? SpanId);
}
