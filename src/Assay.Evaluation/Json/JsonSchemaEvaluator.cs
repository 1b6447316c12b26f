using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Evaluation.Json;

/// <summary>
/// Says whether the answer meets a JSON Schema (2020-12; see <see cref="JsonSchemaValidator"/> for what is understood). JSON inside a text,
/// as models answer, is read as JSON; a text that is no JSON does not meet a schema of objects or lists. The reason names the failing places.
/// </summary>
/// <param name="schema">The schema.</param>
/// <exception cref="FormatException">It is not a schema.</exception>
public sealed class JsonSchemaEvaluator(JsonNode schema) : DeterministicEvaluator
{
    private const int MaxNamed = 5;
    private readonly JsonSchemaValidator _schema = new(schema);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } = ["json_schema"];

    /// <summary>Only the value at this path is judged; null for the whole of the outputs. When the path selects several values, all of them must meet the schema.</summary>
    public JsonPath? Path { get; init; }

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Outputs is not { } outputs)
        {
            return Unjudged("The run has no outputs.");
        }

        var values = Path is null ? [outputs] : Path.Select(outputs).ToList();
        if (values.Count == 0)
        {
            return EvaluationResult.Of(
                Score.Boolean(Keys[0], false, $"the answer has nothing at {Path}")
            );
        }

        var errors = values.SelectMany(v => _schema.Validate(Node(v))).ToList();
        return EvaluationResult.Of(
            Score.Boolean(
                Keys[0],
                errors.Count == 0,
                errors.Count == 0
                    ? null
                    : string.Join("; ", errors.Take(MaxNamed))
                        + (errors.Count > MaxNamed ? $"; and {errors.Count - MaxNamed} more" : "")
            )
        );
    }

    private static JsonNode? Node(JsonElement value)
    {
        if (
            value.ValueKind == JsonValueKind.String
            && value.GetString() is { } text
            && text.AsSpan().TrimStart() is ['{' or '[', ..]
        )
        {
            try
            {
                return JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                // Judged as the text it is.
            }
        }

        return JsonNode.Parse(value.GetRawText());
    }
}
