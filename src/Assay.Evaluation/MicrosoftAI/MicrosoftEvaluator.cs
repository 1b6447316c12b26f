using System.Globalization;
using Microsoft.Extensions.AI;
using MEvaluation = Microsoft.Extensions.AI.Evaluation;

namespace Assay.Evaluation.MicrosoftAI;

/// <summary>
/// Takes any evaluator of Microsoft.Extensions.AI.Evaluation: inputs become the user message, outputs the response, each
/// metric a score under the metric's name.
/// </summary>
/// <remarks>
/// An exception of the inner evaluator becomes a failed score; cancellation stays cancellation. Prices are not known here,
/// so <see cref="EvaluationResult.Cost"/> is left null.
/// </remarks>
public sealed class MicrosoftEvaluator : IEvaluator
{
    private readonly MEvaluation.IEvaluator _inner;
    private readonly MEvaluation.ChatConfiguration? _chat;
    private readonly Func<EvaluationInput, IEnumerable<MEvaluation.EvaluationContext>>? _context;

    /// <summary>Wraps <paramref name="inner"/>.</summary>
    /// <param name="inner">The evaluator.</param>
    /// <param name="chat">The judging model, for evaluators that need one.</param>
    /// <param name="context">Builds the extra context some evaluators need (ground truth, retrieved text).</param>
    public MicrosoftEvaluator(
        MEvaluation.IEvaluator inner,
        MEvaluation.ChatConfiguration? chat = null,
        Func<EvaluationInput, IEnumerable<MEvaluation.EvaluationContext>>? context = null
    )
    {
        ArgumentNullException.ThrowIfNull(inner);
        _inner = inner;
        _chat = chat;
        _context = context;
        Keys = [.. inner.EvaluationMetricNames];
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
        cancellationToken.ThrowIfCancellationRequested();
        if (AnswerText.Read(input.Outputs) is not { } answer)
        {
            return Failed("The outputs hold no text to judge.");
        }

        ChatMessage[] messages = AnswerText.Read(input.Inputs) is { } question
            ? [new(ChatRole.User, question)]
            : [];
        try
        {
            var result = await _inner
                .EvaluateAsync(
                    messages,
                    new ChatResponse(new ChatMessage(ChatRole.Assistant, answer)),
                    _chat,
                    _context?.Invoke(input),
                    cancellationToken
                )
                .ConfigureAwait(false);

            // The library's own composite turns cancellation into a diagnostic; a cancelled evaluation is not a result.
            cancellationToken.ThrowIfCancellationRequested();
            return EvaluationResult.Of([.. result.Metrics.Values.Select(Convert)]);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed($"{exception.GetType().Name}: {exception.Message}");
        }
    }

    private static Score Convert(MEvaluation.EvaluationMetric metric)
    {
        var diagnostics = (metric.Diagnostics ?? [])
            .Select(d => new EvaluationDiagnostic(Severity(d.Severity), d.Message))
            .ToList();
        var number = metric switch
        {
            MEvaluation.NumericMetric numeric => numeric.Value,
            MEvaluation.BooleanMetric boolean => boolean.Value is { } value
                ? (value ? 1 : 0)
                : null,
            _ => null,
        };
        if (number is { } n && !double.IsFinite(n))
        {
            number = null;
            diagnostics.Add(
                EvaluationDiagnostic.Error(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The metric is {n}, not a finite number."
                    )
                )
            );
        }

        return new()
        {
            Key = metric.Name,
            Number = number,
            Label = (metric as MEvaluation.StringMetric)?.Value,
            Reason = metric.Reason ?? metric.Interpretation?.Reason,
            Passed = metric.Interpretation is { } interpretation
                ? !interpretation.Failed
                : (metric as MEvaluation.BooleanMetric)?.Value,
            Diagnostics = diagnostics,
        };
    }

    private static DiagnosticSeverity Severity(MEvaluation.EvaluationDiagnosticSeverity severity) =>
        severity switch
        {
            MEvaluation.EvaluationDiagnosticSeverity.Error => DiagnosticSeverity.Error,
            MEvaluation.EvaluationDiagnosticSeverity.Warning => DiagnosticSeverity.Warning,
            _ => DiagnosticSeverity.Information,
        };

    private EvaluationResult Failed(string message) =>
        EvaluationResult.Of([.. Keys.Select(key => Score.Failed(key, message))]);
}
