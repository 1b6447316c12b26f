using System.IO.Compression;
using System.Text.Json;
using System.Text.Unicode;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>The request body as it was before compression, bounded: a body that unpacks to more than the limit is refused while it is read.</summary>
internal static class RequestBody
{
    /// <summary>The most that one request may unpack to.</summary>
    public const long MaxBytes = 2L << 30;

    /// <summary>The largest JSON document that is read as a whole; runs have no such limit.</summary>
    public const long MaxDocument = 64L << 20;

    /// <summary>A body beyond this needs one of the places for large ones.</summary>
    private const long Large = 1L << 20;

    /// <summary>A zstd frame may ask for so much memory: 2^24 bytes. Clients use a quarter of it.</summary>
    private const int MaxWindowLog = 24;

    /// <summary>So many large bodies are read at once; the others are not read until one has ended, which slows their senders down.</summary>
    private static readonly SemaphoreSlim s_places = new(16);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>How deep JSON may nest.</summary>
    public static JsonDocumentOptions Deep { get; } = new() { MaxDepth = JsonScanner.MaxDepth };

    public static Stream Open(HttpRequest request)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        Stream body = encoding switch
        {
            "" or "identity" => request.Body,
            "gzip" => new GZipStream(request.Body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress),
            "br" => new BrotliStream(request.Body, CompressionMode.Decompress),
            "zstd" => Zstd(request.Body),
            _ => throw new BadRequestBodyException(
                StatusCodes.Status415UnsupportedMediaType,
                $"Content-Encoding '{encoding}' is not supported; use gzip or zstd."
            ),
        };
        return new BoundedStream(body, MaxBytes);
    }

    private static ZstdSharp.DecompressionStream Zstd(Stream packed)
    {
        var body = new ZstdSharp.DecompressionStream(packed, leaveOpen: true);
        body.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        return body;
    }

    /// <summary>A whole JSON document; halves of characters in it are mended.</summary>
    public static async Task<JsonDocument> DocumentAsync(
        HttpRequest request,
        CancellationToken cancellationToken
    )
    {
        await using var body = Open(request);
        var json = await ReadAsync(body, MaxDocument, cancellationToken);
        if (!Utf8.IsValid(json.Span))
        {
            throw new BadRequestBodyException(
                StatusCodes.Status400BadRequest,
                "Invalid JSON: the body is not valid UTF-8."
            );
        }

        JsonSurrogates.Mend(json);
        return JsonDocument.Parse(json, Deep);
    }

    /// <summary>The whole body in memory, at most <paramref name="limit"/> bytes.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        Stream body,
        long limit,
        CancellationToken cancellationToken
    )
    {
        using var memory = new ByteArena();
        return (await ReadAsync(body, limit, memory, cancellationToken)).ToArray();
    }

    /// <summary>The whole body in rented memory, at most <paramref name="limit"/> bytes.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        Stream body,
        long limit,
        ByteArena memory,
        CancellationToken cancellationToken
    )
    {
        while (await body.ReadAsync(memory.Room(1), cancellationToken) is var count and > 0)
        {
            if (memory.Length + (long)count > limit)
            {
                throw new BadRequestBodyException(
                    StatusCodes.Status413PayloadTooLarge,
                    $"The value is larger than {limit >> 20} MiB."
                );
            }

            memory.Advance(count);
        }

        return memory.Close();
    }

    private sealed class BoundedStream(Stream inner, long limit) : ForwardStream
    {
        private long _read;
        private bool _hasPlace;

        public override long Position
        {
            get => _read;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            if (_read > Large && !_hasPlace)
            {
                _hasPlace = await s_places.WaitAsync(s_patience, cancellationToken)
                    ? true
                    : throw new StoreBusyException(
                        "Too many large bodies are being read; try again later.",
                        isFailing: false,
                        TimeSpan.FromSeconds(5)
                    );
            }

            var count = await UnpackAsync(buffer, cancellationToken);
            _read += count;
            return _read <= limit
                ? count
                : throw new BadRequestBodyException(
                    StatusCodes.Status413PayloadTooLarge,
                    $"The body unpacks to more than {limit >> 20} MiB."
                );
        }

        private async ValueTask<int> UnpackAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken
        )
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception e)
                when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
            {
                throw new BadRequestBodyException(
                    StatusCodes.Status400BadRequest,
                    $"The compressed body is damaged or cut short: {e.Message}"
                );
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                if (_hasPlace)
                {
                    _hasPlace = false;
                    s_places.Release();
                }
            }

            base.Dispose(disposing);
        }
    }
}
