namespace Assay.Core.Evaluators;

/// <summary>Settings that several built-in evaluators have.</summary>
internal static class BuiltInFields
{
    /// <summary>Where the answer is in the outputs.</summary>
    public static readonly BuiltInField Output = new(
        "output_path",
        "Where the answer is",
        BuiltInFieldKind.Text,
        "A path like answer or messages[-1].content; empty: found by the usual names"
    );

    /// <summary>Where the reference is in the example's outputs.</summary>
    public static readonly BuiltInField Reference = new(
        "reference_path",
        "Where the reference is",
        BuiltInFieldKind.Text,
        "A path into the example's outputs; empty: found by the usual names"
    );

    /// <summary>From which score on it passes.</summary>
    public static readonly BuiltInField PassAt = new(
        "pass_at",
        "Passes from",
        BuiltInFieldKind.Number,
        "Empty: the score alone"
    );
}
