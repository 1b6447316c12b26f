namespace Assay.Evaluation;

/// <summary>
/// Several evaluators as one. They run concurrently; one that throws becomes a failed score under each of its keys and
/// takes nobody else down. Cancellation is not a failure: it leaves as <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class CompositeEvaluator : IEvaluator
{
    private readonly IReadOnlyList<IEvaluator> _evaluators;

    /// <summary>Composes <paramref name="evaluators"/>.</summary>
    /// <exception cref="ArgumentException">Two evaluators announce the same key.</exception>
    public CompositeEvaluator(params IReadOnlyList<IEvaluator> evaluators)
    {
        ArgumentNullException.ThrowIfNull(evaluators);
        var keys = evaluators.SelectMany(e => e.Keys).ToList();
        var duplicate = keys.GroupBy(k => k, StringComparer.Ordinal)
            .FirstOrDefault(g => g.Count() > 1);
        if (duplicate is not null)
        {
            throw new ArgumentException(
                $"More than one evaluator produces '{duplicate.Key}'; give one of them another key.",
                nameof(evaluators)
            );
        }

        _evaluators = [.. evaluators];
        Keys = keys;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys { get; }

    /// <inheritdoc/>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(input);
        var results = await Task.WhenAll(
                _evaluators.Select(e => EvaluateOneAsync(e, input, cancellationToken))
            )
            .ConfigureAwait(false);
        return new()
        {
            Scores = [.. results.SelectMany(r => r.Scores)],
            Cost = results.Select(r => r.Cost).Aggregate((EvaluationCost?)null, EvaluationCost.Sum),
        };
    }

    private static async Task<EvaluationResult> EvaluateOneAsync(
        IEvaluator evaluator,
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await evaluator.EvaluateAsync(input, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException
                || !cancellationToken.IsCancellationRequested
            )
        {
            // A timeout inside an evaluator also arrives as OperationCanceledException, but nobody cancelled us:
            // that one is a failed score like any other exception.
            return EvaluationResult.Of([
                .. evaluator.Keys.Select(key =>
                    Score.Failed(key, $"{exception.GetType().Name}: {exception.Message}")
                ),
            ]);
        }
    }
}
