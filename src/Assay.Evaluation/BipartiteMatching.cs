namespace Assay.Evaluation;

/// <summary>
/// Maximum matching between two lists: how many items of one can be paired with a fitting, not yet taken item of the
/// other. Augmenting paths (H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; unweighted case).
/// </summary>
internal static class BipartiteMatching
{
    /// <summary>The number of pairs.</summary>
    public static int Size(int left, int right, Func<int, int, bool> fits) =>
        Match(left, right, fits).Count(m => m >= 0);

    /// <summary>For every right item the left item it is paired with, or -1.</summary>
    public static int[] Match(int left, int right, Func<int, int, bool> fits)
    {
        var edges = new int[left][];
        for (var i = 0; i < left; i++)
        {
            edges[i] = [.. Enumerable.Range(0, right).Where(j => fits(i, j))];
        }

        var owner = new int[right];
        Array.Fill(owner, -1);
        for (var i = 0; i < left; i++)
        {
            Augment(i, new bool[right]);
        }

        return owner;

        bool Augment(int i, bool[] seen)
        {
            foreach (var j in edges[i])
            {
                if (seen[j])
                {
                    continue;
                }

                seen[j] = true;
                if (owner[j] < 0 || Augment(owner[j], seen))
                {
                    owner[j] = i;
                    return true;
                }
            }

            return false;
        }
    }
}
