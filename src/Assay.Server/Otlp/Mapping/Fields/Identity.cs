using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Sources;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>What a run is called, what it is, and whose ids it bears. Pure.</summary>
internal static class Identity
{
    public static SpanSource? Source(SpanView span)
    {
        foreach (var source in Precedence.Sources)
        {
            if (source.OwnsScope(span.Scope.Name))
            {
                return source;
            }
        }

        foreach (var source in Precedence.Sources)
        {
            if (source.OwnsKeys(span))
            {
                return source;
            }
        }

        return null;
    }

    /// <summary>The type; null when nobody tells.</summary>
    public static RunKind? Kind(SpanView span)
    {
        foreach (var rule in Precedence.Kinds)
        {
            if (rule(span) is { } kind)
            {
                return kind;
            }
        }

        return null;
    }

    public static string Name(SpanView span, RunKind kind) =>
        LangSmithName(span)
        ?? (
            kind == RunKind.Tool
                ? span.Text(["gen_ai.tool.name", "tool.name", "ai.toolCall.name"])
                : null
        )
        ?? span.Text("traceloop.entity.name")
        ?? (
            kind == RunKind.Agent && !span.Has("openinference.span.kind")
                ? span.Text("gen_ai.agent.name")
                : null
        )
        ?? span.Text("logfire.msg")
        ?? (span.Span.Name.Length > 0 ? span.Span.Name : "");

    public static IdOverrides Ids(SpanView span)
    {
        var run = Uuid(span.Text("langsmith.span.id"));
        var trace = Uuid(span.Text("langsmith.trace.id"));
        var parent = Uuid(span.Text("langsmith.span.parent_id"));
        var order = span.Text("langsmith.span.dotted_order");
        var fallback = span.Text("langsmith.traceable_parent_otel_span_id");
        return run is null && trace is null && parent is null && order is null && fallback is null
            ? IdOverrides.None
            : new IdOverrides(run, trace, parent, order, fallback?.ToLowerInvariant());
    }

    public static ProjectReference? Project(SpanView span)
    {
        var id = Uuid(span.Text("langsmith.trace.session_id"));
        var name = span.Text("langsmith.trace.session_name");
        if (id is not null || name is not null)
        {
            return new ProjectReference(id, name, IsExplicit: true);
        }

        var found =
            AnyValues.Text(span.Find("openinference.project.name"))
            ?? AnyValues.Text(span.Find("service.name"));
        return
            found is not { Length: > 0 }
            || found.StartsWith("unknown_service", StringComparison.Ordinal)
            ? null
            : new ProjectReference(null, found, IsExplicit: false);
    }

    /// <summary>A whole UUID; LangSmith's zero-padded span ids are none.</summary>
    private static Guid? Uuid(string? text) =>
        Guid.TryParse(text, out var id)
        && id != Guid.Empty
        && !text.StartsWith("00000000-0000-0000-", StringComparison.Ordinal)
            ? id
            : null;

    /// <summary>LangSmith's name, but with its exporter the AI SDK puts the call's name on every span of it.</summary>
    private static string? LangSmithName(SpanView span) =>
        VercelAi.IsOwn(span) && !VercelAi.IsOutermost(span)
            ? null
            : span.Text("langsmith.trace.name");
}
