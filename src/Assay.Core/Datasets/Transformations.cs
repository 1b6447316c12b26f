using System.Text.Json.Nodes;

namespace Assay.Core.Datasets;

/// <summary>
/// Changes that a dataset makes to examples on the way in. A path starts with <c>inputs</c> or <c>outputs</c>; one that leads nowhere in an
/// example is passed over. Immutable.
/// </summary>
internal sealed class Transformations
{
    private readonly IReadOnlyList<(IReadOnlyList<string> Path, string Kind)> _steps;
    private readonly JsonObject? _inputsSchema;
    private readonly JsonObject? _outputsSchema;

    public Transformations(Dataset dataset)
    {
        _steps = dataset.TransformationsJson is { } json ? Read(json) : [];
        _inputsSchema = dataset.InputsSchemaJson is { } i ? JsonNode.Parse(i) as JsonObject : null;
        _outputsSchema = dataset.OutputsSchemaJson is { } o
            ? JsonNode.Parse(o) as JsonObject
            : null;
    }

    /// <summary>Paths that want the tools of the source run.</summary>
    public IEnumerable<IReadOnlyList<string>> ToolPaths =>
        _steps.Where(s => s.Kind == "extract_tools_from_run").Select(s => s.Path);

    /// <summary>Reads the steps.</summary>
    /// <exception cref="DatasetProblemException">They are none.</exception>
    public static IReadOnlyList<(IReadOnlyList<string> Path, string Kind)> Read(string json)
    {
        if (DatasetJson.Parse(json, "transformations") is not JsonArray items)
        {
            throw DatasetProblemException.Invalid("transformations: must be a list");
        }

        return [.. items.Select(Step)];
    }

    /// <summary>Inputs and outputs after the steps; text that no step touches is returned as it came.</summary>
    public (string? Inputs, string? Outputs) Apply(string? inputs, string? outputs)
    {
        if (_steps.Count == 0)
        {
            return (inputs, outputs);
        }

        var root = new JsonObject
        {
            ["inputs"] = inputs is null ? null : DatasetJson.Parse(inputs, "inputs"),
            ["outputs"] = outputs is null ? null : DatasetJson.Parse(outputs, "outputs"),
        };
        foreach (var (path, kind) in _steps)
        {
            var parent = Walk(root, path.SkipLast(1));
            if (parent is not JsonObject holder || holder[path[^1]] is not { } target)
            {
                continue;
            }

            switch (kind)
            {
                case "remove_system_messages" when target is JsonArray messages:
                    holder[path[^1]] = new JsonArray([
                        .. messages
                            .Where(m => Role(m) is not ("system" or "developer"))
                            .Select(m => m?.DeepClone()),
                    ]);
                    break;
                case "convert_to_openai_message":
                    holder[path[^1]] = Each(target, Message);
                    break;
                case "convert_to_openai_tool":
                    holder[path[^1]] = Each(target, Tool);
                    break;
                case "remove_extra_fields" when target is JsonObject fields:
                    RemoveExtra(fields, SchemaAt(path));
                    break;
                default:
                    break;
            }
        }

        return (root["inputs"]?.ToJsonString(), root["outputs"]?.ToJsonString());
    }

    private static (IReadOnlyList<string> Path, string Kind) Step(JsonNode? item)
    {
        var path = (item?["path"] as JsonArray)
            ?.Select(p => p is JsonValue v && v.TryGetValue<string>(out var s) ? s : "")
            .ToList();
        var kind =
            item?["transformation_type"] is JsonValue k && k.TryGetValue<string>(out var name)
                ? name
                : "";
        if (path is not ["inputs" or "outputs", ..] || path.Contains(""))
        {
            throw DatasetProblemException.Invalid(
                "transformations: path must be a list of names that starts with 'inputs' or 'outputs'"
            );
        }

        if (
            kind
            is not (
                "convert_to_openai_message"
                or "convert_to_openai_tool"
                or "remove_system_messages"
                or "remove_extra_fields"
                or "extract_tools_from_run"
            )
        )
        {
            throw DatasetProblemException.Invalid(
                $"transformations: '{kind}' is not a transformation_type"
            );
        }

        return (path, kind);
    }

    private static JsonNode? Walk(JsonNode? at, IEnumerable<string> path)
    {
        foreach (var step in path)
        {
            at = (at as JsonObject)?[step];
        }

        return at;
    }

    private static JsonNode? Each(JsonNode target, Func<JsonNode?, JsonNode?> change) =>
        target is JsonArray many ? new JsonArray([.. many.Select(change)]) : change(target);

    private JsonObject? SchemaAt(IReadOnlyList<string> path)
    {
        JsonNode? schema = path[0] == "inputs" ? _inputsSchema : _outputsSchema;
        foreach (var step in path.Skip(1))
        {
            schema = schema?["properties"]?[step];
        }

        return schema as JsonObject;
    }

    private static void RemoveExtra(JsonObject fields, JsonObject? schema)
    {
        if (schema?["properties"] is not JsonObject known)
        {
            return;
        }

        foreach (var key in fields.Select(f => f.Key).Where(k => !known.ContainsKey(k)).ToList())
        {
            fields.Remove(key);
        }
    }

    private static string? Role(JsonNode? message) =>
        Text(message?["role"])
        ?? Text(message?["type"]) switch
        {
            "human" => "user",
            "ai" => "assistant",
            "constructor" => RoleOf(message),
            var other => other,
        };

    /// <summary>LangChain's serialized messages name their class in the last part of <c>id</c>.</summary>
    private static string? RoleOf(JsonNode? message) =>
        Text((message?["id"] as JsonArray)?.LastOrDefault()) switch
        {
            "HumanMessage" => "user",
            "AIMessage" or "AIMessageChunk" => "assistant",
            "SystemMessage" => "system",
            "ToolMessage" => "tool",
            "FunctionMessage" => "function",
            _ => null,
        };

    /// <summary>A message in OpenAI's form, whatever form it had; the value itself when it is no message.</summary>
    internal static JsonNode? ToOpenAi(JsonNode? message) => Message(message);

    private static JsonNode? Message(JsonNode? message)
    {
        if (message is not JsonObject || Text(message["role"]) is not null)
        {
            return message?.DeepClone();
        }

        var fields = message["kwargs"] ?? message["data"] ?? message;
        if (Role(message) is not { } role || fields["content"] is not { } content)
        {
            return message.DeepClone();
        }

        var result = new JsonObject { ["role"] = role, ["content"] = content.DeepClone() };
        if (Text(fields["tool_call_id"]) is { } call)
        {
            result["tool_call_id"] = call;
        }

        if (fields["tool_calls"] is JsonArray { Count: > 0 } calls)
        {
            result["tool_calls"] = new JsonArray([
                .. calls.Select(c =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["id"] = c?["id"]?.DeepClone(),
                            ["type"] = "function",
                            ["function"] =
                                c?["function"]?.DeepClone()
                                ?? new JsonObject
                                {
                                    ["name"] = c?["name"]?.DeepClone(),
                                    ["arguments"] = (c?["args"] ?? new JsonObject()).ToJsonString(),
                                },
                        }
                ),
            ]);
        }

        return result;
    }

    private static JsonNode? Tool(JsonNode? tool) =>
        tool is not JsonObject || tool["function"] is not null || Text(tool["name"]) is null
            ? tool?.DeepClone()
            : new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject
                {
                    ["name"] = tool["name"]!.DeepClone(),
                    ["description"] = tool["description"]?.DeepClone(),
                    ["parameters"] = (
                        tool["parameters"]
                        ?? tool["input_schema"]
                        ?? tool["args_schema"]
                        ?? new JsonObject()
                    ).DeepClone(),
                },
            };

    private static string? Text(JsonNode? node) =>
        node is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
}
