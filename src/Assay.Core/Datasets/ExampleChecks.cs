using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Evaluation.Json;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Says what would become of examples without writing them. Thread-safe.</summary>
public sealed class ExampleChecks(IDbContextFactory<MetadataContext> metadata, SourceRuns sources)
{
    /// <summary>Which of these examples do not meet schemas, each with its first fault.</summary>
    /// <param name="examples">The examples.</param>
    /// <param name="inputsSchema">JSON Schema of inputs; empty for none.</param>
    /// <param name="outputsSchema">JSON Schema of outputs; empty for none.</param>
    /// <exception cref="DatasetProblemException">A text is no schema.</exception>
    public static IEnumerable<(Example Example, ExampleFault Fault)> Against(
        IReadOnlyList<Example> examples,
        string? inputsSchema,
        string? outputsSchema
    )
    {
        var inputs = Schema(inputsSchema, "inputs_schema_definition");
        var outputs = Schema(outputsSchema, "outputs_schema_definition");
        foreach (var example in examples)
        {
            var fault =
                Fault(inputs, "inputs", example.InputsJson)
                ?? Fault(outputs, "outputs", example.OutputsJson);
            if (fault is not null)
            {
                yield return (example, fault);
            }
        }

        static JsonSchemaValidator? Schema(string? json, string field) =>
            string.IsNullOrWhiteSpace(json) ? null : ExampleGate.Schema(json, field);

        static ExampleFault? Fault(JsonSchemaValidator? schema, string side, string? json) =>
            schema is null || json is null ? null
            : schema.Validate(JsonNode.Parse(json)) is [var first, ..]
                ? new ExampleFault(side, first.Path, first.Message)
            : null;
    }

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
