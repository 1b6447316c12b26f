using System.Buffers;
using System.Text.Json;

namespace Assay.Server.LangSmith.Runs;

/// <summary>A request's JSON read forward in pieces through one buffer. Not thread-safe.</summary>
internal sealed class JsonSource(Stream body, CancellationToken cancellationToken) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _at;
    private int _end;

    /// <summary>The next byte that is no blank; it stays where it is.</summary>
    /// <exception cref="JsonException">There is none.</exception>
    public async ValueTask<byte> PeekAsync() =>
        await SkipAsync() ? _buffer[_at] : throw new JsonException("The text ends too early.");

    /// <summary>Passes over the byte that was peeked at.</summary>
    public void Take() => _at++;

    /// <summary>Passes over this byte.</summary>
    /// <exception cref="JsonException">The next byte is another.</exception>
    public async ValueTask ExpectAsync(char wanted)
    {
        if (await PeekAsync() != wanted)
        {
            throw new JsonException($"'{wanted}' is expected, '{(char)_buffer[_at]}' is there.");
        }

        _at++;
    }

    /// <summary>Nothing but blanks is left.</summary>
    public async ValueTask<bool> IsEndAsync() => !await SkipAsync();

    /// <summary>The next piece of the value that the scanner is in; valid until the next call, empty when the value has ended.</summary>
    /// <exception cref="JsonException">The value is no JSON, or cut short.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> PieceAsync(JsonScanner scanner)
    {
        if (scanner.IsDone)
        {
            return default;
        }

        if (!await FillAsync())
        {
            scanner.End();
            return default;
        }

        var count = scanner.Scan(_buffer.AsSpan(_at, _end - _at));
        var piece = _buffer.AsMemory(_at, count);
        _at += count;
        return piece;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private async ValueTask<bool> SkipAsync()
    {
        while (await FillAsync())
        {
            var blanks = _buffer.AsSpan(_at, _end - _at).IndexOfAnyExcept(" \t\r\n"u8);
            if (blanks >= 0)
            {
                _at += blanks;
                return true;
            }

            _at = _end;
        }

        return false;
    }

    private async ValueTask<bool> FillAsync()
    {
        if (_at < _end)
        {
            return true;
        }

        (_at, _end) = (0, await body.ReadAsync(_buffer, cancellationToken));
        return _end > 0;
    }
}
