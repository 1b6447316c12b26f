using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Evaluation.Json;

namespace Assay.Core.Evaluators;

/// <summary>The settings of a built-in evaluator, read field by field; what makes no sense is an <see cref="InvalidEvaluatorException"/> that names the field.</summary>
/// <param name="settings">The settings.</param>
/// <param name="embed">The workspace's embedding models; null when the settings are only checked.</param>
internal readonly struct BuiltInSettings(JsonElement settings, Embed? embed = null)
{
    /// <summary>Asks embedding models.</summary>
    public Embed Embed { get; } =
        embed ?? ((_, _, _, _) => throw new InvalidOperationException("Opened for no workspace."));

    public string? Text(string name) =>
        Field(name) switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } t
                ? t
                : null,
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw new InvalidEvaluatorException(name, "must be a text"),
        };

    public double? Number(string name) =>
        Field(name) switch
        {
            { ValueKind: JsonValueKind.Number } number when double.IsFinite(number.GetDouble()) =>
                number.GetDouble(),
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw new InvalidEvaluatorException(name, "must be a number"),
        };

    public double? Between(string name, double low, double high) =>
        Number(name) switch
        {
            null => null,
            { } number when number >= low && number <= high => number,
            _ => throw new InvalidEvaluatorException(
                name,
                FormattableString.Invariant($"must be between {low} and {high}")
            ),
        };

    public bool Flag(string name) =>
        Field(name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined => false,
            _ => throw new InvalidEvaluatorException(name, "must be true or false"),
        };

    public IReadOnlyList<string> List(string name)
    {
        var field = Field(name);
        return field.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => [],
            JsonValueKind.Array
                when field.GetArrayLength() <= 1_000
                    && field.EnumerateArray().All(i => i.ValueKind == JsonValueKind.String) =>
            [
                .. field
                    .EnumerateArray()
                    .Select(i => i.GetString()!.Trim())
                    .Where(t => t.Length > 0),
            ],
            _ => throw new InvalidEvaluatorException(name, "must be a list of at most 1,000 texts"),
        };
    }

    public string Choice(BuiltInField field) =>
        Text(field.Name) is not { } chosen ? field.Choices![0]
        : field.Choices!.Contains(chosen) ? chosen
        : throw new InvalidEvaluatorException(
            field.Name,
            $"must be one of {string.Join(", ", field.Choices!)}"
        );

    public string Needed(string name) =>
        Text(name) ?? throw new InvalidEvaluatorException(name, "is needed");

    public Guid Id(string name) =>
        Guid.TryParse(Needed(name), out var id)
            ? id
            : throw new InvalidEvaluatorException(name, "must be an id");

    public JsonNode Json(string name)
    {
        try
        {
            return JsonNode.Parse(Needed(name))
                ?? throw new InvalidEvaluatorException(name, "is null");
        }
        catch (JsonException e)
        {
            throw new InvalidEvaluatorException(name, $"is not JSON: {e.Message}", e);
        }
    }

    public JsonPath? Path(string name)
    {
        try
        {
            return Text(name) is { } text ? JsonPath.Parse(text.Trim()) : null;
        }
        catch (FormatException e)
        {
            throw new InvalidEvaluatorException(name, e.Message, e);
        }
    }

    private JsonElement Field(string name) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value)
            ? value
            : default;
}
