using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Storage.Tests.Traces;

/// <summary>
/// What every engine behind <see cref="IRunStore"/> promises. An engine's test class says how to open it and inherits the tests.
/// </summary>
public abstract partial class RunStoreContract : IAsyncLifetime
{
    protected static readonly DateTimeOffset Start = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    private IRunStore? _store;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected Guid Workspace { get; } = Guid.CreateVersion7();

    protected Guid Project { get; } = Guid.CreateVersion7();

    protected IRunStore Store => _store ?? throw new InvalidOperationException("Not open.");

    /// <summary>Opens the engine; what an earlier opening of the same test stored is there.</summary>
    protected abstract Task<IRunStore> OpenAsync();

    /// <summary>Closes it.</summary>
    protected abstract Task CloseAsync();

    /// <summary>Takes away what it left on disk.</summary>
    protected abstract void Remove();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Remove();
        GC.SuppressFinalize(this);
    }

    protected async Task ReopenAsync()
    {
        await CloseAsync();
        _store = await OpenAsync();
    }

    /// <summary>Appends pieces as ingest prepares them and waits until they can be read.</summary>
    protected async Task PutAsync(params IEnumerable<RunWrite> runs) =>
        await AppendAsync(Workspace, runs, []);

    protected async Task GiveAsync(params IEnumerable<FeedbackRecord> feedback) =>
        await AppendAsync(Workspace, [], feedback);

    protected async Task AppendAsync(
        Guid workspace,
        IEnumerable<RunWrite> runs,
        IEnumerable<FeedbackRecord> feedback
    )
    {
        await Store.AppendAsync(new RunBatch(workspace, [.. runs], [.. feedback]), Token);
        Assert.True(await Store.SettleAsync(Token));
    }

    protected RunQuery Query() => new() { WorkspaceId = Workspace, Limit = 10_000 };

    protected async Task<IReadOnlyList<Run>> RunsAsync(RunQuery? query = null) =>
        (await Store.QueryAsync(query ?? Query(), Token)).Runs;

    protected Task<Run?> FindAsync(Guid id, Guid? project = null) =>
        Store.FindAsync(Workspace, id, project, RunParts.All, Token);

    /// <summary>The announcement of a run, made complete as ingest makes it.</summary>
    protected RunWrite Create(Guid id, Action<RunWrite>? change = null) =>
        Write(RunOperation.Create, id, change);

    /// <summary>A change of a run.</summary>
    protected RunWrite Update(Guid id, Action<RunWrite>? change = null) =>
        Write(RunOperation.Update, id, change);

    private RunWrite Write(RunOperation operation, Guid id, Action<RunWrite>? change)
    {
        var run = new RunWrite { Operation = operation, RunId = id };
        if (operation == RunOperation.Create)
        {
            run.ProjectId = Project;
            run.Name = "run";
            run.Kind = RunKind.Chain;
            run.StartTime = Start;
        }

        change?.Invoke(run);
        Assert.Null(new RunNormalizer().Normalize(run, Start));
        return run;
    }

    protected FeedbackRecord Feedback(
        Guid? run,
        string key,
        double? score = null,
        Func<FeedbackRecord, FeedbackRecord>? change = null
    )
    {
        var item = new FeedbackRecord
        {
            Id = Guid.CreateVersion7(),
            RunId = run,
            ProjectId = run is null ? Project : null,
            Key = key,
            Score = score,
            CreatedAt = Start,
            ModifiedAt = Start,
        };
        return change?.Invoke(item) ?? item;
    }

    protected static Payload Json(string json) =>
        Payload.FromUtf8(System.Text.Encoding.UTF8.GetBytes(json));

    protected static string? Text(Run? run, PayloadKind kind) =>
        run is not null && run.Payloads.TryGetValue(kind, out var json)
            ? System.Text.Encoding.UTF8.GetString(json.Span)
            : null;
}
