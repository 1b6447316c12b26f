using Assay.Core.Filters;
using Assay.Core.Threads;
using Assay.Core.Traces;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    public static TheoryData<RunField, bool> Orders()
    {
        var data = new TheoryData<RunField, bool>();
        foreach (
            var field in (RunField[])
                [
                    RunField.StartTime,
                    RunField.Name,
                    RunField.Latency,
                    RunField.FirstTokenLatency,
                    RunField.TotalTokens,
                    RunField.TotalCost,
                    RunField.Model,
                    RunField.ThreadId,
                    RunField.ReferenceExampleId,
                ]
        )
        {
            data.Add(field, true);
            data.Add(field, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Pages_in_any_order_hold_each_run_once_while_runs_arrive(
        RunField order,
        bool ascending
    )
    {
        var sample = new SampleTraces(5, Project).Make(25);
        await PutAsync(sample.Runs);
        var query = Query() with { OrderBy = order, Ascending = ascending, Limit = 7 };
        var seen = new List<Guid>();
        var late = new SampleTraces(6, Project).Make(20).Runs;
        string? cursor = null;
        do
        {
            var page = await Store.QueryAsync(query with { Cursor = cursor }, Token);
            seen.AddRange(page.Runs.Select(r => r.Id));
            cursor = page.Next;
            if (late.Count > 0)
            {
                await PutAsync(late[0]);
                late.RemoveAt(0);
            }
        } while (cursor is not null);

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(sample.Runs.Select(r => r.RunId).Except(seen));
    }

    public static TheoryData<string, bool> TextOrders() =>
        new MatrixTheoryData<string, bool>(["inputs", "outputs", "tags", "score"], [true, false]);

    [Theory]
    [MemberData(nameof(TextOrders))]
    public async Task Pages_are_sorted_by_what_runs_say(string what, bool ascending)
    {
        string[] words = ["pear", "Apple", "fig"];
        var runs = Enumerable
            .Range(0, 12)
            .Select(i =>
                Create(
                    Guid.CreateVersion7(Start.AddSeconds(i)),
                    r =>
                    {
                        var word = words[i % 3];
                        r.Inputs = Json($$"""{"question":"{{word}} {{i:00}}"}""");
                        r.Outputs = i % 4 == 0 ? null : Json($$"""{"answer":"{{word}}"}""");
                        r.Error = i == 5 ? "Broken" : null;
                        r.Tags = i % 3 == 0 ? null : [word, $"t{i % 2}"];
                    }
                )
            )
            .ToList();
        await PutAsync(runs);
        await GiveAsync(
            runs.Where((_, i) => i % 2 == 0)
                .SelectMany(
                    (r, i) =>
                        new[]
                        {
                            Feedback(r.RunId, "good", i / 8.0),
                            Feedback(r.RunId, "good", 0.5),
                            Feedback(r.RunId, "other", 8 - i),
                        }
                )
        );
        RunOrder order = what switch
        {
            "inputs" => new RunOrder.Inputs(),
            "outputs" => new RunOrder.Outputs(),
            "tags" => new RunOrder.Tags(),
            _ => new RunOrder.Score("good"),
        };
        var query = Query() with { SortBy = order, Ascending = ascending, Limit = 5 };
        var seen = new List<Run>();
        do
        {
            var page = await Store.QueryAsync(query, Token);
            seen.AddRange(page.Runs);
            query = query with { Cursor = page.Next };
        } while (query.Cursor is not null);

        Assert.Equal(runs.Select(r => r.RunId).Order(), seen.Select(r => r.Id).Order());
        var values = seen.Select(Value).ToList();
        var sorted = values.Order(Comparer<object?>.Create(Compare)).ToList();
        if (!ascending)
        {
            sorted.Reverse();
        }

        Assert.Equal(sorted, values);
        Assert.True(values.Distinct().Count() > 2);

        object? Value(Run run) =>
            what switch
            {
                "inputs" => run.InputsPreview?.ToLowerInvariant(),
                "outputs" => (run.Error ?? run.OutputsPreview)?.ToLowerInvariant(),
                "tags" => run.Tags.Count == 0
                    ? null
                    : string.Join(", ", run.Tags).ToLowerInvariant(),
                _ => run.FeedbackStats.GetValueOrDefault("good")?.Average,
            };

        static int Compare(object? a, object? b) =>
            (a, b) switch
            {
                (string x, string y) => string.CompareOrdinal(x, y),
                (double x, double y) => x.CompareTo(y),
                _ => (a is null ? 0 : 1) - (b is null ? 0 : 1),
            };
    }

    [Fact]
    public async Task A_strange_cursor_is_told_apart()
    {
        await PutAsync(Create(Guid.CreateVersion7()));
        foreach (var cursor in (string[])["x", "AAAA", "fHx8", "MTB8aXxhYmM="])
        {
            await Assert.ThrowsAsync<InvalidCursorException>(() =>
                Store.QueryAsync(Query() with { Cursor = cursor }, Token)
            );
        }
    }

    [Fact]
    public async Task Plain_conditions_find_what_they_say()
    {
        var sample = new SampleTraces(7, Project).Make(40);
        await PutAsync(sample.Runs);
        var all = await RunsAsync();
        var middle = all.Select(r => r.StartTime).Order().ElementAt(all.Count / 2);
        await Same(Query() with { IsRoot = true }, r => r.IsRoot);
        await Same(Query() with { IsRoot = false }, r => !r.IsRoot);
        await Same(Query() with { Kind = RunKind.Llm }, r => r.Kind == RunKind.Llm);
        await Same(Query() with { HasError = true }, r => r.Status == RunStatus.Error);
        await Same(Query() with { HasError = false }, r => r.Status != RunStatus.Error);
        await Same(Query() with { From = middle }, r => r.StartTime >= middle);
        await Same(Query() with { To = middle }, r => r.StartTime <= middle);
        await Same(Query() with { ThreadId = "t1" }, r => r.ThreadId == "t1");
        await Same(Query() with { TraceId = all[0].TraceId }, r => r.TraceId == all[0].TraceId);
        var parent = all.First(r => all.Any(c => c.ParentRunId == r.Id)).Id;
        await Same(Query() with { ParentRunId = parent }, r => r.ParentRunId == parent);
        await Same(
            Query() with
            {
                ReferenceExampleIds = SampleTraces.Examples,
            },
            r => r.ReferenceExampleId is not null
        );
        await Same(Query() with { ProjectIds = [Guid.CreateVersion7()] }, _ => false);

        async Task Same(RunQuery query, Func<Run, bool> expected) =>
            Assert.Equal(
                all.Where(expected).Select(r => r.Id).Order(),
                (await RunsAsync(query)).Select(r => r.Id).Order()
            );
    }

    [Fact]
    public async Task Direct_children_and_descendants_are_told()
    {
        var sample = new SampleTraces(8, Project).Make(20);
        await PutAsync(sample.Runs);
        foreach (var run in sample.Runs)
        {
            var (direct, all) = await Store.ChildIdsAsync(
                Workspace,
                run.TraceId!.Value,
                run.RunId,
                Token
            );
            Assert.Equal(Children(run.RunId).Order(), direct.Order());
            Assert.Equal(Below(run.RunId).Order(), all.Order());
        }

        IEnumerable<Guid> Children(Guid id) =>
            sample.Runs.Where(r => r.ParentRunId == id).Select(r => r.RunId);
        IEnumerable<Guid> Below(Guid id) => Children(id).SelectMany(c => Below(c).Prepend(c));
    }

    [Fact]
    public async Task Payloads_come_back_verbatim_and_as_a_seekable_stream()
    {
        var id = Guid.CreateVersion7();
        const string odd = """{ "a" : 1.0e0, "\u0061":"é\ud835\udd4f", "z":[ ] }""";
        await PutAsync(Create(id, r => r.Inputs = Json(odd)));
        Assert.Equal(odd, Text(await FindAsync(id), PayloadKind.Inputs));
        await using var stream = await Store.OpenPayloadAsync(
            Workspace,
            id,
            null,
            PayloadKind.Inputs,
            Token
        );
        Assert.NotNull(stream);
        stream.Position = 2;
        using var reader = new StreamReader(stream);
        Assert.Equal(odd[2..], await reader.ReadToEndAsync(Token));
        Assert.Null(await Store.OpenPayloadAsync(Workspace, id, null, PayloadKind.Outputs, Token));
    }

    [Fact]
    public async Task Threads_come_by_last_activity_with_figures_over_their_roots()
    {
        var sample = new SampleTraces(9, Project).Make(40);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var roots = (await RunsAsync(Query() with { IsRoot = true }))
            .Where(r => r.ThreadId is not null)
            .GroupBy(r => r.ThreadId!)
            .OrderByDescending(g => g.Max(r => r.StartTime))
            .ToList();
        var page = await Store.ConversationsAsync(
            new ConversationQuery
            {
                WorkspaceId = Workspace,
                ProjectId = Project,
                Limit = 100,
            },
            Token
        );
        Assert.Equal(roots.Count, page.Total);
        Assert.Equal(
            roots.Select(g => g.Max(r => r.StartTime)),
            page.Items.Select(c => c.LastStart)
        );
        Assert.All(
            page.Items,
            c =>
            {
                var group = roots.Single(g => g.Key == c.ThreadId).ToList();
                Assert.Equal(group.Count, c.TraceCount);
                Assert.Equal(group.Count(r => r.Status == RunStatus.Error), c.ErrorCount);
                Assert.Equal(group.Min(r => r.StartTime), c.FirstStart);
                Assert.Equal(group.Sum(r => r.Totals.TotalTokens), c.Totals.TotalTokens);
            }
        );
        var one = await Store.ConversationsAsync(
            new ConversationQuery
            {
                WorkspaceId = Workspace,
                ProjectId = Project,
                Limit = 1,
                Offset = 1,
            },
            Token
        );
        Assert.Equal(page.Items[1].ThreadId, Assert.Single(one.Items).ThreadId);
    }
}
