using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.Tests.Datasets;

/// <summary>Examples dealt out to splits: one version however many they are, whatever happens meanwhile.</summary>
public sealed class SplitTests : IAsyncLifetime
{
    private const int Examples = 4_500;
    private static readonly (string, double)[] s_splits = [("train", 4), ("test", 1)];
    private InProcessServer _server = null!;
    private Caller _caller = null!;
    private Guid _dataset;
    private ExampleReceipt _made = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _caller = new Caller(
            await _server.FirstWorkspaceAsync(),
            Grants.Of(Role.Owner),
            Name: "test"
        );
        _dataset = (
            await _server
                .Get<DatasetCatalog>()
                .CreateAsync(_caller, new DatasetDraft { Name = "dealt" }, Cancel)
        ).Id;
        _made = await WriteAsync(
            Enumerable
                .Range(0, Examples)
                .Select(n => new ExampleWrite
                {
                    DatasetId = _dataset,
                    InputsJson = $$"""{"n":{{n}}}""",
                })
        );
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Changes_made_while_splits_are_dealt_are_neither_lost_nor_left_out()
    {
        var splits = _server.Get<DatasetSplits>();
        var dealing = splits.AssignSplitsAsync(_caller, _dataset, s_splits, 7, Cancel);
        // One after the other, spread over all blocks, until the splits are there and some more.
        var touched = new List<Guid>();
        for (var i = 0; i < 40 || (!dealing.IsCompleted && i < 400); i++)
        {
            var id = _made.Ids[i * 997 % Examples];
            await WriteAsync([
                new ExampleWrite
                {
                    Mode = ExampleWriteMode.Update,
                    Id = id,
                    InputsJson = """{"n":-1}""",
                },
            ]);
            touched.Add(id);
        }

        var added = (
            await WriteAsync([new ExampleWrite { DatasetId = _dataset, InputsJson = "{}" }])
        ).Ids[0];
        Assert.InRange(await dealing, Examples - 1, Examples + 1);

        var now = await StateAsync(AsOf.Now);
        Assert.Equal(Examples + 1, now.Count);
        Assert.All(
            touched,
            id => Assert.Contains("-1", now[id].InputsJson, StringComparison.Ordinal)
        );
        Assert.All(
            now.Values.Where(e => e.Id != added),
            e => Assert.True(e.Splits is ["train"] or ["test"], string.Join(',', e.Splits))
        );
        Assert.InRange(now.Values.Count(e => e.Splits is ["test"]), 800, 1_000);

        // The state before is untouched, and the same seed finds nothing left to do but what came later.
        var before = await StateAsync(new AsOf(_made.AsOf));
        Assert.Equal(Examples, before.Count);
        Assert.All(before.Values, e => Assert.Equal([Example.DefaultSplit], e.Splits));
        Assert.InRange(
            await splits.AssignSplitsAsync(_caller, _dataset, s_splits, 7, Cancel),
            0,
            1
        );
        Assert.Equal(0, await splits.AssignSplitsAsync(_caller, _dataset, s_splits, 7, Cancel));
        Assert.Equal(0, await PreparedAsync());
    }

    [Fact]
    public async Task Dealing_that_is_stopped_leaves_nothing_behind()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var dealing = _server
            .Get<DatasetSplits>()
            .AssignSplitsAsync(_caller, _dataset, s_splits, 7, stop.Token);
        while (await PreparedAsync() == 0 && !dealing.IsCompleted)
        {
            await Task.Yield();
        }

        await stop.CancelAsync();
        var error = await Record.ExceptionAsync(() => dealing);
        Assert.Equal(0, await PreparedAsync());
        var now = await StateAsync(AsOf.Now);
        Assert.Equal(Examples, now.Count);
        // All of it or nothing, should it have been faster than the stop.
        Assert.All(
            now.Values,
            e => Assert.Equal(error is null, e.Splits is not [Example.DefaultSplit])
        );
    }

    private async Task<int> PreparedAsync()
    {
        await using var db = await _server
            .Get<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(Cancel);
        return await db.ExampleRevisions.CountAsync(r => r.ImportId != null, Cancel);
    }

    private Task<ExampleReceipt> WriteAsync(IEnumerable<ExampleWrite> writes) =>
        _server.Get<ExampleWriter>().WriteAsync(_caller, [.. writes], Cancel);

    private async Task<Dictionary<Guid, Example>> StateAsync(AsOf asOf)
    {
        var found = new Dictionary<Guid, Example>();
        for (var offset = 0; ; offset += 1_000)
        {
            var page = await _server
                .Get<ExampleReader>()
                .ListAsync(
                    _caller,
                    new ExampleQuery
                    {
                        DatasetId = _dataset,
                        AsOf = asOf,
                        Offset = offset,
                        Limit = 1_000,
                    },
                    Cancel
                );
            foreach (var example in page)
            {
                found.Add(example.Id, example);
            }

            if (page.Count < 1_000)
            {
                return found;
            }
        }
    }
}
