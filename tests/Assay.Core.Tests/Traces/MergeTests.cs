using Assay.Core.Models;
using Assay.Core.Traces;
using CsCheck;

namespace Assay.Core.Tests.Traces;

public sealed class MergeTests
{
    private static readonly Guid s_id = new("018f0000-0000-7000-8000-000000000001");

    private static readonly Gen<RunWrite> s_create = Gen.Select(
        Gen.String.Null(),
        Gen.Bool,
        Gen.Int[0, 100].Nullable(),
        Write(RunOperation.Create)
    );

    private static readonly Gen<RunWrite> s_update = Gen.Select(
        Gen.String.Null(),
        Gen.Bool,
        Gen.Int[0, 100].Nullable(),
        Write(RunOperation.Update)
    );

    [Fact]
    public void A_create_and_an_update_merge_to_the_same_whichever_comes_first() =>
        Gen.Select(s_create, s_update)
            .Sample((create, update) => Assert.Equal(Seen(create, update), Seen(update, create)));

    [Fact]
    public void Repetition_changes_nothing() =>
        Gen.Select(s_create, s_update)
            .Sample(
                (create, update) =>
                    Assert.Equal(Seen(create, update), Seen(create, update, create, update))
            );

    [Fact]
    public void Only_leaves_count_into_totals()
    {
        var (root, model) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var usage = new TraceTotals(10, 5, 15, 1, 2, 3, FigureSource.Reported);
        var totals = TraceRollup.Compute([new(root, null, usage), new(model, root, usage)]);
        Assert.Equal(usage, totals[0]);
    }

    [Fact]
    public void A_cycle_of_parents_ends()
    {
        var (a, b) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Assert.Equal(2, TraceRollup.Compute([new(a, b, null), new(b, a, null)]).Length);
    }

    [Fact]
    public void Percentiles_are_within_three_percent_and_survive_storage() =>
        Gen.Double[0.001, 10_000]
            .Array[1, 300]
            .Sample(values =>
            {
                var histogram = new LogHistogram();
                Array.ForEach(values, v => histogram.Add(v));
                histogram = LogHistogram.FromBytes(histogram.ToBytes());
                var sorted = values.Order().ToList();
                foreach (var q in (double[])[0.5, 0.95, 0.99])
                {
                    var exact = sorted[
                        Math.Clamp((int)Math.Ceiling(q * sorted.Count) - 1, 0, sorted.Count - 1)
                    ];
                    Assert.InRange(histogram.Quantile(q), exact * 0.97, exact * 1.03);
                }
            });

    [Fact]
    public void What_is_taken_back_leaves_an_empty_histogram()
    {
        var histogram = new LogHistogram();
        histogram.Add(1.5);
        histogram.Add(1.5, -1);
        Assert.Null(histogram.ToPercentiles());
    }

    private static Func<string?, bool, int?, RunWrite> Write(RunOperation operation) =>
        (text, isEnded, number) =>
            new RunWrite
            {
                Operation = operation,
                RunId = s_id,
                TraceId = s_id,
                Name = text,
                Error = isEnded ? text : null,
                EndTime = isEnded ? DateTimeOffset.UnixEpoch.AddSeconds(number ?? 0) : null,
                Tags = number is null ? null : [operation.ToString()],
                Metadata = text is null ? null : [new("key", operation + text)],
                Usage = number is { } n ? new TokenUsage { TotalTokens = n } : null,
            };

    private static string Seen(params RunWrite[] pieces)
    {
        var state = new RunState { RunId = s_id };
        foreach (var piece in pieces)
        {
            state.Apply(piece);
        }

        return $"{state.Name}|{state.Error}|{state.Status}|{state.EndTime:O}|{string.Join(',', state.Tags)}|{string.Join(',', state.Metadata.Select(m => m.Value.Value))}|{state.Usage?.TotalTokens}";
    }
}
