namespace Assay.Core.Traces;

/// <summary>
/// Sorting by what a list shows of a run beyond its narrow row. No index has it: every run in question is read, so a store refuses more than
/// <see cref="MaxRuns"/> of them. Texts are compared without regard to the case of ASCII letters, by their first <see cref="TextLength"/> characters.
/// </summary>
public abstract record RunOrder
{
    /// <summary>At most this many runs are sorted.</summary>
    public const int MaxRuns = 100_000;

    /// <summary>Characters of a preview that count.</summary>
    public const int TextLength = 80;

    private RunOrder() { }

    /// <summary>By the preview of the inputs.</summary>
    public sealed record Inputs : RunOrder;

    /// <summary>By the error, else by the preview of the outputs.</summary>
    public sealed record Outputs : RunOrder;

    /// <summary>By the tags, joined in the order in which they were given.</summary>
    public sealed record Tags : RunOrder;

    /// <summary>By the average score under a feedback key.</summary>
    /// <param name="Key">The key.</param>
    public sealed record Score(string Key) : RunOrder;
}

/// <summary>More runs are in question than can be sorted this way. Hosts answer 400 or 422.</summary>
public sealed class TooManyToSortException()
    : Exception(
        $"More than {RunOrder.MaxRuns.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)} runs match, too many to sort by what each of them says. Narrow the time or the query, or sort by another column."
    );
