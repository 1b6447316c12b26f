using Assay.Core.Access;

namespace Assay.Core.Datasets;

/// <summary>Copies examples from one dataset of a workspace to another. Files are copied, so that either side may be deleted. Thread-safe.</summary>
public sealed class ExampleCopies(ExampleReader reader, ExampleWriter writer, SourceRuns sources)
{
    /// <summary>Copies in one version; returns the new examples.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="sourceId">From this dataset…</param>
    /// <param name="targetId">…to this one.</param>
    /// <param name="asOf">As they were at this version.</param>
    /// <param name="ids">Only these; empty means all.</param>
    /// <param name="splits">Only of any of these splits; empty means all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">A dataset is not there, or its schema refuses an example.</exception>
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
        var writes = new List<ExampleWrite>();
        await foreach (var example in reader.StreamAsync(caller, sourceId, asOf, cancellationToken))
        {
            if (
                (ids.Count > 0 && !ids.Contains(example.Id))
                || (splits.Count > 0 && !example.Splits.Any(splits.Contains))
            )
            {
                continue;
            }

            writes.Add(
                new ExampleWrite
                {
                    DatasetId = targetId,
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
                }
            );
        }

        return writes.Count == 0
            ? []
            : (await writer.WriteAsync(caller, writes, cancellationToken)).Ids;
    }
}
