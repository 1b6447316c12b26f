using System.Globalization;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Maintenance;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Assay.Storage.Tests.Traces;

/// <summary>What disks and clocks do to a store.</summary>
public class FaultTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Run (0 to 11), parent, what is said: 0 start, 1 end, 2 error, 3 usage, 4 deletes the run, 5 deletes its trace, 6 other model.
    private static readonly Gen<(int Run, int Parent, int What)[]> s_changes = Gen.Select(
        Gen.Int[0, 11],
        Gen.Int[-1, 11],
        Gen.Int[0, 6]
    ).Array[1, 40];

    [Fact]
    public async Task Aggregates_kept_change_by_change_are_those_of_the_rows() =>
        await s_changes.SampleAsync(
            async changes =>
            {
                await using var disk = await StoreOnDisk.OpenAsync();
                var ids = Enumerable.Range(0, 12).Select(_ => Guid.CreateVersion7()).ToArray();
                foreach (var (run, parent, what) in changes)
                {
                    await ChangeAsync(disk, ids, run, parent, what);
                }

                Assert.Empty(
                    StoreCheck
                        .Run(disk.Directory)
                        .Where(f => f.Area != "metadata.db")
                        .SelectMany(f => f.Problems)
                );
                await disk.Store.CompactAsync(Cancel);
                await disk.ReopenAsync();
                Assert.Equal((await disk.FindAsync(null)).Count, disk.Store.Health.RunCount);
            },
            iter: 25,
            threads: 1
        );

    [Fact]
    public async Task Journal_bytes_flipped_before_they_were_applied_cost_their_frames_alone()
    {
        var random = new Random(11);
        for (var round = 0; round < 12; round++)
        {
            await using var disk = await StoreOnDisk.OpenAsync();
            // The index of an empty store: everything has to come from the journal.
            await disk.CloseAsync();
            var index = await File.ReadAllBytesAsync(
                Path.Combine(disk.Directory, "runs.db"),
                Cancel
            );
            await disk.ReopenAsync();
            var sent = new List<(Guid Id, long From, long To)>();
            var journal = Path.Combine(disk.Directory, "journal", "00000001.log");
            for (var i = 0; i < 30; i++)
            {
                var from = new FileInfo(journal).Length;
                var id = Guid.CreateVersion7();
                await disk.SendAsync(
                    disk.Run(
                        id,
                        s_start.AddMinutes(i),
                        $"text {i} {new string('x', random.Next(500))}"
                    )
                );
                sent.Add((id, from, new FileInfo(journal).Length));
            }

            await disk.CloseAsync();
            var bytes = await File.ReadAllBytesAsync(journal, Cancel);
            var flips = Enumerable
                .Range(0, random.Next(1, 4))
                .Select(_ => (long)random.Next((int)sent[^1].From))
                .ToList();
            flips.ForEach(at => bytes[at] ^= (byte)(1 << random.Next(8)));
            await File.WriteAllBytesAsync(journal, bytes, Cancel);
            await File.WriteAllBytesAsync(Path.Combine(disk.Directory, "runs.db"), index, Cancel);
            await disk.ReopenAsync();

            var hit = sent.Where(s => flips.Exists(f => f >= s.From && f < s.To))
                .Select(s => s.Id)
                .ToHashSet();
            Assert.Equal(
                sent.Select(s => s.Id).Except(hit).ToHashSet(),
                [.. await disk.FindAsync(null)]
            );
            Assert.InRange(disk.Store.Health.DamagedFrames, 1, hit.Count);
            var next = Guid.CreateVersion7();
            await disk.SendAsync(disk.Run(next, s_start.AddDays(1)));
            Assert.Contains(next, await disk.FindAsync(null));
        }
    }

    [Fact]
    public async Task Journal_bytes_flipped_after_they_were_applied_cost_a_payload_and_no_run()
    {
        var random = new Random(12);
        await using var disk = await StoreOnDisk.OpenAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 30; i++)
        {
            ids.Add(Guid.CreateVersion7());
            await disk.SendAsync(disk.Run(ids[^1], s_start.AddMinutes(i), $"text {i}"));
        }

        await disk.CloseAsync();
        var journal = Path.Combine(disk.Directory, "journal", "00000001.log");
        var bytes = await File.ReadAllBytesAsync(journal, Cancel);
        // The last frame too: it was applied, so it is damage and no torn tail.
        bytes[^random.Next(1, 40)] ^= 4;
        await File.WriteAllBytesAsync(journal, bytes, Cancel);
        await disk.ReopenAsync();
        Assert.Equal(ids.ToHashSet(), [.. await disk.FindAsync(null)]);
        Assert.NotEmpty(StoreCheck.Run(disk.Directory).Single(f => f.Area == "payloads").Problems);
        foreach (var id in ids.Take(29))
        {
            Assert.NotNull(
                await disk.Store.FindAsync(disk.Workspace, id, null, RunParts.Inputs, Cancel)
            );
        }
    }

    [Fact]
    public async Task Clocks_that_jump_lose_nothing_and_delete_nothing()
    {
        var time = new FakeTimeProvider(s_start);
        await using var disk = await StoreOnDisk.OpenAsync();
        await disk.ReopenAsync(time);
        var ids = new List<Guid>();
        foreach (var jump in (int[])[0, 3_650, -7_300, 1, -400])
        {
            time.AdjustTime(time.GetUtcNow().AddDays(jump));
            ids.Add(Guid.CreateVersion7());
            await disk.SendAsync(disk.Run(ids[^1], time.GetUtcNow(), "jump"));
            Assert.True(disk.Store.Health.Lag <= TimeSpan.FromSeconds(1));
        }

        await disk.ReopenAsync(time);
        Assert.Equal(ids.ToHashSet(), [.. await disk.FindAsync(null)]);
        await disk.Store.CompactAsync(Cancel);
        Assert.Equal(5, disk.Store.Health.RunCount);
    }

    private static async Task ChangeAsync(
        StoreOnDisk disk,
        Guid[] ids,
        int run,
        int parent,
        int what
    )
    {
        if (what == 4)
        {
            await disk.Store.DeleteRunsAsync(disk.Workspace, [ids[run]], Cancel);
            return;
        }

        if (what == 5)
        {
            await disk.Store.DeleteTracesAsync(disk.Workspace, [ids[0]], null, Cancel);
            return;
        }

        var start = s_start.AddMinutes(run * 17);
        var write = new RunWrite
        {
            Operation = what == 0 ? RunOperation.Create : RunOperation.Update,
            RunId = ids[run],
            TraceId = ids[0],
            ParentRunId = parent < 0 || parent == run ? null : ids[parent],
            ProjectId = disk.Project,
            Name = string.Create(CultureInfo.InvariantCulture, $"name {run % 3}"),
            Kind = run % 2 == 0 ? RunKind.Chain : RunKind.Llm,
            StartTime = start,
            EndTime = what == 1 ? start.AddSeconds(parent + 3) : null,
            Error = what == 2 ? "broken" : null,
            Model = what == 6 ? $"model {parent}" : null,
            Usage =
                what == 3
                    ? new TokenUsage
                    {
                        PromptTokens = run,
                        CompletionTokens = 2,
                        TotalTokens = run + 2,
                    }
                    : null,
            Outputs = StoreOnDisk.Text($"out {parent}"),
        };
        await disk.SendAsync(write);
    }
}
