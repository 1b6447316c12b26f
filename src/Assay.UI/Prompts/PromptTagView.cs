using Assay.Core.Prompts;

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

/// <summary>Everything a screen says about one tag.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Hash">The commit it points at.</param>
/// <param name="Message">What that commit says it changed.</param>
/// <param name="Moved">Its last move; null when the tag is older than the history.</param>
/// <param name="Back">Where it pointed before, when its last move can be taken back.</param>
/// <param name="Trial">The commit that a share of the keys gets instead.</param>
/// <param name="IsProtected">Somebody else has to approve what changes it.</param>
/// <param name="Waiting">The change that waits for it.</param>
public sealed record TagRow(
    PromptTag Tag,
    string Hash,
    string? Message,
    PromptTagMove? Moved,
    (Guid Id, string Hash)? Back,
    (PromptRollout Rollout, string Hash)? Trial,
    bool IsProtected,
    PromptTagRequest? Waiting
)
{
    /// <summary>Its name.</summary>
    public string Name => Tag.Name;
}
