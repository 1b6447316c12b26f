using System.Text.RegularExpressions;

namespace Assay.Evaluation.Text;

/// <summary>Words and runs of them, as translation metrics count them.</summary>
internal static partial class NGrams
{
    /// <summary>Words and single punctuation marks, case kept.</summary>
    public static string[] Words(string text) => [.. Token().Matches(text).Select(m => m.Value)];

    /// <summary>How often each run of n items occurs.</summary>
    public static Dictionary<string, int> Count(IReadOnlyList<string> items, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i + n <= items.Count; i++)
        {
            var key = string.Join('\u0001', items.Skip(i).Take(n));
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return counts;
    }

    /// <summary>The matches of one bag in another, each item at most as often as there.</summary>
    public static int Common(Dictionary<string, int> left, Dictionary<string, int> right) =>
        left.Sum(p => Math.Min(p.Value, right.GetValueOrDefault(p.Key)));

    [GeneratedRegex(@"[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]", RegexOptions.NonBacktracking)]
    private static partial Regex Token();
}
