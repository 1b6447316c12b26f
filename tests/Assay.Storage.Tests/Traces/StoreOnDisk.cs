using System.Text;
using System.Text.Json;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Blobs;
using Assay.Storage.Traces.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.Storage.Tests.Traces;

/// <summary>The embedded store over a directory of its own, opened, closed and opened again.</summary>
internal sealed class StoreOnDisk : IAsyncDisposable
{
    private EmbeddedRunStore? _store;
    private long _segmentBytes = 256L << 20;

    public string Directory { get; } =
        System.IO.Directory.CreateTempSubdirectory("assay-store").FullName;

    public Guid Workspace { get; } = Guid.CreateVersion7();

    public Guid Project { get; } = Guid.CreateVersion7();

    public EmbeddedRunStore Store =>
        _store ?? throw new InvalidOperationException("The store is closed.");

    public FileBlobStore Blobs => new(Path.Combine(Directory, "blobs"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<StoreOnDisk> OpenAsync(long segmentBytes = 256L << 20)
    {
        var disk = new StoreOnDisk { _segmentBytes = segmentBytes };
        await disk.ReopenAsync();
        return disk;
    }

    public async Task ReopenAsync(TimeProvider? time = null)
    {
        await CloseAsync();
        _store = new EmbeddedRunStore(
            Directory,
            Blobs,
            (_, _, _, _, _) => null,
            time ?? TimeProvider.System,
            NullLoggerFactory.Instance,
            _segmentBytes
        );
        await _store.StartAsync(Cancel);
    }

    public async Task CloseAsync()
    {
        if (_store is { } store)
        {
            _store = null;
            await store.DisposeAsync();
        }
    }

    public async Task SendAsync(params RunWrite[] runs)
    {
        await Store.AppendAsync(new RunBatch(Workspace, runs, []), Cancel);
        Assert.True(await Store.SettleAsync(Cancel));
    }

    /// <summary>A whole run of a trace of its own, or below a parent.</summary>
    public RunWrite Run(
        Guid id,
        DateTimeOffset start,
        string? inputs = null,
        string? outputs = null,
        string name = "run",
        string? error = null,
        Guid? parent = null,
        Guid? trace = null,
        Guid? project = null
    ) =>
        new()
        {
            Operation = RunOperation.Create,
            RunId = id,
            TraceId = trace ?? parent ?? id,
            ParentRunId = parent,
            ProjectId = project ?? Project,
            Name = name,
            Kind = RunKind.Chain,
            StartTime = start,
            EndTime = start.AddSeconds(1),
            Error = error,
            Inputs = Text(inputs),
            Outputs = Text(outputs),
        };

    public async Task<List<Guid>> FindAsync(Filter? filter, int page = 1_000)
    {
        var query = new RunQuery
        {
            WorkspaceId = Workspace,
            ProjectIds = [Project],
            Filter = filter,
            Limit = page,
        };
        var found = new List<Guid>();
        do
        {
            var answer = await Store.QueryAsync(query, Cancel);
            found.AddRange(answer.Runs.Select(r => r.Id));
            query = query with { Cursor = answer.Next };
        } while (query.Cursor is not null);

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    public static Payload? Text(string? text) =>
        text is null
            ? null
            : Payload.FromUtf8(
                Encoding.UTF8.GetBytes($"{{\"text\":{JsonSerializer.Serialize(text)},\"n\":4711}}")
            );
}
