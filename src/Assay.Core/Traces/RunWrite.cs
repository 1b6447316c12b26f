using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>
/// One piece of a run as an adapter hands it to <see cref="TraceIngest"/>: everything but the ids is optional, and null means "not said".
/// Adapters set what their dialect states; <see cref="TraceIngest"/> fills in what it can read from the payloads (model, usage, thread,
/// previews, search tokens) where the adapter left it null. Times are UTC with microsecond precision.
/// </summary>
public sealed class RunWrite
{
    /// <summary>Announcement or change.</summary>
    public required RunOperation Operation { get; init; }

    /// <summary>Id of the run, chosen by the client.</summary>
    public required Guid RunId { get; init; }

    /// <summary>Id of the trace; equals the root's run id on LangSmith's wire. Null: derived from the parent or the run itself.</summary>
    public Guid? TraceId { get; set; }

    /// <summary>The run's parent; null for a root and when not said.</summary>
    public Guid? ParentRunId { get; set; }

    /// <summary>LangSmith's execution order key, <c>seg(.seg)*</c> with seg = time + run id; kept verbatim. Made when absent.</summary>
    public string? DottedOrder { get; set; }

    /// <summary>The project, when the client named it by id or once it is resolved.</summary>
    public Guid? ProjectId { get; set; }

    /// <summary>The project by name; created on first use.</summary>
    public string? ProjectName { get; set; }

    /// <summary>Name of the run.</summary>
    public string? Name { get; set; }

    /// <summary>Type of the run.</summary>
    public RunKind? Kind { get; set; }

    /// <summary>Start of the run.</summary>
    public DateTimeOffset? StartTime { get; set; }

    /// <summary>End of the run; may lie before its start, clients' clocks do that.</summary>
    public DateTimeOffset? EndTime { get; set; }

    /// <summary>When the first token arrived.</summary>
    public DateTimeOffset? FirstTokenTime { get; set; }

    /// <summary>The error as plain text; its presence makes the run an error.</summary>
    public string? Error { get; set; }

    /// <summary>The whole error as a JSON string when it is longer than <see cref="Error"/> keeps; set on the way in, not by adapters.</summary>
    public Payload? WholeError { get; set; }

    /// <summary>Says the run failed although it has no error text (an OTLP status without message).</summary>
    public bool? Failed { get; set; }

    /// <summary>Inputs, verbatim JSON.</summary>
    public Payload? Inputs { get; set; }

    /// <summary>Outputs, verbatim JSON.</summary>
    public Payload? Outputs { get; set; }

    /// <summary>Extra, verbatim JSON object.</summary>
    public Payload? Extra { get; set; }

    /// <summary>Events, verbatim JSON array.</summary>
    public Payload? Events { get; set; }

    /// <summary>Serialized manifest, verbatim JSON.</summary>
    public Payload? Serialized { get; set; }

    /// <summary>Tags; replaces earlier ones.</summary>
    public IReadOnlyList<string>? Tags { get; set; }

    /// <summary>The dataset example this run was made from.</summary>
    public Guid? ReferenceExampleId { get; set; }

    /// <summary>Files; a same name replaces, others are kept.</summary>
    public IReadOnlyList<Attachment>? Attachments { get; set; }

    /// <summary>Metadata as flat text pairs, for filters and facets; read from <see cref="Extra"/> when null.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Metadata { get; set; }

    /// <summary>The model that answered (or was asked, when the answer did not say).</summary>
    public string? Model { get; set; }

    /// <summary>The provider in its normalized name (<c>openai</c>, <c>anthropic</c>, …).</summary>
    public string? Provider { get; set; }

    /// <summary>Token usage as reported; read from outputs or metadata when null.</summary>
    public TokenUsage? Usage { get; set; }

    /// <summary>The thread this run's trace belongs to.</summary>
    public string? ThreadId { get; set; }

    /// <summary>First characters of the meaningful text of the inputs; made when null.</summary>
    public string? InputsPreview { get; set; }

    /// <summary>First characters of the meaningful text of the outputs; made when null.</summary>
    public string? OutputsPreview { get; set; }

    /// <summary>What was wrong with the piece and was mended or cut on the way in, shown on the run; null when nothing.</summary>
    public string? Warning { get; set; }

    /// <summary>The keys of its values that lie in the blob store.</summary>
    public IEnumerable<string> Blobs() =>
        new[] { WholeError, Inputs, Outputs, Extra, Events, Serialized }
            .Select(p => p?.BlobKey)
            .Concat((Attachments ?? []).Select(a => a.BlobKey))
            .OfType<string>();
}
