namespace Assay.Core.Traces;

/// <summary>
/// What a run that came by OpenTelemetry lacks through a setting of its SDK, and the one line that brings it. Nothing is guessed: a hint says
/// what is missing and where to ask for it.
/// </summary>
public static class RunHints
{
    private static readonly TimeSpan LongRunning = TimeSpan.FromMinutes(10);

    /// <summary>The hints for a run, most important first; none as a rule.</summary>
    /// <param name="run">The run, with its details and payload lengths.</param>
    /// <param name="source">The emitter as the attributes name it (<c>otel.source</c>); null when the run came another way.</param>
    /// <param name="now">The time, to know a run that takes very long.</param>
    public static IReadOnlyList<string> Of(Run run, string? source, DateTimeOffset now)
    {
        var hints = new List<string>();
        if (source is null)
        {
            return hints;
        }

        if (
            run.Kind == RunKind.Llm
            && run.Status == RunStatus.Success
            && !run.PayloadLengths.ContainsKey(PayloadKind.Inputs)
            && !run.PayloadLengths.ContainsKey(PayloadKind.Outputs)
        )
        {
            hints.Add($"The messages of this call were not sent. {Content(source)}");
        }

        if (
            run.Kind == RunKind.Llm
            && run.Status == RunStatus.Success
            && run.Usage is null or { Source: Models.FigureSource.Estimated }
        )
        {
            hints.Add(
                "No token counts were sent. Where the call streams, ask the provider for them: stream_options: { include_usage: true } with OpenAI's API."
            );
        }

        if (run is { IsRoot: true, ParentRunId: not null })
        {
            hints.Add(
                "The span above this one has not arrived: it belongs to a service or an instrumentation that does not export here (a web server's request span, as a rule). Export it too, or leave it: the trace is shown from here."
            );
        }

        if (run.EndTime is null && now - run.StartTime > LongRunning)
        {
            hints.Add(
                "No end was sent. If the process has stopped, let it flush before it exits: forceFlush() or shutdown() of the tracer provider."
            );
        }

        return hints;
    }

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
