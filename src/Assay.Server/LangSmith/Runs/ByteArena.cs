using System.Buffers;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Rented memory for the values of one request: they are read one after the other into large pieces, so that a body of thousands of small
/// values costs a few rents and no copies. What was handed out is valid until <see cref="Clear"/>. Not thread-safe.
/// </summary>
internal sealed class ByteArena : IDisposable
{
    private const int PieceBytes = 256 << 10;
    private readonly List<byte[]> _full = [];
    private byte[] _piece = [];
    private int _start;
    private int _end;

    /// <summary>Length of the value that is being read.</summary>
    public int Length => _end - _start;

    /// <summary>Room behind the value that is being read, at least so many bytes; the value moves when its piece is full.</summary>
    public Memory<byte> Room(int atLeast = 4 << 10)
    {
        if (_piece.Length - _end < atLeast)
        {
            var larger = ArrayPool<byte>.Shared.Rent(
                Math.Max(PieceBytes, checked(Math.Max(2 * Length, Length + atLeast)))
            );
            _piece.AsSpan(_start, Length).CopyTo(larger);
            if (_start > 0)
            {
                _full.Add(_piece);
            }
            else
            {
                Return(_piece);
            }

            (_piece, _start, _end) = (larger, 0, Length);
        }

        return _piece.AsMemory(_end);
    }

    /// <summary>Takes what was written into the room.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>Ends the value; the next one begins behind it.</summary>
    public ReadOnlyMemory<byte> Close()
    {
        var value = _piece.AsMemory(_start, Length);
        _start = _end;
        return value;
    }

    /// <summary>Gives everything back; values handed out before must not be used any more.</summary>
    public void Clear()
    {
        _full.ForEach(Return);
        _full.Clear();
        Return(_piece);
        (_piece, _start, _end) = ([], 0, 0);
    }

    public void Dispose() => Clear();

    private static void Return(byte[] piece)
    {
        if (piece.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
