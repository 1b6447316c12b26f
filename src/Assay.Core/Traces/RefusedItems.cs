using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Assay.Core.Traces;

/// <summary>Items refused for one reason since the start of the process.</summary>
/// <param name="Reason">Field and reason, without what the client wrote.</param>
/// <param name="Count">How many.</param>
/// <param name="Last">When the last one came.</param>
public sealed record RefusedItem(string Reason, long Count, DateTimeOffset Last);

/// <summary>
/// What <see cref="TraceIngest"/> and the adapters before it refused, counted by reason and workspace, in memory, since the start of the
/// process. Reasons beyond a bound are counted as one. Thread-safe.
/// </summary>
public sealed partial class RefusedItems(TimeProvider time)
{
    private const int MaxReasons = 500;
    private const int MaxLength = 160;
    private const string Others = "other reasons";
    private readonly ConcurrentDictionary<
        (Guid Workspace, string Reason),
        (long Count, DateTimeOffset Last)
    > _counts = new();

    /// <summary>Counts one.</summary>
    public void Count(Guid workspaceId, string reason)
    {
        var key = (workspaceId, General(reason));
        if (!_counts.ContainsKey(key) && _counts.Count >= MaxReasons)
        {
            key = (workspaceId, Others);
        }

        var now = time.GetUtcNow();
        _counts.AddOrUpdate(key, _ => (1, now), (_, old) => (old.Count + 1, now));
    }

    /// <summary>The reasons of a workspace, the most frequent first.</summary>
    public IReadOnlyList<RefusedItem> Of(Guid workspaceId) =>
        [
            .. _counts
                .Where(c => c.Key.Workspace == workspaceId)
                .Select(c => new RefusedItem(c.Key.Reason, c.Value.Count, c.Value.Last))
                .OrderByDescending(r => r.Count)
                .ThenBy(r => r.Reason, StringComparer.Ordinal),
        ];

    /// <summary>A reason without quoted texts, ids and numbers: they came from the client and would make a reason of each item.</summary>
    private static string General(string reason)
    {
        var general = Particulars().Replace(reason.ReplaceLineEndings(" "), "…");
        return general.Length <= MaxLength ? general : general[..MaxLength] + "…";
    }

    [GeneratedRegex(
        """'[^']*'|"[^"]*"|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d[\d.,:TZ+-]*""",
        RegexOptions.CultureInvariant,
        1_000
    )]
    private static partial Regex Particulars();
}
