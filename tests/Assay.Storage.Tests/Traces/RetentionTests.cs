using System.Text;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Tests.Traces;

public class RetentionTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_traces_go_those_with_errors_or_feedback_later()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var plain = Guid.CreateVersion7();
        var failed = Guid.CreateVersion7();
        var rated = Guid.CreateVersion7();
        var young = Guid.CreateVersion7();
        var child = Guid.CreateVersion7();
        await disk.SendAsync(
            disk.Run(plain, s_start),
            disk.Run(failed, s_start),
            disk.Run(child, s_start.AddSeconds(1), parent: failed, error: "broken"),
            disk.Run(rated, s_start),
            disk.Run(young, s_start.AddDays(20))
        );
        await disk.Store.AppendAsync(
            new RunBatch(disk.Workspace, [], [Feedback(disk, rated)]),
            Cancel
        );
        Assert.True(await disk.Store.SettleAsync(Cancel));
        var request = new ExpireRequest
        {
            WorkspaceId = disk.Workspace,
            ProjectId = disk.Project,
            Before = s_start.AddDays(10),
            ErrorsBefore = s_start.AddDays(-10),
            FeedbackBefore = s_start.AddDays(-10),
        };

        Assert.Equal(1, await disk.Store.ExpireAsync(request, Cancel));
        Assert.Equal(
            [failed, child, rated, young],
            [
                .. (await disk.FindAsync(null)).OrderBy(i =>
                    Array.IndexOf([failed, child, rated, young], i)
                ),
            ]
        );
        Assert.Equal(2, await disk.Store.ExpireAsync(request with { ErrorsBefore = null }, Cancel));
        Assert.Equal(
            1,
            await disk.Store.ExpireAsync(
                request with
                {
                    ErrorsBefore = null,
                    FeedbackBefore = s_start.AddDays(1),
                },
                Cancel
            )
        );
        Assert.Equal([young], await disk.FindAsync(null));
        Assert.Equal(1, disk.Store.Health.RunCount);
        Assert.Empty(
            await disk.Store.FeedbackAsync(
                new FeedbackQuery { WorkspaceId = disk.Workspace, RunIds = [rated] },
                Cancel
            )
        );
    }

    [Fact]
    public async Task A_parent_cycle_has_no_root_and_goes_all_the_same()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var (a, b, trace) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        RunWrite[] cycle =
        [
            disk.Run(a, s_start, parent: b, trace: trace),
            disk.Run(b, s_start.AddDays(1), parent: a, trace: trace),
        ];
        var request = new ExpireRequest
        {
            WorkspaceId = disk.Workspace,
            ProjectId = disk.Project,
            Before = s_start.AddHours(1),
        };
        await disk.SendAsync(cycle);
        Assert.Equal(0, await disk.Store.ExpireAsync(request, Cancel));
        Assert.Equal(
            2,
            await disk.Store.ExpireAsync(request with { Before = s_start.AddDays(2) }, Cancel)
        );

        await disk.SendAsync(cycle);
        Assert.Equal(
            2,
            await disk.Store.DeleteProjectRunsAsync(disk.Workspace, disk.Project, Cancel)
        );
        Assert.Empty(await disk.FindAsync(null));
        Assert.Equal(0, disk.Store.Health.RunCount);
        Assert.Empty(
            await disk.Store.FacetsAsync(disk.Workspace, disk.Project, null, null, 10, Cancel)
        );
    }

    [Fact]
    public async Task Disk_is_freed_and_what_stays_is_as_it_was()
    {
        await using var disk = await StoreOnDisk.OpenAsync(segmentBytes: 200_000);
        var kept = await FillAsync(disk, 60);
        var before = Bytes(disk);
        Assert.True(disk.Store.Health.DiskBytes["journal"] > 1_000_000);

        Assert.Equal(540, await ExpireAsync(disk));
        await disk.Store.CompactAsync(Cancel);
        Assert.InRange(disk.Store.Health.DiskBytes["journal"], 0, before["journal"] / 4);
        Assert.InRange(disk.Store.Health.DiskBytes["index"], 0, before["index"] / 2);
        await AssertKeptAsync(disk, kept);

        // The addresses are new ones, also after the process was gone, and the counts agree with the rows.
        await disk.ReopenAsync();
        await AssertKeptAsync(disk, kept);
        await disk.Store.CompactAsync(Cancel);
        await AssertKeptAsync(disk, kept);

        await disk.Store.DeleteProjectRunsAsync(disk.Workspace, disk.Project, Cancel);
        await disk.Store.CompactAsync(Cancel);
        Assert.Single(Directory.GetFiles(Path.Combine(disk.Directory, "journal"), "*.log"));
    }

    [Fact]
    public async Task A_crash_between_moving_and_deleting_leaves_every_payload_readable()
    {
        await using var disk = await StoreOnDisk.OpenAsync(segmentBytes: 200_000);
        var kept = await FillAsync(disk, 40);
        await ExpireAsync(disk);
        await disk.CloseAsync();
        // The journal with the moved pieces, the index from before it read them: what a crash in between leaves.
        var index = File.ReadAllBytes(Path.Combine(disk.Directory, "runs.db"));
        var segments = Directory
            .GetFiles(Path.Combine(disk.Directory, "journal"))
            .ToDictionary(f => f, File.ReadAllBytes);
        await disk.ReopenAsync();
        await disk.Store.CompactAsync(Cancel);
        await disk.CloseAsync();
        SqliteConnection.ClearAllPools();
        File.WriteAllBytes(Path.Combine(disk.Directory, "runs.db"), index);
        foreach (var (path, bytes) in segments.Where(s => !File.Exists(s.Key)))
        {
            File.WriteAllBytes(path, bytes);
        }

        await disk.ReopenAsync();
        await AssertKeptAsync(disk, kept);
        await disk.Store.CompactAsync(Cancel);
        await AssertKeptAsync(disk, kept);
    }

    [Fact]
    public async Task Blobs_go_with_their_run_and_when_another_takes_their_place()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var id = Guid.CreateVersion7();
        async Task<RunWrite> WithFileAsync(string key)
        {
            await disk.Blobs.PutAsync(key, new MemoryStream([1, 2, 3]), Cancel);
            var run = disk.Run(id, s_start);
            run.Attachments = [new Attachment("file", "text/plain", key, 3)];
            return run;
        }

        await disk.SendAsync(await WithFileAsync("w/a/1"));
        await disk.SendAsync(await WithFileAsync("w/a/2"));
        await disk.Store.CompactAsync(Cancel);
        Assert.Null(await disk.Blobs.OpenAsync("w/a/1", Cancel));
        await using (var held = await disk.Blobs.OpenAsync("w/a/2", Cancel))
        {
            Assert.NotNull(held);
        }

        Assert.Equal(1, await disk.Store.DeleteRunsAsync(disk.Workspace, [id], Cancel));
        await disk.Store.CompactAsync(Cancel);
        Assert.Null(await disk.Blobs.OpenAsync("w/a/2", Cancel));
    }

    [Fact]
    public async Task The_number_of_runs_is_right_after_a_change_that_failed()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        await disk.SendAsync(disk.Run(Guid.CreateVersion7(), s_start));
        using var cancel = new CancellationTokenSource();
        using (
            var connection = new SqliteConnection(
                $"Data Source={Path.Combine(disk.Directory, "runs.db")};Pooling=False"
            )
        )
        {
            connection.Open();
            using var trap = connection.CreateCommand();
            trap.CommandText =
                "CREATE TRIGGER trap BEFORE DELETE ON detail BEGIN SELECT RAISE(ABORT, 'trap'); END";
            trap.ExecuteNonQuery();
            var runs = await disk.FindAsync(null);
            await Assert.ThrowsAsync<SqliteException>(() =>
                disk.Store.DeleteRunsAsync(disk.Workspace, runs, Cancel)
            );
            trap.CommandText = "DROP TRIGGER trap";
            trap.ExecuteNonQuery();
        }

        Assert.Equal(1, disk.Store.Health.RunCount);
        Assert.Single(await disk.FindAsync(null));
    }

    [Fact]
    public async Task A_journal_that_was_lost_does_not_take_what_comes_next_with_it()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        await disk.SendAsync(disk.Run(Guid.CreateVersion7(), s_start, "before"));
        await disk.CloseAsync();
        File.Delete(Path.Combine(disk.Directory, "journal", "00000001.log"));
        await disk.ReopenAsync();
        var id = Guid.CreateVersion7();
        // Acknowledged, then killed before it was applied: the index of before the append.
        var index = File.ReadAllBytes(Path.Combine(disk.Directory, "runs.db"));
        await disk.SendAsync(disk.Run(id, s_start.AddDays(1), "after"));
        await disk.CloseAsync();
        File.WriteAllBytes(Path.Combine(disk.Directory, "runs.db"), index);
        await disk.ReopenAsync();
        Assert.Contains(id, await disk.FindAsync(null));
    }

    private static Task<long> ExpireAsync(StoreOnDisk disk) =>
        disk.Store.ExpireAsync(
            new ExpireRequest
            {
                WorkspaceId = disk.Workspace,
                ProjectId = disk.Project,
                Before = s_start.AddDays(1),
            },
            Cancel
        );

    /// <summary>Ten runs of which one is young, again and again; the young ones with their text.</summary>
    private static async Task<Dictionary<Guid, string>> FillAsync(StoreOnDisk disk, int times)
    {
        var random = new Random(5);
        var kept = new Dictionary<Guid, string>();
        for (var i = 0; i < times; i++)
        {
            var runs = new List<RunWrite>();
            for (var j = 0; j < 10; j++)
            {
                var bytes = new byte[3_000];
                random.NextBytes(bytes);
                var (id, text) = (
                    Guid.CreateVersion7(),
                    $"kept{i} {Convert.ToBase64String(bytes)}"
                );
                runs.Add(disk.Run(id, j == 0 ? s_start.AddDays(5) : s_start, text, "out"));
                if (j == 0)
                {
                    kept[id] = text;
                }
            }

            await disk.SendAsync([.. runs]);
        }

        return kept;
    }

    private static async Task AssertKeptAsync(StoreOnDisk disk, Dictionary<Guid, string> kept)
    {
        Assert.Equal(kept.Keys.ToHashSet(), [.. await disk.FindAsync(null)]);
        foreach (var (id, text) in kept)
        {
            var run = await disk.Store.FindAsync(
                disk.Workspace,
                id,
                null,
                RunParts.Inputs | RunParts.Outputs,
                Cancel
            );
            Assert.Equal(
                Encoding.UTF8.GetString(StoreOnDisk.Text(text)!.Utf8.Span),
                Encoding.UTF8.GetString(run!.Payloads[PayloadKind.Inputs].Span)
            );
        }

        Assert.Single(
            await disk.FindAsync(
                new Core.Filters.Filter.Search(Core.Filters.SearchScope.Inputs, "kept7")
            )
        );
        Assert.Equal(
            kept.Count,
            (
                await disk.Store.ProjectStatsAsync(
                    disk.Workspace,
                    [disk.Project],
                    null,
                    null,
                    rootsOnly: true,
                    Cancel
                )
            )[disk.Project].RunCount
        );
    }

    private static IReadOnlyDictionary<string, long> Bytes(StoreOnDisk disk) =>
        disk.Store.Health.DiskBytes;

    private static FeedbackRecord Feedback(StoreOnDisk disk, Guid run) =>
        new()
        {
            Id = Guid.CreateVersion7(),
            RunId = run,
            TraceId = run,
            ProjectId = disk.Project,
            Key = "good",
            Score = 1,
            CreatedAt = s_start,
            ModifiedAt = s_start,
        };
}
