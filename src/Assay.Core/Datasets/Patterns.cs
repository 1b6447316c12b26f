namespace Assay.Core.Datasets;

/// <summary>LIKE patterns of user text.</summary>
internal static class Patterns
{
    public const string Escape = "\\";

    /// <summary>Matches texts that contain <paramref name="text"/>.</summary>
    public static string Containing(string text) =>
        "%"
        + text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal)
        + "%";
}
