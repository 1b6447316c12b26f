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

        JsonObject? merged = null;
        foreach (var piece in pieces)
        {
            if (
                JsonNode.Parse((await BytesAsync(piece, cancellationToken)).Span) is JsonObject part
            )
            {
                merged = merged is null ? part : Merge(merged, part);
            }
        }

        return JsonSerializer.SerializeToUtf8Bytes(merged);
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
    public string Pairs(byte[]? refs, long kind)
    {
        var pairs = new List<string[]>();
        var bytes = Inline(
            refs,
            (PairKind)kind == PairKind.Inputs ? PayloadKind.Inputs : PayloadKind.Outputs
        );
        if (bytes is { } json)
        {
            using var document = JsonDocument.Parse(json);
            Flatten(document.RootElement, "", pairs);
        }

        return JsonSerializer.Serialize(pairs);
    }

    /// <summary>SQL function <c>assay_contains</c>: the metadata contains the JSON object.</summary>
    public bool Contains(byte[]? refs, string json)
    {
        using var wanted = JsonDocument.Parse(json);
        return Inline(refs, PayloadKind.Extra) is { } extra
            && JsonNode.Parse(extra.Span)?["metadata"] is { } metadata
            && Contains(metadata, wanted.RootElement);
    }

    private static bool Contains(JsonNode have, JsonElement want) =>
        want.ValueKind == JsonValueKind.Object
            ? have is JsonObject o
                && want.EnumerateObject()
                    .All(p => o[p.Name] is { } value && Contains(value, p.Value))
            : string.Equals(
                Text(have),
                want.ValueKind == JsonValueKind.String ? want.GetString() : want.GetRawText(),
                StringComparison.Ordinal
            );

    private static string Text(JsonNode node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : node.ToJsonString();

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

    private static void Flatten(JsonElement element, string path, List<string[]> pairs)
    {
        if (pairs.Count >= 100)
        {
            return;
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    Flatten(
                        property.Value,
                        path.Length == 0 ? property.Name : $"{path}.{property.Name}",
                        pairs
                    );
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Flatten(item, path, pairs);
                }

                break;
            default:
                var text =
                    element.ValueKind == JsonValueKind.String
                        ? element.GetString() ?? ""
                        : element.GetRawText();
                pairs.Add([path, text.Length <= 250 ? text : text[..250]]);
                break;
        }
    }

    /// <summary>A payload inside the journal; one in the blob store is too large for a filter to read.</summary>
    private ReadOnlyMemory<byte>? Inline(byte[]? refs, PayloadKind kind)
    {
        var found = PayloadRefs
            .Decode(refs)
            .Where(r => r.Kind == kind && r.BlobKey is null)
            .OrderBy(r => r.FromUpdate)
            .ToList();

        // The cast matters: a bare null would become an empty value by way of a null array.
        return found.Count == 0 ? (ReadOnlyMemory<byte>?)null : journal.Read(found[^1].Address);
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
