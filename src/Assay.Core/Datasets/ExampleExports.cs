using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Datasets;

/// <summary>Examples as lines of text files. Stateless; everything streams.</summary>
public static class ExampleExports
{
    private static readonly JsonSerializerOptions s_relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>One cell of a CSV file by RFC 4180; no cell that a spreadsheet would run as a formula.</summary>
    public static string Cell(string? text) => CsvColumns.Quote(text ?? "");

    /// <summary>One JSON object per example with id, inputs, outputs, metadata and split: what an import takes back unchanged.</summary>
    public static string JsonLine(Example example)
    {
        var line = new JsonObject
        {
            ["id"] = example.Id.ToString(),
            ["inputs"] = JsonNode.Parse(example.InputsJson),
            ["outputs"] = example.OutputsJson is { } o ? JsonNode.Parse(o) : null,
            ["metadata"] = example.MetadataJson is { } m ? JsonNode.Parse(m) : null,
            ["split"] = new JsonArray([
                .. example.Splits.Select(s => (JsonNode)JsonValue.Create(s)),
            ]),
        };
        if (example.SourceRunId is { } run)
        {
            line["source_run_id"] = run.ToString();
        }

        return line.ToJsonString(s_relaxed);
    }

    /// <summary>
    /// A chat in OpenAI's fine-tuning form, <c>{"messages": […]}</c>: the messages of the inputs, then those of the outputs. A text counts as a
    /// message of the user, or of the assistant. Null when the example holds neither.
    /// </summary>
    public static string? ChatLine(Example example)
    {
        var messages = Chat(example);
        return messages is null
            ? null
            : new JsonObject { ["messages"] = messages }.ToJsonString(s_relaxed);
    }

    /// <summary>The same chat in ShareGPT's form, <c>{"conversations": [{"from", "value"}]}</c>.</summary>
    public static string? ShareGptLine(Example example)
    {
        if (Chat(example) is not { } messages)
        {
            return null;
        }

        return new JsonObject
        {
            ["conversations"] = new JsonArray([
                .. messages.Select(m =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["from"] = m?["role"]?.GetValue<string>() switch
                            {
                                "user" => "human",
                                "assistant" => "gpt",
                                var role => role,
                            },
                            ["value"] =
                                m?["content"] is JsonValue v && v.TryGetValue<string>(out var text)
                                    ? text
                                    : m?["content"]?.ToJsonString(s_relaxed) ?? "",
                        }
                ),
            ]),
        }.ToJsonString(s_relaxed);
    }

    /// <summary>
    /// CSV: one column per input, output and metadata key (<c>input_</c>, <c>output_</c>, <c>metadata_</c> before the name when two sides share
    /// it), then split and id. Values that are not text are JSON. Two passes over the examples: the first finds the columns.
    /// </summary>
    public static async IAsyncEnumerable<string> CsvAsync(
        Func<IAsyncEnumerable<Example>> examples,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var columns = new CsvColumns();
        await foreach (var example in examples().WithCancellation(cancellationToken))
        {
            columns.See(example);
        }

        yield return columns.Header();
        await foreach (var example in examples().WithCancellation(cancellationToken))
        {
            yield return columns.Line(example);
        }
    }

    /// <summary>
    /// A preference for training: <c>{"prompt", "chosen", "rejected"}</c>, each a list of chat messages, as TRL's preference datasets are; or, for
    /// OpenAI's preference fine-tuning, <c>{"input": {"messages"}, "preferred_output", "non_preferred_output"}</c>. Null when an answer is neither chat nor text.
    /// </summary>
    public static string? PreferenceLine(
        Example example,
        string chosenJson,
        string rejectedJson,
        bool isOpenAi
    )
    {
        // Inputs that are no chat and no text are shown to the model as they are.
        var prompt =
            Messages(JsonNode.Parse(example.InputsJson), "user")
            ?? [new JsonObject { ["role"] = "user", ["content"] = example.InputsJson }];
        if (
            Messages(JsonNode.Parse(chosenJson), "assistant") is not { } chosen
            || Messages(JsonNode.Parse(rejectedJson), "assistant") is not { } rejected
        )
        {
            return null;
        }

        static JsonArray List(List<JsonNode> messages) =>
            new([.. messages.Select(m => m.DeepClone())]);
        return (
            isOpenAi
                ? new JsonObject
                {
                    ["input"] = new JsonObject { ["messages"] = List(prompt) },
                    ["preferred_output"] = List(chosen),
                    ["non_preferred_output"] = List(rejected),
                }
                : new JsonObject
                {
                    ["prompt"] = List(prompt),
                    ["chosen"] = List(chosen),
                    ["rejected"] = List(rejected),
                    ["example_id"] = example.Id.ToString(),
                }
        ).ToJsonString(s_relaxed);
    }

    private static JsonArray? Chat(Example example)
    {
        var inputs = Messages(JsonNode.Parse(example.InputsJson), "user");
        var outputs = example.OutputsJson is { } o
            ? Messages(JsonNode.Parse(o), "assistant")
            : null;
        return inputs is null && outputs is null
            ? null
            : new JsonArray([.. (inputs ?? []).Concat(outputs ?? []).Select(m => m.DeepClone())]);
    }

    private static List<JsonNode>? Messages(JsonNode? node, string role)
    {
        if (node is not JsonObject values || values.Count == 0)
        {
            return null;
        }

        // The first list of messages, or else the first message, or else the first text.
        foreach (var (_, value) in values)
        {
            var list = value is JsonArray { Count: > 0 } many
                ? many.Select(Message).ToList()
                : null;
            if (list is not null && list.TrueForAll(m => m is not null))
            {
                return [.. list.OfType<JsonNode>()];
            }
        }

        foreach (var (_, value) in values)
        {
            if (Message(value) is { } one)
            {
                return [one];
            }
        }

        var text = values
            .Select(v => v.Value)
            .OfType<JsonValue>()
            .FirstOrDefault(v => v.GetValueKind() == JsonValueKind.String);
        return text is null
            ? null
            : [new JsonObject { ["role"] = role, ["content"] = text.GetValue<string>() }];
    }

    private static JsonNode? Message(JsonNode? node) =>
        Transformations.ToOpenAi(node) is JsonObject message
        && message["role"] is JsonValue
        && message.ContainsKey("content")
            ? message
            : null;

    private sealed class CsvColumns
    {
        private readonly List<string> _inputs = [];
        private readonly List<string> _outputs = [];
        private readonly List<string> _metadata = [];

        public void See(Example example)
        {
            Add(_inputs, example.InputsJson);
            Add(_outputs, example.OutputsJson);
            Add(_metadata, example.MetadataJson);
        }

        public string Header() =>
            string.Join(
                ',',
                _inputs
                    .Select(n => Name("input_", n, _outputs, _metadata))
                    .Concat(_outputs.Select(n => Name("output_", n, _inputs, _metadata)))
                    .Concat(_metadata.Select(n => Name("metadata_", n, _inputs, _outputs)))
                    .Append("split")
                    .Append("id")
                    .Select(Quote)
            ) + "\r\n";

        public string Line(Example example) =>
            string.Join(
                ',',
                Cells(_inputs, example.InputsJson)
                    .Concat(Cells(_outputs, example.OutputsJson))
                    .Concat(Cells(_metadata, example.MetadataJson))
                    .Append(string.Join('|', example.Splits))
                    .Append(example.Id.ToString())
                    .Select(Quote)
            ) + "\r\n";

        private static void Add(List<string> columns, string? json)
        {
            if (json is not null && JsonNode.Parse(json) is JsonObject values)
            {
                columns.AddRange(values.Select(v => v.Key).Where(k => !columns.Contains(k)));
            }
        }

        private static string Name(
            string prefix,
            string name,
            List<string> other,
            List<string> another
        ) =>
            other.Contains(name) || another.Contains(name) || name is "split" or "id"
                ? prefix + name
                : name;

        private static IEnumerable<string> Cells(List<string> columns, string? json)
        {
            var values = json is null ? null : JsonNode.Parse(json) as JsonObject;
            return columns.Select(c =>
                values?[c] switch
                {
                    null => "",
                    JsonValue v when v.TryGetValue<string>(out var text) => text,
                    var other => other.ToJsonString(s_relaxed),
                }
            );
        }

        public static string Quote(string cell)
        {
            // A spreadsheet runs a cell that begins like a formula; a quote before it makes it text.
            if (
                cell.Length > 0
                && "=+-@\t".Contains(cell[0], StringComparison.Ordinal)
                && !double.TryParse(cell, CultureInfo.InvariantCulture, out _)
            )
            {
                cell = "'" + cell;
            }

            return cell.AsSpan().IndexOfAny(",\"\r\n") < 0
                ? cell
                : new StringBuilder(cell.Length + 8)
                    .Append('"')
                    .Append(cell.Replace("\"", "\"\"", StringComparison.Ordinal))
                    .Append('"')
                    .ToString();
        }
    }
}
