using System.Text.Json;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// A value too large for memory on its way to the blob store: what was read of it already, then the rest of a stream. With a scanner it is
/// checked as it passes, so that nothing is stored that could not be read back; reading throws a <see cref="JsonException"/> when it is no JSON.
/// </summary>
internal sealed class HeadedStream(
    ReadOnlyMemory<byte> head,
    Stream rest,
    JsonScanner? scanner = null
) : Stream
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

    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer,
        CancellationToken cancellationToken = default
    )
    {
        int count;
        if (_at < head.Length)
        {
            count = Math.Min(buffer.Length, head.Length - _at);
            head.Slice(_at, count).CopyTo(buffer);
            _at += count;
        }
        else
        {
            count = await rest.ReadAsync(buffer, cancellationToken);
        }

        if (scanner is not null)
        {
            Check(scanner, buffer.Span[..count]);
        }

        return count;
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

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException();

    private static void Check(JsonScanner scanner, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            scanner.End();
        }
        else if (bytes[scanner.Scan(bytes)..].IndexOfAnyExcept(" \t\r\n"u8) >= 0)
        {
            throw new JsonException("Something follows the value.");
        }

        if (scanner.Problem is { } problem)
        {
            throw new JsonException($"The value {problem}.");
        }
    }
}
