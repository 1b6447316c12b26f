using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// Microsoft.Extensions.AI and its users. They follow the conventions (<see cref="Semconv"/>); <c>orchestrate_tools</c>, the loop around model and tools,
/// has no operation and only sums.
/// </summary>
internal static class MicrosoftAi
{
    public static readonly SpanSource Source = new(
        "microsoft-extensions-ai",
        ["Experimental.Microsoft.Extensions.AI"],
        []
    );

    /// <summary>The Agent Framework.</summary>
    public static readonly SpanSource Agents = new(
        "microsoft-agent-framework",
        ["Experimental.Microsoft.Agents.AI*", "Microsoft.Agents.AI*"],
        []
    );

    /// <summary>The official OpenAI library for .NET: figures, no content.</summary>
    public static readonly SpanSource OpenAi = new(
        "openai-dotnet",
        ["OpenAI.ChatClient", "OpenAI.*Client"],
        []
    );

    public static RunKind? Kind(SpanView span) =>
        span.Span.Name == "orchestrate_tools" && !span.Has("gen_ai.operation.name")
            ? RunKind.Chain
            : null;
}

/// <summary>Semantic Kernel: message events with JSON (<see cref="MessageEvents"/>), prompts that pose as tools.</summary>
internal static class SemanticKernel
{
    public static readonly SpanSource Source = new(
        "semantic-kernel",
        ["Microsoft.SemanticKernel*"],
        []
    );

    /// <summary>A prompt function: it is invoked like a tool, and calls a model.</summary>
    public static bool IsPrompt(SpanView span) =>
        span.Scope.Name.StartsWith("Microsoft.SemanticKernel", StringComparison.Ordinal)
        && (
            span.Text("gen_ai.tool.name")
                ?.StartsWith("InvokePromptAsync_", StringComparison.Ordinal) == true
            || span.Span.Name.Contains("InvokePromptAsync_", StringComparison.Ordinal)
        );
}
