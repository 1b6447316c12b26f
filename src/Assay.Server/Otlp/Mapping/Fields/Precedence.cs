using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Sources;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>
/// Which key or source is believed first, as data: the first that is present wins. The order of each list is a decision about emitters that
/// disagree, documented in docs/opentelemetry-mapping.md.
/// </summary>
internal static class Precedence
{
    /// <summary>Sources in the order they are recognized: by scope, then by keys.</summary>
    public static readonly SpanSource[] Sources =
    [
        LangSmithSdk.Source,
        Langfuse.Source,
        OpenInference.Source,
        MicrosoftAi.Source,
        MicrosoftAi.Agents,
        MicrosoftAi.OpenAi,
        SemanticKernel.Source,
        GoogleAdk.Source,
        Genkit.Source,
        PydanticAi.Source,
        Mlflow.Source,
        Strands.Source,
        OpenLit.Source,
        ClaudeCode.Source,
        VercelAi.Source,
        Semconv.Contrib,
        Traceloop.Source,
        Semconv.Source,
    ];

    /// <summary>Where inputs and outputs are looked for. A structured form beats a text, a run's own form beats an instrumentation's.</summary>
    public static readonly (ContentReader Inputs, ContentReader Outputs)[] Contents =
    [
        (Langfuse.Input, Langfuse.Output),
        (LangSmithSdk.OwnIn, LangSmithSdk.OwnOut),
        (Semconv.Input, Semconv.Output),
        (Semconv.InputOfDetails, Semconv.OutputOfDetails),
        (OpenInference.MessagesIn, OpenInference.MessagesOut),
        (Traceloop.FlatIn, Traceloop.FlatOut),
        (VercelAi.Input, VercelAi.Output),
        (LangSmithSdk.Input, LangSmithSdk.Output),
        (Semconv.ToolInput, Semconv.ToolOutput),
        (MessageEvents.Input, MessageEvents.Output),
        (Mlflow.Input, Mlflow.Output),
        (GoogleAdk.Input, GoogleAdk.Output),
        (Genkit.Input, Genkit.Output),
        (Traceloop.EntityIn, Traceloop.EntityOut),
        (PydanticAi.Input, PydanticAi.Output),
        (ClaudeCode.Input, ClaudeCode.Output),
        (OpenInference.ValueIn, OpenInference.ValueOut),
        (MessageEvents.OldInput, MessageEvents.OldOutput),
        (Semconv.RetrievalInput, Semconv.RetrievalOutput),
        (Semconv.McpInput, Semconv.McpOutput),
        (Plumbing.Input, Plumbing.Output),
    ];

    /// <summary>Who tells a run's type.</summary>
    public static readonly Func<SpanView, RunKind?>[] Kinds =
    [
        LangSmithSdk.Kind,
        Langfuse.Kind,
        OpenInference.Kind,
        Mlflow.Kind,
        Semconv.Kind,
        Traceloop.Kind,
        VercelAi.Kind,
        Genkit.Kind,
        GoogleAdk.Kind,
        MicrosoftAi.Kind,
        Strands.Kind,
        ClaudeCode.Kind,
        PydanticAi.Kind,
        Semconv.McpKind,
        Semconv.ToolKind,
        OpenInference.PromptKind,
        Plumbing.Kind,
    ];

    public static readonly string[] RespondedModel =
    [
        "langfuse.observation.model.name",
        "gen_ai.response.model",
        "ai.response.model",
        "llm.response.model_name",
        "llm.response.model",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "mlflow.llm.model",
    ];

    public static readonly string[] RequestedModel =
    [
        "gen_ai.request.model",
        "ai.model.id",
        "llm.request.model_name",
        "llm.request.model",
        "langsmith.metadata.ls_model_name",
        "model",
        "model_name",
    ];

    public static readonly string[] Provider =
    [
        "gen_ai.provider.name",
        "gen_ai.system",
        "ai.model.provider",
        "llm.provider",
        "llm.system",
        "langsmith.metadata.ls_provider",
        "mlflow.llm.provider",
    ];

    public static readonly string[] Thread =
    [
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",
        "langsmith.metadata.session_id",
        "langsmith.metadata.thread_id",
        "langsmith.metadata.conversation_id",
        "ai.telemetry.metadata.sessionId",
        "ai.telemetry.metadata.threadId",
        "ai.telemetry.metadata.session_id",
        "ai.telemetry.metadata.thread_id",
        "ai.settings.context.sessionId",
        "ai.settings.context.threadId",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.thread_id",
        "traceloop.association.properties.chat_id",
        "gcp.vertex.agent.session_id",
    ];

    public static readonly string[] User =
    [
        "langfuse.user.id",
        "user.id",
        "enduser.id",
        "langsmith.metadata.user_id",
        "ai.telemetry.metadata.userId",
        "ai.telemetry.metadata.user_id",
        "ai.settings.context.userId",
        "traceloop.association.properties.user_id",
        "gen_ai.user",
        "gen_ai.request.user",
        "llm.user",
        "user",
    ];

    public static readonly string[] Tags =
    [
        "langfuse.trace.tags",
        "langsmith.span.tags",
        "tag.tags",
        "ai.telemetry.metadata.tags",
        "langfuse.tags",
        "logfire.tags",
        "langsmith.metadata.tags",
    ];

    public static readonly string[] Environment =
    [
        "langfuse.environment",
        "deployment.environment.name",
        "deployment.environment",
    ];

    public static readonly string[] Release =
    [
        "langfuse.release",
        "langfuse.version",
        "service.version",
    ];

    public static readonly string[] PromptTokens =
    [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
        "llm.usage.prompt_tokens",
    ];

    public static readonly string[] CompletionTokens =
    [
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "llm.usage.completion_tokens",
    ];

    public static readonly string[] TotalTokens =
    [
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
    ];

    public static readonly string[] CacheReadTokens =
    [
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
    ];

    public static readonly string[] CacheWriteTokens =
    [
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ];

    public static readonly string[] ReasoningTokens =
    [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
    ];

    public static readonly string[] AudioInTokens =
    [
        "gen_ai.usage.audio.input_tokens",
        "gen_ai.usage.details.input_audio_tokens",
        "llm.token_count.prompt_details.audio",
    ];

    public static readonly string[] AudioOutTokens =
    [
        "gen_ai.usage.audio.output_tokens",
        "gen_ai.usage.details.output_audio_tokens",
        "llm.token_count.completion_details.audio",
    ];

    /// <summary>Delays of the first token after the start, with the seconds that one of their unit is.</summary>
    public static readonly (string Key, double Seconds)[] FirstTokenDelay =
    [
        ("gen_ai.response.time_to_first_chunk", 1),
        ("gen_ai.client.operation.time_to_first_chunk", 1),
        ("gen_ai.server.time_to_first_token", 1),
        ("ai.response.msToFirstChunk", 0.001),
        ("ai.stream.msToFirstChunk", 0.001),
    ];

    /// <summary>Events whose time is the first token's.</summary>
    public static readonly string[] FirstTokenEvents =
    [
        "ai.stream.firstChunk",
        "First Token Stream Event",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "new_token",
    ];
}
