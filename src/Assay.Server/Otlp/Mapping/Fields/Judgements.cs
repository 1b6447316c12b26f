using Assay.Server.Otlp.Protos;
using Google.Protobuf.Collections;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>Judgements on the span: the conventions' event <c>gen_ai.evaluation.result</c> in logs or on the span, OpenInference's annotations. Pure.</summary>
internal static class Judgements
{
    private const string Evaluation = "gen_ai.evaluation.result";

    public static IReadOnlyList<MappedScore> Read(SpanView span)
    {
        if (
            span.Logs.Count == 0
            && span.Span.Events.Count == 0
            && !span.HasPrefix("annotations.")
            && !span.HasPrefix("evaluations.")
        )
        {
            return [];
        }

        var scores = new List<MappedScore>();
        foreach (var log in span.Logs)
        {
            if (Failures.EventName(log) == Evaluation)
            {
                Add(scores, log.Attributes);
            }
        }

        foreach (var item in span.Span.Events)
        {
            if (item.Name == Evaluation)
            {
                Add(scores, item.Attributes);
            }
        }

        foreach (
            var (prefix, word) in (ReadOnlySpan<(string, string)>)
                [("annotations.", "annotation"), ("evaluations.", "evaluation")]
        )
        {
            foreach (var item in IndexedKeys.Read(span, prefix) ?? [])
            {
                var said = item.Get(word) ?? item;
                if (said.Text("name") is { Length: > 0 } key)
                {
                    scores.Add(
                        new MappedScore(
                            key,
                            said.Get("score").Number(),
                            said.Text("label"),
                            said.Text("explanation"),
                            null
                        )
                    );
                }
            }
        }

        return scores;
    }

    private static void Add(List<MappedScore> scores, RepeatedField<KeyValue> attributes)
    {
        if (Text("gen_ai.evaluation.name") is not { Length: > 0 } key)
        {
            return;
        }

        scores.Add(
            new MappedScore(
                key,
                AnyValues.Number(Value("gen_ai.evaluation.score.value")),
                Text("gen_ai.evaluation.score.label"),
                Text("gen_ai.evaluation.explanation"),
                Text("gen_ai.response.id")
            )
        );

        AnyValue? Value(string name) => attributes.LastOrDefault(a => a.Key == name)?.Value;
        string? Text(string name) => AnyValues.Text(Value(name));
    }
}
