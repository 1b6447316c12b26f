using Assay.Core.Filters;
using Assay.Core.Traces;
using CsCheck;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_filter_finds_what_the_evaluator_finds(int seed)
    {
        var traces = await SamplesAsync(seed);
        await FilterTexts.Any.SampleAsync(
            async text =>
            {
                var query = Query() with { Filter = LangSmithFilterParser.Parse(text) };
                await SameAsync(query, traces, text);
            },
            iter: 600,
            threads: 1
        );
    }

    [Fact]
    public async Task Filters_on_root_and_tree_find_what_the_evaluator_finds()
    {
        var traces = await SamplesAsync(3);
        await Gen.Select(FilterTexts.Any.Null(), FilterTexts.Any.Null(), FilterTexts.Any.Null())
            .SampleAsync(
                async texts =>
                {
                    var query = Query() with
                    {
                        Filter = Parse(texts.Item1),
                        TraceFilter = Parse(texts.Item2),
                        TreeFilter = Parse(texts.Item3),
                    };
                    await SameAsync(query, traces, texts.ToString());
                },
                iter: 400,
                threads: 1
            );

        static Filter? Parse(string? text) =>
            text is null ? null : LangSmithFilterParser.Parse(text);
    }

    [Theory]
    [InlineData(4_000)]
    [InlineData(1)]
    public async Task An_or_may_be_as_wide_as_the_text_allows(int width)
    {
        await PutAsync(Create(Guid.CreateVersion7(), r => r.Name = "n7"));
        var text =
            $"or({string.Join(",", Enumerable.Range(0, width).Select(i => $"eq(name,n{i + 7})"))})";
        Assert.Single(await RunsAsync(Query() with { Filter = LangSmithFilterParser.Parse(text) }));
    }

    [Fact]
    public async Task A_filter_may_nest_as_deep_as_the_parser_allows()
    {
        await PutAsync(Create(Guid.CreateVersion7(), r => r.Name = "deep"));
        var text = "eq(name, deep)";
        for (var i = 0; i < 60; i++)
        {
            text = i % 2 == 0 ? $"not({text})" : $"and(or({text}, eq(name, no)))"[4..^1];
        }

        Assert.Single(await RunsAsync(Query() with { Filter = LangSmithFilterParser.Parse(text) }));
    }

    [Theory]
    [InlineData("name", "\"n{0}\"")]
    [InlineData("total_tokens", "{0}")]
    [InlineData("metadata_value", "\"n{0}\"")]
    [InlineData("tags", "\"n{0}\"")]
    public async Task A_list_may_be_as_long_as_the_text_allows(string field, string item)
    {
        await PutAsync(
            Create(
                Guid.CreateVersion7(),
                r =>
                {
                    r.Name = "n7";
                    r.Tags = ["n7"];
                    r.Metadata = [new("k", "n7")];
                    r.Outputs = Json(
                        """{"usage_metadata":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}"""
                    );
                }
            )
        );
        var items = Enumerable.Range(0, 6_000).Select(i => string.Format(null, item, i));
        Assert.Single(
            await RunsAsync(
                Query() with
                {
                    Filter = LangSmithFilterParser.Parse(
                        $"in({field}, [{string.Join(",", items)}])"
                    ),
                }
            )
        );
    }

    [Fact]
    public async Task Many_ids_can_be_asked_for_at_once()
    {
        var ids = Enumerable.Range(0, 40_000).Select(_ => Guid.CreateVersion7()).ToList();
        await PutAsync(Create(ids[17]), Create(ids[39_999]));
        Assert.Equal(2, (await RunsAsync(Query() with { RunIds = ids })).Count);
        Assert.Equal(
            2,
            (
                await RunsAsync(
                    Query() with
                    {
                        Filter = new Filter.In(RunField.Id, [.. ids.Select(FilterValue.Of)]),
                    }
                )
            ).Count
        );
    }

    [Fact]
    public async Task Metadata_that_came_in_pieces_is_looked_at_as_a_whole()
    {
        var id = Guid.CreateVersion7();
        await PutAsync(
            Create(id, r => r.Extra = Json("""{"metadata":{"a":1,"b":{"c":"x"}}}""")),
            Update(id, r => r.Extra = Json("""{"metadata":{"d":2}}"""))
        );
        Assert.Single(
            await RunsAsync(
                Query() with
                {
                    Filter = LangSmithFilterParser.Parse(
                        """has(metadata, '{"a": "1", "b": {"c": "x"}, "d": 2}')"""
                    ),
                }
            )
        );
    }

    /// <summary>Stores random traces and gives them back as the evaluator wants them, by trace.</summary>
    private async Task<IReadOnlyList<IReadOnlyList<FilterSubject>>> SamplesAsync(int seed)
    {
        var sample = new SampleTraces(seed, Project).Make(60);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var runs = await RunsAsync(Query() with { Parts = RunParts.All });
        Assert.Equal(sample.Runs.Count, runs.Count);
        var feedback = sample.Feedback.ToLookup(f => f.RunId!.Value);
        return
        [
            .. runs.GroupBy(r => r.TraceId).Select(t => FilterSubject.OfTrace([.. t], feedback)),
        ];
    }

    [Fact]
    public async Task Runs_with_feedback_are_found_whichever_came_first_and_wherever_the_run_moved()
    {
        var (early, late, child, moved, none) = (NewId(), NewId(), NewId(), NewId(), NewId());
        await GiveAsync(Feedback(early, "quality", 0.9));
        await PutAsync(
            Create(early, r => r.StartTime = Start.AddMinutes(1)),
            Create(late, r => r.StartTime = Start.AddMinutes(2)),
            Create(
                child,
                r => (r.TraceId, r.ParentRunId, r.StartTime) = (late, late, Start.AddMinutes(3))
            ),
            Create(moved, r => r.StartTime = Start.AddMinutes(9)),
            Create(none)
        );
        await GiveAsync(
            Feedback(late, "quality", 0.1),
            Feedback(child, "quality", 0.8),
            Feedback(moved, "quality", 0.7),
            Feedback(none, "other", 1)
        );
        await PutAsync(Update(moved, r => r.StartTime = Start));
        await SameAsync(null, "eq(feedback_key, \"quality\")", child, late, early, moved);
        await SameAsync(true, "eq(feedback_key, \"quality\")", late, early, moved);
        await SameAsync(
            null,
            "and(eq(feedback_key, \"quality\"), gt(feedback_score, 0.5))",
            child,
            early,
            moved
        );
        var given = await Store.FeedbackAsync(
            new FeedbackQuery { WorkspaceId = Workspace, RunIds = [early] },
            Token
        );
        await Store.DeleteFeedbackAsync(Workspace, given[0].Id, Token);
        await SameAsync(null, "eq(feedback_key, \"quality\")", child, late, moved);
        await ReopenAsync();
        await SameAsync(null, "eq(feedback_key, \"quality\")", child, late, moved);

        static Guid NewId() => Guid.CreateVersion7();

        async Task SameAsync(bool? isRoot, string filter, params Guid[] expected)
        {
            var found = new List<Guid>();
            var query = Query() with
            {
                ProjectIds = [Project],
                IsRoot = isRoot,
                Filter = LangSmithFilterParser.Parse(filter),
                Limit = 1,
            };
            do
            {
                var page = await Store.QueryAsync(query, Token);
                found.AddRange(page.Runs.Select(r => r.Id));
                query = query with { Cursor = page.Next };
            } while (query.Cursor is not null);

            Assert.Equal(expected, found);
        }
    }

    private async Task SameAsync(
        RunQuery query,
        IReadOnlyList<IReadOnlyList<FilterSubject>> traces,
        string text
    )
    {
        var expected = traces
            .SelectMany(t => t.Where(s => FilterEvaluator.IsMatch(query, s, t)))
            .Select(s => s.Run.Id)
            .Order()
            .ToList();
        var found = (await RunsAsync(query with { Parts = RunParts.None }))
            .Select(r => r.Id)
            .Order()
            .ToList();
        Assert.True(
            expected.SequenceEqual(found),
            $"{text}: evaluator {expected.Count}, store {found.Count}; only evaluator: {string.Join(", ", expected.Except(found).Take(3))}; only store: {string.Join(", ", found.Except(expected).Take(3))}"
        );
    }
}
