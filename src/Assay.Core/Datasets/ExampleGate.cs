using System.Text.Json.Nodes;
using Assay.Evaluation.Json;

namespace Assay.Core.Datasets;

/// <summary>What every example of one dataset passes on the way in: its transformations, then its schemas. Made per write; not shared.</summary>
internal sealed class ExampleGate
{
    private readonly Transformations _transformations;
    private readonly JsonSchemaValidator? _inputs;
    private readonly JsonSchemaValidator? _outputs;

    public ExampleGate(Dataset dataset)
    {
        _transformations = new Transformations(dataset);
        _inputs = Schema(dataset.InputsSchemaJson, "inputs_schema_definition");
        _outputs = Schema(dataset.OutputsSchemaJson, "outputs_schema_definition");
    }

    /// <summary>Paths that want the tools of the source run.</summary>
    public IEnumerable<IReadOnlyList<string>> ToolPaths => _transformations.ToolPaths;

    /// <summary>A schema, or null for none.</summary>
    /// <exception cref="DatasetProblemException">The text is not a schema.</exception>
    public static JsonSchemaValidator? Schema(string? json, string field)
    {
        if (json is null)
        {
            return null;
        }

        try
        {
            return new JsonSchemaValidator(DatasetJson.Object(json, field));
        }
        catch (FormatException e)
        {
            throw DatasetProblemException.Invalid($"{field}: {e.Message}");
        }
    }

    /// <summary>Inputs and outputs as they are stored; null stays null (a change that leaves it).</summary>
    /// <param name="inputs">Inputs, JSON text.</param>
    /// <param name="outputs">Outputs, JSON text.</param>
    /// <param name="where">How errors call the example.</param>
    /// <exception cref="DatasetProblemException">They do not fit; the message has the failing paths.</exception>
    public (string? Inputs, string? Outputs) Pass(string? inputs, string? outputs, string where)
    {
        if (inputs is not null)
        {
            _ = DatasetJson.Object(inputs, $"{where}inputs");
        }

        if (outputs is not null)
        {
            _ = DatasetJson.Object(outputs, $"{where}outputs");
        }

        (inputs, outputs) = _transformations.Apply(inputs, outputs);
        Check(_inputs, inputs, $"{where}inputs");
        Check(_outputs, outputs, $"{where}outputs");
        return (inputs, outputs);
    }

    private static void Check(JsonSchemaValidator? schema, string? json, string field)
    {
        if (schema is null || json is null)
        {
            return;
        }

        var errors = schema.Validate(JsonNode.Parse(json));
        if (errors.Count > 0)
        {
            var side = field.EndsWith("outputs", StringComparison.Ordinal) ? "outputs" : "inputs";
            throw new DatasetProblemException(
                DatasetProblem.Invalid,
                $"{field}: does not meet the dataset's schema: {string.Join("; ", errors.Take(5))}"
            )
            {
                Faults = [.. errors.Select(e => new ExampleFault(side, e.Path, e.Message))],
            };
        }
    }
}
