using System.Text;
using Assay.Core.Filters;
using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Storage.Tests.Traces;

/// <summary>What the journal brings back when the index has not seen it: after a crash, or when the index is gone.</summary>
public sealed class ReplayTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_payload_comes_back_when_the_index_is_made_again_from_the_journal()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var id = Guid.CreateVersion7();
        var run = disk.Run(id, s_start, inputs: "question", outputs: "answer");
        run.Extra = Json("""{"metadata":{"customer":"acme"}}""");
        run.Events = Json("""[{"name":"new_token"}]""");
        run.Serialized = Json("""{"lc":1}""");
        run.WholeError = Json("\"a long error\"");
        run.Error = "a long";
        await disk.SendAsync(run);
        await disk.SendAsync(
            new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = id,
                Outputs = StoreOnDisk.Text("a better answer"),
            }
        );
        var before = await ReadAsync(disk, id);

        await disk.CloseAsync();
        foreach (var file in Directory.EnumerateFiles(disk.Directory, "runs.db*"))
        {
            File.Delete(file);
        }

        await disk.ReopenAsync();

        var after = await ReadAsync(disk, id);
        Assert.Equal(6, after.Count);
        Assert.Contains("a better answer", after[PayloadKind.Outputs], StringComparison.Ordinal);
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task Tokens_of_a_model_call_are_counted_when_it_has_ended_and_nobody_reported_them()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var id = Guid.CreateVersion7();
        await disk.SendAsync(
            new RunWrite
            {
                Operation = RunOperation.Create,
                RunId = id,
                TraceId = id,
                ProjectId = disk.Project,
                Kind = RunKind.Llm,
                StartTime = s_start,
                Inputs = StoreOnDisk.Text("one two three four"),
            }
        );
        Assert.Null((await FindAsync(disk, id)).Usage);

        await disk.SendAsync(
            new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = id,
                EndTime = s_start.AddSeconds(1),
                Outputs = StoreOnDisk.Text("five six"),
            }
        );
        var estimated = Assert.IsType<TokenUsage>((await FindAsync(disk, id)).Usage);
        Assert.Equal(FigureSource.Estimated, estimated.Source);
        Assert.InRange(estimated.PromptTokens, 4, 8);
        Assert.InRange(estimated.CompletionTokens, 2, 5);

        await disk.SendAsync(
            new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = id,
                Usage = new TokenUsage
                {
                    PromptTokens = 11,
                    CompletionTokens = 7,
                    TotalTokens = 18,
                    Source = FigureSource.Reported,
                },
            }
        );
        var reported = Assert.IsType<TokenUsage>((await FindAsync(disk, id)).Usage);
        Assert.Equal(FigureSource.Reported, reported.Source);
        Assert.Equal(18, reported.TotalTokens);
    }

    [Fact]
    public async Task Roots_are_found_by_pair_and_tag_whatever_became_of_them()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var (kept, changed, demoted, parent) = (
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            Guid.CreateVersion7()
        );
        await disk.SendAsync(
            Tagged(disk, kept, s_start, "acme"),
            Tagged(disk, changed, s_start.AddMinutes(1), "acme"),
            Tagged(disk, demoted, s_start.AddMinutes(2), "acme", parent)
        );
        Assert.Equal([demoted, changed, kept], await RootsAsync(disk, "acme"));

        // The value changes, the parent of an orphan arrives, and a run moves in time.
        var update = new RunWrite
        {
            Operation = RunOperation.Update,
            RunId = changed,
            Metadata = [new("customer", "other")],
        };
        var moved = new RunWrite
        {
            Operation = RunOperation.Update,
            RunId = kept,
            StartTime = s_start.AddHours(1),
        };
        await disk.SendAsync(update, moved, disk.Run(parent, s_start));
        Assert.Equal([kept], await RootsAsync(disk, "acme"));
        Assert.Equal([changed], await RootsAsync(disk, "other"));
        Assert.Empty(await RootsAsync(disk, "nobody"));

        // The parent goes again: the orphan is a root once more.
        await disk.Store.DeleteRunsAsync(disk.Workspace, [parent], Cancel);
        Assert.Equal([kept, demoted], await RootsAsync(disk, "acme"));
        await disk.Store.DeleteRunsAsync(disk.Workspace, [kept], Cancel);
        Assert.Equal([demoted], await RootsAsync(disk, "acme"));
    }

    private static RunWrite Tagged(
        StoreOnDisk disk,
        Guid id,
        DateTimeOffset start,
        string customer,
        Guid? parent = null
    )
    {
        var run = disk.Run(id, start, parent: parent);
        run.Metadata = [new("customer", customer)];
        run.Tags = ["beta"];
        return run;
    }

    /// <summary>By pages of one, so that the cursor is tried too.</summary>
    private static async Task<List<Guid>> RootsAsync(StoreOnDisk disk, string customer)
    {
        var query = new RunQuery
        {
            WorkspaceId = disk.Workspace,
            ProjectIds = [disk.Project],
            IsRoot = true,
            Limit = 1,
            Filter = LangSmithFilterParser.Parse(
                $"and(has(tags, \"beta\"), and(eq(metadata_key, \"customer\"), eq(metadata_value, \"{customer}\")))"
            ),
        };
        var found = new List<Guid>();
        do
        {
            var page = await disk.Store.QueryAsync(query, Cancel);
            found.AddRange(page.Runs.Select(r => r.Id));
            query = query with { Cursor = page.Next };
        } while (query.Cursor is not null);

        return found;
    }

    private static async Task<Run> FindAsync(StoreOnDisk disk, Guid id) =>
        Assert.IsType<Run>(
            await disk.Store.FindAsync(disk.Workspace, id, disk.Project, RunParts.All, Cancel)
        );

    private static async Task<Dictionary<PayloadKind, string>> ReadAsync(StoreOnDisk disk, Guid id)
    {
        var payloads = new Dictionary<PayloadKind, string>();
        foreach (var kind in Enum.GetValues<PayloadKind>())
        {
            await using var stream = await disk.Store.OpenPayloadAsync(
                disk.Workspace,
                id,
                disk.Project,
                kind,
                Cancel
            );
            if (stream is not null)
            {
                using var reader = new StreamReader(stream);
                payloads[kind] = await reader.ReadToEndAsync(Cancel);
            }
        }

        return payloads;
    }

    private static Payload Json(string text) => Payload.FromUtf8(Encoding.UTF8.GetBytes(text));
}
