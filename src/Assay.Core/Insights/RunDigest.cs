using System.Text;
using System.Text.Json;
using Assay.Core.Traces;

namespace Assay.Core.Insights;

/// <summary>A run as a model is to read it: its values as lines of text, messages by their roles, cut in the middle where it is long. Pure.</summary>
internal static class RunDigest
{
    /// <summary>The longest text of inputs, and of outputs, in characters.</summary>
    public const int MaxPart = 6_000;

    private const int MaxError = 1_000;
    private const int MaxSystem = 300;
    private const int MaxDepth = 12;
    private const int MaxLines = 500;

    public static string Of(Run run, Run? inputs, Run? outputs)
    {
        var text = new StringBuilder();
        text.Append("Name: ").AppendLine(run.Name);
        if (Part(inputs ?? run, PayloadKind.Inputs) is { Length: > 0 } given)
        {
            text.AppendLine("Input:").AppendLine(given);
        }

        if (Part(outputs ?? run, PayloadKind.Outputs) is { Length: > 0 } made)
        {
            text.AppendLine("Output:").AppendLine(made);
        }

        if (run.Error is { } error)
        {
            text.Append("Error: ")
                .AppendLine(error.Length > MaxError ? error[..MaxError] + "…" : error);
        }

        return text.ToString();
    }

    private static string Part(Run run, PayloadKind kind)
    {
        if (!run.Payloads.TryGetValue(kind, out var utf8) || utf8.IsEmpty)
        {
            return "";
        }

        var lines = new List<string>();
        try
        {
            using var json = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 512 });
            Write(json.RootElement, null, lines, 0);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Halves of characters in a text: there is nothing to hand over.
            return "";
        }

        var text = string.Join('\n', lines);
        // Beginning and end say the most: what was asked for first, and what came of it last.
        return text.Length <= MaxPart
            ? text
            : $"{Head(text, MaxPart * 2 / 3)}\n[…]\n{Tail(text, MaxPart / 3)}";
    }

    private static void Write(JsonElement json, string? name, List<string> lines, int depth)
    {
        if (depth > MaxDepth || lines.Count >= MaxLines)
        {
            return;
        }

        switch (json.ValueKind)
        {
            case JsonValueKind.Object when Said(json) is var (role, content):
                Write(content, role, lines, depth + 1);
                if (json.TryGetProperty("tool_calls", out var calls))
                {
                    Write(calls, $"{role} calls", lines, depth + 1);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in json.EnumerateObject())
                {
                    Write(property.Value, property.Name, lines, depth + 1);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                {
                    Write(item, name, lines, depth + 1);
                }

                break;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                break;
            default:
                var text = json.ToString();
                // Files and embeddings in text say nothing to a reader.
                if (text.Length > 0 && !(text.Length > 2_000 && !text.Contains(' ')))
                {
                    if (name == "system" && text.Length > MaxSystem)
                    {
                        // The same in every run, and paid for in each.
                        text = $"{Head(text, MaxSystem)}…";
                    }

                    lines.Add(name is null ? text : $"{name}: {text}");
                }

                break;
        }
    }

    /// <summary>A chat message: who, and what.</summary>
    private static (string Role, JsonElement Content)? Said(JsonElement json) =>
        (json.TryGetProperty("role", out var role) || json.TryGetProperty("type", out role))
        && role.ValueKind == JsonValueKind.String
        && json.TryGetProperty("content", out var content)
            ? (role.GetString()!, content)
            : null;

    private static string Head(string text, int length) =>
        text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    private static string Tail(string text, int length) =>
        text[
            (char.IsLowSurrogate(text[^length]) ? text.Length - length + 1 : text.Length - length)..
        ];
}
