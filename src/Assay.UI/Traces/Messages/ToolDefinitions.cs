using System.Text.Json;

namespace Assay.UI.Traces.Messages;

/// <summary>The tools a call offered to the model, from its inputs or its invocation parameters.</summary>
internal static class ToolDefinitions
{
    public static List<(string Name, string Json)> Read(JsonElement? inputs, JsonElement? extra)
    {
        var found = new List<(string, string)>();
        foreach (
            var holder in (JsonElement?[])
                [
                    inputs,
                    Member(extra, "invocation_params"),
                    Member(Member(extra, "metadata"), "invocation_params"),
                ]
        )
        {
            if (
                found.Count == 0
                && Member(holder, "tools") is { ValueKind: JsonValueKind.Array } tools
            )
            {
                foreach (
                    var tool in tools
                        .EnumerateArray()
                        .Where(t => t.ValueKind == JsonValueKind.Object)
                )
                {
                    var named = Member(tool, "function") ?? tool;
                    found.Add(
                        (
                            MessageReader.Text(named, "name")
                                ?? MessageReader.Text(tool, "type")
                                ?? "tool",
                            tool.GetRawText()
                        )
                    );
                }
            }
        }

        return found;
    }

    private static JsonElement? Member(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } o
        && o.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
            ? value
            : null;
}
