using System.IO.Compression;

namespace Assay.Server.LangSmith.Runs;

/// <summary>The request body as it was before compression, bounded: a body that unpacks to more than the limit is refused while it is read.</summary>
internal static class RequestBody
{
    /// <summary>The most that one request may unpack to.</summary>
    public const long MaxBytes = 2L << 30;

    public static Stream Open(HttpRequest request)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        Stream body = encoding switch
        {
            "" or "identity" => request.Body,
            "gzip" => new GZipStream(request.Body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress),
            "br" => new BrotliStream(request.Body, CompressionMode.Decompress),
            "zstd" => new ZstdSharp.DecompressionStream(request.Body, leaveOpen: true),
            _ => throw new BadRequestBodyException(
                StatusCodes.Status415UnsupportedMediaType,
                $"Content-Encoding '{encoding}' is not supported; use gzip or zstd."
            ),
        };
        return new BoundedStream(body, MaxBytes);
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
        try
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
        }
        catch (Exception e)
            when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            throw new BadRequestBodyException(
                StatusCodes.Status400BadRequest,
                $"The compressed body is damaged or cut short: {e.Message}"
            );
        }

        return memory.Close();
    }

    private sealed class BoundedStream(Stream inner, long limit) : Stream
    {
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

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
            var count = await inner.ReadAsync(buffer, cancellationToken);
            _read += count;
            return _read <= limit
                ? count
                : throw new BadRequestBodyException(
                    StatusCodes.Status413PayloadTooLarge,
                    $"The body unpacks to more than {limit >> 20} MiB."
                );
        }

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) =>
            throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
