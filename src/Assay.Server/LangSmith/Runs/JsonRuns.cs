using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Reads runs in JSON as they arrive, however large the body: one run at a time, payloads beyond 4 MiB straight into the blob store, what
/// was read handed on in bounded portions. A run that cannot be taken is counted and its neighbours are kept; when the JSON itself breaks,
/// the runs before that place are kept and the answer says so.
/// </summary>
internal sealed class JsonRuns(
    Caller caller,
    IBlobStore blobs,
    TraceIngest ingest,
    TimeProvider time,
    string? defaultProject
) : IAsyncDisposable
{
    private const int MaxInline = 4 << 20;
    private const int MaxName = 64 << 10;
    private const long PortionBytes = 8L << 20;
    private readonly ByteArena _memory = new();
    private readonly JsonScanner _scanner = new();
    private readonly List<RunWrite> _runs = [];
    private readonly RejectionList _rejections = new(reason => ingest.Refused(caller, reason));
    private readonly NewBlobs _blobs = new(blobs);
    private long _bytes;
    private long _accepted;

    /// <summary>A body of <c>{"post": […], "patch": […]}</c>.</summary>
    public Task<RejectionList> ReadBatchAsync(Stream body, CancellationToken cancellationToken) =>
        ReadAsync(
            body,
            source =>
                FieldsAsync(
                    source,
                    async name =>
                    {
                        if (name is not ("post" or "patch") || await source.PeekAsync() != '[')
                        {
                            await SkipAsync(source);
                            return;
                        }

                        await RunsAsync(
                            source,
                            name == "post" ? RunOperation.Create : RunOperation.Update,
                            cancellationToken
                        );
                    }
                ),
            cancellationToken
        );

    /// <summary>A body that is one run.</summary>
    public Task<RejectionList> ReadRunAsync(
        Stream body,
        RunOperation operation,
        Guid? idFromPath,
        CancellationToken cancellationToken
    ) =>
        ReadAsync(
            body,
            source => RunAsync(source, operation, idFromPath, cancellationToken),
            cancellationToken
        );

    public ValueTask DisposeAsync()
    {
        _memory.Dispose();
        return _blobs.DisposeAsync();
    }

    private async Task<RejectionList> ReadAsync(
        Stream body,
        Func<JsonSource, Task> read,
        CancellationToken cancellationToken
    )
    {
        using var source = new JsonSource(body, cancellationToken);
        try
        {
            await read(source);
            if (!await source.IsEndAsync())
            {
                throw new JsonException("Something follows the body.");
            }
        }
        catch (Exception e) when (e is JsonException or BadRequestBodyException)
        {
            // What was whole before the break is kept: its sender will not send it again.
            await FlushAsync(cancellationToken);
            var kept = _accepted > 0 ? $" {_accepted} runs before that were accepted." : "";
            throw new BadRequestBodyException(
                (e as BadRequestBodyException)?.Status ?? StatusCodes.Status400BadRequest,
                e is JsonException ? $"Invalid JSON: {e.Message}{kept}" : e.Message + kept
            );
        }

        await FlushAsync(cancellationToken);
        return _rejections;
    }

    private async Task RunsAsync(
        JsonSource source,
        RunOperation operation,
        CancellationToken cancellationToken
    )
    {
        await source.ExpectAsync('[');
        if (await source.PeekAsync() == ']')
        {
            source.Take();
            return;
        }

        while (true)
        {
            await RunAsync(source, operation, null, cancellationToken);
            if (_bytes > PortionBytes)
            {
                await FlushAsync(cancellationToken);
            }

            if (await source.PeekAsync() == ']')
            {
                source.Take();
                return;
            }

            await source.ExpectAsync(',');
        }
    }

    private async Task RunAsync(
        JsonSource source,
        RunOperation operation,
        Guid? idFromPath,
        CancellationToken cancellationToken
    )
    {
        // What a run costs beside its text.
        _bytes += 1_024;
        if (await source.PeekAsync() != '{')
        {
            await SkipAsync(source);
            _rejections.Add(idFromPath ?? Guid.Empty, "body: a run must be a JSON object");
            return;
        }

        string? problem = null;
        var payloads = new List<(string Name, Payload Value)>();
        var head = new ArrayBufferWriter<byte>();
        head.Write("{"u8);
        await FieldsAsync(
            source,
            async name =>
            {
                if (problem is not null)
                {
                    await SkipAsync(source);
                    return;
                }

                _scanner.Reset();
                var isWhole = await TakeAsync(source, MaxInline);
                var value = _memory.Close();
                _bytes += value.Length;
                if (RunPayloads.Has(name))
                {
                    payloads.Add(
                        (
                            name,
                            isWhole
                                ? Payload.FromUtf8(value)
                                : await StoreAsync(source, value, cancellationToken)
                        )
                    );
                }
                else if (isWhole)
                {
                    head.Write(head.WrittenCount > 1 ? ",\""u8 : "\""u8);
                    head.Write(JsonEncodedText.Encode(name).EncodedUtf8Bytes);
                    head.Write("\":"u8);
                    head.Write(value.Span);
                }
                else
                {
                    problem = $"{name}: is larger than {MaxInline >> 20} MiB";
                    await SkipRestAsync(source);
                }

                if (_scanner.Problem is { } trouble)
                {
                    problem ??= $"{name}: {trouble}";
                }
            }
        );
        head.Write("}"u8);
        Accept(operation, idFromPath, head.WrittenMemory, payloads, problem);
    }

    private void Accept(
        RunOperation operation,
        Guid? idFromPath,
        ReadOnlyMemory<byte> head,
        List<(string Name, Payload Value)> payloads,
        string? problem
    )
    {
        if (!Utf8.IsValid(head.Span))
        {
            _rejections.Add(idFromPath ?? Guid.Empty, problem ?? "body: is not valid UTF-8");
            return;
        }

        JsonSurrogates.Mend(head);
        using var document = JsonDocument.Parse(head, RequestBody.Deep);
        var (run, refusal) = RunJson.Read(document.RootElement, operation, head, idFromPath);
        problem ??= refusal;
        if (run is null || problem is not null)
        {
            document.RootElement.TryId("id", out var id);
            _rejections.Add(id ?? idFromPath ?? Guid.Empty, problem ?? "not a run");
            return;
        }

        foreach (var (name, value) in payloads)
        {
            if (value.BlobKey is null)
            {
                JsonSurrogates.Mend(value.Utf8);
            }

            RunPayloads.Set(run, name, value);
        }

        _runs.Add(run);
    }

    /// <summary>The rest of a value that is too large for memory goes to the blob store.</summary>
    private async Task<Payload> StoreAsync(
        JsonSource source,
        ReadOnlyMemory<byte> head,
        CancellationToken cancellationToken
    )
    {
        var key = BlobKeys.New(caller.WorkspaceId, "payload", time.GetUtcNow());
        await using var value = new HeadedStream(head, new ValueStream(source, _scanner));
        var length = await _blobs.PutAsync(key, value, cancellationToken);
        return Payload.FromBlob(key, length, head[..(64 << 10)]);
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_runs.Count > 0)
        {
            _blobs.HandOver(_runs.SelectMany(r => r.Blobs()));
            var receipt = await ingest.AcceptAsync(
                caller,
                new IngestBatch([.. _runs], [], defaultProject),
                cancellationToken
            );
            _accepted += receipt.Accepted;
            _rejections.AddCounted(receipt.Rejections);
        }

        _runs.Clear();
        _memory.Clear();
        _bytes = 0;
    }

    /// <summary>Calls for each field of an object, standing before its value.</summary>
    private async Task FieldsAsync(JsonSource source, Func<string, Task> field)
    {
        await source.ExpectAsync('{');
        if (await source.PeekAsync() == '}')
        {
            source.Take();
            return;
        }

        while (true)
        {
            if (await source.PeekAsync() != '"')
            {
                throw new JsonException("The name of a field is expected.");
            }

            _scanner.Reset();
            if (!await TakeAsync(source, MaxName))
            {
                throw new JsonException("The name of a field is too long.");
            }

            var name = Name(_memory.Close());
            await source.ExpectAsync(':');
            await source.PeekAsync();
            await field(name);
            if (await source.PeekAsync() == '}')
            {
                source.Take();
                return;
            }

            await source.ExpectAsync(',');
        }
    }

    /// <summary>A name as text; one that cannot be decoded is none that is known.</summary>
    private string Name(ReadOnlyMemory<byte> json)
    {
        if (_scanner.Problem is not null)
        {
            return "?";
        }

        JsonSurrogates.Mend(json);
        return JsonSerializer.Deserialize<string>(json.Span) ?? "";
    }

    /// <summary>Takes the value into memory; false when the limit was passed and the value goes on.</summary>
    private async Task<bool> TakeAsync(JsonSource source, int limit)
    {
        while (!_scanner.IsDone)
        {
            var piece = await source.PieceAsync(_scanner);
            piece.CopyTo(_memory.Room(piece.Length));
            _memory.Advance(piece.Length);
            if (_memory.Length > limit && !_scanner.IsDone)
            {
                return false;
            }
        }

        return true;
    }

    private Task SkipAsync(JsonSource source)
    {
        _scanner.Reset();
        return SkipRestAsync(source);
    }

    private async Task SkipRestAsync(JsonSource source)
    {
        while (!_scanner.IsDone)
        {
            await source.PieceAsync(_scanner);
        }
    }

    /// <summary>The rest of the value that the scanner is in.</summary>
    private sealed class ValueStream(JsonSource source, JsonScanner scanner) : ForwardStream
    {
        private ReadOnlyMemory<byte> _piece;

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            while (_piece.IsEmpty && !scanner.IsDone)
            {
                _piece = await source.PieceAsync(scanner);
            }

            var count = Math.Min(buffer.Length, _piece.Length);
            _piece[..count].CopyTo(buffer);
            _piece = _piece[count..];
            return count;
        }
    }
}
