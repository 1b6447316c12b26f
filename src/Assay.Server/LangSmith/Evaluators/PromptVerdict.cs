using System.Text;
using System.Text.Json;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;

namespace Assay.Server.LangSmith.Evaluators;

/// <summary>
/// LangSmith's judges answer by the schema of their structured prompt: the property that is no comment is the feedback key, its type the form of the verdict.
/// </summary>
internal static class PromptVerdict
{
    private static readonly string[] s_comments =
    [
        "comment",
        "comments",
        "reason",
        "reasoning",
        "explanation",
    ];

    /// <summary>Key and form; a prompt without a schema answers yes or no under a key made of the name.</summary>
    public static (string Key, VerdictForm Form) Of(PromptCommit commit, string name)
    {
        JsonElement? schema;
        try
        {
            schema = ChatPrompt.FromManifest(JsonElement.Parse(commit.Manifest)).OutputSchema;
        }
        catch (TemplateException e)
        {
            throw new InvalidEvaluatorException("prompt_repo_handle", e.Message, e);
        }

        if (
            schema is { } given
            && given.Field("properties") is { ValueKind: JsonValueKind.Object } properties
        )
        {
            foreach (var property in properties.EnumerateObject())
            {
                if (
                    !s_comments.Contains(property.Name, StringComparer.OrdinalIgnoreCase)
                    && FormOf(property.Value) is { } form
                )
                {
                    return (property.Name, form);
                }
            }
        }

        return (KeyOf(name), new VerdictForm { Kind = VerdictKind.Boolean });
    }

    /// <summary>A feedback key out of a name: lower case, words joined by underscores.</summary>
    public static string KeyOf(string name)
    {
        var key = new StringBuilder();
        foreach (var c in name.Trim().ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(c))
            {
                key.Append(c);
            }
            else if (key.Length > 0 && key[^1] != '_')
            {
                key.Append('_');
            }
        }

        return key.ToString().TrimEnd('_') is { Length: > 0 } made ? made : "score";
    }

    /// <summary>LangSmith's paths (<c>input.question</c>, <c>output</c>, <c>referenceOutput.answer</c>) as ours.</summary>
    public static Dictionary<string, string> Mapping(JsonElement mapping)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        if (mapping.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return read;
        }

        if (mapping.ValueKind != JsonValueKind.Object)
        {
            throw BodyFields.Wrong("variable_mapping", "an object of texts");
        }

        foreach (var entry in mapping.EnumerateObject())
        {
            var path =
                entry.Value.ValueKind == JsonValueKind.String
                    ? entry.Value.GetString()!
                    : throw BodyFields.Wrong($"variable_mapping.{entry.Name}", "a text");
            var end = path.IndexOfAny(['.', '[']);
            var (part, rest) = end < 0 ? (path, "") : (path[..end], path[end..]);
            read[entry.Name] =
                part switch
                {
                    "input" => "inputs",
                    "output" => "outputs",
                    "referenceOutput"
                    or "reference_output"
                    or "reference_outputs"
                    or "referenceOutputs"
                    or "expected" => "reference",
                    _ => part,
                } + rest;
        }

        return read;
    }

    private static VerdictForm? FormOf(JsonElement property)
    {
        if (property.Field("enum") is { ValueKind: JsonValueKind.Array } labels)
        {
            var names = labels
                .EnumerateArray()
                .Where(l => l.ValueKind == JsonValueKind.String)
                .Select(l => l.GetString()!)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .ToList();
            return names.Count > 1
                ? new VerdictForm
                {
                    Kind = VerdictKind.Label,
                    Labels = [.. names.Select(l => new VerdictLabel(l))],
                }
                : null;
        }

        return property.Text("type") switch
        {
            "boolean" => new VerdictForm { Kind = VerdictKind.Boolean },
            "integer" or "number" => Score(property),
            _ => null,
        };
    }

    private static VerdictForm? Score(JsonElement property)
    {
        var (min, max) = (Bound(property, "minimum") ?? 0, Bound(property, "maximum") ?? 1);
        return min < max
            ? new VerdictForm
            {
                Kind = VerdictKind.Score,
                Min = min,
                Max = max,
                IsInteger = property.Text("type") == "integer",
            }
            : null;
    }

    private static double? Bound(JsonElement property, string name) =>
        property.Field(name) is { ValueKind: JsonValueKind.Number } number
            ? number.GetDouble()
            : null;
}
