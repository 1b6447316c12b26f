using System.Text.Json;

namespace Assay.Evaluation.Json;

/// <summary>
/// Compares values of the answer with values of the reference by path, as JSON (member order and number spelling do not count).
/// The score is the share of paths that agree; without paths the whole values are compared.
/// </summary>
public sealed class JsonMatchEvaluator(params IReadOnlyList<JsonPath> paths)
    : DeterministicEvaluator
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } = ["json_match"];

    /// <summary>The share of paths that must agree.</summary>
    public double PassAt { get; init; } = 1;

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.ReferenceOutputs is not { } reference)
        {
            return Unjudged("The example has no reference outputs.");
        }

        if (input.Outputs is not { } outputs)
        {
            return Unjudged("The run has no outputs.");
        }

        if (paths.Count == 0)
        {
            return EvaluationResult.Of(
                Score.Boolean(Keys[0], JsonEquality.AreEqual(Parsed(outputs), Parsed(reference)))
            );
        }

        var wrong = paths.Where(p => !Agree(p, Parsed(outputs), Parsed(reference))).ToList();
        return EvaluationResult.Of(
            Score.Numeric(
                Keys[0],
                1 - ((double)wrong.Count / paths.Count),
                wrong.Count == 0 ? null : "differs at " + string.Join(", ", wrong),
                PassAt
            )
        );
    }

    private static bool Agree(JsonPath path, JsonElement outputs, JsonElement reference)
    {
        var said = path.Select(outputs).ToList();
        var expected = path.Select(reference).ToList();
        return said.Count == expected.Count
            && said.Zip(expected).All(p => JsonEquality.AreEqual(p.First, p.Second));
    }

    /// <summary>Models often answer with JSON inside a text; that is read as JSON.</summary>
    private static JsonElement Parsed(JsonElement value)
    {
        if (
            AnswerText.Read(value) is not { } text
            || text.AsSpan().TrimStart() is not ['{' or '[', ..]
        )
        {
            return value;
        }

        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return value;
        }
    }
}
