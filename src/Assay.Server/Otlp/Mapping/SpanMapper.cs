using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// From a span of any emitter to what it says (<see cref="MappedSpan"/>): one function, pure and thread-safe, that never throws on what a
/// producer may send.
/// </summary>
public sealed class SpanMapper
{
    /// <summary>Maps a span.</summary>
    /// <param name="resource">Its resource; an empty one when the request had none.</param>
    /// <param name="scope">Its instrumentation scope; an empty one when the request had none.</param>
    /// <param name="span">The span; its ids are not looked at.</param>
    /// <param name="logs">The log records of this span that have arrived so far, in any order.</param>
    public MappedSpan Map(
        Resource resource,
        InstrumentationScope scope,
        Span span,
        IReadOnlyList<LogRecord> logs
    )
    {
        var view = new SpanView(resource, scope, span, logs);
        var (error, failed) = Failures.Read(view);
        var inputs = view.Json("input.value");
        var outputs = view.Json("output.value");
        view.Take("input.value", "inputs");
        view.Take("output.value", "outputs");
        return new MappedSpan
        {
            Source = "generic",
            Name = span.Name,
            Kind = RunKind.Chain,
            Inputs = inputs is null ? null : SpanJson.Payload(inputs, "input"),
            Outputs = outputs is null ? null : SpanJson.Payload(outputs, "output"),
            Extra = SpanJson.Extra(view, Metadata(view), null),
            Events = SpanJson.Events(view, _ => true),
            Error = error,
            Failed = failed,
            ThreadId = view.Text(["session.id", "gen_ai.conversation.id"]),
            UserId = view.Text(["user.id", "enduser.id"]),
            Warnings = view.Warnings,
        };
    }

    private static List<KeyValuePair<string, JsonNode?>> Metadata(SpanView view) =>
        [
            .. view
                .Resource.Attributes.Where(a => Secrets.IsHarmless(a.Key))
                .Select(a => KeyValuePair.Create(a.Key, AnyValues.Json(a.Value))),
        ];
}
