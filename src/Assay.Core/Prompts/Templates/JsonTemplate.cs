using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Prompts.Templates;

/// <summary>
/// A JSON object whose texts are templates, at any depth: LangChain's <c>DictPromptTemplate</c>, which holds the parts of messages that are neither
/// text nor image (sound, files, a provider's own). Names of fields, numbers and truths stay as they are. Immutable, thread-safe.
/// </summary>
public sealed class JsonTemplate
{
    // Deeper than any part of a message, shallower than the stack.
    private const int MaxDepth = 64;
    private readonly JsonElement _json;

    private JsonTemplate(TemplateFormat format, JsonElement json, IReadOnlyList<string> names)
    {
        Format = format;
        _json = json;
        Names = names;
    }

    /// <summary>The format of its texts.</summary>
    public TemplateFormat Format { get; }

    /// <summary>Variables, each once, in the order of first use.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The object as it is written.</summary>
    public JsonElement Written => _json;

    /// <summary>Reads an object.</summary>
    /// <exception cref="TemplateException">A text in it is not well formed.</exception>
    /// <exception cref="InvalidPromptException">It is nested too deeply.</exception>
    public static JsonTemplate Parse(TemplateFormat format, JsonElement json) =>
        new(
            format,
            json.Clone(),
            [.. Texts(json, 0).SelectMany(t => PromptTemplate.Parse(format, t).Names).Distinct()]
        );

    /// <summary>The object with its variables filled in.</summary>
    /// <exception cref="TemplateException">A variable has no value.</exception>
    public JsonElement Render(IReadOnlyDictionary<string, JsonElement> values) =>
        JsonSerializer.SerializeToElement(
            Map(
                JsonNode.Parse(_json.GetRawText()),
                text => PromptTemplate.Parse(Format, text).Render(values)
            )
        );

    /// <summary>The texts of an object, at any depth.</summary>
    /// <exception cref="InvalidPromptException">It is nested too deeply.</exception>
    public static IEnumerable<string> Texts(JsonElement json) => Texts(json, 0);

    /// <summary>A copy with every text exchanged.</summary>
    public static JsonNode? Map(JsonNode? json, Func<string, string> text) =>
        json switch
        {
            JsonObject item => new JsonObject(
                item.Select(p => KeyValuePair.Create(p.Key, Map(p.Value, text)))
            ),
            JsonArray items => new JsonArray([.. items.Select(i => Map(i, text))]),
            JsonValue value when value.TryGetValue<string>(out var words) => text(words),
            _ => json?.DeepClone(),
        };

    private static IEnumerable<string> Texts(JsonElement json, int depth) =>
        depth > MaxDepth
            ? throw new InvalidPromptException("A part of a message is nested too deeply")
            : json.ValueKind switch
            {
                JsonValueKind.String => [json.GetString()!],
                JsonValueKind.Object => json.EnumerateObject()
                    .SelectMany(p => Texts(p.Value, depth + 1)),
                JsonValueKind.Array => json.EnumerateArray().SelectMany(i => Texts(i, depth + 1)),
                _ => [],
            };
}
