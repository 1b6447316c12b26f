using System.Diagnostics;
using System.Globalization;
using Assay.Core.Filters;
using Assay.Core.Threads;
using Assay.Core.Traces;
using Assay.Storage.Traces.Embedded;

namespace Assay.Bench;

/// <summary>
/// Questions to a store of a million runs and more, no HTTP: fills a store once (it stays in its directory and is used again), then asks each
/// question many times, half of them from a random moment of the thirty days on, and prints percentiles beside the goal.
/// </summary>
internal sealed class StoreBench(EmbeddedRunStore store, int seconds)
{
    private static readonly TimeSpan s_span = TimeSpan.FromDays(30);

    // The same questions each time, not secrets.
#pragma warning disable CA5394
    private readonly Random _random = new(42);
    private readonly List<(string Name, string Figures)> _missed = [];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var runs = arguments.Number("runs", 1_000_000);
        var directory =
            arguments.Text("data") ?? Path.Combine(Path.GetTempPath(), $"assay-bench-store-{runs}");
        await using var store = SampleStore.Open(directory);
        var clock = Stopwatch.StartNew();
        await store.StartAsync(CancellationToken.None);
        Print($"opened in {clock.Elapsed.TotalSeconds:0.00} s");
        await SampleStore.FillAsync(store, runs, arguments.Fraction("scale", 0.05));
        clock.Restart();
        await store.Rebuilding;
        Print($"waited {clock.Elapsed.TotalSeconds:0} s for the search index");
        var health = store.Health;
        Print(
            $"{health.RunCount:N0} runs; {string.Join(", ", health.DiskBytes.Select(d => $"{d.Key} {(double)d.Value / health.RunCount:0} B/run"))}; {Environment.WorkingSet >> 20} MB resident"
        );
        if (arguments.Number("ask", 1) > 0)
        {
            await new StoreBench(store, arguments.Number("seconds", 8)).AskAsync();
        }

        var more = arguments.Number("more", 0);
        if (more > 0)
        {
            await SampleStore.FillAsync(store, (int)health.RunCount + more, 1);
        }

        return 0;
    }

    private async Task AskAsync()
    {
        var ids = await SampleIdsAsync();
        await AskAsync(
            "run by id, with payloads",
            5,
            async () =>
                await store.FindAsync(
                    SampleStore.Workspace,
                    Pick(ids).Run,
                    null,
                    RunParts.All,
                    default
                )
                    is null
                    ? 0
                    : 1
        );
        await AskAsync("trace tree, a dozen runs", 5, () => TraceAsync(RunParts.None));
        await AskAsync("trace with details", 5, () => TraceAsync(RunParts.Details));
        foreach (
            var (name, filter, roots) in new (string, string?, bool)[]
            {
                ("no filter", null, true),
                ("no filter, all runs", null, false),
                ("eq(status, \"error\")", "eq(status, \"error\")", true),
                ("error, all runs", "eq(status, \"error\")", false),
                ("latency over 7 s", "gt(latency, \"7s\")", true),
                ("latency over 1 h: none", "gt(latency, \"3600s\")", true),
                ("tokens over 2,000", "gt(total_tokens, 2000)", true),
                ("name, all runs", "eq(name, \"rerank\")", false),
                ("name that is rare, all runs", "eq(name, \"no-such-name\")", false),
                ("type llm, all runs", "eq(run_type, \"llm\")", false),
                ("tag", "has(tags, \"beta\")", true),
                ("tag and error", "and(has(tags, \"beta\"), eq(status, \"error\"))", true),
                (
                    "metadata customer (1 of 500)",
                    "and(eq(metadata_key, \"customer\"), eq(metadata_value, \"cust-7\"))",
                    true
                ),
                (
                    "metadata user (1 of 5,000)",
                    "and(eq(metadata_key, \"user_id\"), eq(metadata_value, \"user-4999\"))",
                    true
                ),
                (
                    "metadata that is nowhere",
                    "and(eq(metadata_key, \"user_id\"), eq(metadata_value, \"nobody\"))",
                    true
                ),
                (
                    "metadata customer, all runs",
                    "and(eq(metadata_key, \"customer\"), eq(metadata_value, \"cust-7\"))",
                    false
                ),
                (
                    "feedback score",
                    "and(eq(feedback_key, \"correctness\"), gte(feedback_score, 0.9))",
                    true
                ),
                ("text: common word", $"search(\"{SampleRuns.Vocabulary[0]}\")", false),
                ("text: word of rank 500", $"search(\"{SampleRuns.Vocabulary[500]}\")", false),
                ("text: word of rank 9,000", $"search(\"{SampleRuns.Vocabulary[9_000]}\")", false),
                (
                    "text: common and rank 2,000",
                    $"search(\"{SampleRuns.Vocabulary[0]} {SampleRuns.Vocabulary[2_000]}\")",
                    false
                ),
                ("text: absent word", "search(\"zzzzqqq\")", false),
            }
        )
        {
            await AskAsync(
                $"list of 100: {name}",
                name.StartsWith("text", StringComparison.Ordinal) ? 150 : 50,
                () => ListAsync(filter, roots)
            );
        }

        await AskAsync("list of 100: thread", 50, ThreadAsync);
        await AskAsync("list, tenth page", 50, () => PageAsync(10));
        await AskAsync("threads, first 20", 150, ThreadsAsync);
        await AskAsync(
            "facets, 30 days",
            150,
            async () =>
                (
                    await store.FacetsAsync(
                        SampleStore.Workspace,
                        SampleStore.Projects[0],
                        SampleStore.Begin,
                        null,
                        20,
                        default
                    )
                ).Count
        );
        await AskAsync("chart, 30 days by day", 100, () => SeriesAsync(24, null, true));
        await AskAsync("chart, 30 days by hour", 100, () => SeriesAsync(1, null, true));
        await AskAsync(
            "chart, 30 days by day and model",
            100,
            () => SeriesAsync(24, RunField.Model, false)
        );
        await AskAsync(
            "figures of three projects, 30 days",
            100,
            async () =>
                (
                    await store.ProjectStatsAsync(
                        SampleStore.Workspace,
                        SampleStore.Projects,
                        SampleStore.Begin,
                        null,
                        true,
                        default
                    )
                ).Count
        );
        await AskAsync(
            "figures of a filter, one day of errors",
            null,
            async () =>
                (int)
                    (
                        await store.StatsAsync(
                            Roots(null) with
                            {
                                HasError = true,
                                From = Moment(),
                            },
                            default
                        )
                    ).RunCount
        );
        foreach (var (name, figures) in _missed)
        {
            Print($"MISSED {name}: {figures}");
        }
    }

    private async Task<List<(Guid Run, Guid Trace, string? Thread)>> SampleIdsAsync()
    {
        var ids = new List<(Guid, Guid, string?)>();
        for (var i = 0; i < 40; i++)
        {
            var page = await store.QueryAsync(Roots(Moment()) with { IsRoot = null }, default);
            ids.AddRange(page.Runs.Select(r => (r.Id, r.TraceId, r.ThreadId)));
        }

        return ids;
    }

    private async Task<int> TraceAsync(RunParts parts)
    {
        var page = await store.QueryAsync(Roots(Moment()) with { Limit = 1 }, default);
        _lap.Restart();
        return (
            await store.ReadTraceAsync(
                SampleStore.Workspace,
                page.Runs[0].TraceId,
                SampleStore.Projects[0],
                parts,
                default
            )
        ).Count;
    }

    private async Task<int> ListAsync(string? filter, bool roots) =>
        (
            await store.QueryAsync(
                Roots(_random.Next(2) == 0 ? null : Moment()) with
                {
                    IsRoot = roots ? true : null,
                    Filter = filter is null ? null : LangSmithFilterParser.Parse(filter),
                },
                default
            )
        )
            .Runs
            .Count;

    private async Task<int> ThreadAsync()
    {
        var page = await store.QueryAsync(Roots(Moment()) with { Limit = 1 }, default);
        _lap.Restart();
        return (
            await store.QueryAsync(Roots(null) with { ThreadId = page.Runs[0].ThreadId }, default)
        )
            .Runs
            .Count;
    }

    private async Task<int> PageAsync(int number)
    {
        var page = await store.QueryAsync(Roots(Moment()), default);
        for (var i = 2; i <= number && page.Next is not null; i++)
        {
            _lap.Restart();
            page = await store.QueryAsync(Roots(null) with { Cursor = page.Next }, default);
        }

        return page.Runs.Count;
    }

    private async Task<int> ThreadsAsync() =>
        (
            await store.ConversationsAsync(
                new ConversationQuery
                {
                    WorkspaceId = SampleStore.Workspace,
                    ProjectId = SampleStore.Projects[0],
                },
                default
            )
        )
            .Items
            .Count;

    private async Task<int> SeriesAsync(int hours, RunField? group, bool roots) =>
        (
            await store.SeriesAsync(
                new RunSeriesQuery
                {
                    Runs = Roots(null) with
                    {
                        IsRoot = roots ? true : null,
                        From = SampleStore.Begin,
                    },
                    Bucket = TimeSpan.FromHours(hours),
                    GroupBy = group,
                },
                default
            )
        ).Count;

    private static RunQuery Roots(DateTimeOffset? until) =>
        new()
        {
            WorkspaceId = SampleStore.Workspace,
            ProjectIds = [SampleStore.Projects[0]],
            IsRoot = true,
            To = until,
        };

    private DateTimeOffset Moment() =>
        SampleStore.Begin + (s_span * ((_random.NextDouble() * 0.95) + 0.05));

    private T Pick<T>(List<T> from) => from[_random.Next(from.Count)];

    private readonly Stopwatch _lap = new();

    /// <summary>Asks until there are 300 answers or the time is up; a question that has to look something up first restarts the lap.</summary>
    private async Task AskAsync(string name, int? goal, Func<Task<int>> ask)
    {
        await ask();
        var latencies = new Latencies();
        var clock = Stopwatch.StartNew();
        var found = 0;
        var times = 0;
        while (times < 300 && (times < 3 || clock.Elapsed.TotalSeconds < seconds))
        {
            _lap.Restart();
            found = Math.Max(found, await ask());
            latencies.Add(_lap.Elapsed);
            times++;
        }

        var figures = string.Create(
            CultureInfo.InvariantCulture,
            $"P50 {latencies.At(0.5), 8:0.00}  P95 {latencies.At(0.95), 8:0.00}  P99 {latencies.At(0.99), 8:0.00}  max {latencies.At(1), 8:0.00} ms  ({times} times, {found} found)"
        );
        Print($"{name, -44} {figures}");
        if (goal is { } most && latencies.At(0.99) > most)
        {
            _missed.Add((name, figures));
        }
    }

    private static void Print(FormattableString text) =>
        Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
