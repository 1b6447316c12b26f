using System.Globalization;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>The parameters of a call to a model, under the names of OpenAI's API, with the tools that were offered in OpenAI's form. Pure.</summary>
internal static class Invocation
{
    private static readonly string[] s_wholes =
    [
        "langfuse.observation.model.parameters",
        "llm.invocation_parameters",
        "embedding.invocation_parameters",
        "langsmith.metadata.ls_invocation_params",
        "model_config",
        "model_request_parameters",
    ];

    private static readonly string[] s_prefixes =
    [
        "gen_ai.request.",
        "ai.settings.",
        "openai.request.",
        "gen_ai.openai.request.",
    ];

    private static readonly string[] s_notParameters =
    [
        "model",
        "messages",
        "system",
        "input",
        "prompt",
        "contents",
        "instructions",
        "tools",
        "functions",
        "user",
        "id",
        "object",
        "created",
        "created_at",
        "output",
        "usage",
        "stream_options",
        "headers",
        "extra_headers",
        "docs",
        "context",
        "metadata",
    ];

    /// <summary>The parameters; empty when none was given.</summary>
    public static JsonObject Read(SpanView span, Content? inputs)
    {
        var parameters = new JsonObject();
        foreach (var key in s_wholes)
        {
            if (span.Json(key) is JsonObject whole)
            {
                span.Take(key, "invocation_params");
                AddAll(parameters, whole);
            }
        }

        foreach (var (key, value) in span.Own)
        {
            foreach (var prefix in s_prefixes)
            {
                if (key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    Add(parameters, key[prefix.Length..], AnyValues.Json(value));
                }
            }
        }

        foreach (
            var (key, name) in (ReadOnlySpan<(string, string)>)
                [
                    ("ai.prompt.toolChoice", "tool_choice"),
                    ("llm.top_k", "top_k"),
                    ("llm.frequency_penalty", "frequency_penalty"),
                    ("llm.presence_penalty", "presence_penalty"),
                    ("llm.chat.stop_sequences", "stop"),
                    ("llm.is_streaming", "stream"),
                    ("gen_ai.is_streaming", "stream"),
                    ("langsmith.request.streaming", "stream"),
                    ("gen_ai.output.type", "output_type"),
                ]
        )
        {
            Add(parameters, name, span.Json(key)?.DeepClone());
        }

        if (inputs?.Talk?.Rest is { } rest)
        {
            AddAll(parameters, rest);
        }

        if (Tools.Read(span, inputs) is { Count: > 0 } tools)
        {
            parameters["tools"] = tools;
        }

        return parameters;
    }

    private static void AddAll(JsonObject parameters, JsonObject more)
    {
        foreach (var (name, value) in more)
        {
            if (name == "config" && value is JsonObject inner)
            {
                AddAll(parameters, inner);
            }
            else
            {
                Add(parameters, name, value?.DeepClone());
            }
        }
    }

    private static void Add(JsonObject parameters, string name, JsonNode? value)
    {
        name = Name(name);
        if (
            IsNothing(value)
            || s_notParameters.Contains(name)
            || name.StartsWith("headers", StringComparison.Ordinal)
            || name.StartsWith("context.", StringComparison.Ordinal)
            || !Secrets.IsHarmless(name)
            || parameters.ContainsKey(name)
        )
        {
            return;
        }

        parameters[name] = Rounded(value!);
    }

    private static bool IsNothing(JsonNode? value) =>
        value switch
        {
            null or JsonArray { Count: 0 } => true,
            JsonObject members => members.All(m => IsNothing(m.Value)),
            _ => value.Text() is "",
        };

    /// <summary>camelCase of JavaScript and synonyms, as OpenAI's API writes them.</summary>
    private static string Name(string name) =>
        name switch
        {
            "maxOutputTokens" or "maxTokens" or "max_output_tokens" or "max_completion_tokens" =>
                "max_tokens",
            "topP" => "top_p",
            "topK" => "top_k",
            "frequencyPenalty" => "frequency_penalty",
            "presencePenalty" => "presence_penalty",
            "stopSequences" or "stop_sequences" => "stop",
            "maxRetries" => "max_retries",
            "toolChoice" => "tool_choice",
            "is_stream" => "stream",
            "responseFormat" => "response_format",
            _ => name,
        };

    /// <summary>0.20000000298023224 is 0.2 that went through a float.</summary>
    private static JsonNode Rounded(JsonNode value)
    {
        if (
            value is not JsonValue
            || value.Text() is not null
            || value.Number() is not { } number
            || number == Math.Floor(number)
        )
        {
            return value;
        }

        var single = (float)number;
        return
            single.ToString("G7", CultureInfo.InvariantCulture) is { } text
            && (double)single == number
            && double.Parse(text, CultureInfo.InvariantCulture) is var rounded
            ? JsonValue.Create(rounded)
            : value;
    }
}
