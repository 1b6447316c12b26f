using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Evaluators.Judges;

/// <summary>What a judge has to answer.</summary>
public enum VerdictKind
{
    /// <summary>Yes or no.</summary>
    Boolean,

    /// <summary>A number between two bounds.</summary>
    Score,

    /// <summary>One of some labels.</summary>
    Label,
}

/// <summary>A label a judge may give.</summary>
/// <param name="Label">The label.</param>
/// <param name="Score">What it counts as in a mean; null when labels are not to be averaged.</param>
/// <param name="Meaning">When to give it.</param>
public sealed record VerdictLabel(string Label, double? Score = null, string? Meaning = null);

/// <summary>The form of a verdict: always a reason first, then a number, a yes or no, or a label. Immutable.</summary>
public sealed record VerdictForm
{
    private const int MaxLabels = 30;

    /// <summary>What kind.</summary>
    public VerdictKind Kind { get; init; }

    /// <summary>The smallest score.</summary>
    public double Min { get; init; }

    /// <summary>The largest score.</summary>
    public double Max { get; init; } = 1;

    /// <summary>Only whole numbers.</summary>
    public bool IsInteger { get; init; }

    /// <summary>A score from which an answer passes; null when it sets no bar.</summary>
    public double? PassAt { get; init; }

    /// <summary>The labels.</summary>
    public IReadOnlyList<VerdictLabel> Labels { get; init; } = [];

    /// <summary>A pairwise verdict for the first answer.</summary>
    public const string FirstIsBetter = "A";

    /// <summary>A pairwise verdict for the second answer.</summary>
    public const string SecondIsBetter = "B";

    /// <summary>A pairwise verdict for neither.</summary>
    public const string NeitherIsBetter = "tie";

    /// <summary>The form of a pairwise verdict.</summary>
    public static VerdictForm Preference { get; } =
        new()
        {
            Kind = VerdictKind.Label,
            Labels =
            [
                new(FirstIsBetter, 1, "The first answer is better."),
                new(SecondIsBetter, 0, "The second answer is better."),
                new(NeitherIsBetter, 0.5, "Neither is better."),
            ],
        };

    /// <summary>Name of the answer's field that holds the verdict.</summary>
    public string Field =>
        Kind switch
        {
            VerdictKind.Boolean => "verdict",
            VerdictKind.Score => "score",
            _ => "label",
        };

    /// <summary>JSON schema of the answer; the reason comes first, so that the model thinks before it decides.</summary>
    public JsonElement Schema()
    {
        JsonObject verdict = Kind switch
        {
            VerdictKind.Boolean => new() { ["type"] = "boolean" },
            VerdictKind.Score => new()
            {
                ["type"] = IsInteger ? "integer" : "number",
                ["minimum"] = IsInteger ? JsonValue.Create((long)Min) : JsonValue.Create(Min),
                ["maximum"] = IsInteger ? JsonValue.Create((long)Max) : JsonValue.Create(Max),
            },
            _ => new()
            {
                ["type"] = "string",
                ["enum"] = new JsonArray([.. Labels.Select(l => (JsonNode)l.Label)]),
            },
        };
        return JsonSerializer.SerializeToElement(
            new JsonObject
            {
                ["title"] = "verdict",
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    ["reason"] = new JsonObject
                    {
                        ["type"] = "string",
                        ["description"] = "One to three sentences that lead to the verdict.",
                    },
                    [Field] = verdict,
                },
                ["required"] = new JsonArray("reason", Field),
                ["additionalProperties"] = false,
            }
        );
    }

    /// <summary>What the model is told about its answer, for providers that take no schema and as a reminder for those that do.</summary>
    public string Instruction()
    {
        var verdict = Kind switch
        {
            VerdictKind.Boolean => "true or false",
            VerdictKind.Score => string.Create(
                CultureInfo.InvariantCulture,
                $"a {(IsInteger ? "whole number" : "number")} from {Min} to {Max}"
            ),
            _ => "one of " + string.Join(", ", Labels.Select(l => $"\"{l.Label}\"")),
        };
        var meanings =
            Kind == VerdictKind.Label
                ? string.Concat(
                    Labels
                        .Where(l => l.Meaning is { Length: > 0 })
                        .Select(l => $"\n- \"{l.Label}\": {l.Meaning}")
                )
                : "";
        return $"Answer with one JSON object and nothing else: first \"reason\" (one to three sentences), then \"{Field}\" ({verdict}).{meanings}";
    }

    /// <summary>The answer that states a verdict, as a model would have to give it.</summary>
    public string Written(JsonElement verdict, string? reason) =>
        new JsonObject
        {
            ["reason"] = reason ?? "",
            [Field] = JsonNode.Parse(verdict.GetRawText()),
        }.ToJsonString();

    internal VerdictForm Checked()
    {
        switch (Kind)
        {
            case VerdictKind.Score
                when !(
                    double.IsFinite(Min)
                    && double.IsFinite(Max)
                    && Min < Max
                    && Math.Abs(Min) <= 1e9
                    && Math.Abs(Max) <= 1e9
                ):
                throw new InvalidEvaluatorException(
                    "verdict.min",
                    "the smallest score must be below the largest"
                );
            case VerdictKind.Score when PassAt is { } bar && !(bar >= Min && bar <= Max):
                throw new InvalidEvaluatorException(
                    "verdict.pass_at",
                    "must be between the smallest and the largest score"
                );
            case VerdictKind.Label
                when Labels.Count is < 2 or > MaxLabels
                    || Labels.Any(l => l.Label is not { Length: > 0 and <= 100 })
                    || Labels
                        .Select(l => l.Label)
                        .Distinct(StringComparer.OrdinalIgnoreCase)
                        .Count() != Labels.Count
                    || Labels.Any(l => l.Score is { } s && !double.IsFinite(s)):
                throw new InvalidEvaluatorException(
                    "verdict.labels",
                    $"2 to {MaxLabels} different labels are needed"
                );
        }

        // What a kind does not use is dropped, so that it cannot make two equal judges look different.
        return Kind switch
        {
            VerdictKind.Boolean => new VerdictForm { Kind = Kind },
            VerdictKind.Score => this with { Labels = [] },
            _ => new VerdictForm { Kind = Kind, Labels = Labels },
        };
    }
}
