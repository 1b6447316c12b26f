using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Datasets;

/// <summary>A first schema from values at hand: types, and as required what every value has. Stateless.</summary>
public static class SchemaInference
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>The schema that all of these JSON objects meet, as indented JSON text; empty without any.</summary>
    public static string Of(IEnumerable<string> values)
    {
        var nodes = values.Select(v => JsonNode.Parse(v)).ToList();
        return nodes.Count == 0 ? "" : Infer(nodes, 0).ToJsonString(s_indented);
    }

    private static JsonObject Infer(IReadOnlyList<JsonNode?> values, int depth)
    {
        var types = values.Select(TypeOf).Distinct(StringComparer.Ordinal).ToList();
        if (types.Contains("number"))
        {
            types.Remove("integer");
        }

        var schema = new JsonObject
        {
            ["type"] =
                types.Count == 1
                    ? types[0]
                    : new JsonArray([.. types.Select(t => (JsonNode)JsonValue.Create(t))]),
        };
        var objects = values.OfType<JsonObject>().ToList();
        if (objects.Count > 0 && depth < 6)
        {
            var properties = new JsonObject();
            var required = new JsonArray();
            foreach (
                var name in objects
                    .SelectMany(o => o.Select(p => p.Key))
                    .Distinct(StringComparer.Ordinal)
                    .ToList()
            )
            {
                var having = objects.Where(o => o.ContainsKey(name)).ToList();
                properties[name] = Infer([.. having.Select(o => o[name])], depth + 1);
                if (having.Count == objects.Count)
                {
                    required.Add(name);
                }
            }

            schema["properties"] = properties;
            if (required.Count > 0)
            {
                schema["required"] = required;
            }
        }

        var items = values.OfType<JsonArray>().SelectMany(a => a).ToList();
        if (items.Count > 0 && depth < 6)
        {
            schema["items"] = Infer(items, depth + 1);
        }

        return schema;
    }

    private static string TypeOf(JsonNode? value) =>
        value?.GetValueKind() switch
        {
            null or JsonValueKind.Null => "null",
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => value.ToJsonString().AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? "integer" : "number",
        };
}
