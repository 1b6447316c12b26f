using System.Buffers;
using System.IO.Compression;
using Assay.Server.LangSmith;

namespace Assay.Server.Otlp;

/// <summary>
/// A request's body, unpacked, in pooled memory. Exporters send without a length and packed, so what is counted is what is read: bytes as
/// they come, bytes as they unpack, and how many of the one make how many of the other. Dispose it when the message was read from it.
/// </summary>
internal sealed class OtlpBody : IDisposable
{
    private const int Step = 64 << 10;

    /// <summary>Repetitive telemetry packs well, a body that is nothing but repetition was made to hurt.</summary>
    private const int MaxRatio = 400;
    private const int RatioCountsFrom = 8 << 20;

    private byte[] _buffer;
    private int _length;

    private OtlpBody(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <exception cref="BadRequestBodyException">Too large, damaged, or packed in a way that is not known.</exception>
    public static async Task<OtlpBody> ReadAsync(
        HttpRequest request,
        OtlpAdmission.Room room,
        CancellationToken cancellationToken
    )
    {
        if (request.ContentLength > OtlpAdmission.MaxBody)
        {
            throw TooLarge();
        }

        var packed = new CountingStream(request.Body, room);
        var stream = Unpacked(packed, request.Headers.ContentEncoding.ToString());
        var isPacked = stream != packed;
        var body = new OtlpBody(
            isPacked ? Step : (int)Math.Max(request.ContentLength ?? Step, Step)
        );
        try
        {
            while (true)
            {
                if (body._length == body._buffer.Length)
                {
                    body.Grow();
                }

                var count = await stream.ReadAsync(
                    body._buffer.AsMemory(body._length),
                    cancellationToken
                );
                if (count == 0)
                {
                    return body;
                }

                body._length += count;
                if (body._length > OtlpAdmission.MaxBody)
                {
                    throw TooLarge();
                }

                if (!isPacked)
                {
                    continue;
                }

                room.Take(count);
                if (
                    body._length > RatioCountsFrom
                    && body._length / MaxRatio > Math.Max(1, packed.Total)
                )
                {
                    throw new BadRequestBodyException(
                        StatusCodes.Status413PayloadTooLarge,
                        $"The body unpacks to more than {MaxRatio} times its size."
                    );
                }
            }
        }
        catch (Exception e)
            when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            body.Dispose();
            throw new BadRequestBodyException(
                StatusCodes.Status400BadRequest,
                $"The body does not unpack: {e.Message}"
            );
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _length = 0;
        }
    }

    private static Stream Unpacked(Stream packed, string encoding) =>
        encoding.ToLowerInvariant() switch
        {
            "" or "identity" or "none" => packed,
            "gzip" => new GZipStream(packed, CompressionMode.Decompress),
            "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
            "br" => new BrotliStream(packed, CompressionMode.Decompress),
            "zstd" => new ZstdSharp.DecompressionStream(packed, leaveOpen: true),
            _ => throw new BadRequestBodyException(
                StatusCodes.Status415UnsupportedMediaType,
                $"Content-Encoding '{encoding}' is not supported; use gzip, deflate, zstd or br."
            ),
        };

    private static BadRequestBodyException TooLarge() =>
        new(
            StatusCodes.Status413PayloadTooLarge,
            $"The body is larger than {OtlpAdmission.MaxBody >> 20} MiB; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
        );

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    /// <summary>Counts what comes over the wire, takes room for it, and ends the request when it is too much.</summary>
    internal sealed class CountingStream(Stream inner, OtlpAdmission.Room room) : ForwardStream
    {
        public long Total { get; private set; }

        public override long Position
        {
            get => Total;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            Total += count;
            if (Total > OtlpAdmission.MaxBody)
            {
                throw TooLarge();
            }

            room.Take(count);
            return count;
        }
    }
}
