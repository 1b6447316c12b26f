namespace Assay.Evaluation;

/// <summary>How much a diagnostic matters to the reader of a score.</summary>
public enum DiagnosticSeverity
{
    /// <summary>Good to know; the score stands.</summary>
    Information,

    /// <summary>The score stands, but something about it deserves a look.</summary>
    Warning,

    /// <summary>The evaluator could not do its work; the score has no number.</summary>
    Error,
}

/// <summary>Something an evaluator wants its reader to know about a score beside the score itself.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">A sentence for people; it may quote the answer, so treat it as user content.</param>
public sealed record EvaluationDiagnostic(DiagnosticSeverity Severity, string Message)
{
    /// <summary>A diagnostic that leaves the score standing.</summary>
    public static EvaluationDiagnostic Information(string message) =>
        new(DiagnosticSeverity.Information, message);

    /// <summary>A diagnostic that asks for a look at the score.</summary>
    public static EvaluationDiagnostic Warning(string message) =>
        new(DiagnosticSeverity.Warning, message);

    /// <summary>A diagnostic that explains why there is no score.</summary>
    public static EvaluationDiagnostic Error(string message) =>
        new(DiagnosticSeverity.Error, message);

    /// <inheritdoc/>
    public override string ToString() => $"{Severity}: {Message}";
}
