using System.Text.Json;
using Assay.Evaluation.Statistics;

namespace Assay.Core.Evaluators.Judges;

/// <summary>
/// Whether a pairwise judge prefers an answer for where it stands. Every pair is shown in both orders: choices that follow the place and not the answer
/// show in the shares. Pure.
/// </summary>
internal static class PositionBias
{
    /// <summary>How often the answer shown first and the one shown second was chosen, from a score's evidence.</summary>
    public static (int First, int Second) Count(JsonElement? evidence)
    {
        var (first, second) = (0, 0);
        foreach (var reply in (evidence ?? default).Items("replies"))
        {
            // Verdicts are told in the usual order, also where the answers had changed places.
            var isSwapped = reply.Bool("is_swapped") == true;
            switch (reply.Field("verdict").Text("label"))
            {
                case VerdictForm.FirstIsBetter when !isSwapped:
                case VerdictForm.SecondIsBetter when isSwapped:
                    first++;
                    break;
                case VerdictForm.FirstIsBetter:
                case VerdictForm.SecondIsBetter:
                    second++;
                    break;
            }
        }

        return (first, second);
    }

    public static Interval? FirstShare(IReadOnlyList<CalibrationItem> items)
    {
        var first = items.Sum(i => i.FirstWins);
        var all = first + items.Sum(i => i.SecondWins);
        return all == 0 ? null : Intervals.Wilson(first, all);
    }

    public static Interval? OrderChanged(IReadOnlyList<CalibrationItem> items)
    {
        var pairs = items.Where(i => i.OtherRun is not null).ToList();
        // A choice of the same answer in both orders is once the first and once the second place.
        return pairs.Count == 0
            ? null
            : Intervals.Wilson(
                pairs.Count(i => Math.Abs(i.FirstWins - i.SecondWins) > 1),
                pairs.Count
            );
    }
}
