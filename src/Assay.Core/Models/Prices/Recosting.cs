using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Models.Prices;

/// <summary>
/// Calls that are stored keep the cost they had on arrival. Here the cost they would have by other prices is told, and written when somebody asks
/// for it. Costs that clients reported stay. Thread-safe; doing it twice changes nothing.
/// </summary>
public sealed class Recosting(
    TraceQueries queries,
    TraceIngest ingest,
    IRunStore store,
    PriceBook prices
)
{
    /// <summary>At most this many calls are looked at, the newest first.</summary>
    public const int MaxCalls = 100_000;

    private const int PageSize = 1_000;
    private const int MaxAttempts = 20;

    // The store's search for calls with tokens; parents that only sum up their children are passed over.
    private static readonly Filter s_bearsTokens = new Filter.Compare(
        RunField.TotalTokens,
        Comparison.Greater,
        FilterValue.Of(0, "0")
    );

    /// <summary>What would change.</summary>
    /// <param name="caller">Who asks; needs <see cref="Permission.Read"/>.</param>
    /// <param name="since">Only calls that began then or later; null for all.</param>
    /// <param name="lookup">The prices to assume, see <see cref="PriceBook.With"/>; null for those in force.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<RecostResult> PreviewAsync(
        Caller caller,
        DateTimeOffset? since,
        PriceLookup? lookup,
        CancellationToken cancellationToken
    ) => await WalkAsync(caller, since, lookup ?? prices.Cost, null, cancellationToken);

    /// <summary>Writes the cost by the prices in force; runs that a cancelled call had not reached keep theirs.</summary>
    /// <param name="caller">Who asks; needs <see cref="Permission.Manage"/> and <see cref="Permission.Ingest"/>.</param>
    /// <param name="since">Only calls that began then or later; null for all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StoreBusyException">The store took nothing more for a minute.</exception>
    public async Task<RecostResult> ApplyAsync(
        Caller caller,
        DateTimeOffset? since,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage | Permission.Ingest);
        var result = await WalkAsync(
            caller,
            since,
            prices.Cost,
            changed => WriteAsync(caller, changed, cancellationToken),
            cancellationToken
        );
        await store.SettleAsync(cancellationToken);
        return result;
    }

    private async Task<RecostResult> WalkAsync(
        Caller caller,
        DateTimeOffset? since,
        PriceLookup lookup,
        Func<IReadOnlyList<Run>, Task>? write,
        CancellationToken cancellationToken
    )
    {
        var models = new Dictionary<string, RecostLine>(StringComparer.Ordinal);
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            From = since,
            Filter = s_bearsTokens,
            Limit = PageSize,
            Parts = RunParts.Details,
        };
        var looked = 0;
        DateTimeOffset? oldest = null;
        while (true)
        {
            var page = await queries.QueryAsync(caller, query, cancellationToken);
            var changed = new List<Run>();
            foreach (var run in page.Runs)
            {
                if (run.Usage is not { } usage || usage.KnownCost is not null)
                {
                    continue;
                }

                looked++;
                oldest = run.StartTime;
                var now = lookup(caller.WorkspaceId, run.Model, run.Provider, usage, run.StartTime);
                if ((run.Cost?.Total ?? 0) == (now?.Total ?? 0) && run.Cost is null == now is null)
                {
                    continue;
                }

                changed.Add(run);
                var model = run.Model ?? "";
                var line = models.GetValueOrDefault(model) ?? new RecostLine(model, 0, 0, 0);
                models[model] = line with
                {
                    Calls = line.Calls + 1,
                    Before = line.Before + (run.Cost?.Total ?? 0),
                    After = line.After + (now?.Total ?? 0),
                };
            }

            if (write is not null && changed.Count > 0)
            {
                await write(changed);
            }

            if (page.Next is null || looked >= MaxCalls)
            {
                return new RecostResult(
                    [.. models.Values.OrderByDescending(m => Math.Abs(m.After - m.Before))],
                    looked,
                    page.Next is null ? null : oldest
                );
            }

            query = query with { Cursor = page.Next };
        }
    }

    /// <summary>An empty change makes the store price the call again; nothing else of the run is touched.</summary>
    private async Task WriteAsync(
        Caller caller,
        IReadOnlyList<Run> runs,
        CancellationToken cancellationToken
    )
    {
        var batch = new IngestBatch(
            [
                .. runs.Select(r => new RunWrite
                {
                    Operation = RunOperation.Update,
                    RunId = r.Id,
                    TraceId = r.TraceId,
                    ProjectId = r.ProjectId,
                }),
            ],
            []
        );
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ingest.AcceptAsync(caller, batch, cancellationToken);
                return;
            }
            catch (StoreBusyException e) when (attempt < MaxAttempts && !e.IsFailing)
            {
                await Task.Delay(e.RetryAfter, cancellationToken);
            }
        }
    }
}

/// <summary>Calls of one model whose cost changes, US dollars.</summary>
/// <param name="Model">The model; empty when unknown.</param>
/// <param name="Calls">How many.</param>
/// <param name="Before">What they cost together.</param>
/// <param name="After">What they cost by the other prices.</param>
public sealed record RecostLine(string Model, long Calls, decimal Before, decimal After);

/// <summary>What re-costing changes or changed.</summary>
/// <param name="Models">By model, the largest change first; models without a change are left out.</param>
/// <param name="Looked">How many calls were looked at.</param>
/// <param name="NotBefore">Calls before this were not looked at, because there are too many; null when all were.</param>
public sealed record RecostResult(
    IReadOnlyList<RecostLine> Models,
    int Looked,
    DateTimeOffset? NotBefore
)
{
    /// <summary>Calls whose cost changes.</summary>
    public long Calls => Models.Sum(m => m.Calls);

    /// <summary>What they cost.</summary>
    public decimal Before => Models.Sum(m => m.Before);

    /// <summary>What they cost by the other prices.</summary>
    public decimal After => Models.Sum(m => m.After);
}
