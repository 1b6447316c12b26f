using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Evaluation;
using Assay.Evaluation.Agents;
using Assay.Evaluation.Json;
using Assay.Evaluation.Limits;
using Assay.Evaluation.Rag;
using Assay.Evaluation.Safety;
using Assay.Evaluation.Text;

namespace Assay.Core.Evaluators;

/// <summary>The form of one setting of a built-in evaluator.</summary>
public enum BuiltInFieldKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Yes or no.</summary>
    Flag,

    /// <summary>One of some choices.</summary>
    Choice,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>JSON, kept as its text.</summary>
    Json,
}

/// <summary>One setting of a built-in evaluator.</summary>
/// <param name="Name">Its name in the settings.</param>
/// <param name="Title">Its name on screen.</param>
/// <param name="Kind">Its form.</param>
/// <param name="Help">What it does.</param>
/// <param name="Choices">What can be chosen; the first is the usual one.</param>
/// <param name="IsRequired">It has to be given.</param>
public sealed record BuiltInField(
    string Name,
    string Title,
    BuiltInFieldKind Kind,
    string? Help = null,
    IReadOnlyList<string>? Choices = null,
    bool IsRequired = false
);

/// <summary>A built-in evaluator.</summary>
/// <param name="Id">Its name in the settings (<c>type</c>) and the usual feedback key.</param>
/// <param name="Title">Its name on screen.</param>
/// <param name="About">What it says, in a sentence.</param>
/// <param name="Fields">Its settings.</param>
public sealed record BuiltInType(
    string Id,
    string Title,
    string About,
    IReadOnlyList<BuiltInField> Fields
);

/// <summary>
/// The evaluators of Assay.Evaluation by name and JSON settings (<c>{"type":"regex_match","pattern":"…"}</c>). What measures several things is chosen
/// with one of them: a definition has one key. Pure.
/// </summary>
public static class BuiltInEvaluators
{
    private static readonly BuiltInField s_output = new(
        "output_path",
        "Where the answer is",
        BuiltInFieldKind.Text,
        "A path like answer or messages[-1].content; empty: found by the usual names"
    );

    private static readonly BuiltInField s_reference = new(
        "reference_path",
        "Where the reference is",
        BuiltInFieldKind.Text,
        "A path into the example's outputs; empty: found by the usual names"
    );

    private static readonly BuiltInField s_passAt = new(
        "pass_at",
        "Passes from",
        BuiltInFieldKind.Number,
        "Empty: the score alone"
    );

    private static readonly BuiltInField s_names = new(
        "ignore_arguments",
        "Compare only the names of tools",
        BuiltInFieldKind.Flag
    );

    private static readonly string[] s_measures =
    [
        "ndcg",
        "precision",
        "recall",
        "f1",
        "hit",
        "mrr",
        "map",
    ];

    private static readonly string[] s_limits =
    [
        "latency",
        "first_token",
        "cost",
        "tokens",
        "characters",
    ];

    /// <summary>All of them, in the order of the library.</summary>
    public static IReadOnlyList<BuiltInType> All { get; } =
    [
        new(
            "exact_match",
            "Exact match",
            "1 when the answer is the reference, letter by letter or normalized.",
            [
                new(
                    "normalize",
                    "Ignore case, punctuation and articles",
                    BuiltInFieldKind.Flag,
                    "SQuAD's normalization"
                ),
                s_output,
                s_reference,
            ]
        ),
        new(
            "regex_match",
            "Regular expression",
            "1 when a pattern is found in the answer (or, negated, when it is not).",
            [
                new(
                    "pattern",
                    "Pattern",
                    BuiltInFieldKind.Text,
                    "Without back references and look-around: a hostile answer costs linear time",
                    IsRequired: true
                ),
                new("ignore_case", "Ignore case", BuiltInFieldKind.Flag),
                new("negate", "Must not occur", BuiltInFieldKind.Flag),
                s_output,
            ]
        ),
        new(
            "json_match",
            "JSON match",
            "The share of paths with equal JSON in answer and reference.",
            [
                new(
                    "paths",
                    "Paths",
                    BuiltInFieldKind.List,
                    "One a line; empty: the whole values are compared"
                ),
                s_passAt,
            ]
        ),
        new(
            "json_schema",
            "JSON Schema",
            "1 when the answer meets a JSON Schema (2020-12).",
            [new("schema", "Schema", BuiltInFieldKind.Json, null, IsRequired: true), s_output]
        ),
        new(
            "numeric_match",
            "Number within tolerance",
            "1 when the last number of the answer is near the reference.",
            [
                new("absolute", "Absolute tolerance", BuiltInFieldKind.Number),
                new(
                    "relative",
                    "Relative tolerance",
                    BuiltInFieldKind.Number,
                    "0.01 is one per cent"
                ),
                s_output,
                s_reference,
            ]
        ),
        Text("levenshtein_similarity", "Edit similarity", "Levenshtein's distance as a share."),
        Text("jaro_winkler_similarity", "Jaro-Winkler", "Similarity of names and short texts."),
        Text("token_f1", "Token F1", "Overlap of words with the reference, as SQuAD counts it."),
        Text("chrf", "chrF", "Character n-grams; good for inflected languages."),
        Text("meteor_exact", "METEOR (exact words)", "Word matches weighted by their order."),
        new(
            "bleu",
            "BLEU",
            "Clipped n-gram precision; made for corpora, rough for single answers.",
            [s_output, s_reference]
        ),
        new(
            "rouge",
            "ROUGE",
            "Overlap with a reference summary.",
            [
                new(
                    "measure",
                    "Measure",
                    BuiltInFieldKind.Choice,
                    null,
                    ["rouge_l", "rouge_1", "rouge_2"]
                ),
                s_output,
                s_reference,
                s_passAt,
            ]
        ),
        new(
            "language_match",
            "Language",
            "1 when the answer is in the expected language.",
            [
                new(
                    "language",
                    "Language",
                    BuiltInFieldKind.Text,
                    "A code like de; empty: the language of the inputs"
                ),
                s_output,
            ]
        ),
        new(
            "retrieval",
            "Retrieval",
            "How well the retrieved documents match the relevant ones the example names.",
            [
                new("measure", "Measure", BuiltInFieldKind.Choice, null, s_measures),
                new("k", "First k documents", BuiltInFieldKind.Number, "Usually 5"),
            ]
        ),
        new(
            "tool_calls",
            "Tool calls",
            "Tool calls made against the calls the example expects, in any order.",
            [
                new(
                    "measure",
                    "Measure",
                    BuiltInFieldKind.Choice,
                    null,
                    ["f1", "precision", "recall"]
                ),
                s_names,
            ]
        ),
        new(
            "trajectory",
            "Trajectory",
            "1 when the sequence of tool calls matches the expected one.",
            [
                new(
                    "match",
                    "Match",
                    BuiltInFieldKind.Choice,
                    null,
                    ["strict", "unordered", "subset", "superset"]
                ),
                s_names,
            ]
        ),
        new(
            "limit",
            "Limit",
            "1 when a run kept a limit; what was not measured is not judged.",
            [
                new("limit", "What", BuiltInFieldKind.Choice, null, s_limits),
                new(
                    "most",
                    "At most",
                    BuiltInFieldKind.Number,
                    "Seconds, US dollars, tokens or characters",
                    IsRequired: true
                ),
                new("least", "At least", BuiltInFieldKind.Number, "For characters only"),
            ]
        ),
        new(
            "word_list_clean",
            "Word list",
            "1 when no word of a list occurs; an alarm, not a measure of toxicity.",
            [
                new(
                    "words",
                    "Words",
                    BuiltInFieldKind.List,
                    "One a line; empty: a small English list"
                ),
                s_output,
            ]
        ),
    ];

    /// <summary>Builds an evaluator that gives its scores under <paramref name="key"/>.</summary>
    /// <exception cref="InvalidEvaluatorException">The settings make no sense; it says which.</exception>
    public static IEvaluator Build(JsonElement settings, string key)
    {
        var given = new Given(settings);
        try
        {
            return new KeyedEvaluator(Inner(given), key);
        }
        catch (FormatException e)
        {
            throw new InvalidEvaluatorException("settings", e.Message, e);
        }
        catch (ArgumentException e)
        {
            throw new InvalidEvaluatorException("settings", e.Message, e);
        }
    }

    /// <summary>What an evaluator of these settings looks at beside the usual.</summary>
    internal static EvaluatorNeeds NeedsOf(JsonElement settings) =>
        TypeOf(new Given(settings)).Id switch
        {
            "tool_calls" or "trajectory" => EvaluatorNeeds.ToolCalls,
            "retrieval" => EvaluatorNeeds.Documents,
            _ => EvaluatorNeeds.None,
        };

    /// <summary>The settings the type has, in their order, without those left empty.</summary>
    internal static JsonElement Canonical(JsonElement settings)
    {
        var given = new Given(settings);
        var type = TypeOf(given);
        var written = new JsonObject { ["type"] = type.Id };
        foreach (var field in type.Fields)
        {
            JsonNode? value = field.Kind switch
            {
                BuiltInFieldKind.Number => given.Number(field.Name) is { } number
                    ? JsonValue.Create(number)
                    : null,
                BuiltInFieldKind.Flag => given.Flag(field.Name) ? JsonValue.Create(true) : null,
                BuiltInFieldKind.List => given.List(field.Name) is { Count: > 0 } list
                    ? new JsonArray([.. list.Select(t => (JsonNode)t)])
                    : null,
                BuiltInFieldKind.Choice => given.Choice(field),
                _ => given.Text(field.Name),
            };
            if (value is not null)
            {
                written[field.Name] = value;
            }
            else if (field.IsRequired)
            {
                throw new InvalidEvaluatorException(field.Name, "is needed");
            }
        }

        return JsonSerializer.SerializeToElement(written);
    }

    private static (IEvaluator Evaluator, string Key) Inner(Given given)
    {
        var type = TypeOf(given);
        var output = given.Path("output_path");
        var reference = given.Path("reference_path");
        var passAt = given.Number("pass_at");
        IEvaluator evaluator = type.Id switch
        {
            "exact_match" => new ExactMatchEvaluator
            {
                Normalize = given.Flag("normalize"),
                OutputPath = output,
                ReferencePath = reference,
            },
            "regex_match" => new RegexEvaluator(
                given.Text("pattern")
                    ?? throw new InvalidEvaluatorException("pattern", "is needed"),
                given.Flag("ignore_case")
            )
            {
                Negate = given.Flag("negate"),
                OutputPath = output,
            },
            "json_match" => new JsonMatchEvaluator([.. given.List("paths").Select(JsonPath.Parse)])
            {
                PassAt = passAt ?? 1,
            },
            "json_schema" => new JsonSchemaEvaluator(given.Json("schema")) { Path = output },
            "numeric_match" => new NumericToleranceEvaluator
            {
                Absolute = given.Between("absolute", 0, double.MaxValue) ?? 0,
                Relative = given.Between("relative", 0, double.MaxValue) ?? 0,
                OutputPath = output,
                ReferencePath = reference,
            },
            "levenshtein_similarity" => new LevenshteinEvaluator
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "jaro_winkler_similarity" => new JaroWinklerEvaluator
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "token_f1" => new TokenF1Evaluator
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "chrf" => new ChrfEvaluator
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "meteor_exact" => new MeteorEvaluator
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "bleu" => new BleuEvaluator { OutputPath = output, ReferencePath = reference },
            "rouge" => new RougeEvaluator(
                given.Choice(type, "measure") switch
                {
                    "rouge_1" => RougeKind.One,
                    "rouge_2" => RougeKind.Two,
                    _ => RougeKind.L,
                }
            )
            {
                OutputPath = output,
                ReferencePath = reference,
                PassAt = passAt,
            },
            "language_match" => new LanguageEvaluator(given.Text("language"))
            {
                OutputPath = output,
            },
            "retrieval" => new RetrievalEvaluator(K(given)),
            "tool_calls" => new ToolCallEvaluator
            {
                IgnoreArguments = given.Flag("ignore_arguments"),
            },
            "trajectory" => new TrajectoryMatchEvaluator(
                given.Choice(type, "match") switch
                {
                    "unordered" => TrajectoryMatch.Unordered,
                    "subset" => TrajectoryMatch.Subset,
                    "superset" => TrajectoryMatch.Superset,
                    _ => TrajectoryMatch.Strict,
                }
            )
            {
                IgnoreArguments = given.Flag("ignore_arguments"),
            },
            "limit" => Limit(given, given.Choice(type, "limit")),
            _ => new WordListEvaluator(
                given.List("words") is { Count: > 0 } words ? words : WordListEvaluator.English
            )
            {
                OutputPath = output,
            },
        };
        return (
            evaluator,
            type.Id switch
            {
                "retrieval" => string.Create(
                    CultureInfo.InvariantCulture,
                    $"{given.Choice(type, "measure")}@{K(given)}"
                ),
                "tool_calls" => $"tool_call_{given.Choice(type, "measure")}",
                _ => evaluator.Keys[0],
            }
        );
    }

    private static RunLimitsEvaluator Limit(Given given, string limit)
    {
        var most =
            given.Between("most", 0, 1e12)
            ?? throw new InvalidEvaluatorException("most", "is needed");
        return limit switch
        {
            "first_token" => new() { FirstToken = TimeSpan.FromSeconds(Math.Min(most, 1e6)) },
            "cost" => new() { UsDollars = (decimal)most },
            "tokens" => new() { Tokens = (long)most },
            "characters" => new()
            {
                Characters = (int)Math.Min(most, int.MaxValue),
                MinCharacters = (int)(given.Between("least", 0, int.MaxValue) ?? 0),
            },
            _ => new() { Latency = TimeSpan.FromSeconds(Math.Min(most, 1e6)) },
        };
    }

    private static int K(Given given) => (int)(given.Between("k", 1, 1_000) ?? 5);

    private static BuiltInType TypeOf(Given given) =>
        All.FirstOrDefault(t => t.Id == given.Text("type"))
        ?? throw new InvalidEvaluatorException(
            "type",
            $"must be one of {string.Join(", ", All.Select(t => t.Id))}"
        );

    private static BuiltInType Text(string id, string title, string about) =>
        new(id, title, about, [s_output, s_reference, s_passAt]);

    private readonly struct Given(JsonElement settings)
    {
        public string? Text(string name) =>
            Field(name) switch
            {
                { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } t
                    ? t
                    : null,
                { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
                _ => throw new InvalidEvaluatorException(name, "must be a text"),
            };

        public double? Number(string name) =>
            Field(name) switch
            {
                { ValueKind: JsonValueKind.Number } number
                    when double.IsFinite(number.GetDouble()) => number.GetDouble(),
                { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
                _ => throw new InvalidEvaluatorException(name, "must be a number"),
            };

        public double? Between(string name, double low, double high) =>
            Number(name) switch
            {
                null => null,
                { } number when number >= low && number <= high => number,
                _ => throw new InvalidEvaluatorException(
                    name,
                    FormattableString.Invariant($"must be between {low} and {high}")
                ),
            };

        public bool Flag(string name) =>
            Field(name).ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined => false,
                _ => throw new InvalidEvaluatorException(name, "must be true or false"),
            };

        public IReadOnlyList<string> List(string name)
        {
            var field = Field(name);
            return field.ValueKind switch
            {
                JsonValueKind.Null or JsonValueKind.Undefined => [],
                JsonValueKind.Array
                    when field.GetArrayLength() <= 1_000
                        && field.EnumerateArray().All(i => i.ValueKind == JsonValueKind.String) =>
                [
                    .. field
                        .EnumerateArray()
                        .Select(i => i.GetString()!.Trim())
                        .Where(t => t.Length > 0),
                ],
                _ => throw new InvalidEvaluatorException(
                    name,
                    "must be a list of at most 1,000 texts"
                ),
            };
        }

        public string Choice(BuiltInField field) =>
            Text(field.Name) is not { } chosen ? field.Choices![0]
            : field.Choices!.Contains(chosen) ? chosen
            : throw new InvalidEvaluatorException(
                field.Name,
                $"must be one of {string.Join(", ", field.Choices!)}"
            );

        public string Choice(BuiltInType type, string name) =>
            Choice(type.Fields.First(f => f.Name == name));

        public JsonNode Json(string name)
        {
            try
            {
                return JsonNode.Parse(
                        Text(name) ?? throw new InvalidEvaluatorException(name, "is needed")
                    ) ?? throw new InvalidEvaluatorException(name, "is null");
            }
            catch (JsonException e)
            {
                throw new InvalidEvaluatorException(name, $"is not JSON: {e.Message}", e);
            }
        }

        public JsonPath? Path(string name)
        {
            try
            {
                return Text(name) is { } text ? JsonPath.Parse(text.Trim()) : null;
            }
            catch (FormatException e)
            {
                throw new InvalidEvaluatorException(name, e.Message, e);
            }
        }

        private JsonElement Field(string name) =>
            settings.ValueKind == JsonValueKind.Object
            && settings.TryGetProperty(name, out var value)
                ? value
                : default;
    }

    /// <summary>One measure of an evaluator under a key of its own.</summary>
    private sealed class KeyedEvaluator((IEvaluator Evaluator, string Key) inner, string key)
        : IEvaluator
    {
        public IReadOnlyList<string> Keys { get; } = [key];

        public async ValueTask<EvaluationResult> EvaluateAsync(
            EvaluationInput input,
            CancellationToken cancellationToken
        )
        {
            var result = await inner.Evaluator.EvaluateAsync(input, cancellationToken);
            return result with
            {
                Scores =
                [
                    result.Find(inner.Key) is { } score
                        ? score with
                        {
                            Key = key,
                        }
                        : Score.Failed(key, $"The evaluator gave no {inner.Key}."),
                ],
            };
        }
    }
}
