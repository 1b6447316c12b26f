using System.Text.Json;
using System.Text.Unicode;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Reads <c>POST /runs/multipart</c>: parts named <c>post.ID</c>, <c>patch.ID</c>, <c>OP.ID.FIELD</c>, <c>attachment.ID.NAME</c> and
/// <c>feedback.ID</c>, in any order, as streams (parts carry no file name, so a form reader would decode files as text; the <c>length=</c> that
/// clients put into content types is not bytes and is ignored). Large values go straight to the blob store; what was read is handed on in
/// bounded portions, so memory stays flat whatever the size of the body.
/// </summary>
internal sealed class MultipartRuns(
    Caller caller,
    IBlobStore blobs,
    TraceIngest ingest,
    TimeProvider time,
    string? defaultProject
) : IAsyncDisposable
{
    private const int MaxInline = 4 << 20;
    private const long PortionBytes = 8L << 20;
    private readonly Dictionary<(RunOperation, Guid), RunWrite> _runs = [];
    private readonly Dictionary<Guid, List<Attachment>> _files = [];
    private readonly Dictionary<
        (RunOperation, Guid),
        List<(string Field, Payload Value)>
    > _fields = [];
    private readonly List<FeedbackRecord> _feedback = [];
    private readonly RejectionList _rejections = new(reason => ingest.Refused(caller, reason));
    private readonly NewBlobs _blobs = new(blobs);
    private readonly HashSet<Guid> _refused = [];
    private readonly JsonScanner _scanner = new();
    private readonly ByteArena _memory = new();
    private long _bytes;

    public async Task<RejectionList> ReadAsync(
        Stream body,
        string boundary,
        CancellationToken cancellationToken
    )
    {
        var reader = new MultipartReader(boundary, body, 64 << 10)
        {
            HeadersLengthLimit = 32 << 10,
        };
        (RunOperation, Guid)? last = null;
        (RunOperation, Guid)? torn = null;
        try
        {
            while (await NextAsync(reader, cancellationToken) is { } section)
            {
                var name = Name(section);
                var key = Target(name);
                if (_bytes > PortionBytes && key != last)
                {
                    // Clients keep the parts of one run together; a straggler becomes a change of its own, which merges to the same run.
                    await FlushAsync(cancellationToken);
                }

                last = torn = key;
                await TakeAsync(name, section, cancellationToken);
                torn = null;
            }
        }
        catch (Exception e) when (IsBroken(e))
        {
            // What was whole before the break is kept: its sender will not send it again. A run whose part was being read is not whole.
            if (torn is { } run)
            {
                _runs.Remove(run);
                _fields.Remove(run);
                _files.Remove(run.Item2);
            }

            await FlushAsync(cancellationToken);
            throw e as BadRequestBodyException
                ?? new BadRequestBodyException(
                    StatusCodes.Status400BadRequest,
                    $"The multipart body is damaged or cut short: {e.Message}"
                );
        }

        await FlushAsync(cancellationToken);
        return _rejections;
    }

    public ValueTask DisposeAsync()
    {
        _memory.Dispose();
        return _blobs.DisposeAsync();
    }

    private static bool IsBroken(Exception e) =>
        e is BadRequestBodyException
        || (e is IOException or InvalidDataException && e is not BadHttpRequestException);

    private static Task<MultipartSection?> NextAsync(
        MultipartReader reader,
        CancellationToken cancellationToken
    ) => reader.ReadNextSectionAsync(cancellationToken);

    private void Refuse(Guid id, string reason)
    {
        _refused.Add(id);
        _rejections.Add(id, reason);
    }

    private async Task TakeAsync(
        string name,
        MultipartSection section,
        CancellationToken cancellationToken
    )
    {
        // What a part costs beside its text.
        _bytes += 512;
        var parts = name.Split('.', 3);
        if (parts.Length < 2 || !Guid.TryParse(parts[1], out var id))
        {
            _rejections.Add(
                Guid.Empty,
                $"part '{name}': not one of post., patch., attachment., feedback. followed by a UUID"
            );
            return;
        }

        switch (parts[0])
        {
            case "post" or "patch":
                await TakeRunAsync(
                    parts[0] == "post" ? RunOperation.Create : RunOperation.Update,
                    id,
                    parts.ElementAtOrDefault(2),
                    section,
                    cancellationToken
                );
                break;
            case "attachment" when parts.Length == 3:
                var key = BlobKeys.New(caller.WorkspaceId, "attachment", time.GetUtcNow());
                var length = await _blobs.PutAsync(key, section.Body, cancellationToken);
                var type =
                    section.ContentType?.Split("; length=", 2)[0] ?? "application/octet-stream";
                (_files.TryGetValue(id, out var files) ? files : _files[id] = []).Add(
                    new Attachment(parts[2], type, key, length)
                );
                break;
            case "feedback":
                await TakeFeedbackAsync(id, section, cancellationToken);
                break;
            default:
                _rejections.Add(id, $"part '{name}': unknown kind");
                break;
        }
    }

    private async Task TakeFeedbackAsync(
        Guid id,
        MultipartSection section,
        CancellationToken cancellationToken
    )
    {
        if (await WholeAsync(section, cancellationToken) is not { } json)
        {
            _rejections.Add(id, $"feedback: is larger than {MaxInline >> 20} MiB");
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(json, RequestBody.Deep);
            if (FeedbackJson.Read(document.RootElement, id, time.GetUtcNow()) is { } item)
            {
                _feedback.Add(item);
            }
            else
            {
                _rejections.Add(id, "feedback: needs a key");
            }
        }
        catch (JsonException e)
        {
            _rejections.Add(id, $"feedback: invalid JSON: {e.Message}");
        }
    }

    private async Task TakeRunAsync(
        RunOperation operation,
        Guid id,
        string? field,
        MultipartSection section,
        CancellationToken cancellationToken
    )
    {
        if (field is not null)
        {
            try
            {
                var value = await ValueAsync(section.Body, cancellationToken);
                (
                    _fields.TryGetValue((operation, id), out var fields)
                        ? fields
                        : _fields[(operation, id)] = []
                ).Add((field, value));
            }
            catch (JsonException e)
            {
                Refuse(id, $"{field}: invalid JSON: {e.Message}");
            }

            return;
        }

        if (await WholeAsync(section, cancellationToken) is not { } bytes)
        {
            Refuse(id, $"the part of the run itself is larger than {MaxInline >> 20} MiB");
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(bytes, RequestBody.Deep);
            var (run, problem) = RunJson.Read(document.RootElement, operation, bytes, id);
            if (run is null)
            {
                Refuse(id, problem ?? "not a run");
            }
            else
            {
                _runs[(operation, id)] = run;
            }
        }
        catch (JsonException e)
        {
            Refuse(id, $"invalid JSON: {e.Message}");
        }
    }

    /// <summary>A part that is read as a whole; null when it is too large for that. Invalid UTF-8 in it is told as invalid JSON.</summary>
    private async Task<ReadOnlyMemory<byte>?> WholeAsync(
        MultipartSection section,
        CancellationToken cancellationToken
    )
    {
        var bytes = await HeadAsync(section.Body, cancellationToken);
        if (bytes.Length > MaxInline)
        {
            return null;
        }

        JsonSurrogates.Mend(bytes);
        return Utf8.IsValid(bytes.Span) ? bytes : "\"not valid UTF-8"u8.ToArray();
    }

    private async Task<ReadOnlyMemory<byte>> HeadAsync(
        Stream body,
        CancellationToken cancellationToken
    )
    {
        while (
            _memory.Length <= MaxInline
            && await body.ReadAsync(_memory.Room(1), cancellationToken) is var count and > 0
        )
        {
            _memory.Advance(count);
        }

        var head = _memory.Close();
        _bytes += head.Length;
        return head;
    }

    private async Task<Payload> ValueAsync(Stream body, CancellationToken cancellationToken)
    {
        var head = await HeadAsync(body, cancellationToken);
        if (head.Length <= MaxInline)
        {
            JsonSurrogates.Mend(head);
            return Payload.FromUtf8(head);
        }

        var key = BlobKeys.New(caller.WorkspaceId, "payload", time.GetUtcNow());
        _scanner.Reset();
        await using var whole = new HeadedStream(head, body, _scanner);
        var length = await _blobs.PutAsync(key, whole, cancellationToken);
        return Payload.FromBlob(key, length, head[..(64 << 10)]);
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, fields) in _fields)
        {
            if (_refused.Contains(key.Item2))
            {
                _runs.Remove(key);
                continue;
            }

            if (!_runs.TryGetValue(key, out var run))
            {
                _runs[key] = run = new RunWrite { Operation = key.Item1, RunId = key.Item2 };
            }

            foreach (var (field, value) in fields)
            {
                if (Set(run, field, value) is { } problem)
                {
                    _rejections.Add(key.Item2, problem);
                }
            }
        }

        foreach (var (id, files) in _files)
        {
            if (_refused.Contains(id))
            {
                continue;
            }

            var run =
                _runs.GetValueOrDefault((RunOperation.Create, id))
                ?? _runs.GetValueOrDefault((RunOperation.Update, id));
            if (run is null)
            {
                _runs[(RunOperation.Update, id)] = run = new RunWrite
                {
                    Operation = RunOperation.Update,
                    RunId = id,
                };
            }

            run.Attachments = files;
        }

        if (_runs.Count > 0 || _feedback.Count > 0)
        {
            _blobs.HandOver(_runs.Values.SelectMany(r => r.Blobs()));
            var receipt = await ingest.AcceptAsync(
                caller,
                new IngestBatch([.. _runs.Values], [.. _feedback], defaultProject),
                cancellationToken
            );
            _rejections.AddCounted(receipt.Rejections);
        }

        _runs.Clear();
        _fields.Clear();
        _files.Clear();
        _feedback.Clear();
        _refused.Clear();
        _memory.Clear();
        _bytes = 0;
    }

    /// <summary>Sets a field; what is wrong with it when it cannot be taken.</summary>
    private static string? Set(RunWrite run, string field, Payload value)
    {
        if (field != "error")
        {
            RunPayloads.Set(run, field, value);
            return null;
        }

        if (value.BlobKey is not null)
        {
            return $"error: is larger than {MaxInline >> 20} MiB";
        }

        try
        {
            using var document = JsonDocument.Parse(value.Utf8, RequestBody.Deep);
            run.Error =
                Utf8.IsValid(value.Utf8.Span) && document.RootElement.IsSaid()
                    ? RunJson.Error(document.RootElement)
                    : null;
            return run.Error is null && !Utf8.IsValid(value.Utf8.Span)
                ? "error: is not valid UTF-8"
                : null;
        }
        catch (JsonException e)
        {
            return $"error: invalid JSON: {e.Message}";
        }
    }

    private static (RunOperation, Guid)? Target(string name) =>
        name.Split('.', 3) is [var kind, var id, ..] && Guid.TryParse(id, out var parsed)
            ? (kind == "patch" ? RunOperation.Update : RunOperation.Create, parsed)
            : null;

    private static string Name(MultipartSection section) =>
        ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString()
            : "";
}
