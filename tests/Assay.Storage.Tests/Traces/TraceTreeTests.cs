using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Traces.Embedded;
using CsCheck;

namespace Assay.Storage.Tests.Traces;

public class TraceTreeTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Parent (possibly one that comes later, never comes, or makes a cycle), tokens (0: none), batch.
    private static readonly Gen<(int Parent, int Tokens, int Batch)[]> s_runs = Gen.Select(
        Gen.Int[-1, 12],
        Gen.Int[0, 5],
        Gen.Int[0, 3]
    ).Array[1, 12];

    [Fact]
    public void Totals_kept_batch_by_batch_equal_the_rollup_of_the_whole_trace() =>
        s_runs.Sample(runs =>
        {
            var tree = new TraceTree();
            var rows = runs.Select((r, i) => Row(i, r.Parent, r.Tokens)).ToArray();
            var sums = new TraceTotals[runs.Length];
            for (var batch = 0; batch <= 3; batch++)
            {
                var arrived = Enumerable
                    .Range(0, runs.Length)
                    .Where(i => runs[i].Batch == batch)
                    .ToList();
                arrived.ForEach(i => tree.Put(rows[i]));
                var changed = tree.Settle();
                arrived.ForEach(i => sums[i] = rows[i].Totals);
                foreach (var node in changed)
                {
                    node.IsChanged = false;
                    sums[Array.FindIndex(rows, r => r.State.RunId == node.Id)] = node.Sum;
                }
            }

            var expected = TraceRollup.Compute([
                .. rows.Select(r => new TraceRollup.Node(
                    r.State.RunId,
                    r.State.ParentRunId,
                    r.Own
                )),
            ]);
            Assert.Equal(expected, sums);
        });

    [Fact]
    public void A_run_is_a_root_until_its_parent_arrives_and_takes_its_order_key_then()
    {
        var tree = new TraceTree();
        var child = Row(1, 0, 3);
        tree.Put(child);
        Assert.Empty(tree.Settle());
        Assert.True(child.IsRoot);
        Assert.Null(child.State.DottedOrder);

        var root = Row(0, -1, 0);
        root.State.ThreadId = "thread";
        tree.Put(root);
        var changed = Assert.Single(tree.Settle());
        Assert.Equal(child.State.RunId, changed.Id);
        Assert.StartsWith(root.State.DottedOrder + ".", changed.Dotted, StringComparison.Ordinal);
        Assert.NotNull(changed.Parent);
        Assert.Equal("thread", changed.Thread);
        Assert.Equal(3, root.Totals.TotalTokens);
    }

    private static RunRow Row(int number, int parent, int tokens) =>
        new()
        {
            Pk = number + 1,
            Project = 1,
            State = new RunState
            {
                RunId = Id(number),
                TraceId = Id(0),
                ParentRunId = parent < 0 || parent == number ? null : Id(parent),
                StartTime = s_start.AddSeconds(number),
                Usage =
                    tokens == 0
                        ? null
                        : new TokenUsage
                        {
                            PromptTokens = tokens,
                            TotalTokens = tokens,
                            Source =
                                tokens % 2 == 0 ? FigureSource.Estimated : FigureSource.Reported,
                        },
            },
        };

    private static Guid Id(int number) => new(number + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);
}
