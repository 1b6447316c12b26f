namespace Assay.Core.Filters;

/// <summary>A call as read: name and arguments.</summary>
internal sealed record FilterCall(
    string Name,
    IReadOnlyList<FilterArgument> Arguments,
    int Position
)
{
    public FilterArgument Argument(int index) =>
        index < Arguments.Count
            ? Arguments[index]
            : throw new FilterException($"{Name} needs {index + 1} arguments", Position);

    /// <summary>The arguments of a comparison: exactly two.</summary>
    public (FilterArgument Field, FilterArgument Value) Two() =>
        Arguments.Count > 2
            ? throw new FilterException($"{Name} takes 2 arguments", Arguments[2].Position)
            : (Argument(0), Argument(1));
}

/// <summary>An argument as read: a call, a list, or a constant; <see cref="Word"/> is the text of a name or a string.</summary>
internal sealed record FilterArgument(
    FilterCall? Call,
    IReadOnlyList<FilterArgument>? List,
    FilterValue Value,
    string Word,
    int Position
);
