using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Models.Prices;

/// <summary>
/// Calls that are stored keep the cost they had on arrival. Here the cost they would have by other prices is told, and written page by page for
/// <see cref="RecostJobs"/>. Costs that clients reported stay. Thread-safe; doing it twice changes nothing.
/// </summary>
public sealed class Recosting(
    TraceQueries queries,
    TraceIngest ingest,
    IRunStore store,
    PriceBook prices
)
{
    /// <summary>A preview looks at this many calls, the newest first.</summary>
    public const int MaxPreviewed = 100_000;

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
    )
    {
        var models = new Dictionary<string, RecostLine>(StringComparer.Ordinal);
        var looked = 0L;
        string? cursor = null;
        while (true)
        {
            var (page, _) = await LookAsync(
                caller,
                Calls(caller, since) with
                {
                    Cursor = cursor,
                },
                lookup ?? prices.Cost,
                cancellationToken
            );
            looked += page.Looked;
            foreach (var line in page.Lines)
            {
                models[line.Model] = models.TryGetValue(line.Model, out var sum)
                    ? sum.Plus(line)
                    : line;
            }

            if (page.Next is null || looked >= MaxPreviewed)
            {
                return new RecostResult(
                    [.. models.Values.OrderByDescending(m => Math.Abs(m.After - m.Before))],
                    looked,
                    page.Next is null ? null : page.Oldest
                );
            }

            cursor = page.Next;
        }
    }

    /// <summary>Writes the cost by the prices in force into one page of calls of a project; it can be read before this returns.</summary>
    /// <param name="caller">Who asks; needs <see cref="Permission.Manage"/> and <see cref="Permission.Ingest"/>.</param>
    /// <param name="project">The project; one, because a store walks the time of one project without sorting.</param>
    /// <param name="since">Only calls that began then or later; null for all.</param>
    /// <param name="cursor">Where the page before ended; null for the newest.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StoreBusyException">The store took nothing more for a minute.</exception>
    internal async Task<RecostPage> ApplyAsync(
        Caller caller,
        Guid project,
        DateTimeOffset? since,
        string? cursor,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage | Permission.Ingest);
        var (page, changed) = await LookAsync(
            caller,
            Calls(caller, since) with
            {
                ProjectIds = [project],
                Cursor = cursor,
            },
            prices.Cost,
            cancellationToken
        );
        if (changed.Count > 0)
        {
            await WriteAsync(caller, changed, cancellationToken);
            while (!await store.SettleAsync(cancellationToken))
            {
                // A store far behind: what is told as done can be read.
            }
        }

        return page;
    }

    /// <summary>How many runs there are to go through, about.</summary>
    internal async Task<long> CountAsync(
        Caller caller,
        DateTimeOffset? since,
        CancellationToken cancellationToken
    ) => (await queries.StatsAsync(caller, Calls(caller, since), cancellationToken)).RunCount;

    private static RunQuery Calls(Caller caller, DateTimeOffset? since) =>
        new()
        {
            WorkspaceId = caller.WorkspaceId,
            From = since,
            Filter = s_bearsTokens,
            Limit = PageSize,
            Parts = RunParts.Details,
        };

    private async Task<(RecostPage Page, List<Run> Changed)> LookAsync(
        Caller caller,
        RunQuery query,
        PriceLookup lookup,
        CancellationToken cancellationToken
    )
    {
        var found = await queries.QueryAsync(caller, query, cancellationToken);
        var models = new Dictionary<string, RecostLine>(StringComparer.Ordinal);
        var changed = new List<Run>();
        var looked = 0;
        DateTimeOffset? oldest = null;
        foreach (var run in found.Runs)
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
            var line = new RecostLine(run.Model ?? "", 1, run.Cost?.Total ?? 0, now?.Total ?? 0);
            models[line.Model] = models.TryGetValue(line.Model, out var sum)
                ? sum.Plus(line)
                : line;
        }

        return (new RecostPage([.. models.Values], looked, oldest, found.Next), changed);
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
public sealed record RecostLine(string Model, long Calls, decimal Before, decimal After)
{
    internal RecostLine Plus(RecostLine more) =>
        this with
        {
            Calls = Calls + more.Calls,
            Before = Before + more.Before,
            After = After + more.After,
        };
}

/// <summary>One page of re-costing.</summary>
/// <param name="Lines">What changes, by model.</param>
/// <param name="Looked">Calls that were looked at.</param>
/// <param name="Oldest">Start of the last of them.</param>
/// <param name="Next">Cursor of the next page; null at the end.</param>
internal sealed record RecostPage(
    IReadOnlyList<RecostLine> Lines,
    int Looked,
    DateTimeOffset? Oldest,
    string? Next
);

/// <summary>What re-costing would change.</summary>
/// <param name="Models">By model, the largest change first; models without a change are left out.</param>
/// <param name="Looked">How many calls were looked at.</param>
/// <param name="NotBefore">Calls before this were not looked at, because there are too many for a preview; null when all were.</param>
public sealed record RecostResult(
    IReadOnlyList<RecostLine> Models,
    long Looked,
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
