using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>The fields of a run that the merge rule looks at. Bits are stored: append only.</summary>
[Flags]
public enum RunFields
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Name.</summary>
    Name = 1 << 0,

    /// <summary>Type.</summary>
    Kind = 1 << 1,

    /// <summary>Start.</summary>
    Start = 1 << 2,

    /// <summary>End.</summary>
    End = 1 << 3,

    /// <summary>First token.</summary>
    FirstToken = 1 << 4,

    /// <summary>Error and failed.</summary>
    Error = 1 << 5,

    /// <summary>Inputs.</summary>
    Inputs = 1 << 6,

    /// <summary>Outputs.</summary>
    Outputs = 1 << 7,

    /// <summary>Events.</summary>
    Events = 1 << 8,

    /// <summary>Serialized.</summary>
    Serialized = 1 << 9,

    /// <summary>Tags.</summary>
    Tags = 1 << 10,

    /// <summary>Reference example.</summary>
    Example = 1 << 11,

    /// <summary>Model.</summary>
    Model = 1 << 12,

    /// <summary>Provider.</summary>
    Provider = 1 << 13,

    /// <summary>Usage.</summary>
    Usage = 1 << 14,

    /// <summary>Thread.</summary>
    Thread = 1 << 15,

    /// <summary>Parent.</summary>
    Parent = 1 << 16,

    /// <summary>Order key.</summary>
    Order = 1 << 17,
}

/// <summary>
/// What is known of a run so far: pieces are folded in one by one. The rule, per field: null means "not said" and changes nothing; an
/// update wins over a create whichever comes first; among equals the last to arrive wins. Extra is kept in pieces and merged on read
/// (top-level keys replace, <c>metadata</c> merges one level deeper, creates before updates); attachments and metadata merge by name.
/// So the result depends neither on the order of a create and its updates nor on repetition. Mutable, not thread-safe: it lives
/// inside an engine's applier.
/// </summary>
public sealed class RunState
{
    /// <summary>Which fields an update has set: a later create leaves them alone.</summary>
    public RunFields Updated { get; set; }

    /// <summary>Id.</summary>
    public Guid RunId { get; set; }

    /// <summary>Trace; zero when not known yet.</summary>
    public Guid TraceId { get; set; }

    /// <summary>Parent.</summary>
    public Guid? ParentRunId { get; set; }

    /// <summary>Order key.</summary>
    public string? DottedOrder { get; set; }

    /// <summary>Name.</summary>
    public string? Name { get; set; }

    /// <summary>Type.</summary>
    public RunKind? Kind { get; set; }

    /// <summary>Start.</summary>
    public DateTimeOffset? StartTime { get; set; }

    /// <summary>End.</summary>
    public DateTimeOffset? EndTime { get; set; }

    /// <summary>First token.</summary>
    public DateTimeOffset? FirstTokenTime { get; set; }

    /// <summary>Error text.</summary>
    public string? Error { get; set; }

    /// <summary>Failed without a text.</summary>
    public bool Failed { get; set; }

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; set; } = [];

    /// <summary>Example.</summary>
    public Guid? ReferenceExampleId { get; set; }

    /// <summary>Files by name.</summary>
    public List<Attachment> Attachments { get; } = [];

    /// <summary>Metadata; the flag tells whether an update set the pair.</summary>
    public Dictionary<string, (string Value, bool Updated)> Metadata { get; } =
        new(StringComparer.Ordinal);

    /// <summary>Model.</summary>
    public string? Model { get; set; }

    /// <summary>Provider.</summary>
    public string? Provider { get; set; }

    /// <summary>Usage.</summary>
    public TokenUsage? Usage { get; set; }

    /// <summary>Thread.</summary>
    public string? ThreadId { get; set; }

    /// <summary>Inputs preview.</summary>
    public string? InputsPreview { get; set; }

    /// <summary>Outputs preview.</summary>
    public string? OutputsPreview { get; set; }

    /// <summary>Warning.</summary>
    public string? Warning { get; set; }

    /// <summary>Status as it follows from the rest.</summary>
    public RunStatus Status =>
        Failed || Error is not null ? RunStatus.Error
        : EndTime is not null ? RunStatus.Success
        : RunStatus.Pending;

    /// <summary>
    /// Folds a piece in and tells which payload fields of it now count (the engine keeps those payloads; <see cref="Payload"/> bytes are not touched here).
    /// </summary>
    public RunFields Apply(RunWrite write)
    {
        var taken = RunFields.None;
        if (write.TraceId is { } trace && TraceId == Guid.Empty)
        {
            TraceId = trace;
        }

        if (Takes(write, RunFields.Parent, write.ParentRunId is not null))
        {
            ParentRunId = write.ParentRunId;
        }

        if (Takes(write, RunFields.Order, write.DottedOrder is { Length: > 0 }))
        {
            DottedOrder = write.DottedOrder;
        }

        if (Takes(write, RunFields.Name, write.Name is not null))
        {
            Name = write.Name;
        }

        if (Takes(write, RunFields.Kind, write.Kind is not null))
        {
            Kind = write.Kind;
        }

        if (Takes(write, RunFields.Start, write.StartTime is not null))
        {
            StartTime = write.StartTime;
        }

        if (Takes(write, RunFields.End, write.EndTime is not null))
        {
            EndTime = write.EndTime;
        }

        if (Takes(write, RunFields.FirstToken, write.FirstTokenTime is not null))
        {
            FirstTokenTime = write.FirstTokenTime;
        }

        if (Takes(write, RunFields.Error, write.Error is not null || write.Failed is not null))
        {
            Error = write.Error;
            Failed = write.Failed ?? write.Error is not null;
            taken |= RunFields.Error;
        }

        if (Takes(write, RunFields.Tags, write.Tags is not null))
        {
            Tags = write.Tags ?? [];
        }

        if (Takes(write, RunFields.Example, write.ReferenceExampleId is not null))
        {
            ReferenceExampleId = write.ReferenceExampleId;
        }

        if (Takes(write, RunFields.Model, write.Model is not null))
        {
            Model = write.Model;
        }

        if (Takes(write, RunFields.Provider, write.Provider is not null))
        {
            Provider = write.Provider;
        }

        MergeUsage(write);

        if (Takes(write, RunFields.Thread, write.ThreadId is not null))
        {
            ThreadId = write.ThreadId;
        }

        taken |= TakePayloads(write);
        MergeMetadata(write);
        MergeAttachments(write);
        Warning = write.Warning ?? Warning;
        return taken;
    }

    private RunFields TakePayloads(RunWrite write)
    {
        var taken = RunFields.None;
        if (Takes(write, RunFields.Inputs, write.Inputs is not null))
        {
            InputsPreview = write.InputsPreview;
            taken |= RunFields.Inputs;
        }

        if (Takes(write, RunFields.Outputs, write.Outputs is not null))
        {
            OutputsPreview = write.OutputsPreview;
            taken |= RunFields.Outputs;
        }

        if (Takes(write, RunFields.Events, write.Events is not null))
        {
            taken |= RunFields.Events;
        }

        if (Takes(write, RunFields.Serialized, write.Serialized is not null))
        {
            taken |= RunFields.Serialized;
        }

        return taken;
    }

    /// <summary>What is reported replaces an estimate, never the other way round; estimates of two pieces add what the other one could not see.</summary>
    private void MergeUsage(RunWrite write)
    {
        if (write.Usage is not { } usage)
        {
            return;
        }

        if (usage.Source == FigureSource.Estimated)
        {
            Usage = Usage switch
            {
                null => usage,
                { Source: FigureSource.Estimated } old => TokenUsage.Larger(old, usage),
                _ => Usage,
            };
        }
        else if (Usage is { Source: FigureSource.Estimated } || Takes(write, RunFields.Usage, true))
        {
            Updated |= write.Operation == RunOperation.Update ? RunFields.Usage : RunFields.None;
            Usage = usage;
        }
    }

    private void MergeMetadata(RunWrite write)
    {
        var isUpdate = write.Operation == RunOperation.Update;
        foreach (var (key, value) in write.Metadata ?? [])
        {
            if (isUpdate || !Metadata.TryGetValue(key, out var old) || !old.Updated)
            {
                Metadata[key] = (value, isUpdate);
            }
        }
    }

    private void MergeAttachments(RunWrite write)
    {
        foreach (var file in write.Attachments ?? [])
        {
            Attachments.RemoveAll(a => string.Equals(a.Name, file.Name, StringComparison.Ordinal));
            Attachments.Add(file);
        }
    }

    private bool Takes(RunWrite write, RunFields field, bool isSaid)
    {
        if (!isSaid)
        {
            return false;
        }

        if (write.Operation == RunOperation.Update)
        {
            Updated |= field;
            return true;
        }

        return (Updated & field) == RunFields.None;
    }
}
