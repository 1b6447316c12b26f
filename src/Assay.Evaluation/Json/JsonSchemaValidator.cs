using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Assay.Evaluation.Json;

/// <summary>
/// Validates JSON against a schema of JSON Schema 2020-12 (json-schema.org/draft/2020-12), the validation and applicator vocabularies with local
/// references (<c>#</c>, <c>#/…</c>, <c>#anchor</c>). <c>definitions</c>, <c>dependencies</c> and array-valued <c>items</c> of older drafts are
/// understood. Never fetches anything: a reference to another document is an invalid schema. <c>format</c> is checked for date-time, date,
/// email, uri, uuid, ipv4 and ipv6. Immutable, safe for concurrent use.
/// </summary>
public sealed class JsonSchemaValidator
{
    private const int MaxErrors = 20;
    private const int MaxDepth = 128;
    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromMilliseconds(250);
    private readonly JsonNode _root;
    private readonly Dictionary<string, JsonNode> _anchors = [];
    private readonly ConcurrentDictionary<string, Regex> _patterns = new(StringComparer.Ordinal);

    /// <summary>Reads a schema.</summary>
    /// <exception cref="FormatException">It is not a schema: a keyword has a value it cannot have, or a reference leads nowhere.</exception>
    public JsonSchemaValidator(JsonNode schema)
    {
        _root = schema;
        Check(schema, "", 0);
        CheckReferences(schema);
    }

    /// <summary>Everything that is wrong with a value, at most 20; empty when it is valid.</summary>
    public IReadOnlyList<JsonSchemaError> Validate(JsonNode? value)
    {
        var errors = new List<JsonSchemaError>();
        Apply(_root, value, "", new SchemaErrors(errors, MaxErrors), 0);
        return errors;
    }

    internal Regex Pattern(string pattern) =>
        _patterns.GetOrAdd(
            pattern,
            p => new Regex(
                p,
                RegexOptions.ECMAScript | RegexOptions.CultureInvariant,
                s_patternTimeout
            )
        );

    internal bool IsValid(JsonNode? schema, JsonNode? value, int depth)
    {
        var errors = new SchemaErrors([], 1);
        Apply(schema, value, "", errors, depth + 1);
        return errors.Count == 0;
    }

    /// <summary>Applies one schema; returns which properties and how many items it evaluated, for the <c>unevaluated</c> keywords.</summary>
    internal Evaluated Apply(
        JsonNode? schema,
        JsonNode? value,
        string path,
        SchemaErrors errors,
        int depth
    )
    {
        var evaluated = new Evaluated();
        if (errors.IsFull)
        {
            return evaluated;
        }

        if (depth > MaxDepth)
        {
            errors.Add(path, "$ref", $"nests more than {MaxDepth} schemas deep");
            return evaluated;
        }

        if (schema is JsonValue flag && flag.TryGetValue<bool>(out var allowed))
        {
            if (!allowed)
            {
                errors.Add(path, "false", "nothing is allowed here");
            }

            return evaluated;
        }

        if (schema is not JsonObject keywords)
        {
            return evaluated;
        }

        var rules = new SchemaRules(this, keywords, path, errors, depth, evaluated);
        rules.Scalars(value);
        rules.Combined(value);
        switch (value)
        {
            case JsonObject o:
                rules.Object(o);
                break;
            case JsonArray a:
                rules.Array(a);
                break;
            default:
                break;
        }

        return evaluated;
    }

    internal JsonNode Resolve(string reference)
    {
        if (!reference.StartsWith('#'))
        {
            throw new FormatException(
                $"$ref '{reference}': only references inside the schema are followed"
            );
        }

        var pointer = Uri.UnescapeDataString(reference[1..]);
        if (pointer.Length == 0)
        {
            return _root;
        }

        if (pointer[0] != '/')
        {
            return _anchors.TryGetValue(pointer, out var anchored)
                ? anchored
                : throw new FormatException($"$ref '{reference}' leads nowhere");
        }

        JsonNode? at = _root;
        foreach (var raw in pointer[1..].Split('/'))
        {
            var step = raw.Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            at = at switch
            {
                JsonObject o => o[step],
                JsonArray a
                    when int.TryParse(step, CultureInfo.InvariantCulture, out var i)
                        && i >= 0
                        && i < a.Count => a[i],
                _ => null,
            };
        }

        return at ?? throw new FormatException($"$ref '{reference}' leads nowhere");
    }

    /// <summary>Finds anchors and refuses keywords with values they cannot have, so that a schema is never silently half used.</summary>
    private void Check(JsonNode? schema, string at, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FormatException($"{at}: nests more than {MaxDepth} deep");
        }

        if (schema is JsonValue flag && flag.TryGetValue<bool>(out _))
        {
            return;
        }

        if (schema is not JsonObject keywords)
        {
            throw new FormatException($"{at}: a schema is an object, true or false");
        }

        foreach (var (keyword, value) in keywords)
        {
            var here = $"{at}/{keyword}";
            switch (keyword)
            {
                case "$anchor":
                    _anchors[Text(value, here)] = keywords;
                    break;
                case "$ref" or "$dynamicRef":
                    _ = Text(value, here);
                    break;
                case "pattern":
                    CheckPattern(Text(value, here), here);
                    break;
                case "type":
                    CheckType(value, here);
                    break;
                case "required"
                or "enum"
                or "allOf"
                or "anyOf"
                or "oneOf"
                or "prefixItems" when value is not JsonArray:
                    throw new FormatException($"{here}: must be an array");
                case "allOf" or "anyOf" or "oneOf" or "prefixItems":
                    foreach (var (item, i) in ((JsonArray)value!).Select((s, i) => (s, i)))
                    {
                        Check(item, $"{here}/{i}", depth + 1);
                    }

                    break;
                case "items" when value is JsonArray tuple:
                    foreach (var item in tuple)
                    {
                        Check(item, here, depth + 1);
                    }

                    break;
                case "not"
                or "if"
                or "then"
                or "else"
                or "items"
                or "additionalItems"
                or "contains"
                or "propertyNames"
                or "additionalProperties"
                or "unevaluatedProperties"
                or "unevaluatedItems":
                    Check(value, here, depth + 1);
                    break;
                case "properties"
                or "patternProperties"
                or "$defs"
                or "definitions"
                or "dependentSchemas":
                    foreach (
                        var (name, inner) in value as JsonObject
                            ?? throw new FormatException($"{here}: must be an object")
                    )
                    {
                        if (keyword == "patternProperties")
                        {
                            CheckPattern(name, here);
                        }

                        Check(inner, $"{here}/{name}", depth + 1);
                    }

                    break;
                case "minimum"
                or "maximum"
                or "exclusiveMinimum"
                or "exclusiveMaximum"
                or "multipleOf"
                or "minLength"
                or "maxLength"
                or "minItems"
                or "maxItems"
                or "minProperties"
                or "maxProperties"
                or "minContains"
                or "maxContains" when !SchemaRules.TryNumber(value, out _):
                    throw new FormatException($"{here}: must be a number");
                default:
                    break;
            }
        }
    }

    private void CheckReferences(JsonNode? at)
    {
        switch (at)
        {
            case JsonObject o:
                foreach (var (key, value) in o)
                {
                    if (
                        key is "$ref" or "$dynamicRef"
                        && value is JsonValue v
                        && v.TryGetValue<string>(out var reference)
                    )
                    {
                        _ = Resolve(reference);
                    }
                    else if (key is not ("enum" or "const" or "default" or "examples"))
                    {
                        CheckReferences(value);
                    }
                }

                break;
            case JsonArray a:
                foreach (var item in a)
                {
                    CheckReferences(item);
                }

                break;
            default:
                break;
        }
    }

    private void CheckPattern(string pattern, string at)
    {
        try
        {
            _ = Pattern(pattern);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"{at}: not a regular expression: {e.Message}", e);
        }
    }

    private static void CheckType(JsonNode? value, string at)
    {
        var names = value is JsonArray many ? many.ToList() : new List<JsonNode?> { value };
        foreach (var name in names)
        {
            if (
                Text(name, at)
                is not (
                    "null"
                    or "boolean"
                    or "object"
                    or "array"
                    or "number"
                    or "string"
                    or "integer"
                )
            )
            {
                throw new FormatException($"{at}: '{name}' is not a type");
            }
        }
    }

    private static string Text(JsonNode? value, string at) =>
        value is JsonValue v && v.TryGetValue<string>(out var text)
            ? text
            : throw new FormatException($"{at}: must be a text");
}

/// <summary>The properties and items that schemas looked at.</summary>
internal sealed class Evaluated
{
    public HashSet<string> Properties { get; } = [];

    public HashSet<int> Items { get; } = [];

    public void Add(Evaluated other)
    {
        Properties.UnionWith(other.Properties);
        Items.UnionWith(other.Items);
    }
}

/// <summary>A bounded list of errors.</summary>
internal sealed class SchemaErrors(List<JsonSchemaError> items, int limit)
{
    public int Count => items.Count;

    public bool IsFull => items.Count >= limit;

    public void Add(string path, string keyword, string message)
    {
        if (!IsFull)
        {
            items.Add(new JsonSchemaError(path, keyword, message));
        }
    }
}
