using System.Diagnostics;
using System.Globalization;
using Assay.Core.Feedback;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Blobs;
using Assay.Storage.Traces.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.Bench;

/// <summary>
/// An embedded store that is filled without HTTP: runs of thirty days in three projects (60, 25 and 15 of a hundred), normalized as on the
/// way in; one in ten comes in two pieces, one root in fifty gets feedback. The same number of runs gives the same store.
/// </summary>
internal static class SampleStore
{
    private const int Round = 400;
    private static readonly RunNormalizer s_normalizer = new();

    public static Guid Workspace { get; } = new("7f4c7c1e-2e65-4a0a-9c5e-000000000001");

    /// <summary>The large project first.</summary>
    public static IReadOnlyList<Guid> Projects { get; } =
    [
        new("7f4c7c1e-2e65-4a0a-9c5e-000000000002"),
        new("7f4c7c1e-2e65-4a0a-9c5e-000000000003"),
        new("7f4c7c1e-2e65-4a0a-9c5e-000000000004"),
    ];

    public static DateTimeOffset Begin { get; } =
        new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(-30), TimeSpan.Zero);

    public static EmbeddedRunStore Open(string directory) =>
        new(
            directory,
            new FileBlobStore(Path.Combine(directory, "blobs")),
            (_, model, _, usage, _) =>
                model is null
                    ? null
                    : new RunCost
                    {
                        Prompt = usage.PromptTokens * 1e-6m,
                        Completion = usage.CompletionTokens * 4e-6m,
                        Total = (usage.PromptTokens * 1e-6m) + (usage.CompletionTokens * 4e-6m),
                    },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );

    /// <summary>Adds runs until there are so many, and prints what it cost.</summary>
    public static async Task FillAsync(EmbeddedRunStore store, int runs, double scale)
    {
        var there = (int)store.Health.RunCount;
        var wanted = runs - there;
        if (wanted <= 0)
        {
            return;
        }

        double[] shares = [0.6, 0.25, 0.15];
        var sources = shares
            .Select(
                (share, i) =>
                    new SampleRuns(there + i + 1, Begin, 12, scale)
                    {
                        Step = TimeSpan.FromDays(30) / (wanted * share),
                    }
            )
            .ToList();
        var late = new List<RunWrite>();
        var clock = Stopwatch.StartNew();
        var cpu = Environment.CpuUsage.TotalTime;
        var making = TimeSpan.Zero;
        for (var made = 0; made < wanted; made += Round)
        {
            var began = Stopwatch.GetTimestamp();
            var writes = new List<RunWrite>(Round + late.Count);
            writes.AddRange(late);
            late.Clear();
            var feedback = new List<FeedbackRecord>();
            for (var p = 0; p < shares.Length; p++)
            {
                for (var i = 0; i < (int)(Round * shares[p]); i++)
                {
                    var run = sources[p].Next();
                    Add(run, Projects[p], i % 10 == 0, writes, late);
                    if (run.Parent is null && i % 50 == 0)
                    {
                        feedback.Add(Feedback(run, Projects[p]));
                    }
                }
            }

            if (made + Round >= wanted)
            {
                writes.AddRange(late);
            }

            making += Stopwatch.GetElapsedTime(began);
            await AppendAsync(store, new RunBatch(Workspace, writes, feedback));
            if (made / 500_000 != (made + Round) / 500_000)
            {
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  {store.Health.RunCount:N0} runs after {clock.Elapsed.TotalSeconds:0} s, {Environment.WorkingSet >> 20} MB resident"
                    )
                );
            }
        }

        await SettleAsync(store);
        var used = Environment.CpuUsage.TotalTime - cpu;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"added {wanted:N0} runs in {clock.Elapsed.TotalSeconds:0} s: {wanted / clock.Elapsed.TotalSeconds:0} runs/s, {used.TotalMicroseconds / wanted:0} µs of CPU per run, of which at most {making.TotalMicroseconds / wanted:0} for making them"
            )
        );
    }

    private static void Add(
        SampleRun run,
        Guid project,
        bool inTwo,
        List<RunWrite> now,
        List<RunWrite> late
    )
    {
        var create = new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = run.Id,
            TraceId = run.Trace,
            ParentRunId = run.Parent,
            ProjectId = project,
            DottedOrder = run.Order,
            Name = run.Name,
            Kind = Enum.Parse<RunKind>(run.Type, ignoreCase: true),
            StartTime = run.Start,
            Tags = run.Tags,
            Inputs = Payload.FromUtf8(run.Inputs),
            Extra = Payload.FromUtf8(run.Extra),
        };
        var end = inTwo
            ? new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = run.Id,
                TraceId = run.Trace,
                ParentRunId = run.Parent,
                ProjectId = project,
            }
            : create;
        end.EndTime = run.End;
        end.Error = run.Error;
        end.Outputs = Payload.FromUtf8(run.Outputs);
        now.Add(create);
        s_normalizer.Normalize(create, run.Start);
        if (inTwo)
        {
            late.Add(end);
            s_normalizer.Normalize(end, run.Start);
        }
    }

    private static FeedbackRecord Feedback(SampleRun run, Guid project) =>
        new()
        {
            Id = new Guid([.. run.Id.ToByteArray().Reverse()]),
            RunId = run.Id,
            TraceId = run.Trace,
            ProjectId = project,
            Key = "correctness",
            Score = (run.Id.ToByteArray()[0] % 11) / 10.0,
            CreatedAt = run.End,
            ModifiedAt = run.End,
        };

    private static async Task AppendAsync(EmbeddedRunStore store, RunBatch batch)
    {
        while (true)
        {
            try
            {
                await store.AppendAsync(batch, CancellationToken.None);
                return;
            }
            catch (StoreBusyException)
            {
                await store.SettleAsync(CancellationToken.None);
            }
        }
    }

    private static async Task SettleAsync(EmbeddedRunStore store)
    {
        while (!await store.SettleAsync(CancellationToken.None))
        {
            // It waits by itself, ten seconds at a time.
        }
    }
}
