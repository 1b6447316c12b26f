using Assay.Core.Access;
using Assay.Core.Traces;

namespace Assay.Core.Models.Providers;

/// <summary>How a call to a model ended.</summary>
/// <param name="Model">The model by the provider's account; null when it did not say.</param>
/// <param name="Outputs">What came, JSON.</param>
/// <param name="Usage">Tokens; null when unknown.</param>
/// <param name="Latency">From sending to the end.</param>
/// <param name="FirstToken">From sending to the first piece; null when none came.</param>
/// <param name="Failure">Null when all went well.</param>
internal sealed record CallEnd(
    string? Model,
    byte[] Outputs,
    TokenUsage? Usage,
    TimeSpan Latency,
    TimeSpan? FirstToken,
    ModelCallException? Failure
);

/// <summary>Keeps the books of calls to models: each is a run, priced, and counted against the workspace's limit. Thread-safe.</summary>
public sealed class CallLedger(ModelProviders providers, TraceIngest ingest, PriceLookup prices)
{
    internal Task BeginAsync(Caller caller, CallRun run, CancellationToken cancellationToken) =>
        RecordAsync(caller, run.Start(), cancellationToken);

    /// <summary>Records the end and what it cost; null when that is unknown. Nothing cancels it: a call that was stopped was paid for all the same.</summary>
    internal async Task<RunCost?> EndAsync(Caller caller, CallRun run, CallEnd end)
    {
        var cost = end.Usage is null
            ? null
            : prices(
                caller.WorkspaceId,
                end.Model ?? run.Model,
                run.PricedAs,
                end.Usage,
                run.StartTime
            );
        if (end.Usage is not null && run.PricedAs != ModelProvider.Simulated.PricedAs)
        {
            await providers.AddSpendAsync(
                caller.WorkspaceId,
                cost?.Total,
                cost is null,
                CancellationToken.None
            );
        }

        await RecordAsync(caller, run.End(end), CancellationToken.None);
        return cost;
    }

    private async Task RecordAsync(
        Caller caller,
        RunWrite write,
        CancellationToken cancellationToken
    ) =>
        // Whoever may ask a model may have the call recorded.
        await ingest.AcceptAsync(
            caller with
            {
                Permissions = caller.Permissions | Permission.Ingest,
            },
            new IngestBatch([write], []),
            cancellationToken
        );
}
