using System.Text.Json;

namespace Assay.UI.Queues;

/// <summary>Finds the text inside outputs that is the answer, so that people can correct words instead of JSON.</summary>
internal static class AnswerPath
{
    private const int MaxDepth = 8;
    private static readonly string[] s_names =
    [
        "output",
        "answer",
        "content",
        "text",
        "response",
        "result",
        "completion",
        "message",
        "kwargs",
        "choices",
        "generations",
        "messages",
    ];

    /// <summary>Steps to the text: names and positions; null when there is none that stands out.</summary>
    public static IReadOnlyList<object>? Find(JsonElement outputs) => Find(outputs, 0);

    private static IReadOnlyList<object>? Find(JsonElement at, int depth)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        switch (at.ValueKind)
        {
            case JsonValueKind.String:
                return [];
            case JsonValueKind.Array
                when at.GetArrayLength() > 0
                    && Find(at[at.GetArrayLength() - 1], depth + 1) is { } rest:
                return [at.GetArrayLength() - 1, .. rest];
            case JsonValueKind.Object:
                foreach (var name in Names(at))
                {
                    if (
                        at.TryGetProperty(name, out var inner) && Find(inner, depth + 1) is { } path
                    )
                    {
                        return [name, .. path];
                    }
                }

                return null;
            default:
                return null;
        }
    }

    private static string[] Names(JsonElement at)
    {
        string[] own = [.. at.EnumerateObject().Select(p => p.Name).Take(2)];
        return own.Length == 1 ? own : s_names;
    }
}
