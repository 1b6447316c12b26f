using Assay.Core.Traces;
using CsCheck;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    [Fact]
    public async Task Pieces_make_the_same_run_in_any_order_together_or_apart_and_when_repeated()
    {
        var orders = Gen.Shuffle(new[] { 0, 1, 2, 0, 1, 2 });
        await Gen.Select(orders, Gen.Bool)
            .SampleAsync(
                async (order, together) =>
                {
                    var id = Guid.CreateVersion7();
                    var all = order.Select(i => Piece(id, i)).ToList();
                    if (together)
                    {
                        await PutAsync(all);
                    }
                    else
                    {
                        foreach (var piece in all)
                        {
                            await PutAsync(piece);
                        }
                    }

                    var run = await FindAsync(id);
                    Assert.NotNull(run);
                    Assert.Equal("named", run.Name);
                    Assert.Equal(RunKind.Tool, run.Kind);
                    Assert.Equal(RunStatus.Success, run.Status);
                    Assert.Equal(Start, run.StartTime);
                    Assert.Equal(Start.AddSeconds(2), run.EndTime);
                    Assert.Equal("""{"q":1}""", Text(run, PayloadKind.Inputs));
                    Assert.Equal("""{"a":2}""", Text(run, PayloadKind.Outputs));
                    Assert.Equal(["x"], run.Tags);
                    Assert.Equal(
                        ["a=2", "b=1", "c=3"],
                        run.Metadata.Select(p => $"{p.Key}={p.Value}").Order()
                    );
                    Assert.Single(await RunsAsync(Query() with { RunIds = [id] }));
                },
                iter: 40,
                threads: 1
            );

        RunWrite Piece(Guid id, int which) =>
            which switch
            {
                0 => Create(
                    id,
                    r =>
                    {
                        r.Name = "named";
                        r.Kind = RunKind.Tool;
                        r.Inputs = Json("""{"q":1}""");
                        r.Extra = Json("""{"metadata":{"a":1,"b":1}}""");
                    }
                ),
                1 => Update(
                    id,
                    r =>
                    {
                        r.EndTime = Start.AddSeconds(2);
                        r.Outputs = Json("""{"a":2}""");
                    }
                ),
                _ => Update(
                    id,
                    r =>
                    {
                        r.Tags = ["x"];
                        r.Extra = Json("""{"metadata":{"a":2,"c":3}}""");
                    }
                ),
            };
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_closing_and_opening()
    {
        var ids = Enumerable.Range(0, 50).Select(_ => Guid.CreateVersion7()).ToList();
        await PutAsync(ids.Select(id => Create(id, r => r.Inputs = Json($$"""{"id":"{{id}}"}"""))));
        await GiveAsync(Feedback(ids[0], "k", 0.5));
        await ReopenAsync();
        Assert.Equal(ids.Order(), (await RunsAsync()).Select(r => r.Id).Order());
        var run = await FindAsync(ids[7]);
        Assert.Equal($$"""{"id":"{{ids[7]}}"}""", Text(run, PayloadKind.Inputs));
        Assert.Equal(0.5, (await FindAsync(ids[0]))!.FeedbackStats["k"].Average);
    }

    [Fact]
    public async Task A_read_after_the_barrier_sees_every_append_that_returned_before_it()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 200; i++)
        {
            ids.Add(Guid.CreateVersion7());
            await Store.AppendAsync(new RunBatch(Workspace, [Create(ids[^1])], []), Token);
            if (i % 20 == 0)
            {
                Assert.True(await Store.SettleAsync(Token));
                Assert.Equal(ids.Count, (await RunsAsync()).Count);
            }
        }

        // Readers and writers at once lose and double nothing.
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 40),
            Token,
            async (_, token) =>
            {
                var id = Guid.CreateVersion7();
                await Store.AppendAsync(new RunBatch(Workspace, [Create(id)], []), token);
                Assert.True(await Store.SettleAsync(token));
                Assert.NotNull(await Store.FindAsync(Workspace, id, null, RunParts.None, token));
            }
        );
        Assert.Equal(240, (await RunsAsync()).Count);
    }

    [Fact]
    public async Task A_change_that_names_no_project_goes_to_the_run_it_changes()
    {
        var (id, early) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await PutAsync(Create(id));
        await PutAsync(Update(id, r => r.Error = "boom"));
        await PutAsync(Update(early, r => r.Error = "early"));
        await PutAsync(Create(early));
        var run = await FindAsync(id);
        Assert.Equal((RunStatus.Error, Project), (run!.Status, run.ProjectId));
        run = await FindAsync(early);
        Assert.Equal((RunStatus.Error, Project), (run!.Status, run.ProjectId));
    }

    [Fact]
    public async Task The_same_id_in_two_projects_is_two_runs()
    {
        var (id, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await PutAsync(
            Create(id, r => r.Name = "one"),
            Create(
                id,
                r =>
                {
                    r.Name = "two";
                    r.ProjectId = other;
                }
            )
        );
        Assert.Equal("one", (await FindAsync(id, Project))?.Name);
        Assert.Equal("two", (await FindAsync(id, other))?.Name);
        Assert.Equal(2, (await RunsAsync(Query() with { RunIds = [id] })).Count);
    }

    [Fact]
    public async Task Runs_of_a_cycle_of_parents_are_all_readable()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        await PutAsync(
            ids.Select(
                (id, i) =>
                    Create(
                        id,
                        r =>
                        {
                            r.TraceId = ids[0];
                            r.ParentRunId = ids[(i + 1) % 3];
                        }
                    )
            )
        );
        var trace = await Store.ReadTraceAsync(Workspace, ids[0], null, RunParts.None, Token);
        Assert.Equal(ids.Order(), trace.Select(r => r.Id).Order());
    }

    [Fact]
    public async Task A_trace_comes_with_parents_before_children_in_execution_order()
    {
        var sample = new SampleTraces(11, Project).Make(30);
        await PutAsync(sample.Runs);
        foreach (var traceId in sample.Runs.Select(r => r.TraceId!.Value).Distinct())
        {
            var trace = await Store.ReadTraceAsync(
                Workspace,
                traceId,
                Project,
                RunParts.None,
                Token
            );
            var place = trace.Select((r, i) => (r.Id, i)).ToDictionary(p => p.Id, p => p.i);
            Assert.Equal(
                sample.Runs.Where(r => r.TraceId == traceId).Select(r => r.RunId).Order(),
                place.Keys.Order()
            );
            Assert.All(
                trace.Where(r => r.ParentRunId is { } p && place.ContainsKey(p)),
                r => Assert.True(place[r.ParentRunId!.Value] < place[r.Id])
            );
            Assert.All(
                trace,
                r => Assert.Equal(r.ParentRunId is not { } p || !place.ContainsKey(p), r.IsRoot)
            );
        }
    }
}
