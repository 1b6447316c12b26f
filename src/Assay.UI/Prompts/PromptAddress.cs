using Assay.Core.Prompts;

namespace Assay.UI.Prompts;

/// <summary>Addresses of the hub's pages: <c>/prompts/{handle}</c> for the workspace's own, <c>/hub/{owner}/{handle}</c> for public ones of others.</summary>
internal static class PromptAddress
{
    /// <summary>How many digits of a hash stand for it on screen.</summary>
    public const int ShortHash = 8;

    /// <summary>A prompt's page, or one of its tabs.</summary>
    public static string Of(PromptKey key, string? tab = null, string? commit = null)
    {
        var page =
            key.Owner == PromptHub.Self
                ? $"/prompts/{Uri.EscapeDataString(key.Handle)}"
                : $"/hub/{Uri.EscapeDataString(key.Owner)}/{Uri.EscapeDataString(key.Handle)}";
        if (commit is not null)
        {
            page += "/" + Uri.EscapeDataString(commit);
        }

        return tab is null ? page : $"{page}?tab={tab}";
    }

    /// <summary>The beginning of a hash.</summary>
    public static string Short(string hash) => hash[..Math.Min(ShortHash, hash.Length)];
}
