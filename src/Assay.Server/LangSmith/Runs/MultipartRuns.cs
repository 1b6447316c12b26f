using System.Text.Json;
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
    TimeProvider time
) : IDisposable
{
    private const int MaxInline = 4 << 20;
    private const long MaxPart = 64L << 20;
    private const long PortionBytes = 8L << 20;
    private readonly Dictionary<(RunOperation, Guid), RunWrite> _runs = [];
    private readonly Dictionary<Guid, List<Attachment>> _files = [];
    private readonly Dictionary<
        (RunOperation, Guid),
        List<(string Field, Payload Value)>
    > _fields = [];
    private readonly List<FeedbackRecord> _feedback = [];
    private readonly List<Rejection> _rejections = [];
    private readonly ByteArena _memory = new();
    private long _bytes;

    public async Task<IReadOnlyList<Rejection>> ReadAsync(
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
        while (await NextAsync(reader, cancellationToken) is { } section)
        {
            var name = Name(section);
            var key = Target(name);
            if (_bytes > PortionBytes && key != last)
            {
                // Clients keep the parts of one run together; a straggler becomes a change of its own, which merges to the same run.
                await FlushAsync(cancellationToken);
            }

            last = key;
            await TakeAsync(name, section, cancellationToken);
        }

        await FlushAsync(cancellationToken);
        return _rejections;
    }

    public void Dispose() => _memory.Dispose();

    private static async Task<MultipartSection?> NextAsync(
        MultipartReader reader,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception e)
            when (e is IOException or InvalidDataException or ZstdSharp.ZstdException
                && e is not BadHttpRequestException
            )
        {
            throw new BadRequestBodyException(
                StatusCodes.Status400BadRequest,
                $"The multipart body is damaged or cut short: {e.Message}"
            );
        }
    }

    private async Task TakeAsync(
        string name,
        MultipartSection section,
        CancellationToken cancellationToken
    )
    {
        var parts = name.Split('.', 3);
        if (parts.Length < 2 || !Guid.TryParse(parts[1], out var id))
        {
            _rejections.Add(
                new Rejection(
                    Guid.Empty,
                    $"part '{name}': not one of post., patch., attachment., feedback. followed by a UUID"
                )
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
                var length = await blobs.PutAsync(key, section.Body, cancellationToken);
                var type =
                    section.ContentType?.Split("; length=", 2)[0] ?? "application/octet-stream";
                (_files.TryGetValue(id, out var files) ? files : _files[id] = []).Add(
                    new Attachment(parts[2], type, key, length)
                );
                break;
            case "feedback":
                var json = await RequestBody.ReadAsync(
                    section.Body,
                    MaxPart,
                    _memory,
                    cancellationToken
                );
                _bytes += json.Length;
                using (var document = JsonDocument.Parse(json))
                {
                    if (FeedbackJson.Read(document.RootElement, id, time.GetUtcNow()) is { } item)
                    {
                        _feedback.Add(item);
                    }
                    else
                    {
                        _rejections.Add(new Rejection(id, "feedback: needs a key"));
                    }
                }

                break;
            default:
                _rejections.Add(new Rejection(id, $"part '{name}': unknown kind"));
                break;
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
            (
                _fields.TryGetValue((operation, id), out var fields)
                    ? fields
                    : _fields[(operation, id)] = []
            ).Add((field, await ValueAsync(section.Body, cancellationToken)));
            return;
        }

        var bytes = await RequestBody.ReadAsync(section.Body, MaxPart, _memory, cancellationToken);
        _bytes += bytes.Length;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var (run, problem) = RunJson.Read(document.RootElement, operation, bytes, id);
            if (run is null)
            {
                _rejections.Add(new Rejection(id, problem ?? "not a run"));
            }
            else
            {
                _runs[(operation, id)] = run;
            }
        }
        catch (JsonException e)
        {
            _rejections.Add(new Rejection(id, $"invalid JSON: {e.Message}"));
        }
    }

    private async Task<Payload> ValueAsync(Stream body, CancellationToken cancellationToken)
    {
        while (
            _memory.Length <= MaxInline
            && await body.ReadAsync(_memory.Room(1), cancellationToken) is var count and > 0
        )
        {
            _memory.Advance(count);
        }

        var first = _memory.Close();
        _bytes += first.Length;
        if (first.Length <= MaxInline)
        {
            return Payload.FromUtf8(first);
        }

        var key = BlobKeys.New(caller.WorkspaceId, "payload", time.GetUtcNow());
        await using var whole = new HeadedStream(first, body);
        var length = await blobs.PutAsync(key, whole, cancellationToken);
        return Payload.FromBlob(key, length, first[..(64 << 10)]);
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, fields) in _fields)
        {
            if (!_runs.TryGetValue(key, out var run))
            {
                if (_rejections.Any(r => r.Id == key.Item2))
                {
                    continue;
                }

                _runs[key] = run = new RunWrite { Operation = key.Item1, RunId = key.Item2 };
            }

            foreach (var (field, value) in fields)
            {
                Set(run, field, value);
            }
        }

        foreach (var (id, files) in _files)
        {
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
            var receipt = await ingest.AcceptAsync(
                caller,
                new IngestBatch([.. _runs.Values], [.. _feedback]),
                cancellationToken
            );
            _rejections.AddRange(receipt.Rejections);
        }

        _runs.Clear();
        _fields.Clear();
        _files.Clear();
        _feedback.Clear();
        _memory.Clear();
        _bytes = 0;
    }

    private static void Set(RunWrite run, string field, Payload value)
    {
        if (value.BlobKey is null && value.Utf8.Span.SequenceEqual("null"u8))
        {
            return;
        }

        switch (field)
        {
            case "inputs":
                run.Inputs = value;
                break;
            case "outputs":
                run.Outputs = value;
                break;
            case "extra":
                run.Extra = value;
                break;
            case "events":
                run.Events = value;
                break;
            case "serialized":
                run.Serialized = value;
                break;
            case "error":
                using (var document = JsonDocument.Parse(value.Utf8))
                {
                    run.Error = RunJson.Error(document.RootElement);
                }

                break;
            default:
                // A field newer than this server: ignored, as unknown keys of a run are.
                break;
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

    /// <summary>What was read already, then the rest.</summary>
    private sealed class HeadedStream(ReadOnlyMemory<byte> head, Stream rest) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            if (_at >= head.Length)
            {
                return rest.ReadAsync(buffer, cancellationToken);
            }

            var count = Math.Min(buffer.Length, head.Length - _at);
            head.Slice(_at, count).CopyTo(buffer);
            _at += count;
            return ValueTask.FromResult(count);
        }

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) =>
            throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException();
    }
}
