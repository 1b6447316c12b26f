using System.Runtime.CompilerServices;
using Assay.Core.Access;

namespace Assay.Core.Datasets;

/// <summary>Copies examples from one dataset of a workspace to another, whatever their number. Files are copied, so that either side may be deleted. Thread-safe.</summary>
public sealed class ExampleCopies(
    ExampleReader reader,
    DatasetVersions versions,
    ExampleImport import,
    SourceRuns sources,
    TimeProvider time
)
{
    /// <summary>Copies in one version; returns the new examples.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="sourceId">From this dataset…</param>
    /// <param name="targetId">…to this one.</param>
    /// <param name="asOf">As they were at this version.</param>
    /// <param name="ids">Only these; empty means all.</param>
    /// <param name="splits">Only of any of these splits; empty means all.</param>
    /// <param name="cancellationToken">Cancels; nothing is copied then.</param>
    /// <exception cref="DatasetProblemException">A dataset is not there, or its schema refuses an example; nothing was copied.</exception>
    public async Task<IReadOnlyList<Guid>> CopyAsync(
        Caller caller,
        Guid sourceId,
        Guid targetId,
        AsOf asOf,
        IReadOnlyList<Guid> ids,
        IReadOnlyList<string> splits,
        CancellationToken cancellationToken
    )
    {
        // A fixed version: what is changed while it is copied does not count, nor does the copy when both are one dataset.
        var (moment, _) = await versions.VersionAsync(caller, sourceId, asOf, cancellationToken);
        var made = new List<Guid>();
        var receipt = await import.RunAsync(
            caller,
            targetId,
            RowsAsync(
                caller,
                sourceId,
                new AsOf(Time: moment),
                ids.ToHashSet(),
                splits,
                made,
                cancellationToken
            ),
            skipBadRows: false,
            null,
            cancellationToken
        );
        return receipt.Bad == 0
            ? made
            : throw DatasetProblemException.Invalid(
                $"Example {receipt.Problems[0].Line} of the source: {receipt.Problems[0].Reason}"
            );
    }

    private async IAsyncEnumerable<ImportRow> RowsAsync(
        Caller caller,
        Guid sourceId,
        AsOf asOf,
        HashSet<Guid> ids,
        IReadOnlyList<string> splits,
        List<Guid> made,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var number = 0L;
        await foreach (var example in reader.StreamAsync(caller, sourceId, asOf, cancellationToken))
        {
            number++;
            if (
                (ids.Count > 0 && !ids.Contains(example.Id))
                || (splits.Count > 0 && !example.Splits.Any(splits.Contains))
            )
            {
                continue;
            }

            var id = Guid.CreateVersion7(time.GetUtcNow());
            made.Add(id);
            yield return new ImportRow(number)
            {
                Id = id,
                InputsJson = example.InputsJson,
                OutputsJson = example.OutputsJson,
                MetadataJson = example.MetadataJson,
                Splits = example.Splits,
                SourceRunId = example.SourceRunId,
                CreatedAt = example.CreatedAt,
                Attachments = await sources.CopyAsync(
                    caller.WorkspaceId,
                    example.Attachments,
                    cancellationToken
                ),
            };
        }
    }
}
