using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Assay.Evaluation.Json;

/// <summary>The keywords of one schema object applied to one value.</summary>
internal sealed class SchemaRules(
    JsonSchemaValidator validator,
    JsonObject schema,
    string path,
    SchemaErrors errors,
    int depth,
    Evaluated evaluated
)
{
    /// <summary>Keywords about the value itself.</summary>
    public void Scalars(JsonNode? value)
    {
        if (schema["type"] is { } type)
        {
            var names = type is JsonArray many
                ? many.Select(t => t!.GetValue<string>()).ToList()
                : [type.GetValue<string>()];
            if (!names.Any(n => IsType(value, n)))
            {
                Fail("type", $"must be {string.Join(" or ", names)}, is {TypeOf(value)}");
            }
        }

        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => Same(a, value)))
        {
            Fail("enum", $"must be one of {Short(allowed)}");
        }

        if (
            schema.TryGetPropertyValue("const", out var constant)
            && schema.ContainsKey("const")
            && !Same(constant, value)
        )
        {
            Fail("const", $"must be {Short(constant)}");
        }

        if (value is JsonValue && TryNumber(value, out var number))
        {
            Numbers(number);
        }
        else if (value is JsonValue v && v.GetValueKind() == JsonValueKind.String)
        {
            Texts(v.GetValue<string>());
        }
    }

    /// <summary>Keywords that combine schemas.</summary>
    public void Combined(JsonNode? value)
    {
        if ((schema["$ref"] ?? schema["$dynamicRef"]) is { } reference)
        {
            Also(validator.Resolve(reference.GetValue<string>()), value);
        }

        foreach (var inner in schema["allOf"] as JsonArray ?? [])
        {
            Also(inner, value);
        }

        if (schema["anyOf"] is JsonArray any)
        {
            var matching = any.Where(s => validator.IsValid(s, value, depth)).ToList();
            if (matching.Count == 0)
            {
                Fail("anyOf", "meets none of the alternatives" + Closest(any, value));
            }

            matching.ForEach(s => Also(s, value));
        }

        if (schema["oneOf"] is JsonArray one)
        {
            var matching = one.Where(s => validator.IsValid(s, value, depth)).ToList();
            if (matching.Count == 1)
            {
                Also(matching[0], value);
            }
            else
            {
                Fail(
                    "oneOf",
                    matching.Count == 0
                        ? "meets none of the alternatives" + Closest(one, value)
                        : $"meets {matching.Count} alternatives instead of one"
                );
            }
        }

        if (schema["not"] is { } not && validator.IsValid(not, value, depth))
        {
            Fail("not", "meets a schema that it must not meet");
        }

        if (schema["if"] is { } condition)
        {
            var holds = validator.IsValid(condition, value, depth);
            if (holds)
            {
                Also(condition, value);
            }

            if (schema[holds ? "then" : "else"] is { } branch)
            {
                Also(branch, value);
            }
        }
    }

    /// <summary>Keywords about objects.</summary>
    public void Object(JsonObject value)
    {
        Bound("minProperties", value.Count, atLeast: true, "properties");
        Bound("maxProperties", value.Count, atLeast: false, "properties");
        foreach (var name in schema["required"] as JsonArray ?? [])
        {
            if (name?.GetValue<string>() is { } key && !value.ContainsKey(key))
            {
                Fail("required", $"'{key}' is missing");
            }
        }

        foreach (
            var (key, needed) in schema["dependentRequired"] as JsonObject
                ?? schema["dependencies"] as JsonObject
                ?? []
        )
        {
            foreach (
                var name in value.ContainsKey(key) ? needed as JsonArray ?? [] : new JsonArray()
            )
            {
                if (name?.GetValue<string>() is { } other && !value.ContainsKey(other))
                {
                    Fail("dependentRequired", $"'{other}' is needed beside '{key}'");
                }
            }
        }

        foreach (var (key, inner) in schema["dependentSchemas"] as JsonObject ?? [])
        {
            if (value.ContainsKey(key))
            {
                Also(inner, value);
            }
        }

        var named = schema["properties"] as JsonObject;
        var patterned = schema["patternProperties"] as JsonObject;
        var local = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, item) in value)
        {
            if (
                schema["propertyNames"] is { } names
                && !validator.IsValid(names, JsonValue.Create(key), depth)
            )
            {
                Fail("propertyNames", $"the name '{key}' is not allowed");
            }

            if (named?.TryGetPropertyValue(key, out var inner) == true)
            {
                local.Add(key);
                validator.Apply(inner, item, Below(key), errors, depth + 1);
            }

            foreach (var (pattern, matching) in patterned ?? [])
            {
                if (IsMatch(pattern, key))
                {
                    local.Add(key);
                    validator.Apply(matching, item, Below(key), errors, depth + 1);
                }
            }

            if (!local.Contains(key) && schema["additionalProperties"] is { } rest)
            {
                local.Add(key);
                More(rest, item, key, "additionalProperties");
            }
        }

        evaluated.Properties.UnionWith(local);
        if (schema["unevaluatedProperties"] is { } unevaluated)
        {
            foreach (var (key, item) in value.Where(p => !evaluated.Properties.Contains(p.Key)))
            {
                More(unevaluated, item, key, "unevaluatedProperties");
            }

            evaluated.Properties.UnionWith(value.Select(p => p.Key));
        }
    }

    /// <summary>Keywords about arrays.</summary>
    public void Array(JsonArray value)
    {
        Bound("minItems", value.Count, atLeast: true, "items");
        Bound("maxItems", value.Count, atLeast: false, "items");
        var tuple = schema["prefixItems"] as JsonArray ?? schema["items"] as JsonArray;
        var rest = schema["items"] is JsonArray ? schema["additionalItems"] : schema["items"];
        for (var i = 0; i < value.Count; i++)
        {
            var inner = i < tuple?.Count ? tuple[i] : rest;
            if (inner is not null)
            {
                evaluated.Items.Add(i);
                validator.Apply(
                    inner,
                    value[i],
                    Below(i.ToString(CultureInfo.InvariantCulture)),
                    errors,
                    depth + 1
                );
            }
        }

        if (schema["contains"] is { } wanted)
        {
            var found = Enumerable
                .Range(0, value.Count)
                .Where(i => validator.IsValid(wanted, value[i], depth))
                .ToList();
            evaluated.Items.UnionWith(found);
            var least = TryNumber(schema["minContains"], out var min) ? min : 1;
            if (found.Count < least)
            {
                Fail("contains", $"needs {least} matching items, has {found.Count}");
            }

            if (TryNumber(schema["maxContains"], out var most) && found.Count > most)
            {
                Fail("maxContains", $"may have {most} matching items, has {found.Count}");
            }
        }

        if (
            schema["uniqueItems"] is JsonValue unique
            && unique.TryGetValue<bool>(out var mustDiffer)
            && mustDiffer
            && value.Where((item, i) => value.Take(i).Any(o => Same(o, item))).Any()
        )
        {
            Fail("uniqueItems", "has equal items");
        }

        if (schema["unevaluatedItems"] is { } unevaluated)
        {
            for (var i = 0; i < value.Count; i++)
            {
                if (evaluated.Items.Add(i))
                {
                    More(
                        unevaluated,
                        value[i],
                        i.ToString(CultureInfo.InvariantCulture),
                        "unevaluatedItems"
                    );
                }
            }
        }
    }

    public static bool TryNumber(JsonNode? value, out decimal number)
    {
        number = 0;
        if (value is not JsonValue v || v.GetValueKind() != JsonValueKind.Number)
        {
            return false;
        }

        if (
            decimal.TryParse(
                v.ToJsonString(),
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out number
            )
        )
        {
            return true;
        }

        // Beyond the range of decimal: the sign and the size are all that matters there.
        number = v.ToJsonString().StartsWith('-') ? decimal.MinValue : decimal.MaxValue;
        return true;
    }

    private void Numbers(decimal number)
    {
        Limit("minimum", l => number >= l, l => $"must be at least {l}");
        Limit("maximum", l => number <= l, l => $"must be at most {l}");
        Limit("exclusiveMinimum", l => number > l, l => $"must be more than {l}");
        Limit("exclusiveMaximum", l => number < l, l => $"must be less than {l}");
        Limit("multipleOf", l => l == 0 || number % l == 0, l => $"must be a multiple of {l}");
    }

    private void Limit(string keyword, Func<decimal, bool> holds, Func<decimal, string> message)
    {
        if (TryNumber(schema[keyword], out var limit) && !holds(limit))
        {
            Fail(keyword, message(limit));
        }
    }

    private void Texts(string text)
    {
        var length = text.EnumerateRunes().Count();
        Bound("minLength", length, atLeast: true, "characters");
        Bound("maxLength", length, atLeast: false, "characters");
        if (schema["pattern"]?.GetValue<string>() is { } pattern && !IsMatch(pattern, text))
        {
            Fail("pattern", $"does not match {pattern}");
        }

        if (
            schema["format"] is JsonValue f
            && f.TryGetValue<string>(out var format)
            && !HasFormat(text, format)
        )
        {
            Fail("format", $"is not a {format}");
        }
    }

    private static bool HasFormat(string text, string format) =>
        format switch
        {
            "date-time" => text.Length > 10
                && DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.None,
                    out _
                ),
            "date" => DateOnly.TryParseExact(
                text,
                "yyyy-MM-dd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out _
            ),
            "email" => text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at
                && at < text.Length - 1
                && !text.Contains(' ', StringComparison.Ordinal),
            "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
            "uuid" => Guid.TryParseExact(text, "D", out _),
            "ipv4" => IPAddress.TryParse(text, out var four)
                && four.AddressFamily == AddressFamily.InterNetwork,
            "ipv6" => IPAddress.TryParse(text, out var six)
                && six.AddressFamily == AddressFamily.InterNetworkV6,
            _ => true,
        };

    private bool IsMatch(string pattern, string text)
    {
        try
        {
            return validator.Pattern(pattern).IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            Fail("pattern", $"{pattern} takes too long to check");
            return true;
        }
    }

    private void Bound(string keyword, int count, bool atLeast, string unit)
    {
        if (TryNumber(schema[keyword], out var limit) && (atLeast ? count < limit : count > limit))
        {
            Fail(
                keyword,
                $"must have at {(atLeast ? "least" : "most")} {limit} {unit}, has {count}"
            );
        }
    }

    /// <summary>Says of the alternative that fails least what is wrong with it.</summary>
    private string Closest(JsonArray alternatives, JsonNode? value)
    {
        List<JsonSchemaError>? best = null;
        foreach (var alternative in alternatives)
        {
            var found = new List<JsonSchemaError>();
            validator.Apply(alternative, value, path, new SchemaErrors(found, 5), depth + 1);
            best = best is null || found.Count < best.Count ? found : best;
        }

        return best is [var first, ..] ? $" (closest: {first})" : "";
    }

    private void Also(JsonNode? inner, JsonNode? value) =>
        evaluated.Add(validator.Apply(inner, value, path, errors, depth + 1));

    private void More(JsonNode inner, JsonNode? item, string key, string keyword)
    {
        if (inner is JsonValue flag && flag.TryGetValue<bool>(out var allowed))
        {
            if (!allowed)
            {
                errors.Add(Below(key), keyword, "is not allowed");
            }
        }
        else
        {
            validator.Apply(inner, item, Below(key), errors, depth + 1);
        }
    }

    private string Below(string step) =>
        $"{path}/{step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    private void Fail(string keyword, string message) => errors.Add(path, keyword, message);

    private static bool Same(JsonNode? a, JsonNode? b) =>
        TryNumber(a, out var x) && TryNumber(b, out var y) ? x == y : JsonNode.DeepEquals(a, b);

    private static bool IsType(JsonNode? value, string type) =>
        TypeOf(value) is var is_
        && (
            is_ == type
            || (type == "number" && is_ == "integer")
            || (type == "integer" && TryNumber(value, out var n) && n == decimal.Truncate(n))
        );

    private static string TypeOf(JsonNode? value) =>
        value?.GetValueKind() switch
        {
            null or JsonValueKind.Null => "null",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => TryNumber(value, out var n) && n == decimal.Truncate(n)
                ? "integer"
                : "number",
            JsonValueKind.String => "string",
            JsonValueKind.Array => "array",
            _ => "object",
        };

    private static string Short(JsonNode? value)
    {
        var text = value?.ToJsonString() ?? "null";
        return text.Length <= 200 ? text : text[..200] + "…";
    }
}
