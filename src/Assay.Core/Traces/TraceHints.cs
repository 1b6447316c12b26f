using System.Globalization;
using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>
/// What a trace that came by OpenTelemetry lacks through a setting of its SDK, and the one line that brings it. Nothing is guessed: a hint says
/// what is missing, of how many runs, and where to ask for it.
/// </summary>
public static class TraceHints
{
    private static readonly TimeSpan LongRunning = TimeSpan.FromMinutes(10);

    /// <summary>The hints for a trace, most important first; none as a rule.</summary>
    /// <param name="root">The run that stands for the trace.</param>
    /// <param name="calls">Its model calls, with their details and payload lengths; of a very long trace the first ones.</param>
    /// <param name="source">The emitter as the attributes name it (<c>otel.source</c>): of the first call that lacks something, else of the root.</param>
    /// <param name="now">The time, to know a run that takes very long.</param>
    public static IReadOnlyList<string> Of(
        Run root,
        IReadOnlyList<Run> calls,
        string source,
        DateTimeOffset now
    )
    {
        var hints = new List<string>();
        var done = calls.Where(c => c.Status == RunStatus.Success).ToList();
        if (done.Count(LacksMessages) is > 0 and var silent)
        {
            hints.Add(
                $"The messages of {Count(silent, done.Count)} were not sent. {Content(source)}"
            );
        }

        if (done.Count(LacksTokens) is > 0 and var uncounted)
        {
            hints.Add(
                $"No token counts were sent with {Count(uncounted, done.Count)}. Where a call streams, ask the provider for them: stream_options: {{ include_usage: true }} with OpenAI's API."
            );
        }

        if (root.ParentRunId is not null)
        {
            hints.Add(
                "The span above this one has not arrived: it belongs to a service or an instrumentation that does not export here (a web server's request span, as a rule). Export it too, or leave it: the trace is shown from here."
            );
        }

        if (
            (root.EndTime is null && now - root.StartTime > LongRunning)
            || calls.Any(c => c.EndTime is null && now - c.StartTime > LongRunning)
        )
        {
            hints.Add(
                "No end was sent. If the process has stopped, let it flush before it exits: forceFlush() or shutdown() of the tracer provider."
            );
        }

        return hints;
    }

    /// <summary>A call that says neither what was asked nor what was answered.</summary>
    public static bool LacksMessages(Run call) =>
        !call.PayloadLengths.ContainsKey(PayloadKind.Inputs)
        && !call.PayloadLengths.ContainsKey(PayloadKind.Outputs);

    private static bool LacksTokens(Run call) =>
        call.Usage is null or { Source: FigureSource.Estimated };

    private static string Count(int count, int all) =>
        all == 1 ? "the model call"
        : (count, all) is (2, 2) ? "both model calls"
        : count == all ? string.Create(CultureInfo.InvariantCulture, $"all {all} model calls")
        : string.Create(CultureInfo.InvariantCulture, $"{count} of {all} model calls");

    private static string Content(string source) =>
        source switch
        {
            "microsoft-extensions-ai" or "microsoft-agent-framework" =>
                "Say so where telemetry is added: UseOpenTelemetry(configure: c => c.EnableSensitiveData = true).",
            "semantic-kernel" =>
                "Set the switch Microsoft.SemanticKernel.Experimental.GenAI.EnableOTelDiagnosticsSensitive to true.",
            "openai-dotnet" =>
                "The SDK's own spans never hold them; Microsoft.Extensions.AI does: client.AsIChatClient().AsBuilder().UseOpenTelemetry(configure: c => c.EnableSensitiveData = true).",
            "traceloop" =>
                "Set TRACELOOP_TRACE_CONTENT=true, or traceContent: true in its options.",
            "openinference" =>
                "Take OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS away, or hideInputs and hideOutputs in its trace configuration.",
            "vercel-ai" =>
                "Take recordInputs: false and recordOutputs: false out of the telemetry settings.",
            "langsmith" => "Take LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS away.",
            _ =>
                "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true, and export logs as well as traces: some instrumentations send messages as log records.",
        };
}
