using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Evaluation;
using Assay.Evaluation.Json;

namespace Assay.Core.Evaluators.Judges;

/// <summary>
/// Where a variable of a judge's prompt comes from: a part of the row, then a path into it, then <c>?</c> when it may be missing
/// (<c>inputs</c>, <c>outputs.answer</c>, <c>reference.answer?</c>, <c>inputs.messages[-1].content</c>). Without a path it is the readable text of
/// the part; <c>outputs.$</c> is its whole JSON. Immutable.
/// </summary>
public sealed record VariableSource
{
    private static readonly string[] s_parts =
    [
        "inputs",
        "outputs",
        "reference",
        "other",
        "tool_calls",
        "documents",
        "error",
    ];

    private readonly JsonPath? _path;

    private VariableSource(string text, string part, JsonPath? path, bool isOptional)
    {
        Text = text;
        Part = part;
        _path = path;
        IsOptional = isOptional;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>The part of the row.</summary>
    public string Part { get; }

    /// <summary>The judge also works when there is no value; the variable is empty then.</summary>
    public bool IsOptional { get; }

    /// <summary>Reads where a variable comes from.</summary>
    /// <exception cref="InvalidEvaluatorException">It is no such place.</exception>
    public static VariableSource Parse(string variable, string text)
    {
        var trimmed = text.Trim();
        var isOptional = trimmed.EndsWith('?');
        var place = isOptional ? trimmed[..^1] : trimmed;
        var end = place.IndexOfAny(['.', '[']);
        var part = end < 0 ? place : place[..end];
        if (!s_parts.Contains(part))
        {
            throw new InvalidEvaluatorException(
                $"mapping.{variable}",
                $"'{text}' must begin with one of {string.Join(", ", s_parts)}"
            );
        }

        try
        {
            var path =
                end < 0
                    ? null
                    : JsonPath.Parse(place[end] == '.' ? place[(end + 1)..] : place[end..]);
            return new VariableSource(trimmed, part, path, isOptional);
        }
        catch (Exception e) when (e is FormatException or IndexOutOfRangeException)
        {
            throw new InvalidEvaluatorException($"mapping.{variable}", e.Message, e);
        }
    }

    /// <summary>The usual place for a variable that nobody mapped, by its name; null when the name says nothing.</summary>
    public static string? Usual(string variable) =>
        variable.ToLowerInvariant() switch
        {
            "input" or "inputs" or "question" or "query" or "prompt" or "task" => "inputs",
            "output" or "outputs" or "answer" or "response" or "prediction" or "completion" =>
                "outputs",
            "reference"
            or "reference_output"
            or "reference_outputs"
            or "expected"
            or "ground_truth" => "reference",
            "context" or "documents" or "sources" => "documents",
            "tool_calls" or "trajectory" or "steps" => "tool_calls",
            "first" or "answer_a" or "output_a" => "outputs",
            "second" or "answer_b" or "output_b" or "other" => "other",
            "error" => "error",
            _ => null,
        };

    /// <summary>The value in a row; null when there is none.</summary>
    public JsonElement? Find(EvaluationInput input)
    {
        var found = Part switch
        {
            "inputs" => input.Inputs,
            "outputs" => input.Outputs,
            "reference" => input.ReferenceOutputs,
            "other" => input.OtherOutputs,
            "tool_calls" => input.ToolCalls is { } calls
                ? JsonSerializer.SerializeToElement(
                    calls.Select(c => new { name = c.Name, arguments = c.Arguments })
                )
                : null,
            "documents" => input.Documents is { } documents
                ? JsonSerializer.SerializeToElement(
                    documents.Select(d => new { id = d.Id, text = d.Text })
                )
                : null,
            _ => input.Facts.Error is { Length: > 0 } error
                ? JsonSerializer.SerializeToElement(error)
                : (JsonElement?)null,
        };
        if (found is not { } element || element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (_path is null)
        {
            return Readable(input, element) is { Length: > 0 } text
                ? JsonSerializer.SerializeToElement(text)
                : null;
        }

        var values = _path.Select(element).ToList();
        return values switch
        {
            [] => null,
            _ when _path.HasWildcard => JsonSerializer.SerializeToElement(values),
            [{ ValueKind: JsonValueKind.Null }] => null,
            [{ ValueKind: JsonValueKind.String } text]
                when string.IsNullOrEmpty(text.GetString()) => null,
            [var only] => only.Clone(),
            _ => values[0].Clone(),
        };
    }

    private string Readable(EvaluationInput input, JsonElement element) =>
        Part switch
        {
            "tool_calls" => string.Join(
                '\n',
                input.ToolCalls!.Select((c, i) => $"{i + 1}. {c.Name}({c.Arguments?.GetRawText()})")
            ),
            "documents" => string.Join(
                "\n\n",
                input.Documents!.Select((d, i) => $"[{i + 1}] {d.Id}\n{d.Text}")
            ),
            // What was asked is shown whole: the instructions beside a question matter as much as the question.
            "inputs" => Transcript(element) ?? Single(element) ?? element.GetRawText(),
            _ => AnswerText.Read(element) ?? element.GetRawText(),
        };

    private static string? Single(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Object when element.EnumerateObject().Take(2).ToList() is [var only] =>
                Transcript(only.Value)
                    ?? (
                        only.Value.ValueKind == JsonValueKind.String ? only.Value.GetString() : null
                    ),
            _ => null,
        };

    private static string? Transcript(JsonElement element)
    {
        if (
            element.ValueKind != JsonValueKind.Array
            || element.GetArrayLength() == 0
            || element
                .EnumerateArray()
                .Any(m =>
                    m.ValueKind != JsonValueKind.Object
                    || !m.TryGetProperty("role", out _)
                    || !m.TryGetProperty("content", out _)
                )
        )
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var message in element.EnumerateArray())
        {
            var content = message.GetProperty("content");
            text.Append(
                CultureInfo.InvariantCulture,
                $"{(text.Length > 0 ? "\n\n" : "")}{message.GetProperty("role")}: {AnswerText.Read(content) ?? content.GetRawText()}"
            );
        }

        return text.ToString();
    }
}
