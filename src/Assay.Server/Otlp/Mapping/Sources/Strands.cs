using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Strands: message events with Bedrock's blocks (<see cref="MessageEvents"/>), cycles of the agent's loop around model and tools.</summary>
internal static class Strands
{
    public static readonly SpanSource Source = new(
        "strands",
        ["strands*"],
        ["agent_loop.cycle_id", "event_loop.cycle_id"]
    );

    public static RunKind? Kind(SpanView span) =>
        span.Span.Name.StartsWith("execute_agent_loop_cycle", StringComparison.Ordinal)
        || span.Span.Name.StartsWith("execute_event_loop_cycle", StringComparison.Ordinal)
            ? RunKind.Chain
            : null;
}
