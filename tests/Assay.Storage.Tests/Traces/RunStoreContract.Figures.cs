using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Threads;
using Assay.Core.Traces;
using CsCheck;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    /// <summary>The relative error that <see cref="RunStats"/> states for percentiles.</summary>
    private const double StatedError = 0.03;

    [Fact]
    public async Task Figures_equal_brute_force_and_percentiles_keep_to_the_stated_error()
    {
        var sample = new SampleTraces(21, Project).Make(120);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var all = await RunsAsync();
        var questions = new (RunQuery Query, Func<Run, bool> Meets)[]
        {
            (Query(), _ => true),
            (Query() with { IsRoot = true }, r => r.IsRoot),
            (Query() with { HasError = true }, r => r.Status == RunStatus.Error),
            (
                Query() with
                {
                    Filter = LangSmithFilterParser.Parse("gt(latency, 1)"),
                },
                r => r.Latency > TimeSpan.FromSeconds(1)
            ),
        };
        foreach (var (query, meets) in questions)
        {
            var runs = all.Where(meets).ToList();
            var stats = await Store.StatsAsync(query, Token);
            Assert.Equal(runs.Count, stats.RunCount);
            Assert.Equal(runs.Count(r => r.Status == RunStatus.Error), stats.ErrorCount);
            Assert.Equal(runs.Count(r => r.Status == RunStatus.Pending), stats.PendingCount);
            Assert.Equal(runs.Max(r => (DateTimeOffset?)r.StartTime), stats.LastRunStart);
            Near(runs.Select(r => r.Latency?.TotalSeconds), stats.Latency);
            Near(runs.Select(r => r.FirstTokenLatency?.TotalSeconds), stats.FirstToken);
            var ids = runs.Select(r => r.Id).ToHashSet();
            var given = sample.Feedback.Where(f => ids.Contains(f.RunId!.Value)).ToList();
            foreach (var key in given.GroupBy(f => f.Key))
            {
                var scores = key.Select(f => f.Score).OfType<double>().ToList();
                Assert.Equal(key.Count(), stats.Feedback[key.Key].Count);
                Assert.Equal(scores.Average(), stats.Feedback[key.Key].Average!.Value, 9);
            }
        }
    }

    [Fact]
    public async Task Scores_of_people_evaluators_and_the_api_have_figures_of_their_own()
    {
        var ids = new[] { Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7() };
        await PutAsync(ids.Select(id => Create(id)));
        await GiveAsync(Feedback(ids[0], "k", 1, f => f with { SourceType = "app" }));
        await GiveAsync(Feedback(ids[1], "k", 0.5, f => f with { UserId = Guid.NewGuid() }));
        await GiveAsync(Feedback(ids[0], "k", 0, f => f with { SourceType = "auto_eval" }));
        // More evaluator runs than sources are told of: a judgement is counted all the same.
        for (var i = 0; i < 25; i++)
        {
            var metadata = $$$"""{"__run":{"run_id":"{{{Guid.NewGuid()}}}"}}""";
            await GiveAsync(
                Feedback(
                    ids[1],
                    "k",
                    0,
                    f => f with { SourceType = "model", SourceMetadataJson = metadata }
                )
            );
        }

        await GiveAsync(Feedback(ids[2], "k", 0.25));
        await GiveAsync(Feedback(ids[2], "k", null, f => f with { ValueJson = "\"x\"" }));
        var all = (await Store.FeedbackStatsAsync(Query(), Token))["k"];
        Assert.Equal(
            (new(2, 2, 1.5), new(26, 26, 0), new SourceScores(2, 1, 0.25)),
            (all.People, all.Evaluators, all.Others)
        );
        Assert.True(all.IsMixed);
        Assert.Equal(1.75 / 29, all.Average!.Value, 12);
        var last = (await Store.FeedbackStatsAsync(Query() with { RunIds = [ids[2]] }, Token))["k"];
        Assert.False(last.IsMixed);
        Assert.Equal(2, last.Count);
        var runs = (await RunsAsync()).Select(r => KeyValuePair.Create("k", r.FeedbackStats["k"]));
        var together = FeedbackStats.Together(runs)["k"];
        Assert.Equal(all.Average.Value, together.Average!.Value, 12);
        Assert.Equal(all.Evaluators, together.Evaluators);
    }

    [Fact]
    public async Task Percentiles_of_any_latencies_keep_to_the_stated_error()
    {
        await Gen.Double[0.0005, 5_000]
            .Array[1, 60]
            .SampleAsync(
                async values =>
                {
                    var project = Guid.CreateVersion7();
                    await PutAsync(
                        values.Select(v =>
                            Create(
                                Guid.CreateVersion7(),
                                r =>
                                {
                                    r.ProjectId = project;
                                    r.EndTime = Start.AddMicroseconds(Math.Round(v * 1e6));
                                }
                            )
                        )
                    );
                    var stats = await Store.StatsAsync(
                        Query() with
                        {
                            ProjectIds = [project],
                        },
                        Token
                    );
                    Near(values.Select(v => (double?)(Math.Round(v * 1e6) / 1e6)), stats.Latency);
                    var kept = await Store.ProjectStatsAsync(
                        Workspace,
                        [project],
                        null,
                        null,
                        rootsOnly: true,
                        Token
                    );
                    Assert.Equal(stats.Latency, kept[project].Latency);
                },
                iter: 25,
                threads: 1
            );
    }

    [Fact]
    public async Task Prepared_figures_follow_changes_and_deletions()
    {
        var sample = new SampleTraces(22, Project).Make(60);
        await PutAsync(sample.Runs);
        await Same();
        foreach (var run in sample.Runs.Where((_, i) => i % 5 == 0))
        {
            await PutAsync(
                Update(
                    run.RunId,
                    r =>
                    {
                        r.EndTime = run.StartTime!.Value.AddSeconds(7);
                        r.Error = "late";
                    }
                )
            );
        }

        await Same();
        await Store.DeleteTracesAsync(
            Workspace,
            [.. sample.Runs.Select(r => r.TraceId!.Value).Distinct().Take(20)],
            null,
            Token
        );
        await Same();

        async Task Same()
        {
            var all = await RunsAsync();
            var hours = await Store.SeriesAsync(
                new RunSeriesQuery
                {
                    Runs = Query() with { From = Start.AddDays(-1) },
                    Bucket = TimeSpan.FromHours(1),
                },
                Token
            );
            var minutes = await Store.SeriesAsync(
                new RunSeriesQuery
                {
                    Runs = Query() with { From = Start.AddDays(-1) },
                    Bucket = TimeSpan.FromMinutes(15),
                },
                Token
            );
            foreach (
                var (buckets, width) in (
                    ((IReadOnlyList<RunBucket>, int)[])[(hours, 60), (minutes, 15)]
                )
            )
            {
                Assert.Equal(
                    all.GroupBy(r => r.StartTime.UtcTicks / TimeSpan.FromMinutes(width).Ticks)
                        .OrderBy(g => g.Key)
                        .Select(g => (g.Count(), g.Count(r => r.Status == RunStatus.Error))),
                    buckets
                        .Where(b => b.Stats.RunCount > 0)
                        .Select(b => ((int)b.Stats.RunCount, (int)b.Stats.ErrorCount))
                );
            }

            var project = await Store.ProjectStatsAsync(
                Workspace,
                [Project],
                null,
                null,
                rootsOnly: true,
                Token
            );
            Assert.Equal(all.Count(r => r.IsRoot), project[Project].RunCount);
            Assert.Equal(
                all.Where(r => r.IsRoot).Sum(r => r.Totals.TotalTokens),
                project[Project].Totals.TotalTokens
            );
        }
    }

    [Fact]
    public async Task Groups_of_a_series_add_up()
    {
        var sample = new SampleTraces(23, Project).Make(60);
        await PutAsync(sample.Runs);
        var all = await RunsAsync();
        foreach (
            var field in (RunField[])[RunField.Kind, RunField.Model, RunField.Name, RunField.Status]
        )
        {
            var series = await Store.SeriesAsync(
                new RunSeriesQuery
                {
                    Runs = Query() with { From = Start.AddDays(-1) },
                    Bucket = TimeSpan.FromDays(1),
                    GroupBy = field,
                    MaxGroups = 3,
                },
                Token
            );
            Assert.Equal(all.Count, series.Sum(b => b.Stats.RunCount));
            Assert.InRange(series.Select(b => b.Group).Distinct().Count(), 1, 4);
        }

        var byKey = await Store.SeriesAsync(
            new RunSeriesQuery
            {
                Runs = Query() with { From = Start.AddDays(-1) },
                Bucket = TimeSpan.FromDays(1),
                GroupByMetadataKey = "k",
                MaxGroups = 100,
            },
            Token
        );
        Assert.Equal(
            all.GroupBy(r => r.Metadata.FirstOrDefault(p => p.Key == "k").Value ?? "")
                .Select(g => (g.Key, (long)g.Count()))
                .Order(),
            byKey.Select(b => (b.Group, b.Stats.RunCount)).Order()
        );
    }

    [Fact]
    public async Task Groups_by_tag_count_a_run_for_each_of_its_tags()
    {
        await PutAsync(new SampleTraces(25, Project).Make(60).Runs);
        var all = await RunsAsync();
        var byTag = await Store.SeriesAsync(
            new RunSeriesQuery
            {
                Runs = Query() with { From = Start.AddDays(-1) },
                Bucket = TimeSpan.FromDays(1),
                GroupByTag = true,
                MaxGroups = 100,
            },
            Token
        );
        Assert.Equal(
            all.SelectMany(r => r.Tags.Distinct())
                .GroupBy(t => t)
                .Select(g => (g.Key, (long)g.Count()))
                .Order(),
            byTag.Select(b => (b.Group, b.Stats.RunCount)).Order()
        );
    }

    [Fact]
    public async Task Parts_of_tokens_and_costs_count_once_per_trace()
    {
        var (root, agent, call, other) = (NewId(), NewId(), NewId(), NewId());
        await PutAsync(
            Create(root, r => r.Name = "root"),
            Create(agent, r => Bear(r, root, root, 7)),
            Create(call, r => Bear(r, root, agent, 7)),
            Create(other, r => Bear(r, other, null, 30))
        );
        Assert.Equal(37, await CachedAsync(Query()));
        Assert.Equal(37, await CachedAsync(Query() with { IsRoot = true }));
        Assert.Equal(7, await CachedAsync(Query() with { TraceId = root }));
        Assert.Equal(
            7,
            await CachedAsync(
                Query() with
                {
                    Filter = LangSmithFilterParser.Parse($"eq(id, \"{call}\")"),
                }
            )
        );
        Assert.Equal(0, await CachedAsync(Query() with { WorkspaceId = NewId() }));

        static Guid NewId() => Guid.CreateVersion7();

        static void Bear(RunWrite run, Guid trace, Guid? parent, int cached)
        {
            (run.TraceId, run.ParentRunId, run.Kind) = (trace, parent, RunKind.Llm);
            run.EndTime = Start.AddSeconds(1);
            run.Outputs = Json(
                $$"""{"usage_metadata":{"input_tokens":100,"output_tokens":1,"total_tokens":101,"input_token_details":{"cache_read":{{cached}} } } }"""
            );
        }

        async Task<long> CachedAsync(RunQuery query) =>
            (await Store.UsagePartsAsync(query, Token)).PromptTokens.GetValueOrDefault(
                "cache_read"
            );
    }

    [Theory]
    [InlineData("gt(count, 3)")]
    [InlineData("eq(num_errored_turns, 0)")]
    [InlineData("or(gt(latency_p50, \"1s\"), eq(thread_id, \"t1\"))")]
    [InlineData("and(gte(feedback_score, 0.5), eq(feedback_key, \"correctness\"))")]
    [InlineData("gte(max_start_time, \"2026-03-01T10:00:00Z\")")]
    public async Task A_condition_on_threads_sees_the_whole_thread(string filter)
    {
        var sample = new SampleTraces(26, Project).Make(80);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var condition = ConversationFilter.Parse(filter);
        var question = new ConversationQuery
        {
            WorkspaceId = Workspace,
            ProjectId = Project,
            Limit = 100,
        };
        var all = (await Store.ConversationsAsync(question, Token)).Items;
        var passing = await Store.ConversationsAsync(
            question with
            {
                ThreadFilter = condition,
            },
            Token
        );
        Assert.Equal(
            all.Where(condition.IsMatch).Select(t => t.ThreadId),
            passing.Items.Select(t => t.ThreadId)
        );
        Assert.Equal(passing.Items.Count, passing.Total);

        // Narrower questions change which threads are asked, not what the condition sees of them.
        var narrow = await Store.ConversationsAsync(
            question with
            {
                ThreadFilter = condition,
                Filter = LangSmithFilterParser.Parse("eq(status, \"error\")"),
            },
            Token
        );
        var failed = (
            await Store.ConversationsAsync(
                question with
                {
                    Filter = LangSmithFilterParser.Parse("eq(status, \"error\")"),
                },
                Token
            )
        ).Items.Select(t => t.ThreadId);
        Assert.Equal(
            all.Where(condition.IsMatch).Select(t => t.ThreadId).Intersect(failed).Order(),
            narrow.Items.Select(t => t.ThreadId).Order()
        );
    }

    [Fact]
    public async Task Facets_count_values_and_follow_changes_and_deletions()
    {
        var sample = new SampleTraces(24, Project).Make(60);
        await PutAsync(sample.Runs);
        await Same();
        await PutAsync(Update(sample.Runs[0].RunId, r => r.Tags = ["fresh"]));
        await Same();
        await Store.DeleteTracesAsync(Workspace, [sample.Runs[0].TraceId!.Value], null, Token);
        await Same();

        async Task Same()
        {
            var all = await RunsAsync();
            var facets = await Store.FacetsAsync(Workspace, Project, null, null, 100, Token);
            Expect("name", all.Select(r => r.Name));
            Expect("tag", all.SelectMany(r => r.Tags.Distinct()));
            Expect("model", all.Select(r => r.Model).OfType<string>());
            Expect("run_type", all.Select(r => r.Kind.ToString().ToLowerInvariant()));
            Expect(
                "metadata.k",
                all.SelectMany(r => r.Metadata.Where(p => p.Key == "k").Select(p => p.Value))
            );

            void Expect(string name, IEnumerable<string> values) =>
                Assert.Equal(
                    values.GroupBy(v => v).Select(g => (g.Key, (long)g.Count())).Order(),
                    facets
                        .Where(f => f.Name == name)
                        .SelectMany(f => f.Values)
                        .Select(v => (v.Value, v.Count))
                        .Order()
                );
        }
    }

    private static void Near(IEnumerable<double?> values, Percentiles? found)
    {
        var sorted = values.OfType<double>().Order().ToList();
        if (sorted.Count == 0)
        {
            Assert.Null(found);
            return;
        }

        Assert.NotNull(found);
        foreach (
            var (q, value) in ((double, double)[])
                [(0.5, found.P50), (0.95, found.P95), (0.99, found.P99)]
        )
        {
            var exact = sorted[Math.Max(0, (int)Math.Ceiling(q * sorted.Count) - 1)];
            Assert.InRange(
                value,
                exact * (1 - StatedError) - 1e-6,
                exact * (1 + StatedError) + 1e-6
            );
        }
    }
}
