using Assay.Evaluation.Statistics;
using Assay.Evaluation.Text;
using CsCheck;

namespace Assay.Evaluation.Tests;

/// <summary>What holds for any data: symmetries, bounds, and equality with the definition written out.</summary>
public sealed class StatisticsPropertyTests
{
    private static readonly Gen<double> s_value = Gen.Int[-40, 40].Select(i => i / 4.0);

    private static readonly Gen<double[]> s_sample = s_value.Array[2, 30];

    private static readonly Gen<string> s_text = Gen.OneOf(
            Gen.Const("a"),
            Gen.Const("b"),
            Gen.Const("ab"),
            Gen.Const("ba"),
            Gen.Const("the"),
            Gen.Const("ß"),
            Gen.Const("🙂")
        )
        .Array[0, 8]
        .Select(words => string.Join(' ', words));

    [Fact]
    public void A_bootstrap_interval_moves_scales_and_turns_round_with_its_sample() =>
        Gen.Select(s_sample, s_value, Gen.Int[1, 8])
            .Sample(
                (sample, move, scale) =>
                {
                    var interval = Bootstrap.Bca(sample, resamples: 199);
                    var moved = Bootstrap.Bca(
                        [.. sample.Select(v => (v * scale) + move)],
                        resamples: 199
                    );
                    Assert.Equal((interval.Lower * scale) + move, moved.Lower, 6);
                    Assert.Equal((interval.Upper * scale) + move, moved.Upper, 6);
                    var turned = Bootstrap.Bca([.. sample.Select(v => -v)], resamples: 199);
                    Assert.Equal(-interval.Upper, turned.Lower, 6);
                    Assert.Equal(-interval.Lower, turned.Upper, 6);
                    Assert.InRange(interval.Lower, sample.Min(), interval.Upper);
                    Assert.InRange(interval.Upper, interval.Lower, sample.Max());
                },
                iter: 200
            );

    [Fact]
    public void A_permutation_test_is_the_share_of_all_signs_and_does_not_know_direction_order_or_unit() =>
        Gen.Select(s_value.Array[1, 9], Gen.Int[1, 9])
            .Sample(
                (differences, unit) =>
                {
                    var p = PairedTests.Permutation(differences);
                    var bar = Math.Abs(differences.Sum()) - 1e-9;
                    var extreme = Enumerable
                        .Range(0, 1 << differences.Length)
                        .Count(signs =>
                            Math.Abs(
                                differences.Select((d, i) => (signs >> i & 1) == 0 ? d : -d).Sum()
                            ) >= bar
                        );
                    Assert.Equal((double)extreme / (1 << differences.Length), p, 9);
                    Assert.Equal(
                        p,
                        PairedTests.Permutation([.. differences.Reverse().Select(d => -d * unit)]),
                        9
                    );
                },
                iter: 200
            );

    [Fact]
    public void McNemars_tests_know_no_direction_and_the_mid_p_is_the_smaller() =>
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 60])
            .Sample(
                (first, second) =>
                {
                    var exact = PairedTests.McNemarExact(first, second);
                    Assert.Equal(exact, PairedTests.McNemarExact(second, first), 12);
                    Assert.InRange(exact, double.Epsilon, 1);
                    Assert.InRange(PairedTests.McNemarMidP(first, second), 0, exact + 1e-12);
                }
            );

    [Fact]
    public void Wilsons_interval_holds_the_share_and_is_the_mirror_of_the_failures() =>
        Gen.Select(Gen.Int[1, 500], Gen.Double[0, 1])
            .Sample(
                (n, share) =>
                {
                    var x = (int)(n * share);
                    var (yes, no) = (Intervals.Wilson(x, n), Intervals.Wilson(n - x, n));
                    Assert.InRange((double)x / n, yes.Lower, yes.Upper);
                    Assert.Equal(1 - no.Upper, yes.Lower, 12);
                    Assert.InRange(yes.Lower, 0, 1);
                }
            );

    [Fact]
    public void Adjusted_p_values_are_no_smaller_keep_their_order_and_reject_as_the_step_up_does() =>
        Gen.Double[0, 1]
            .Array[1, 25]
            .Sample(raw =>
            {
                var adjusted = MultipleTesting.BenjaminiHochberg(raw);
                var sorted = raw.Zip(adjusted).OrderBy(p => p.First).ToList();
                for (var i = 0; i < sorted.Count; i++)
                {
                    Assert.InRange(sorted[i].Second, sorted[i].First - 1e-12, 1);
                    Assert.True(i == 0 || sorted[i].Second >= sorted[i - 1].Second);
                }

                // The procedure as Benjamini and Hochberg give it: the largest k with p(k) at most k q / m.
                const double q = 0.0937;
                var k = Enumerable
                    .Range(1, raw.Length)
                    .LastOrDefault(i => sorted[i - 1].First <= i * q / raw.Length);
                Assert.Equal(k, adjusted.Count(p => p <= q));
            });

    [Fact]
    public void Pass_at_k_is_the_share_of_draws_that_hold_a_success() =>
        Gen.Select(Gen.Int[1, 10], Gen.Int[0, 10], Gen.Int[1, 10])
            .Sample(
                (n, successes, draw) =>
                {
                    var (c, k) = (Math.Min(successes, n), Math.Min(draw, n));
                    var draws = Enumerable
                        .Range(0, 1 << n)
                        .Where(set => int.PopCount(set) == k)
                        .ToList();
                    var hold = draws.Count(set => (set & ((1 << c) - 1)) != 0);
                    Assert.Equal((double)hold / draws.Count, PassAtK.Estimate(n, c, k), 12);
                }
            );

    [Fact]
    public void Cliffs_delta_is_the_difference_of_two_counts_of_pairs() =>
        Gen.Select(s_sample, s_sample)
            .Sample(
                (first, second) =>
                {
                    double sum = first.Sum(a => second.Sum(b => a.CompareTo(b)));
                    Assert.Equal(
                        sum / (first.Length * second.Length),
                        EffectSizes.CliffsDelta(first, second),
                        12
                    );
                }
            );

    [Fact]
    public void The_pairs_needed_are_the_fewest_that_find_the_difference() =>
        Gen.Select(Gen.Double[0.05, 3], Gen.Double[0.02, 2])
            .Sample(
                (deviation, difference) =>
                {
                    var n = Power.PairsNeeded(deviation, difference)!.Value;
                    Assert.True(Power.MinimumDetectableDifference(deviation, n) <= difference);
                    Assert.True(
                        n == 2 || Power.MinimumDetectableDifference(deviation, n - 1) > difference
                    );
                },
                iter: 100
            );

    [Fact]
    public void Rank_correlations_turn_their_sign_with_one_side() =>
        Gen.Select(s_value, s_value)
            .Array[2, 15]
            .Sample(pairs =>
            {
                List<(double, double)> turned = [.. pairs.Select(p => (p.Item1, -p.Item2))];
                Equal(Correlation.Spearman(pairs), Correlation.Spearman(turned));
                Equal(Correlation.KendallTauB(pairs), Correlation.KendallTauB(turned));

                static void Equal(double? one, double? other)
                {
                    Assert.Equal(one is null, other is null);
                    Assert.Equal(-(one ?? 0), other ?? 0, 9);
                    Assert.InRange(one ?? 0, -1 - 1e-9, 1 + 1e-9);
                }
            });

    [Fact]
    public void Kappa_knows_no_first_and_second_judge_and_is_one_only_where_they_agree() =>
        Gen.Select(
                Gen.OneOf(Gen.Const("x"), Gen.Const("y"), Gen.Const("z")),
                Gen.OneOf(Gen.Const("x"), Gen.Const("y"), Gen.Const("z"))
            )
            .Array[2, 30]
            .Sample(items =>
            {
                var kappa = Agreement.CohensKappa(items)?.Estimate;
                Assert.Equal(
                    kappa,
                    Agreement.CohensKappa([.. items.Select(i => (i.Item2, i.Item1))])?.Estimate
                );
                if (kappa is { } value)
                {
                    Assert.InRange(value, -1 - 1e-9, 1 + 1e-9);
                    Assert.Equal(
                        Array.TrueForAll(items, i => i.Item1 == i.Item2),
                        Math.Abs(value - 1) < 1e-9
                    );
                }
            });

    [Fact]
    public void Similarities_of_texts_lie_between_none_and_all_and_a_text_is_like_itself() =>
        Gen.Select(s_text, s_text, s_text)
            .Sample(
                (a, b, c) =>
                {
                    foreach (
                        var measure in (Func<string, string, double>[])
                            [
                                TokenF1Evaluator.F1,
                                (x, y) => ChrfEvaluator.Chrf(x, y),
                                (x, y) => BleuEvaluator.Bleu(x, [y]),
                                (x, y) => RougeEvaluator.F1(RougeKind.L, x, y),
                                JaroWinklerEvaluator.Similarity,
                                MeteorEvaluator.Meteor,
                            ]
                    )
                    {
                        Assert.InRange(measure(a, b), 0, 1 + 1e-12);
                    }

                    Assert.Equal(1, TokenF1Evaluator.F1(a, a), 12);
                    Assert.Equal(1, ChrfEvaluator.Chrf(a, a), 12);
                    Assert.Equal(1, JaroWinklerEvaluator.Similarity(a, a), 12);
                    Assert.Equal(1, RougeEvaluator.F1(RougeKind.L, a, a), 12);
                    Assert.Equal(
                        LevenshteinEvaluator.Distance(a, b),
                        LevenshteinEvaluator.Distance(b, a)
                    );
                    Assert.True(
                        LevenshteinEvaluator.Distance(a, c)
                            <= LevenshteinEvaluator.Distance(a, b)
                                + LevenshteinEvaluator.Distance(b, c)
                    );
                }
            );
}
