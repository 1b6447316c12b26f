using System.Text.Json;
using Assay.Evaluation.Json;

namespace Assay.Evaluation;

/// <summary>Finds the text of an answer inside the JSON a run or example carries.</summary>
/// <remarks>
/// With a path, the value there. Without one, the first rule that applies: a string is itself; a number or boolean is its
/// JSON text; a chat message is its content, text blocks joined; a list of messages is its last message; a chat completion
/// is its first choice; an object is the first of <c>output, answer, text, content, response, result, completion,
/// prediction, generation, message, messages</c> it has; an object with one property is that property.
/// Anything else has no text, and the evaluator says so rather than comparing JSON syntax.
/// </remarks>
public static class AnswerText
{
    private const int MaxDepth = 8;

    private static readonly string[] s_names =
    [
        "output",
        "answer",
        "text",
        "content",
        "response",
        "result",
        "completion",
        "prediction",
        "generation",
        "message",
        "messages",
    ];

    /// <summary>The text, or null when there is none by the rules above.</summary>
    public static string? Read(JsonElement? value, JsonPath? path = null)
    {
        if (value is not { } element)
        {
            return null;
        }

        if (path is not null)
        {
            var found = path.Select(element).Take(1).ToList();
            return found.Count == 0 ? null : Read(found[0], 0);
        }

        return Read(element, 0);
    }

    /// <summary>
    /// The acceptable texts of a reference: an array of strings, at the path or directly under the usual names, is several;
    /// everything else is the one text <see cref="Read(JsonElement?, JsonPath?)"/> finds.
    /// </summary>
    public static IReadOnlyList<string> ReadAlternatives(JsonElement? value, JsonPath? path = null)
    {
        if (value is not { } element)
        {
            return [];
        }

        if (path is not null)
        {
            return [.. path.Select(element).SelectMany(Alternatives)];
        }

        return Alternatives(element);
    }

    private static IReadOnlyList<string> Alternatives(JsonElement element)
    {
        var list = element;
        if (element.ValueKind == JsonValueKind.Object)
        {
            var inner = element.EnumerateObject().ToList();
            if (inner.Count == 1)
            {
                list = inner[0].Value;
            }
            else if (s_names.FirstOrDefault(n => element.TryGetProperty(n, out _)) is { } name)
            {
                list = element.GetProperty(name);
            }
        }

        if (
            list.ValueKind == JsonValueKind.Array
            && list.GetArrayLength() > 0
            && list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String)
        )
        {
            return [.. list.EnumerateArray().Select(e => e.GetString() ?? "")];
        }

        return Read(element, 0) is { } text ? [text] : [];
    }

    private static string? Read(JsonElement element, int depth)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        return element.ValueKind switch
        {
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False =>
                element.GetRawText(),
            JsonValueKind.Array => ReadArray(element, depth),
            JsonValueKind.Object => ReadObject(element, depth),
            _ => null,
        };
    }

    private static string? ReadArray(JsonElement array, int depth)
    {
        var items = array.EnumerateArray().ToList();
        if (items.Count == 0)
        {
            return null;
        }

        // Content blocks of one message are joined; of a list of messages the last one is the answer.
        var blocks = items.Select(BlockText).ToList();
        if (blocks.Any(b => b is not null))
        {
            return string.Concat(blocks);
        }

        var isMessages = items.All(i =>
            i.ValueKind == JsonValueKind.Object
            && (i.TryGetProperty("role", out _) || i.TryGetProperty("content", out _))
        );
        return isMessages || items.Count == 1 ? Read(items[^1], depth + 1) : null;
    }

    private static string? BlockText(JsonElement block) =>
        block.ValueKind == JsonValueKind.Object
        && block.TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String
        && type.GetString() is "text" or "output_text"
        && block.TryGetProperty("text", out var text)
        && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;

    private static string? ReadObject(JsonElement element, int depth)
    {
        if (
            element.TryGetProperty("role", out _)
            && element.TryGetProperty("content", out var content)
        )
        {
            return Read(content, depth + 1);
        }

        if (
            element.TryGetProperty("choices", out var choices)
            && choices.ValueKind == JsonValueKind.Array
            && choices.GetArrayLength() > 0
        )
        {
            return Read(choices[0], depth + 1);
        }

        foreach (var name in s_names)
        {
            if (element.TryGetProperty(name, out var value))
            {
                return Read(value, depth + 1);
            }
        }

        var properties = element.EnumerateObject().Take(2).ToList();
        return properties.Count == 1 ? Read(properties[0].Value, depth + 1) : null;
    }
}
