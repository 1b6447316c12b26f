using Assay.Evaluation;
using Assay.Evaluation.Json;
using Assay.Evaluation.Text;

namespace Assay.Core.Evaluators;

/// <summary>Built-in evaluators that look at the answer, most of them beside a reference.</summary>
internal static class AnswerEvaluators
{
    private const string Output = "output_path";
    private const string Reference = "reference_path";
    private const string PassAt = "pass_at";
    private const string Provider = "provider";
    private const string Model = "model";

    private static readonly BuiltInField s_rouge = new(
        "measure",
        "Measure",
        BuiltInFieldKind.Choice,
        null,
        ["rouge_l", "rouge_1", "rouge_2"]
    );

    public static IReadOnlyList<BuiltIn> All { get; } =
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
                BuiltInFields.Output,
                BuiltInFields.Reference,
            ]
        )
        {
            Make = given => new ExactMatchEvaluator
            {
                Normalize = given.Flag("normalize"),
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
            },
        },
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
                BuiltInFields.Output,
            ]
        )
        {
            Make = given => new RegexEvaluator(given.Needed("pattern"), given.Flag("ignore_case"))
            {
                Negate = given.Flag("negate"),
                OutputPath = given.Path(Output),
            },
        },
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
                BuiltInFields.PassAt,
            ]
        )
        {
            Make = given => new JsonMatchEvaluator([.. given.List("paths").Select(JsonPath.Parse)])
            {
                PassAt = given.Number(PassAt) ?? 1,
            },
        },
        new(
            "json_schema",
            "JSON Schema",
            "1 when the answer meets a JSON Schema (2020-12).",
            [
                new("schema", "Schema", BuiltInFieldKind.Json, null, IsRequired: true),
                BuiltInFields.Output,
            ]
        )
        {
            Make = given => new JsonSchemaEvaluator(given.Json("schema"))
            {
                Path = given.Path(Output),
            },
        },
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
                BuiltInFields.Output,
                BuiltInFields.Reference,
            ]
        )
        {
            Make = given => new NumericToleranceEvaluator
            {
                Absolute = given.Between("absolute", 0, double.MaxValue) ?? 0,
                Relative = given.Between("relative", 0, double.MaxValue) ?? 0,
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
            },
        },
        Text(
            "levenshtein_similarity",
            "Edit similarity",
            "Levenshtein's distance as a share.",
            given => new LevenshteinEvaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            }
        ),
        Text(
            "jaro_winkler_similarity",
            "Jaro-Winkler",
            "Similarity of names and short texts.",
            given => new JaroWinklerEvaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            }
        ),
        Text(
            "token_f1",
            "Token F1",
            "Overlap of words with the reference, as SQuAD counts it.",
            given => new TokenF1Evaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            }
        ),
        Text(
            "chrf",
            "chrF",
            "Character n-grams; good for inflected languages.",
            given => new ChrfEvaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            }
        ),
        Text(
            "meteor_exact",
            "METEOR (exact words)",
            "Word matches weighted by their order.",
            given => new MeteorEvaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            }
        ),
        new(
            "bleu",
            "BLEU",
            "Clipped n-gram precision; made for corpora, rough for single answers.",
            [BuiltInFields.Output, BuiltInFields.Reference]
        )
        {
            Make = given => new BleuEvaluator
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
            },
        },
        new(
            "rouge",
            "ROUGE",
            "Overlap with a reference summary.",
            [s_rouge, BuiltInFields.Output, BuiltInFields.Reference, BuiltInFields.PassAt]
        )
        {
            Make = given => new RougeEvaluator(
                given.Choice(s_rouge) switch
                {
                    "rouge_1" => RougeKind.One,
                    "rouge_2" => RougeKind.Two,
                    _ => RougeKind.L,
                }
            )
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Number(PassAt),
            },
        },
        new(
            "embedding_similarity",
            "Embedding similarity",
            "Cosine of the embeddings of answer and reference. Near is not true: a sentence and its negation are near each other.",
            [
                new(
                    Provider,
                    "Provider",
                    BuiltInFieldKind.EmbeddingProvider,
                    null,
                    IsRequired: true
                ),
                new(
                    Model,
                    "Embedding model",
                    BuiltInFieldKind.EmbeddingModel,
                    "Scores of two models cannot be compared",
                    IsRequired: true
                ),
                BuiltInFields.Output,
                BuiltInFields.Reference,
                BuiltInFields.PassAt,
            ]
        )
        {
            Make = given => new EmbeddingEvaluator(
                given.Id(Provider),
                given.Needed(Model),
                given.Embed
            )
            {
                OutputPath = given.Path(Output),
                ReferencePath = given.Path(Reference),
                PassAt = given.Between(PassAt, -1, 1),
            },
        },
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
                BuiltInFields.Output,
            ]
        )
        {
            Make = given => new LanguageEvaluator(given.Text("language"))
            {
                OutputPath = given.Path(Output),
            },
        },
    ];

    private static BuiltIn Text(
        string id,
        string title,
        string about,
        Func<BuiltInSettings, IEvaluator> make
    ) =>
        new(id, title, about, [BuiltInFields.Output, BuiltInFields.Reference, BuiltInFields.PassAt])
        {
            Make = make,
        };
}
