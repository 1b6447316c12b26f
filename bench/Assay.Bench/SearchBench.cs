using System.Diagnostics;
using System.Globalization;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Blobs;
using Assay.Storage.Traces.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.Bench;

/// <summary>
/// Full-text search over the embedded store, no HTTP: fills a store once (it stays in its directory and is used again), then asks for the
/// newest hundred runs that hold words of several kinds, first page, each <c>--rounds</c> times.
/// </summary>
internal static class SearchBench
{
    private static readonly Guid s_workspace = new("7f4c7c1e-2e65-4a0a-9c5e-000000000001");
    private static readonly Guid s_project = new("7f4c7c1e-2e65-4a0a-9c5e-000000000002");

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var runs = arguments.Number("runs", 200_000);
        var scale = arguments.Fraction("scale", 1);
        var directory =
            arguments.Text("data")
            ?? Path.Combine(Path.GetTempPath(), $"assay-bench-search-{runs}");
        await using var store = new EmbeddedRunStore(
            directory,
            new FileBlobStore(Path.Combine(directory, "blobs")),
            (_, _, _, _, _) => null,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        await store.StartAsync(CancellationToken.None);
        await FillAsync(store, runs - (int)store.Health.RunCount, scale);
        var bytes = store.Health.DiskBytes["search"];
        Console.WriteLine(
            $"{store.Health.RunCount:N0} runs, search index {bytes / 1e6:N1} MB, {(double)bytes / store.Health.RunCount:N0} B per run"
        );
        var words = SampleRuns.Vocabulary;
        foreach (
            var (name, text) in new[]
            {
                ("commonest word", words[0]),
                ("two common words", $"{words[0]} {words[1]}"),
                ("word of rank 500", words[500]),
                ("word of rank 9,000", words[9_000]),
                ("common + rank 500 + rank 2,000", $"{words[0]} {words[500]} {words[2_000]}"),
                ("three of rank about 3,000", $"{words[3_000]} {words[3_001]} {words[3_002]}"),
                ("absent", "zzzzqqq"),
                ("error word", "timeout"),
            }
        )
        {
            await AskAsync(store, name, text, arguments.Number("rounds", 7));
        }

        return 0;
    }

    private static async Task FillAsync(EmbeddedRunStore store, int runs, double scale)
    {
        if (runs <= 0)
        {
            return;
        }

        var samples = new SampleRuns(
            (int)store.Health.RunCount + 1,
            TimeProvider.System.GetUtcNow().AddDays(-30),
            12,
            scale
        )
        {
            Step = TimeSpan.FromMilliseconds(250),
        };
        var clock = Stopwatch.StartNew();
        var cpu = Environment.CpuUsage.TotalTime;
        for (var made = 0; made < runs; made += 100)
        {
            var batch = new RunBatch(
                s_workspace,
                [.. Enumerable.Range(0, 100).Select(_ => Write(samples.Next()))],
                []
            );
            while (!await TryAsync(store, batch))
            {
                await store.SettleAsync(CancellationToken.None);
            }
        }

        await store.SettleAsync(CancellationToken.None);
        Console.WriteLine(
            $"filled {runs:N0} runs in {clock.Elapsed.TotalSeconds:N0} s, {(Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / runs:N0} µs of CPU per run (making them included)"
        );
    }

    private static async Task<bool> TryAsync(EmbeddedRunStore store, RunBatch batch)
    {
        try
        {
            await store.AppendAsync(batch, CancellationToken.None);
            return true;
        }
        catch (StoreBusyException)
        {
            return false;
        }
    }

    private static async Task AskAsync(EmbeddedRunStore store, string name, string text, int rounds)
    {
        var times = new List<double>();
        var found = 0;
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var page = await store.QueryAsync(
                new RunQuery
                {
                    WorkspaceId = s_workspace,
                    ProjectIds = [s_project],
                    Filter = new Filter.Search(SearchScope.Everything, text),
                    Parts = RunParts.None,
                },
                CancellationToken.None
            );
            times.Add(clock.Elapsed.TotalMilliseconds);
            found = page.Runs.Count;
        }

        var first = times[0];
        times.Sort();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name, -32} {found, 4} found  first {first, 8:F1} ms  median {times[times.Count / 2], 8:F1} ms  worst {times[^1], 8:F1} ms"
            )
        );
    }

    private static RunWrite Write(SampleRun run) =>
        new()
        {
            Operation = RunOperation.Create,
            RunId = run.Id,
            TraceId = run.Trace,
            ParentRunId = run.Parent,
            ProjectId = s_project,
            DottedOrder = run.Order,
            Name = run.Name,
            Kind = Enum.Parse<RunKind>(run.Type, ignoreCase: true),
            StartTime = run.Start,
            EndTime = run.End,
            Error = run.Error,
            Tags = run.Tags,
            Inputs = Payload.FromUtf8(run.Inputs),
            Outputs = Payload.FromUtf8(run.Outputs),
            Extra = Payload.FromUtf8(run.Extra),
        };
}
