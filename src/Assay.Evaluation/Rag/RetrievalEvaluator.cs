namespace Assay.Evaluation.Rag;

/// <summary>
/// Precision, recall, F1, hit, reciprocal rank, average precision and nDCG of the first k retrieved documents (Manning, Raghavan and Schütze,
/// "Introduction to Information Retrieval", 2008, chapter 8). nDCG uses the gain as given over log2(rank + 1), after
/// Järvelin and Kekäläinen 2002. A document returned twice counts once, at its better rank.
/// </summary>
/// <remarks>Precision divides by k even when fewer documents came back, as TREC does.</remarks>
public sealed class RetrievalEvaluator : DeterministicEvaluator
{
    private readonly int _k;

    /// <summary>Looks at the first <paramref name="k"/> documents.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1.</exception>
    public RetrievalEvaluator(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        _k = k;
        Keys =
        [
            $"precision@{k}",
            $"recall@{k}",
            $"f1@{k}",
            $"hit@{k}",
            $"mrr@{k}",
            $"map@{k}",
            $"ndcg@{k}",
        ];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; }

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Documents is not { } documents)
        {
            return Unjudged("The retrieved documents were not recorded.");
        }

        var gains = (input.RelevantDocuments ?? [])
            .Where(d => d.Gain > 0 && double.IsFinite(d.Gain))
            .GroupBy(d => d.Id, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Max(d => d.Gain), StringComparer.Ordinal);
        if (gains.Count == 0)
        {
            return Unjudged("The example names no relevant documents.");
        }

        var found = documents
            .Select(d => d.Id)
            .Distinct(StringComparer.Ordinal)
            .Take(_k)
            .Select(id => gains.GetValueOrDefault(id))
            .ToList();
        var hits = found.Count(g => g > 0);
        var first = found.FindIndex(g => g > 0);
        var ideal = Discounted(gains.Values.OrderDescending().Take(_k));
        double[] values =
        [
            (double)hits / _k,
            (double)hits / gains.Count,
            2.0 * hits / (_k + gains.Count),
            hits > 0 ? 1 : 0,
            first < 0 ? 0 : 1.0 / (first + 1),
            AveragePrecision(found, Math.Min(gains.Count, _k)),
            Discounted(found) / ideal,
        ];
        return EvaluationResult.Of([
            .. Keys.Zip(values, (key, value) => Score.Numeric(key, value)),
        ]);
    }

    /// <summary>Precision at each rank that holds a relevant document, over how many could be found.</summary>
    private static double AveragePrecision(List<double> found, int possible)
    {
        var hits = 0;
        var sum = 0.0;
        for (var i = 0; i < found.Count; i++)
        {
            if (found[i] > 0)
            {
                sum += (double)++hits / (i + 1);
            }
        }

        return sum / possible;
    }

    private static double Discounted(IEnumerable<double> gains) =>
        gains.Select((gain, i) => gain / Math.Log2(i + 2)).Sum();
}
