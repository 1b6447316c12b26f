using System.Globalization;
using Assay.Evaluation.Json;

namespace Assay.Evaluation.Limits;

/// <summary>
/// Whether a run kept its limits: one yes-or-no score per limit that is set (<c>latency_within</c>, <c>first_token_within</c>,
/// <c>cost_within</c>, <c>tokens_within</c>, <c>length_within</c>). What was not measured is not judged, never taken as zero.
/// </summary>
public sealed class RunLimitsEvaluator : DeterministicEvaluator
{
    /// <summary>Longest time from start to end.</summary>
    public TimeSpan? Latency { get; init; }

    /// <summary>Longest time to the first token.</summary>
    public TimeSpan? FirstToken { get; init; }

    /// <summary>Highest cost in US dollars.</summary>
    public decimal? UsDollars { get; init; }

    /// <summary>Most tokens.</summary>
    public long? Tokens { get; init; }

    /// <summary>Most characters (UTF-16 units) of the answer.</summary>
    public int? Characters { get; init; }

    /// <summary>Fewest characters of the answer; only with <see cref="Characters"/>.</summary>
    public int MinCharacters { get; init; }

    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys =>
        [
            .. new[]
            {
                Latency is null ? null : "latency_within",
                FirstToken is null ? null : "first_token_within",
                UsDollars is null ? null : "cost_within",
                Tokens is null ? null : "tokens_within",
                Characters is null ? null : "length_within",
            }.OfType<string>(),
        ];

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var facts = input.Facts;
        var scores = new List<Score>();
        if (Latency is { } latency)
        {
            scores.Add(
                Within("latency_within", facts.Latency?.TotalSeconds, latency.TotalSeconds, "s")
            );
        }

        if (FirstToken is { } first)
        {
            scores.Add(
                Within(
                    "first_token_within",
                    facts.TimeToFirstToken?.TotalSeconds,
                    first.TotalSeconds,
                    "s"
                )
            );
        }

        if (UsDollars is { } dollars)
        {
            scores.Add(Within("cost_within", (double?)facts.UsDollars, (double)dollars, "USD"));
        }

        if (Tokens is { } tokens)
        {
            scores.Add(Within("tokens_within", facts.TotalTokens, tokens, "tokens"));
        }

        if (Characters is { } characters)
        {
            scores.Add(Length(AnswerText.Read(input.Outputs, OutputPath)?.Length, characters));
        }

        return EvaluationResult.Of(scores);
    }

    private Score Length(int? length, int most) =>
        length is { } known && known < MinCharacters
            ? Score.Boolean(
                "length_within",
                false,
                $"{known} characters, at least {MinCharacters} wanted"
            )
            : Within("length_within", length, most, "characters");

    private static Score Within(string key, double? value, double limit, string unit) =>
        value is { } known
            ? Score.Boolean(
                key,
                known <= limit,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{known:0.######} {unit} of {limit:0.######}"
                )
            )
            : Score.Failed(key, "It was not measured.");
}
