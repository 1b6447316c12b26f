using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Playground;

/// <summary>
/// The settings of a model call as clients write them: in the request (OpenAI, Anthropic, Ollama, Gemini), in <c>invocation_params</c> (LangChain,
/// LangSmith's wrappers, OpenTelemetry), in LangSmith's <c>ls_*</c> metadata, or in a serialized model of LangChain. Immutable; as long-lived as its JSON.
/// </summary>
public sealed class ClientSettings
{
    /// <summary>Our name of a setting and the names that clients have for it.</summary>
    private static readonly (string Name, string[] Theirs)[] s_numbers =
    [
        ("temperature", ["temperature", "ls_temperature"]),
        ("top_p", ["top_p", "topP"]),
        (
            "max_tokens",
            [
                "max_tokens",
                "max_completion_tokens",
                "max_output_tokens",
                "maxOutputTokens",
                "maxTokens",
                "max_tokens_to_sample",
                "num_predict",
                "ls_max_tokens",
            ]
        ),
        ("frequency_penalty", ["frequency_penalty", "frequencyPenalty"]),
        ("presence_penalty", ["presence_penalty", "presencePenalty"]),
        ("seed", ["seed"]),
    ];

    private readonly List<JsonElement> _holders = [];

    /// <summary>Settings out of a run.</summary>
    /// <param name="inputs">Its inputs, or any object that holds settings.</param>
    /// <param name="extra">Its <c>extra</c>; undefined for none.</param>
    public ClientSettings(JsonElement inputs, JsonElement extra)
    {
        var metadata = extra.Field("metadata");
        foreach (
            var holder in (JsonElement[])
                [
                    inputs,
                    extra.Field("invocation_params"),
                    metadata.Field("invocation_params"),
                    metadata,
                ]
        )
        {
            Add(holder);
            foreach (
                var inner in (string[])
                    ["options", "config", "generationConfig", "generation_config", "kwargs"]
            )
            {
                Add(holder.Field(inner));
            }
        }
    }

    /// <summary>The model as the client named it.</summary>
    public string? Model =>
        First(["model", "model_name", "modelName", "ls_model_name"], JsonValueKind.String)
            ?.GetString();

    /// <summary>Which tool has to be called, in the playground's words: <c>none</c>, <c>required</c> or a tool's name; null for the model's choice.</summary>
    public string? ToolChoice
    {
        get
        {
            foreach (
                var choice in _holders
                    .Select(h => h.Field("tool_choice"))
                    .Concat(_holders.Select(h => h.Field("toolChoice")))
                    .Where(c => c.IsSaid())
            )
            {
                var word =
                    choice.ValueKind == JsonValueKind.String
                        ? choice.GetString()
                        : choice.Field("function").Text("name")
                            ?? choice.Text("name")
                            ?? choice.Text("toolName")
                            ?? choice.Text("type");
                return word switch
                {
                    "auto" or null or "" => null,
                    "any" => "required",
                    _ => word,
                };
            }

            return null;
        }
    }

    /// <summary>The schema that the answer had to meet.</summary>
    public JsonElement? Schema
    {
        get
        {
            foreach (var holder in _holders)
            {
                foreach (
                    var schema in (JsonElement[])
                        [
                            holder.Field("response_format").Field("json_schema").Field("schema"),
                            holder.Field("response_format").Field("schema"),
                            holder.Field("responseFormat").Field("schema"),
                            holder.Field("text").Field("format").Field("schema"),
                            holder.Field("ls_structured_output_format").Field("schema"),
                            holder.Field("responseSchema"),
                            holder.Field("response_schema"),
                            holder.Field("output_format").Field("schema"),
                            holder.Field("format"),
                        ]
                )
                {
                    if (schema.ValueKind == JsonValueKind.Object && schema.EnumerateObject().Any())
                    {
                        return schema;
                    }
                }
            }

            return null;
        }
    }

    /// <summary>Temperature and the like under the playground's names.</summary>
    public JsonObject Parameters()
    {
        var parameters = new JsonObject();
        foreach (var (name, theirs) in s_numbers)
        {
            if (First(theirs, JsonValueKind.Number) is { } number)
            {
                parameters[name] = JsonNode.Parse(number.GetRawText());
            }
        }

        if (Stop() is { Count: > 0 } stop)
        {
            parameters["stop"] = new JsonArray([.. stop.Select(s => (JsonNode)s)]);
        }

        return parameters;
    }

    private List<string> Stop()
    {
        foreach (var name in (string[])["stop", "stop_sequences", "stopSequences", "ls_stop"])
        {
            foreach (var said in _holders.Select(h => h.Field(name)))
            {
                if (said.ValueKind == JsonValueKind.String)
                {
                    return [said.GetString()!];
                }

                if (said.ValueKind == JsonValueKind.Array && said.GetArrayLength() > 0)
                {
                    return
                    [
                        .. said.EnumerateArray()
                            .Where(s => s.ValueKind == JsonValueKind.String)
                            .Select(s => s.GetString()!),
                    ];
                }
            }
        }

        return [];
    }

    private JsonElement? First(string[] names, JsonValueKind kind) =>
        names
            .SelectMany(n => _holders.Select(h => h.Field(n)))
            .Where(v => v.ValueKind == kind)
            .Select(v => (JsonElement?)v)
            .FirstOrDefault();

    private void Add(JsonElement holder)
    {
        if (holder.ValueKind == JsonValueKind.Object)
        {
            _holders.Add(holder);
        }
    }
}
