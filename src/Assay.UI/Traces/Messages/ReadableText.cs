using System.Text;
using System.Text.Json;
using Assay.UI.Kit;

namespace Assay.UI.Traces.Messages;

/// <summary>A payload as text for reading and comparing: conversations as messages, strings as they are, everything else as indented JSON.</summary>
internal static class ReadableText
{
    /// <summary>The text of a payload.</summary>
    public static string Of(JsonElement payload)
    {
        var messages = MessageReader.Read(payload);
        if (messages.Count > 0)
        {
            return string.Join(
                "\n\n",
                messages.Select(m =>
                    $"{m.Role}{(m.Name is { Length: > 0 } name ? " " + name : null)}:\n{m.PlainText}"
                )
            );
        }

        if (payload.ValueKind != JsonValueKind.Object)
        {
            return Value(payload);
        }

        var fields = payload.EnumerateObject().ToList();
        if (fields is [var only])
        {
            return Value(only.Value);
        }

        var text = new StringBuilder();
        foreach (var field in fields)
        {
            text.Append(text.Length == 0 ? "" : "\n")
                .Append(field.Name)
                .Append(
                    field.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
                    || (
                        field.Value.ValueKind == JsonValueKind.String
                        && field.Value.GetString()!.Contains('\n', StringComparison.Ordinal)
                    )
                        ? ":\n"
                        : ": "
                )
                .Append(Value(field.Value));
        }

        return text.ToString();
    }

    private static string Value(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
            ? value.GetString() ?? ""
            : ReadableJson.Indented(value);
}
