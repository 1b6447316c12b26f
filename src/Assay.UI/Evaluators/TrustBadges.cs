using Assay.Core.Evaluators.Judges;

namespace Assay.UI.Evaluators;

/// <summary>The badges of the workspace's judges, read once for a request whatever number of places shows them.</summary>
internal sealed class TrustBadges(JudgeTrust trust, CurrentCaller caller)
{
    private Task<IReadOnlyDictionary<string, TrustBadge>>? _all;

    /// <summary>Badges by feedback key.</summary>
    public Task<IReadOnlyDictionary<string, TrustBadge>> AllAsync() =>
        _all ??= trust.BadgesAsync(caller.Value, caller.Aborted);
}
