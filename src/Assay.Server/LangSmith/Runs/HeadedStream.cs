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
) : ForwardStream
{
    private int _at;

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
