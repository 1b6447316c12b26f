using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Gateway.Simulation;

/// <summary>Makes a value that fits a JSON schema, always the same for the same seed: enough of 2020-12 for tool arguments and structured answers.</summary>
internal static class SchemaFiller
{
    private const int MaxDepth = 8;
    private const int MaxText = 200;

    public static JsonNode Fill(JsonElement schema, string text, ulong seed) =>
        Value(schema, schema, text, seed, 0) ?? new JsonObject();

    public static Dictionary<string, object?> Object(JsonElement schema, string text, ulong seed) =>
        Fill(schema, text, seed) is JsonObject made
            ? made.ToDictionary(p => p.Key, p => (object?)p.Value, StringComparer.Ordinal)
            : [];

    private static JsonNode? Value(
        JsonElement schema,
        JsonElement root,
        string text,
        ulong seed,
        int depth
    )
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth)
        {
            return null;
        }

        if (
            schema.TryGetProperty("$ref", out var reference)
            && Resolve(root, reference.GetString()) is { } target
        )
        {
            return Value(target, root, text, seed, depth + 1);
        }

        if (schema.TryGetProperty("const", out var constant))
        {
            return JsonNode.Parse(constant.GetRawText());
        }

        if (schema.TryGetProperty("enum", out var choices) && choices.GetArrayLength() > 0)
        {
            return JsonNode.Parse(
                choices[(int)(seed % (ulong)choices.GetArrayLength())].GetRawText()
            );
        }

        foreach (var union in (string[])["anyOf", "oneOf", "allOf"])
        {
            if (schema.TryGetProperty(union, out var options) && options.GetArrayLength() > 0)
            {
                return Value(options[0], root, text, seed, depth + 1);
            }
        }

        return TypeOf(schema) switch
        {
            "string" => text.Length > MaxText ? text[..MaxText] : text,
            "integer" => JsonValue.Create((long)Between(schema, seed, isInteger: true)),
            "number" => JsonValue.Create(Math.Round(Between(schema, seed, isInteger: false), 2)),
            "boolean" => JsonValue.Create(seed % 2 == 0),
            "array" => new JsonArray(
                schema.TryGetProperty("items", out var items)
                    ? [Value(items, root, text, seed, depth + 1)]
                    : []
            ),
            "null" => null,
            _ => Members(schema, root, text, seed, depth),
        };
    }

    private static JsonObject Members(
        JsonElement schema,
        JsonElement root,
        string text,
        ulong seed,
        int depth
    )
    {
        var made = new JsonObject();
        if (!schema.TryGetProperty("properties", out var properties))
        {
            return made;
        }

        foreach (var property in properties.EnumerateObject())
        {
            // Each member gets a seed of its own, or all numbers of an answer would be the same.
            var own = unchecked(
                (seed * 31) + (ulong)property.Name.Sum(c => (long)c) * 2_654_435_761UL
            );
            made[property.Name] = Value(property.Value, root, text, own, depth + 1);
        }

        return made;
    }

    private static string? TypeOf(JsonElement schema) =>
        schema.TryGetProperty("type", out var type)
            ? type.ValueKind == JsonValueKind.Array
                ? type.EnumerateArray().Select(t => t.GetString()).FirstOrDefault(t => t != "null")
                : type.GetString()
            : null;

    private static double Between(JsonElement schema, ulong seed, bool isInteger)
    {
        var low = schema.TryGetProperty("minimum", out var minimum) ? minimum.GetDouble() : 0;
        var high = schema.TryGetProperty("maximum", out var maximum)
            ? maximum.GetDouble()
            : low + (isInteger ? 10 : 1);
        var share = seed % 1_001 / 1_000.0;
        return isInteger
            ? low + Math.Floor(share * (high - low + 0.999))
            : low + (share * (high - low));
    }

    private static JsonElement? Resolve(JsonElement root, string? reference)
    {
        if (reference is null || !reference.StartsWith("#/", StringComparison.Ordinal))
        {
            return null;
        }

        var at = root;
        foreach (var name in reference[2..].Split('/'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                return null;
            }
        }

        return at;
    }
}
