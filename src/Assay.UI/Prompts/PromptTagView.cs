namespace Assay.UI.Prompts;

/// <summary>How names of tags look.</summary>
internal static class PromptTagView
{
    /// <summary>The class of a tag's chip: the two environments that everybody has stand out.</summary>
    public static string? Class(string tag) =>
        tag switch
        {
            "production" => "ok",
            "staging" => "warn",
            _ => null,
        };
}
