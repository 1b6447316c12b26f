using Assay.Core.Prompts;

namespace Assay.UI.Prompts;

/// <summary>What every tab of a prompt's page works on.</summary>
/// <param name="Key">As it stands in the address.</param>
/// <param name="Listing">The prompt.</param>
/// <param name="Reference">The commit asked for; null for the newest.</param>
/// <param name="Commit">The commit shown; null while there is none.</param>
/// <param name="Content">What it holds.</param>
/// <param name="MayEdit">The caller may change this prompt.</param>
public sealed record PromptScreen(
    PromptKey Key,
    PromptListing Listing,
    string? Reference,
    PromptCommit? Commit,
    PromptContent? Content,
    bool MayEdit
)
{
    /// <summary>The prompt.</summary>
    public Prompt Prompt => Listing.Prompt;

    /// <summary>It is the caller's workspace's: of others, who did what is theirs to know.</summary>
    public bool IsOwn => Listing.IsOwn;

    /// <summary>Its name, with the owner's when it is another workspace's.</summary>
    public string Name =>
        Key.Owner == PromptHub.Self ? Prompt.Handle : $"{Listing.OwnerHandle}/{Prompt.Handle}";

    /// <summary>One of its tabs, at the commit that is shown when <paramref name="keepCommit"/>.</summary>
    public string Address(string? tab = null, bool keepCommit = true) =>
        PromptAddress.Of(Key, tab, keepCommit ? Reference : null);
}
