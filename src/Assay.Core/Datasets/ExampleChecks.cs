using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Says what would become of examples without writing them. Thread-safe.</summary>
public sealed class ExampleChecks(IDbContextFactory<MetadataContext> metadata, SourceRuns sources)
{
    /// <summary>The examples after their dataset's transformations, each having met its schemas.</summary>
    /// <exception cref="DatasetProblemException">One of them would be refused.</exception>
    public async Task<IReadOnlyList<ExampleWrite>> CheckAsync(
        Caller caller,
        IReadOnlyList<ExampleWrite> writes,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var gates = new Dictionary<Guid, ExampleGate>();
        var passed = new List<ExampleWrite>(writes.Count);
        for (var i = 0; i < writes.Count; i++)
        {
            var write = writes[i];
            if (!gates.TryGetValue(write.DatasetId, out var gate))
            {
                gates[write.DatasetId] = gate = new ExampleGate(
                    await DatasetCatalog.GetAsync(db, caller, write.DatasetId, cancellationToken)
                );
            }

            var where = writes.Count == 1 ? "" : $"examples[{i}].";
            write = await sources.FillAsync(caller, write, gate.ToolPaths, cancellationToken);
            var (inputs, outputs) = gate.Pass(write.InputsJson, write.OutputsJson, where);
            var (json, splits) = ExampleWriter.TakeSplits(write.MetadataJson, write.Splits, where);
            passed.Add(
                write with
                {
                    InputsJson = inputs,
                    OutputsJson = outputs,
                    MetadataJson = json,
                    Splits = splits,
                }
            );
        }

        return passed;
    }
}
