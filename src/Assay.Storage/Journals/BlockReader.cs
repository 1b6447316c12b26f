namespace Assay.Storage.Journals;

/// <summary>
/// Reads payloads in about the order they were written, each once: one block is kept unpacked in a buffer that is used again, so that nothing
/// is allocated and the cache of the readers is left alone. Not thread-safe.
/// </summary>
internal sealed class BlockReader(Journal journal)
{
    private byte[] _block = [];
    private int _length;
    private (int Segment, long Offset) _at;

    /// <summary>The bytes of a payload, valid until the next call.</summary>
    /// <exception cref="InvalidDataException">The block is damaged.</exception>
    public ReadOnlyMemory<byte> Read(PayloadAddress address)
    {
        if (_at != (address.Segment, address.BlockOffset))
        {
            _at = default;
            _length = journal.Unpack(address.Segment, address.BlockOffset, ref _block);
            _at = (address.Segment, address.BlockOffset);
        }

        return address.ItemOffset + address.Length <= _length
            ? _block.AsMemory(address.ItemOffset, address.Length)
            : throw new InvalidDataException("The payload lies outside its block.");
    }
}
