using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Embedded;

namespace Assay.Storage.Traces.Search;

/// <summary>What of a run has to be searched from now on: all of it, or what the last piece brought.</summary>
/// <param name="Pk">The run's row key.</param>
/// <param name="Name">Name; null when it brought none.</param>
/// <param name="Error">Error; null when it brought none.</param>
/// <param name="Texts">Inputs and outputs in the journal.</param>
/// <param name="Values">Whole values, as <see cref="RunPairs"/> hashes them.</param>
internal sealed record SearchDoc(
    long Pk,
    string? Name,
    string? Error,
    IReadOnlyList<(SearchScope Place, PayloadAddress Address)> Texts,
    IReadOnlyList<long> Values
)
{
    /// <summary>What a piece brought; when it brought a value, all values of the run, merged as they are now.</summary>
    public static SearchDoc Of(RunRow row, JournaledWrite piece)
    {
        var texts = new List<(SearchScope, PayloadAddress)>(2);
        foreach (var payload in piece.Payloads)
        {
            if (payload.BlobKey is null && Place(payload.Kind) is { } place)
            {
                texts.Add((place, payload.Address));
            }
        }

        return new SearchDoc(
            row.Pk,
            piece.Write.Name,
            piece.Write.Error,
            texts,
            piece.Write is { Name: null, Model: null, Tags: null or [], Metadata: null or [] }
                ? []
                : ValuesOf(
                    row.State.Name,
                    row.State.Model,
                    row.State.Tags,
                    row.State.Metadata.Select(m => (m.Key, m.Value.Value))
                )
        );
    }

    /// <summary>All of a run.</summary>
    public static SearchDoc Of(
        long pk,
        string? name,
        string? error,
        IEnumerable<PayloadRef> refs,
        IReadOnlyList<long> values
    ) =>
        new(
            pk,
            name,
            error,
            [
                .. refs.Where(r => r.BlobKey is null && Place(r.Kind) is not null)
                    .Select(r => (Place(r.Kind) ?? default, r.Address)),
            ],
            values
        );

    /// <summary>The hashes of whole values.</summary>
    public static List<long> ValuesOf(
        string? name,
        string? model,
        IReadOnlyList<string> tags,
        IEnumerable<(string Key, string Value)> metadata
    )
    {
        var values = new List<long>(12);
        if (!string.IsNullOrEmpty(name))
        {
            values.Add(RunPairs.OfName(name));
        }

        if (!string.IsNullOrEmpty(model))
        {
            values.Add(RunPairs.OfModel(model));
        }

        foreach (var tag in tags)
        {
            values.Add(RunPairs.OfTag(tag));
        }

        foreach (var (key, value) in metadata)
        {
            values.Add(RunPairs.OfPair(key, value));
        }

        return values;
    }

    public bool IsEmpty => Name is null && Error is null && Texts.Count == 0 && Values.Count == 0;

    private static SearchScope? Place(PayloadKind kind) =>
        kind switch
        {
            PayloadKind.Inputs => SearchScope.Inputs,
            PayloadKind.Outputs => SearchScope.Outputs,
            _ => null,
        };
}

/// <summary>Documents of one step of the applier.</summary>
/// <param name="End">Up to where the journal is in the search index once these are; null for rows of a rebuild.</param>
/// <param name="Docs">The documents.</param>
/// <param name="RebuiltTo">A rebuild has come to this row key.</param>
/// <param name="IsFlush">What is in memory is written after it.</param>
internal sealed record SearchBatch(
    JournalPosition? End,
    IReadOnlyList<SearchDoc> Docs,
    long RebuiltTo = 0,
    bool IsFlush = false
)
{
    /// <summary>Set when the documents are in the index.</summary>
    public TaskCompletionSource Done { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
