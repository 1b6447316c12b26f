using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// What a span says, in Assay's words, whoever emitted it. Null and empty mean "not said". Ids, times and the tree are not here: they follow
/// from the span itself, unless the producer overrides them (<see cref="Ids"/>). JSON is UTF-8 and valid. Immutable.
/// </summary>
public sealed record MappedSpan
{
    /// <summary>The instrumentation that was recognized (<c>openinference</c>, <c>langfuse</c>, …), or <c>generic</c>.</summary>
    public required string Source { get; init; }

    /// <summary>False when nothing in the span was understood as work of a language model application.</summary>
    public bool IsRecognized { get; init; }

    /// <summary>True for plumbing (HTTP, database, sockets) that merely connects the spans of interest.</summary>
    public bool IsInfrastructure { get; init; }

    /// <summary>True for a span that only repeats its siblings (ADK's merged tools): to be hidden in a tree.</summary>
    public bool IsRepetition { get; init; }

    /// <summary>Name of the run.</summary>
    public required string Name { get; init; }

    /// <summary>Type of the run.</summary>
    public required RunKind Kind { get; init; }

    /// <summary>Inputs: a JSON object; for a model call <c>{"messages":[…]}</c>.</summary>
    public ReadOnlyMemory<byte>? Inputs { get; init; }

    /// <summary>Outputs: a JSON object; for a model call <c>{"messages":[…]}</c>, for a retriever <c>{"documents":[…]}</c>.</summary>
    public ReadOnlyMemory<byte>? Outputs { get; init; }

    /// <summary>
    /// A JSON object: <c>metadata</c> (the user's and the well-known ones), <c>invocation_params</c> (with <c>tools</c>), and under <c>otel</c>
    /// <c>source</c>, <c>hidden</c> (plumbing and repetitions), and everything raw: <c>resource</c>, <c>scope</c>, <c>attributes</c>, <c>kind</c>, <c>links</c>, and <c>moved</c>, which tells what became of content keys.
    /// </summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    /// <summary>A JSON array of the span's events that are not content: <c>{name, time, kwargs}</c>. Null when there is none.</summary>
    public ReadOnlyMemory<byte>? Events { get; init; }

    /// <summary>The model that answered, or else the one that was asked.</summary>
    public string? Model { get; init; }

    /// <summary>The model that was asked for.</summary>
    public string? RequestedModel { get; init; }

    /// <summary>The provider in its normalized name.</summary>
    public string? Provider { get; init; }

    /// <summary>Tokens in one meaning (see <see cref="TokenUsage"/>) with where they come from, and the reported cost.</summary>
    public TokenUsage? Usage { get; init; }

    /// <summary>When the first token arrived.</summary>
    public DateTimeOffset? FirstTokenTime { get; init; }

    /// <summary>Thread (session, conversation).</summary>
    public string? ThreadId { get; init; }

    /// <summary>The end user.</summary>
    public string? UserId { get; init; }

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Deployment environment.</summary>
    public string? Environment { get; init; }

    /// <summary>Release or version of the application.</summary>
    public string? Release { get; init; }

    /// <summary>The error as text: message, then type and stack when known.</summary>
    public string? Error { get; init; }

    /// <summary>The run failed, with or without a text.</summary>
    public bool Failed { get; init; }

    /// <summary>Project named by the span or its resource (not by a header).</summary>
    public ProjectReference? Project { get; init; }

    /// <summary>Ids that the producer overrides.</summary>
    public IdOverrides Ids { get; init; } = IdOverrides.None;

    /// <summary>What the span says about its whole trace.</summary>
    public TraceValues Trace { get; init; } = TraceValues.None;

    /// <summary>Set when the span is a placeholder for another one that has not ended.</summary>
    public PendingSpan? Pending { get; init; }

    /// <summary>Judgements that came with the span or its logs.</summary>
    public IReadOnlyList<MappedScore> Scores { get; init; } = [];

    /// <summary>Files that came with the span.</summary>
    public IReadOnlyList<MappedFile> Files { get; init; } = [];

    /// <summary>Ids of media that Langfuse's SDK uploads apart; inputs and outputs hold their tokens.</summary>
    public IReadOnlyList<string> MediaIds { get; init; } = [];

    /// <summary>The dataset example the run was made from.</summary>
    public Guid? ReferenceExampleId { get; init; }

    /// <summary>What was cut by the producer or mended here, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>A project by the words of a producer.</summary>
/// <param name="Id">LangSmith's <c>langsmith.trace.session_id</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsExplicit">False when it is only the service's name, which a header or the key's project beats.</param>
public sealed record ProjectReference(Guid? Id, string? Name, bool IsExplicit);

/// <summary>Ids written into attributes by a producer that has its own.</summary>
/// <param name="RunId"><c>langsmith.span.id</c>.</param>
/// <param name="TraceId"><c>langsmith.trace.id</c>.</param>
/// <param name="ParentRunId"><c>langsmith.span.parent_id</c> when it is a whole UUID.</param>
/// <param name="DottedOrder"><c>langsmith.span.dotted_order</c>.</param>
/// <param name="FallbackParentSpanId">Span id (16 hex digits) to attach to when the OTLP parent never arrives: <c>langsmith.traceable_parent_otel_span_id</c>.</param>
public sealed record IdOverrides(
    Guid? RunId,
    Guid? TraceId,
    Guid? ParentRunId,
    string? DottedOrder,
    string? FallbackParentSpanId
)
{
    /// <summary>None.</summary>
    public static IdOverrides None { get; } = new(null, null, null, null, null);
}

/// <summary>Values for the trace (its root run), from whichever span states them: first non-empty by start time, the root's own win.</summary>
public sealed record TraceValues
{
    /// <summary>None.</summary>
    public static TraceValues None { get; } = new();

    /// <summary>Name of the trace.</summary>
    public string? Name { get; init; }

    /// <summary>Thread.</summary>
    public string? ThreadId { get; init; }

    /// <summary>User.</summary>
    public string? UserId { get; init; }

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Metadata of the trace.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Inputs of the trace: a JSON object.</summary>
    public ReadOnlyMemory<byte>? Inputs { get; init; }

    /// <summary>Outputs of the trace: a JSON object.</summary>
    public ReadOnlyMemory<byte>? Outputs { get; init; }

    /// <summary>The span is to be treated as the root although it has a parent (Langfuse's <c>as_root</c>).</summary>
    public bool IsRoot { get; init; }
}

/// <summary>Logfire's placeholder: a span that started and is exported before its end.</summary>
/// <param name="SpanId">Id of the real span, 16 hex digits.</param>
/// <param name="ParentSpanId">Parent of the real span, 16 hex digits; null for a root.</param>
public sealed record PendingSpan(string SpanId, string? ParentSpanId);

/// <summary>A judgement.</summary>
/// <param name="Key">What is judged.</param>
/// <param name="Score">The number.</param>
/// <param name="Label">The label.</param>
/// <param name="Comment">The explanation.</param>
/// <param name="ResponseId">The provider's response id that it is about, when it names no span.</param>
public sealed record MappedScore(
    string Key,
    double? Score,
    string? Label,
    string? Comment,
    string? ResponseId
);

/// <summary>A file that came inside attributes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">Its content.</param>
public sealed record MappedFile(string Name, string ContentType, ReadOnlyMemory<byte> Bytes);
