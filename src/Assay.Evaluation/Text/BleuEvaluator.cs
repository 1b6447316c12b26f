using Assay.Evaluation.Json;

namespace Assay.Evaluation.Text;

/// <summary>
/// Sentence BLEU against all references together (Papineni et al., "BLEU: a method for automatic evaluation of machine
/// translation", ACL 2002): clipped precision of runs of 1 to 4 words, geometric mean, brevity penalty by the closest
/// reference length. An order without a match counts as 1 / (2^k · its runs) for the k-th such order (Chen and Cherry 2014,
/// method 3, as sacreBLEU does). Orders longer than the answer are left out.
/// </summary>
/// <remarks>A measure of corpora: on single short sentences it says little. Words are letters and digits; each punctuation mark is a word. Case counts.</remarks>
public sealed class BleuEvaluator : DeterministicEvaluator
{
    private const int MaxOrder = 4;

    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <summary>Where the references are; by default <see cref="AnswerText"/> finds them.</summary>
    public JsonPath? ReferencePath { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } = ["bleu"];

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var references = AnswerText.ReadAlternatives(input.ReferenceOutputs, ReferencePath);
        if (references.Count == 0)
        {
            return Unjudged("The reference outputs hold no text to compare with.");
        }

        return AnswerText.Read(input.Outputs, OutputPath) is { } output
            ? EvaluationResult.Of(Score.Numeric(Keys[0], Bleu(output, references)))
            : Unjudged("The outputs hold no text to judge.");
    }

    /// <summary>BLEU from 0 to 1.</summary>
    public static double Bleu(string output, IReadOnlyList<string> references)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(references);
        var said = NGrams.Words(output);
        var expected = references.Select(NGrams.Words).ToList();
        if (said.Length == 0)
        {
            return expected.Any(r => r.Length == 0) ? 1 : 0;
        }

        var logs = 0.0;
        var orders = 0;
        var smoothing = 1.0;
        for (var n = 1; n <= Math.Min(MaxOrder, said.Length); n++)
        {
            var mine = NGrams.Count(said, n);
            var best = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var (run, count) in expected.SelectMany(r => NGrams.Count(r, n)))
            {
                best[run] = Math.Max(best.GetValueOrDefault(run), count);
            }

            double matches = NGrams.Common(mine, best);
            if (n == 1 && matches == 0)
            {
                return 0;
            }

            if (matches == 0)
            {
                smoothing *= 2;
                matches = 1 / smoothing;
            }

            logs += Math.Log(matches / (said.Length - n + 1));
            orders++;
        }

        var closest = expected
            .Select(r => r.Length)
            .OrderBy(length => Math.Abs(length - said.Length))
            .ThenBy(length => length)
            .First();
        var brevity = said.Length >= closest ? 1 : Math.Exp(1 - ((double)closest / said.Length));
        return brevity * Math.Exp(logs / orders);
    }
}
