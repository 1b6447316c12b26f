using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping;

/// <summary>Careful looks into decoded JSON: a member that is missing or of another kind is null, never an exception. Pure.</summary>
internal static class Nodes
{
    private static readonly JsonSerializerOptions s_text = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 256,
    };

    /// <summary>A member of an object.</summary>
    public static JsonNode? Get(this JsonNode? node, string name) =>
        node is JsonObject o && o.TryGetPropertyValue(name, out var value) ? value : null;

    /// <summary>The first member that is there and not null.</summary>
    public static JsonNode? Get(this JsonNode? node, string name, params ReadOnlySpan<string> more)
    {
        var found = node.Get(name);
        for (var i = 0; found is null && i < more.Length; i++)
        {
            found = node.Get(more[i]);
        }

        return found;
    }

    /// <summary>Whether an object has the member, null or not.</summary>
    public static bool HasMember(this JsonNode? node, string name) =>
        node is JsonObject o && o.ContainsKey(name);

    /// <summary>The text of a string; null for everything else.</summary>
    public static string? Text(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A member that is a string.</summary>
    public static string? Text(this JsonNode? node, string name) => node.Get(name).Text();

    /// <summary>The first member that is a non-empty string.</summary>
    public static string? Text(this JsonNode? node, string name, params ReadOnlySpan<string> more)
    {
        if (node.Text(name) is { Length: > 0 } first)
        {
            return first;
        }

        foreach (var other in more)
        {
            if (node.Text(other) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>A string as it is, a number or a truth value in its JSON form; null for the rest.</summary>
    public static string? Scalar(this JsonNode? node) =>
        node switch
        {
            null or JsonObject or JsonArray => null,
            _ => node.Text() ?? node.Compact(),
        };

    /// <summary>A finite number, also from text.</summary>
    public static double? Number(this JsonNode? node)
    {
        if (node is not JsonValue value)
        {
            return null;
        }

        if (value.TryGetValue<double>(out var number))
        {
            return double.IsFinite(number) ? number : null;
        }

        if (value.TryGetValue<long>(out var whole))
        {
            return whole;
        }

        return value.TryGetValue<decimal>(out var money) ? (double)money
            : value.TryGetValue<string>(out var text) ? AnyValues.NumberIn(text)
            : null;
    }

    /// <summary>A count: whole, not negative, below 10^15.</summary>
    public static long? Count(this JsonNode? node) =>
        node.Number() is { } number and >= 0 and <= 1e15 ? (long)number : null;

    /// <summary>The items of a list; none for everything else.</summary>
    public static IEnumerable<JsonNode?> Items(this JsonNode? node) => node as JsonArray ?? [];

    /// <summary>JSON text without blanks.</summary>
    public static string Compact(this JsonNode? node) => node?.ToJsonString(s_text) ?? "null";

    /// <summary>A node that stands alone, so that it can be put into another tree.</summary>
    public static JsonNode? Alone(this JsonNode? node) =>
        node?.Parent is null ? node : node.DeepClone();
}
