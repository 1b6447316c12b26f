namespace Assay.Evaluation.Text;

/// <summary>
/// 1 minus the edit distance over the longer length, in UTF-16 units (V. I. Levenshtein, "Binary codes capable of
/// correcting deletions, insertions and reversals", 1966; Wagner and Fischer's table, 1974). Two empty texts give 1.
/// </summary>
public sealed class LevenshteinEvaluator : TextReferenceEvaluator
{
    /// <inheritdoc/>
    public override string Key => "levenshtein_similarity";

    /// <summary>The fewest insertions, deletions and replacements that turn one text into the other.</summary>
    public static int Distance(string left, string right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 0; i < left.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 0; j < right.Length; j++)
            {
                var replaced = diagonal + (left[i] == right[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, Math.Min(diagonal, row[j]) + 1);
            }
        }

        return row[^1];
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference)
    {
        var longer = Math.Max(output.Length, reference.Length);
        return longer == 0 ? 1 : 1 - ((double)Distance(output, reference) / longer);
    }
}
