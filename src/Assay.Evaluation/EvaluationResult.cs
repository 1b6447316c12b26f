namespace Assay.Evaluation;

/// <summary>What one evaluator found about one answer, and what finding it cost.</summary>
public sealed record EvaluationResult
{
    /// <summary>The scores, keys distinct.</summary>
    public IReadOnlyList<Score> Scores { get; init; } = [];

    /// <summary>What the evaluation itself used; null for evaluators that only compute.</summary>
    public EvaluationCost? Cost { get; init; }

    /// <summary>The run that recorded the evaluator's own work, when it left one.</summary>
    public Guid? RunId { get; init; }

    /// <summary>A result of these scores at no cost.</summary>
    public static EvaluationResult Of(params IReadOnlyList<Score> scores) =>
        new() { Scores = scores };

    /// <summary>The score under <paramref name="key"/>, or null.</summary>
    public Score? Find(string key) =>
        Scores.FirstOrDefault(s => string.Equals(s.Key, key, StringComparison.Ordinal));
}

/// <summary>What an evaluation used of models and time; distinct from the cost of the run it judges.</summary>
public sealed record EvaluationCost
{
    /// <summary>US dollars, when the price is known.</summary>
    public decimal? UsDollars { get; init; }

    /// <summary>Tokens sent to the judging model.</summary>
    public long? InputTokens { get; init; }

    /// <summary>Tokens the judging model produced.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>Calls made to models.</summary>
    public int ModelCalls { get; init; }

    /// <summary>Adds two costs. An unknown amount plus a known one is the known one, so a sum is a lower bound.</summary>
    public static EvaluationCost? Sum(EvaluationCost? left, EvaluationCost? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        return new()
        {
            UsDollars = left.UsDollars is null
                ? right.UsDollars
                : left.UsDollars + (right.UsDollars ?? 0),
            InputTokens = left.InputTokens is null
                ? right.InputTokens
                : left.InputTokens + (right.InputTokens ?? 0),
            OutputTokens = left.OutputTokens is null
                ? right.OutputTokens
                : left.OutputTokens + (right.OutputTokens ?? 0),
            ModelCalls = left.ModelCalls + right.ModelCalls,
        };
    }
}
