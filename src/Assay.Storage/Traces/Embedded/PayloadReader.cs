using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Blobs;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Search;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Brings payloads back from the journal or the blob store, and answers the filters that look into them. Thread-safe.</summary>
internal sealed class PayloadReader(Journal journal, IBlobStore blobs)
{
    [ThreadStatic]
    private static WordSet? t_words;

    /// <summary>The whole payload in memory; null when it was never sent. Extra comes merged from its pieces.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadAsync(
        IReadOnlyList<PayloadRef> refs,
        PayloadKind kind,
        CancellationToken cancellationToken
    )
    {
        var pieces = refs.Where(r => r.Kind == kind).OrderBy(r => r.FromUpdate).ToList();
        if (pieces.Count == 0)
        {
            return null;
        }

        if (pieces.Count == 1)
        {
            return await BytesAsync(pieces[0], cancellationToken);
        }

        var bodies = new List<ReadOnlyMemory<byte>>(pieces.Count);
        foreach (var piece in pieces)
        {
            bodies.Add(await BytesAsync(piece, cancellationToken));
        }

        return Merge(bodies);
    }

    /// <summary>A stream over one payload, seekable.</summary>
    public async Task<Stream?> OpenAsync(
        IReadOnlyList<PayloadRef> refs,
        PayloadKind kind,
        CancellationToken cancellationToken
    )
    {
        var pieces = refs.Where(r => r.Kind == kind).ToList();
        if (pieces is [{ BlobKey: { } key }])
        {
            return await blobs.OpenAsync(key, cancellationToken);
        }

        return await ReadAsync(refs, kind, cancellationToken) is { } bytes
            ? new MemoryStream(bytes.ToArray(), writable: false)
            : null;
    }

    /// <summary>SQL function <c>assay_search</c>: every word (a hash of eight bytes each) occurs in the chosen texts.</summary>
    public bool Search(byte[]? refs, string? name, string? error, long scope, byte[] words)
    {
        var found = t_words ??= new WordSet();
        found.Clear();
        foreach (var place in SearchPlaces.Of((SearchScope)scope))
        {
            if (place is SearchScope.Name or SearchScope.Error)
            {
                SearchWords.AddText(place == SearchScope.Name ? name : error, found);
            }
            else if (
                Inline(
                    refs,
                    place == SearchScope.Inputs ? PayloadKind.Inputs : PayloadKind.Outputs
                ) is
                { } json
            )
            {
                SearchWords.AddJson(json.Span, found);
            }
        }

        foreach (var word in MemoryMarshal.Cast<byte, ulong>(words))
        {
            if (!found.Contains(word))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>SQL function <c>assay_pairs</c>: flattened inputs or outputs as a JSON array of [key, value].</summary>
    public string Pairs(byte[]? refs, long kind) =>
        Inline(refs, (PairKind)kind == PairKind.Inputs ? PayloadKind.Inputs : PayloadKind.Outputs)
            is { } json
            ? JsonSerializer.Serialize(FlatPairs.Of(json).Select(p => new[] { p.Key, p.Value }))
            : "[]";

    /// <summary>SQL function <c>assay_contains</c>: the metadata contains the JSON object.</summary>
    public bool Contains(byte[]? refs, string json) =>
        Inline(refs, PayloadKind.Extra) is { } extra && JsonSubset.MetadataContains(extra, json);

    private static ReadOnlyMemory<byte> Merge(IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        JsonObject? merged = null;
        foreach (var piece in pieces)
        {
            if (
                JsonNode.Parse(piece.Span, documentOptions: new() { MaxDepth = 256 })
                is JsonObject part
            )
            {
                merged = merged is null ? part : Merge(merged, part);
            }
        }

        return JsonSerializer.SerializeToUtf8Bytes(merged);
    }

    private static JsonObject Merge(JsonObject old, JsonObject piece)
    {
        foreach (var (key, value) in piece.ToList())
        {
            if (
                string.Equals(key, "metadata", StringComparison.Ordinal)
                && value is JsonObject add
                && old[key] is JsonObject have
            )
            {
                foreach (var (name, item) in add.ToList())
                {
                    have[name] = item?.DeepClone();
                }
            }
            else
            {
                old[key] = value?.DeepClone();
            }
        }

        return old;
    }

    /// <summary>A payload inside the journal, whole as <see cref="ReadAsync"/> reads it; pieces in the blob store are too large for a filter to read.</summary>
    private ReadOnlyMemory<byte>? Inline(byte[]? refs, PayloadKind kind)
    {
        var pieces = PayloadRefs
            .Decode(refs)
            .Where(r => r.Kind == kind && r.BlobKey is null)
            .OrderBy(r => r.FromUpdate)
            .Select(r => journal.Read(r.Address))
            .ToList();

        // The cast matters: a bare null would become an empty value by way of a null array.
        return pieces switch
        {
            [] => (ReadOnlyMemory<byte>?)null,
            [var one] => one,
            _ => Merge(pieces),
        };
    }

    private async Task<ReadOnlyMemory<byte>> BytesAsync(
        PayloadRef item,
        CancellationToken cancellationToken
    )
    {
        if (item.BlobKey is not { } key)
        {
            return journal.Read(item.Address);
        }

        await using var stream =
            await blobs.OpenAsync(key, cancellationToken)
            ?? throw new InvalidDataException("A payload's blob is gone.");
        var buffer = new MemoryStream((int)Math.Min(item.Length, int.MaxValue));
        await stream.CopyToAsync(buffer, cancellationToken);
        return buffer.ToArray();
    }
}
