using System.Text.Json.Nodes;
using Assay.Core.Models;
using Assay.Server.Otlp.Mapping.Sources;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>
/// Tokens in one meaning, whoever counted: a prompt includes what was read from and written to a cache, a completion includes thoughts, total =
/// prompt + completion. Producers that leave parts out of the whole are corrected. And the cost that was reported. Pure.
/// </summary>
internal static class Usage
{
    public static TokenUsage? Read(SpanView span, Content? inputs, Content? outputs)
    {
        var figures =
            OfLangfuse(span)
            ?? OfAdk(span)
            ?? OfClaudeCode(span)
            ?? OfJson(span, "langsmith.usage_metadata")
            ?? OfAttributes(span)
            ?? OfJson(span, "langsmith.metadata.usage_metadata")
            ?? OfJson(span, "mlflow.chat.tokenUsage")
            ?? OfResponse(outputs?.Raw);
        var cost = Costs.Read(span);
        if (figures is null)
        {
            return cost is null or { Total: 0 } ? null : new TokenUsage { ReportedCost = cost };
        }

        var source = Traceloop.GuessesTokens(span, inputs?.Talk, figures.Prompt)
            ? FigureSource.Estimated
            : FigureSource.Reported;
        return figures.ToUsage(source, cost);
    }

    private static Figures? OfAttributes(SpanView span)
    {
        var prompt = First(span, Precedence.PromptTokens);
        var completion = First(span, Precedence.CompletionTokens);
        var total = First(span, Precedence.TotalTokens);
        if (prompt is null && completion is null && total is null)
        {
            return null;
        }

        var figures = new Figures(prompt ?? 0, completion ?? 0, total);
        figures.In("cache_read", First(span, Precedence.CacheReadTokens));
        figures.In("cache_creation", First(span, Precedence.CacheWriteTokens));
        figures.In("audio", First(span, Precedence.AudioInTokens));
        figures.Out("reasoning", First(span, Precedence.ReasoningTokens));
        figures.Out("audio", First(span, Precedence.AudioOutTokens));
        figures.AddDetails(
            Lenient(span, "gen_ai.usage.input_token_details"),
            Lenient(span, "gen_ai.usage.output_token_details")
        );
        OfProviderMetadata(span, figures);
        return Traceloop.LeavesCacheOut(span) ? figures.Exclusive() : figures.Inclusive();
    }

    /// <summary>AI SDK: what the provider said besides, OpenAI's cached tokens and Anthropic's cache by life.</summary>
    private static void OfProviderMetadata(SpanView span, Figures figures)
    {
        if (span.Json("ai.response.providerMetadata") is not JsonObject metadata)
        {
            return;
        }

        figures.In("cache_read", metadata.Get("openai").Get("cachedPromptTokens").Count());
        figures.Out("reasoning", metadata.Get("openai").Get("reasoningTokens").Count());
        var anthropic = metadata.Get("anthropic");
        figures.In("cache_creation", anthropic.Get("cacheCreationInputTokens").Count());
        var lives = anthropic.Get("usage").Get("cache_creation");
        figures.In("ephemeral_5m_input", lives.Get("ephemeral_5m_input_tokens").Count());
        figures.In("ephemeral_1h_input", lives.Get("ephemeral_1h_input_tokens").Count());
    }

    /// <summary>
    /// Langfuse: its own wrapper of OpenAI writes parts beside what is left (8 + 16 cached = 24), users write parts of the whole. The total decides.
    /// </summary>
    private static Figures? OfLangfuse(SpanView span)
    {
        if (span.Json("langfuse.observation.usage_details") is not JsonObject usage)
        {
            return null;
        }

        var prompt = usage.Get("input", "prompt_tokens", "input_tokens", "promptTokens").Count();
        var completion = usage
            .Get("output", "completion_tokens", "output_tokens", "completionTokens")
            .Count();
        var total = usage.Get("total", "total_tokens", "totalTokens").Count();
        if (prompt is null && completion is null && total is null)
        {
            return null;
        }

        var figures = new Figures(prompt ?? 0, completion ?? 0, total);
        foreach (var (name, value) in usage)
        {
            if (value.Count() is not { } count || count == 0)
            {
                continue;
            }

            if (name is "cache_read_input_tokens")
            {
                figures.In("cache_read", count);
            }
            else if (name is "cache_creation_input_tokens")
            {
                figures.In("cache_creation", count);
            }
            else if (name.StartsWith("input_", StringComparison.Ordinal) && name != "input_tokens")
            {
                figures.In(Figures.Part(name["input_".Length..]), count);
            }
            else if (
                name.StartsWith("output_", StringComparison.Ordinal)
                && name != "output_tokens"
            )
            {
                figures.Out(Figures.Part(name["output_".Length..]), count);
            }
        }

        return figures.ByTotal();
    }

    /// <summary>Google's agents: output tokens are the candidates' alone, thoughts stand beside them.</summary>
    private static Figures? OfAdk(SpanView span) =>
        GoogleAdk.Usage(span) is { } usage ? OfGemini(usage) : null;

    private static Figures? OfGemini(JsonNode usage)
    {
        var prompt = usage.Get("promptTokenCount", "prompt_token_count").Count();
        var candidates = usage.Get("candidatesTokenCount", "candidates_token_count").Count();
        if (prompt is null && candidates is null)
        {
            return null;
        }

        var thoughts = usage.Get("thoughtsTokenCount", "thoughts_token_count").Count();
        var tools = usage.Get("toolUsePromptTokenCount", "tool_use_prompt_token_count").Count();
        var figures = new Figures(
            (prompt ?? 0) + (tools ?? 0),
            (candidates ?? 0) + (thoughts ?? 0),
            null
        );
        figures.In(
            "cache_read",
            usage.Get("cachedContentTokenCount", "cached_content_token_count").Count()
        );
        figures.Out("reasoning", thoughts);
        return figures;
    }

    private static Figures? OfClaudeCode(SpanView span)
    {
        if (
            !ClaudeCode.IsOwn(span)
            || (span.Count("input_tokens") ?? span.Count("output_tokens")) is null
        )
        {
            return null;
        }

        var figures = new Figures(
            span.Count("input_tokens") ?? 0,
            span.Count("output_tokens") ?? 0,
            null
        );
        figures.In("cache_read", span.Count("cache_read_tokens"));
        figures.In("cache_creation", span.Count("cache_creation_tokens"));
        return figures.Exclusive();
    }

    private static Figures? OfJson(SpanView span, string key)
    {
        span.Take(key, "usage");
        return span.Json(key) is JsonObject usage ? OfUsage(usage) : null;
    }

    /// <summary>Usage inside a response, in the shapes of OpenAI, Anthropic, Gemini, Genkit and LangChain.</summary>
    private static Figures? OfResponse(JsonNode? response)
    {
        foreach (var name in (ReadOnlySpan<string>)["usage", "usage_metadata", "usageMetadata"])
        {
            if (response.Get(name) is JsonObject usage)
            {
                return OfGemini(usage) ?? OfUsage(usage);
            }
        }

        return response.Get("llm_output").Get("token_usage") is JsonObject old
            ? OfUsage(old)
            : null;
    }

    private static Figures? OfUsage(JsonObject usage)
    {
        var prompt = usage
            .Get("input_tokens", "prompt_tokens", "inputTokens", "promptTokens")
            .Count();
        var completion = usage
            .Get("output_tokens", "completion_tokens", "outputTokens", "completionTokens")
            .Count();
        var total = usage.Get("total_tokens", "totalTokens").Count();
        if (prompt is null && completion is null && total is null)
        {
            return null;
        }

        var figures = new Figures(prompt ?? 0, completion ?? 0, total);
        figures.AddDetails(
            usage.Get("input_token_details", "prompt_tokens_details", "input_tokens_details"),
            usage.Get("output_token_details", "completion_tokens_details", "output_tokens_details")
        );
        figures.In(
            "cache_read",
            usage.Get("cache_read_input_tokens", "cachedContentTokens", "cachedInputTokens").Count()
        );
        figures.In("cache_creation", usage.Get("cache_creation_input_tokens").Count());
        figures.Out("reasoning", usage.Get("thoughtsTokens", "reasoningTokens").Count());
        return figures.ByTotal();
    }

    private static long? First(SpanView span, string[] keys)
    {
        foreach (var key in keys)
        {
            if (span.Count(key) is { } count)
            {
                return count;
            }
        }

        return null;
    }

    /// <summary>JSON, or Python's way of writing a dictionary.</summary>
    private static JsonNode? Lenient(SpanView span, string key)
    {
        var json = span.Json(key);
        return json.Text() is ['{', ..] and var text
            ? Decoding.Parse(text.Replace('\'', '"'))
            : json;
    }
}
