namespace Assay.Evaluation;

/// <summary>
/// Judges one answer and says what it found as one or more named scores.
/// </summary>
/// <remarks>
/// <para>
/// A bad answer is never an exception: it is a low score with a reason. An answer that cannot be judged (no reference, not
/// a number, not JSON where JSON is needed to compare) is a score without a number that carries an error diagnostic.
/// The only exception that leaves an evaluator on purpose is <see cref="OperationCanceledException"/>: a cancelled
/// evaluation is not a result. <see cref="CompositeEvaluator"/> enforces both for evaluators that do throw.
/// </para>
/// <para>Implementations are safe for concurrent use: one instance judges many examples at once.</para>
/// </remarks>
public interface IEvaluator
{
    /// <summary>The feedback keys this evaluator can produce, at least one, each stable across runs and versions.</summary>
    IReadOnlyList<string> Keys { get; }

    /// <summary>Judges <paramref name="input"/>.</summary>
    /// <param name="input">Everything known about the answer.</param>
    /// <param name="cancellationToken">Ends the evaluation with an <see cref="OperationCanceledException"/>.</param>
    ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    );
}
