namespace Assay.Core.Filters;

/// <summary>A filter text that cannot be understood, with the place and, when one is near, a suggestion. Hosts answer 400 or 422 with it.</summary>
public sealed class FilterException(string message, int position, string? suggestion = null)
    : Exception(
        suggestion is null
            ? $"{message} (at position {position})"
            : $"{message} (at position {position}). Did you mean '{suggestion}'?"
    )
{
    /// <summary>Zero-based offset into the filter text, in UTF-16 units.</summary>
    public int Position { get; } = position;

    /// <summary>What might have been meant.</summary>
    public string? Suggestion { get; } = suggestion;
}
