using Assay.Core.Prompts.Templates;

namespace Assay.UI.Prompts;

/// <summary>Messages of two commits, brought together. Pure.</summary>
internal static class MessagePairs
{
    /// <summary>
    /// Messages that are the same stand in one pair (longest common subsequence); between them, messages of one role are paired in order, since
    /// an edited message keeps its role. What has no counterpart stands alone.
    /// </summary>
    public static IReadOnlyList<(RenderedMessage? Left, RenderedMessage? Right)> Of(
        IReadOnlyList<RenderedMessage> left,
        IReadOnlyList<RenderedMessage> right
    )
    {
        var longest = new int[left.Count + 1, right.Count + 1];
        for (var i = left.Count - 1; i >= 0; i--)
        {
            for (var j = right.Count - 1; j >= 0; j--)
            {
                longest[i, j] = IsSame(left[i], right[j])
                    ? longest[i + 1, j + 1] + 1
                    : Math.Max(longest[i + 1, j], longest[i, j + 1]);
            }
        }

        var pairs = new List<(RenderedMessage?, RenderedMessage?)>();
        var (a, b) = (0, 0);
        var (gone, come) = (new List<RenderedMessage>(), new List<RenderedMessage>());
        while (a < left.Count || b < right.Count)
        {
            if (a < left.Count && b < right.Count && IsSame(left[a], right[b]))
            {
                Flush();
                pairs.Add((left[a++], right[b++]));
            }
            else if (b == right.Count || (a < left.Count && longest[a + 1, b] >= longest[a, b + 1]))
            {
                gone.Add(left[a++]);
            }
            else
            {
                come.Add(right[b++]);
            }
        }

        Flush();
        return pairs;

        void Flush()
        {
            foreach (var old in gone)
            {
                var at = come.FindIndex(m => m.Role == old.Role);
                if (at < 0)
                {
                    pairs.Add((old, null));
                    continue;
                }

                // What stands before the counterpart is new there.
                pairs.AddRange(
                    come.Take(at).Select(m => ((RenderedMessage?)null, (RenderedMessage?)m))
                );
                pairs.Add((old, come[at]));
                come.RemoveRange(0, at + 1);
            }

            pairs.AddRange(come.Select(m => ((RenderedMessage?)null, (RenderedMessage?)m)));
            gone.Clear();
            come.Clear();
        }
    }

    /// <summary>True when nothing of them differs.</summary>
    public static bool IsSame(RenderedMessage left, RenderedMessage right) =>
        left.Role == right.Role
        && left.IsOptional == right.IsOptional
        && left.Content.GetRawText() == right.Content.GetRawText();
}
