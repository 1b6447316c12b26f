using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>Tools that were offered to a model, as <c>{type:"function", function:{name, description, parameters}}</c>, whoever wrote them down. Pure.</summary>
internal static class Tools
{
    private const int MaxTools = 512;

    private static readonly string[] s_keys =
    [
        "gen_ai.tool.definitions",
        "gen_ai.tool_definitions",
        "gen_ai.request.tools",
        "ai.prompt.tools",
        "mlflow.chat.tools",
    ];

    public static JsonArray? Read(SpanView span, Content? inputs)
    {
        foreach (var key in s_keys)
        {
            if (span.Json(key) is JsonArray { Count: > 0 } list)
            {
                span.Take(key, "invocation_params.tools");
                return Normalize(list);
            }
        }

        if (IndexedKeys.Read(span, "llm.tools.") is { } flat)
        {
            span.Take("llm.tools.*", "invocation_params.tools");
            return Normalize(
                new JsonArray([
                    .. flat.Select(t =>
                        (t.Get("tool").Get("json_schema") ?? t.Get("tool"))?.DeepClone()
                    ),
                ])
            );
        }

        if (IndexedKeys.Read(span, "llm.request.functions.") is { } functions)
        {
            span.Take("llm.request.functions.*", "invocation_params.tools");
            return Normalize(functions);
        }

        var beside =
            inputs?.Talk?.Rest.Get("tools", "functions")
            ?? inputs?.Talk?.Rest.Get("config").Get("tools")
            ?? span.Json("llm.invocation_parameters").Get("tools", "functions")
            ?? span.Json("model_request_parameters").Get("function_tools");
        if (beside is JsonArray { Count: > 0 } given)
        {
            return Normalize(given);
        }

        // Strands writes the agent's tools by name.
        return span.Json("gen_ai.agent.tools") is JsonArray names ? Normalize(names) : null;
    }

    private static JsonArray Normalize(JsonArray list)
    {
        var tools = new JsonArray();
        foreach (var item in list.Take(MaxTools))
        {
            var tool = item.Text() is { } text ? Decoding.Decode(text, out _) : item;
            switch (tool)
            {
                // Gemini groups declarations.
                case JsonObject group
                    when group.Get("functionDeclarations", "function_declarations")
                        is JsonArray inner:
                    foreach (var declared in inner.OfType<JsonObject>())
                    {
                        tools.Add(One(declared));
                    }

                    break;
                case JsonObject one:
                    tools.Add(One(one));
                    break;
                case JsonValue when tool.Text() is { Length: > 0 } name:
                    tools.Add(One(new JsonObject { ["name"] = name }));
                    break;
            }
        }

        return tools;
    }

    private static JsonNode One(JsonObject tool)
    {
        var said = tool.Get("function", "toolSpec") as JsonObject ?? tool;
        if (said.Text("name") is not { Length: > 0 } name)
        {
            return tool.DeepClone();
        }

        var function = new JsonObject { ["name"] = name };
        if (said.Text("description") is { Length: > 0 } description)
        {
            function["description"] = description;
        }

        var schema =
            said.Get("parameters")
            ?? said.Get(
                "inputSchema",
                "input_schema",
                "arguments",
                "parametersJsonSchema",
                "parameters_json_schema"
            );
        schema = schema.Get("json") ?? schema;
        if (schema.Text() is { } text)
        {
            schema = Decoding.Decode(text, out _);
        }

        if (schema is not null)
        {
            function["parameters"] = schema.DeepClone();
        }

        return new JsonObject { ["type"] = "function", ["function"] = function };
    }
}
