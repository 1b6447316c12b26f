namespace Assay.Evaluation;

/// <summary>Base of evaluators that only compute: the same input gives the same result, at no cost.</summary>
public abstract class DeterministicEvaluator : IEvaluator
{
    /// <inheritdoc/>
    public abstract IReadOnlyList<string> Keys { get; }

    /// <inheritdoc/>
    public ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(input);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Evaluate(input));
    }

    /// <summary>Judges <paramref name="input"/>; must not throw for a bad answer.</summary>
    public abstract EvaluationResult Evaluate(EvaluationInput input);

    /// <summary>A result that says why none of the keys could be judged.</summary>
    protected EvaluationResult Unjudged(string message) =>
        EvaluationResult.Of([.. Keys.Select(key => Score.Failed(key, message))]);
}
