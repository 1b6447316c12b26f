using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Journals;

namespace Assay.Storage.Traces.Embedded;

/// <summary>A run while the applier works on it: the merged state plus what only this engine knows.</summary>
internal sealed class RunRow
{
    private bool _hasNewText;

    /// <summary>Zero until inserted.</summary>
    public long Pk { get; set; }

    public required int Project { get; set; }

    public required RunState State { get; init; }

    public List<PayloadRef> Refs { get; init; } = [];

    public RunCost? Cost { get; set; }

    public TraceTotals Totals { get; set; } = TraceTotals.None;

    public bool IsRoot { get; set; } = true;

    /// <summary>What the aggregates hold for this row; null when it is not in them.</summary>
    public Contribution? Counted { get; set; }

    /// <summary>What was found in the index; null for a new row.</summary>
    public RowKey? Stored { get; set; }

    public RowKey Key => new(Project, State.TraceId, Start, State.ReferenceExampleId);

    /// <summary>Its payloads and blobs as the index has them, noted when the batch at hand first works on it.</summary>
    public (IReadOnlyList<PayloadRef> Refs, IReadOnlyList<string> Blobs)? Before { get; set; }

    /// <summary>Whether the batch at hand works on it.</summary>
    public bool IsTouched { get; set; }

    /// <summary>
    /// Whether its tokens have to be counted by us: a model call that has ended and for which no piece reported any. Not earlier: most calls
    /// report with their end, and counting is the most expensive thing that can happen to a run. A call that failed without an answer
    /// was refused as a rule, and nobody pays for that.
    /// </summary>
    public bool WantsEstimate =>
        State is { Kind: RunKind.Llm, Status: not RunStatus.Pending }
        && (State.Status != RunStatus.Error || Refs.Exists(r => r.Kind == PayloadKind.Outputs))
        && (State.Usage is null || (State.Usage.Source == FigureSource.Estimated && _hasNewText));

    /// <summary>When its first piece was accepted.</summary>
    public DateTimeOffset? ReceivedAt { get; set; }

    public DateTimeOffset Start => State.StartTime ?? DateTimeOffset.UnixEpoch;

    public TimeSpan? Latency => State.EndTime - State.StartTime;

    /// <summary>Its own usage and cost as totals; null when it bears none.</summary>
    public TraceTotals? Own =>
        State.Usage is not { } usage
            ? null
            : new TraceTotals(
                usage.PromptTokens,
                usage.CompletionTokens,
                usage.TotalTokens,
                Cost?.Prompt ?? 0,
                Cost?.Completion ?? 0,
                Cost?.Total ?? 0,
                usage.Source == FigureSource.Estimated
                    ? FigureSource.Estimated
                    : Cost?.Source ?? FigureSource.Unknown
            );

    /// <summary>Whether a piece says something that is counted in facets.</summary>
    public static bool ChangesFacets(RunWrite write) =>
        write.Name is not null
        || write.Kind is not null
        || write.Model is not null
        || write.Tags is not null
        || write.Metadata is { Count: > 0 };

    public void Apply(JournaledWrite piece)
    {
        var write = piece.Write;
        var taken = State.Apply(write);
        _hasNewText |= (taken & (RunFields.Inputs | RunFields.Outputs)) != RunFields.None;
        var isUpdate = write.Operation == RunOperation.Update;
        if ((taken & RunFields.Error) != RunFields.None)
        {
            // A short error has no payload of its own and must not leave an older long one standing.
            Refs.RemoveAll(r => r.Kind == PayloadKind.Error);
        }

        foreach (var payload in piece.Payloads)
        {
            var item = new PayloadRef(
                payload.Kind,
                isUpdate,
                payload.Length,
                payload.Hash,
                payload.Address,
                payload.BlobKey
            );
            if (payload.Kind == PayloadKind.Extra)
            {
                AddExtra(item);
            }
            else if ((taken & Field(payload.Kind)) != RunFields.None)
            {
                Refs.RemoveAll(r => r.Kind == payload.Kind);
                Refs.Add(item);
            }
        }
    }

    /// <summary>Takes the new place of a payload it has; false when it has no older copy of it.</summary>
    public bool Move(JournaledPayload payload)
    {
        var at = Refs.FindIndex(r =>
            r.BlobKey is null
            && r.Kind == payload.Kind
            && r.Hash == payload.Hash
            && r.Length == payload.Length
            && r.Address.Segment < payload.Address.Segment
        );
        if (at < 0)
        {
            return false;
        }

        Refs[at] = Refs[at] with { Address = payload.Address };
        return true;
    }

    public Contribution Contribute() =>
        new(
            Project,
            Start.UtcTicks / TimeSpan.TicksPerHour,
            IsRoot,
            State.Kind ?? RunKind.Chain,
            State.Model ?? "",
            State.Status,
            Latency,
            State.FirstTokenTime - State.StartTime,
            IsRoot ? Totals : Own ?? TraceTotals.None
        );

    private void AddExtra(PayloadRef item)
    {
        // A repetition of the same piece adds nothing; the newest copy keeps the newest place in the order.
        Refs.RemoveAll(r =>
            r.Kind == PayloadKind.Extra
            && r.Hash == item.Hash
            && r.Length == item.Length
            && r.FromUpdate == item.FromUpdate
        );
        Refs.Add(item);
    }

    private static RunFields Field(PayloadKind kind) =>
        kind switch
        {
            PayloadKind.Inputs => RunFields.Inputs,
            PayloadKind.Outputs => RunFields.Outputs,
            PayloadKind.Events => RunFields.Events,
            PayloadKind.Serialized => RunFields.Serialized,
            PayloadKind.Error => RunFields.Error,
            _ => RunFields.None,
        };
}

/// <summary>The columns of a row that its indexes over all runs are made of.</summary>
internal readonly record struct RowKey(
    int Project,
    Guid Trace,
    DateTimeOffset Start,
    Guid? Example
);

/// <summary>What one run adds to the hourly aggregates; subtracted again before the row changes.</summary>
internal sealed record Contribution(
    int Project,
    long Hour,
    bool IsRoot,
    RunKind Kind,
    string Model,
    RunStatus Status,
    TimeSpan? Latency,
    TimeSpan? FirstToken,
    TraceTotals Totals
);
