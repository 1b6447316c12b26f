using System.Buffers;

namespace Assay.Storage.Journals;

/// <summary>A growing buffer in rented memory; given back once with <see cref="Dispose"/>. Not thread-safe.</summary>
internal sealed class RentedBuffer(int capacity) : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Clear() => Length = 0;

    public void Advance(int count) => Length += count;

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        var wanted = checked(Length + Math.Max(1, sizeHint));
        if (wanted > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(
                (int)Math.Max(wanted, Math.Min(2L * _bytes.Length, Array.MaxLength))
            );
            Written.Span.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _bytes.AsMemory(Length);
    }

    /// <summary>Bytes that were written already, to be changed in place.</summary>
    public Span<byte> At(int start, int count) => _bytes.AsSpan(0, Length).Slice(start, count);

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, Length) = ([], 0);
        }
    }
}
