using Assay.Core.Access;
using Assay.Core.Evaluators.Judges;

namespace Assay.UI.Evaluators;

/// <summary>The badges of the workspace's judges, read once for a request whatever number of places shows them.</summary>
internal sealed class TrustBadges(JudgeTrust trust, CurrentCaller caller)
{
    private Task<IReadOnlyDictionary<string, TrustBadge>>? _all;

    /// <summary>Badges by feedback key.</summary>
    /// <param name="visitor">Who reads a page that is open to everybody; null on the pages of members. A request has one or the other.</param>
    public Task<IReadOnlyDictionary<string, TrustBadge>> AllAsync(Caller? visitor = null) =>
        _all ??= trust.BadgesAsync(visitor ?? caller.Value, caller.Aborted);
}

/// <summary>How a badge looks and what it says, for the marks of the pages and for the rows the browser draws.</summary>
internal static class TrustLook
{
    /// <summary>The state in words.</summary>
    public static string Text(this TrustBadge badge) =>
        badge.State switch
        {
            TrustState.Trusted => "trusted",
            TrustState.Drifting => "drifting",
            TrustState.NotTrusted => "not trusted",
            _ => "not calibrated",
        };

    /// <summary>The state in words, with the reason.</summary>
    public static string Title(this TrustBadge badge) => $"Judge, {badge.Text()}: {badge.Why}";

    /// <summary>Class of its colour; empty for grey.</summary>
    public static string Css(this TrustBadge badge) =>
        badge.State switch
        {
            TrustState.Trusted => "ok",
            TrustState.Drifting => "warn",
            TrustState.NotTrusted => "err",
            _ => "",
        };

    /// <summary>Its symbol.</summary>
    public static string Symbol(this TrustBadge badge) =>
        badge.State switch
        {
            TrustState.Trusted => "ok",
            TrustState.Drifting => "alert",
            TrustState.NotTrusted => "err",
            _ => "pct",
        };
}
