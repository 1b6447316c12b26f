using Assay.Evaluation;
using Assay.Evaluation.Statistics;
using Assay.Evaluation.Text;

namespace CompareVersions;

/// <summary>One version of the application on every example of a dataset, with scores.</summary>
internal sealed record Experiment(string Name, IReadOnlyList<Row> Rows)
{
    private static readonly CompositeEvaluator s_evaluators = new(
        new TokenF1Evaluator(),
        new ExactMatchEvaluator { Normalize = true }
    );

    public static async Task<Experiment> RunAsync(
        string name,
        Func<string, string> application,
        Dataset dataset
    )
    {
        var rows = new List<Row>();
        foreach (var example in dataset.Examples)
        {
            var start = TimeProvider.System.GetUtcNow();
            var answer = application(example.Question);
            var end = TimeProvider.System.GetUtcNow();
            var result = await s_evaluators.EvaluateAsync(
                EvaluationInput.OfText(answer, example.Answer, example.Question),
                CancellationToken.None
            );
            rows.Add(new Row(example, answer, start, end, result.Scores));
        }

        return new Experiment(
            $"{name} {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm:ss.fff}",
            rows
        );
    }

    /// <summary>The verdict on each metric, corrected for there being several.</summary>
    public static IEnumerable<string> Compare(Experiment baseline, Experiment candidate)
    {
        var comparisons = s_evaluators
            .Keys.Select(key =>
                PairedComparison.Of([
                    .. baseline.Rows.Zip(candidate.Rows, (b, c) => (b.Number(key), c.Number(key))),
                ])
            )
            .ToList();
        return s_evaluators
            .Keys.Zip(comparisons, PairedComparison.Together(comparisons))
            .Select(m =>
                $"{m.First}: {m.Second.BaselineMean:0.00} → {m.Second.CandidateMean:0.00}, "
                + $"95 % interval of the difference {m.Second.Difference?.Lower:0.00} to {m.Second.Difference?.Upper:0.00}, "
                + $"n = {m.Second.N}: {m.Third.Verdict}"
            );
    }
}

/// <summary>One example's answer with its scores.</summary>
internal sealed record Row(
    Example Example,
    string Answer,
    DateTimeOffset Start,
    DateTimeOffset End,
    IReadOnlyList<Score> Scores
)
{
    public double Number(string key) => Scores.Single(s => s.Key == key).Number ?? 0;
}
