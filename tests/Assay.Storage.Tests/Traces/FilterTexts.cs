using System.Globalization;
using CsCheck;

namespace Assay.Storage.Tests.Traces;

/// <summary>Random filters in LangSmith's language over what <see cref="SampleTraces"/> makes: every field, every operator that has a meaning for it.</summary>
internal static class FilterTexts
{
    private static readonly Gen<string> s_equality = Gen.OneOf("eq", "neq");
    private static readonly Gen<string> s_order = Gen.OneOf("eq", "neq", "gt", "gte", "lt", "lte");

    private static readonly Gen<string> s_text = Gen.OneOf(
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "like",
        "nlike",
        "contains"
    );

    private static readonly Gen<string> s_name = Gen.OneOf([
        .. SampleTraces.Names,
        "a%",
        "%a",
        "%_%",
        "ALPHA",
        "t1",
        "gpt-5",
        "openai",
        "Timeout",
        "",
    ]);

    private static readonly Gen<string> s_value = Gen.OneOf([
        .. SampleTraces.Values,
        .. SampleTraces.Words,
        "5",
        "%1%",
    ]);

    private static readonly Gen<string> s_number = Gen.OneOf(
        "0",
        "1",
        "0.25",
        "5",
        "10",
        "15",
        "25",
        "0.02",
        "0.03",
        "-3"
    );

    private static readonly Gen<string> s_leaf = Gen.OneOf(
        Two(
            s_text,
            Gen.OneOf("name", "error", "thread_id", "model", "provider"),
            s_name.Select(Quote)
        ),
        Two(
            s_equality,
            Gen.OneOf(
                "error",
                "end_time",
                "model",
                "thread_id",
                "parent_run_id",
                "latency",
                "reference_example_id",
                "metadata.k",
                "inputs.k",
                "feedback_comment",
                "feedback_score"
            ),
            Gen.Const("null")
        ),
        Two(
            s_order,
            Gen.OneOf(
                "total_tokens",
                "prompt_tokens",
                "completion_tokens",
                "total_cost",
                "prompt_cost",
                "completion_cost",
                "execution_order"
            ),
            s_number
        ),
        Two(
            s_order,
            Gen.OneOf("latency", "first_token_latency"),
            Gen.OneOf("1.5", "\"500ms\"", "\"5s\"", "0", "\"5m\"", "0.1")
        ),
        Two(
            s_order,
            Gen.OneOf("start_time", "end_time", "first_token_time"),
            Gen.Int[-1, 6]
                .Select(s =>
                    Quote(
                        new DateTime(2026, 3, 1, 10, 0, 0)
                            .AddSeconds(s * 1_000)
                            .ToString("s", CultureInfo.InvariantCulture)
                    )
                )
        ),
        Two(s_equality, Gen.Const("is_root"), Gen.OneOf("true", "false")),
        Two(
            Gen.OneOf("eq", "neq", "like"),
            Gen.Const("run_type"),
            Gen.OneOf("\"llm\"", "\"tool\"", "\"chain\"")
        ),
        Two(s_equality, Gen.Const("status"), Gen.OneOf("\"success\"", "\"error\"", "\"pending\"")),
        Two(
            s_order,
            Gen.Const("reference_example_id"),
            Gen.OneOf(SampleTraces.Examples).Select(e => Quote(e.ToString()))
        ),
        Two(
            Gen.OneOf("has", "eq", "neq", "like", "nlike"),
            Gen.Const("tags"),
            s_name.Select(Quote)
        ),
        Gen.Select(
            Gen.OneOf("name", "tags", "metadata_key", "metadata_value", "inputs"),
            s_name.Array[0, 3],
            (field, names) => $"in({field}, [{string.Join(", ", names.Select(Quote))}])"
        ),
        s_number.Array[1, 3].Select(n => $"in(total_tokens, [{string.Join(",", n)}, null])"),
        Two(
            s_text,
            Gen.OneOf(
                "inputs",
                "outputs",
                "metadata.k",
                "metadata.a.b",
                "inputs.documents.page_content"
            ),
            s_value.Select(Quote)
        ),
        Gen.Select(
            Gen.OneOf("", "inputs, ", "outputs, ", "name, ", "error, "),
            Gen.OneOf([.. SampleTraces.Words, "refund policy", "timeout"]),
            (scope, words) => $"search({scope}{Quote(words)})"
        ),
        Gen.Select(
            Gen.OneOf("metadata", "inputs", "outputs", "feedback"),
            Gen.OneOf([.. SampleTraces.Keys, "correctness", "nested.in"]),
            (where, key) => $"exists({where}, {Quote(key)})"
        ),
        Gen.Select(
            Gen.OneOf(SampleTraces.Keys),
            Gen.OneOf("1", "\"1\"", "true", "\"abc\"", "{}"),
            (key, value) => $"has(metadata, {Quote($$"""{"{{key}}": {{value}}}""")})"
        ),
        Pair()
    );

    private static readonly Gen<string> s_pairs = Pair()
        .Array[1, 5]
        .Select(p => $"and({string.Join(", ", p)})");

    private static readonly Gen<string> s_level = Joined(Gen.OneOf(s_leaf, s_pairs));

    /// <summary>A filter, nested up to three deep.</summary>
    public static Gen<string> Any { get; } =
        Gen.OneOf(s_leaf, s_pairs, s_level, Joined(Gen.OneOf(s_leaf, s_level)));

    private static Gen<string> Joined(Gen<string> item) =>
        Gen.OneOf(
            item.Array[1, 4].Select(i => $"and({string.Join(", ", i)})"),
            item.Array[1, 4].Select(i => $"or({string.Join(", ", i)})"),
            item.Select(i => $"not({i})")
        );

    /// <summary>A comparison of one part of a pair.</summary>
    private static Gen<string> Pair() =>
        Gen.OneOf(
            Two(
                Gen.OneOf("eq", "neq", "like", "nlike"),
                Gen.OneOf("metadata_key", "input_key", "output_key"),
                Gen.OneOf([.. SampleTraces.Keys, "question", "documents.score"]).Select(Quote)
            ),
            Two(
                s_text,
                Gen.OneOf("metadata_value", "input_value", "output_value"),
                s_value.Select(Quote)
            ),
            Two(s_order, Gen.OneOf("metadata_value", "feedback_value"), s_number),
            Two(
                Gen.OneOf("eq", "neq", "like", "nlike"),
                Gen.Const("feedback_key"),
                Gen.OneOf(SampleTraces.FeedbackKeys).Select(Quote)
            ),
            Two(s_order, Gen.Const("feedback_score"), s_number),
            s_number.Array[1, 3].Select(n => $"in(feedback_score, [{string.Join(",", n)}])"),
            Two(s_text, Gen.OneOf("feedback_value", "feedback_comment"), s_value.Select(Quote)),
            Two(
                s_equality,
                Gen.OneOf("feedback_source", "feedback_source_type"),
                Gen.OneOf("\"api\"", "\"app\"")
            )
        );

    private static Gen<string> Two(Gen<string> name, Gen<string> field, Gen<string> value) =>
        Gen.Select(name, field, value, (n, f, v) => $"{n}({f}, {v})");

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
