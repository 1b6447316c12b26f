using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Storage.Tests.Traces;

/// <summary>
/// Random traces with few different values, so that random filters meet some and miss some: missing parents, pending and failed runs, odd
/// texts, numbers and near-numbers in metadata, lists in payloads, several feedback of one key.
/// </summary>
internal sealed class SampleTraces(int seed, Guid project)
{
    public static readonly string[] Names =
    [
        "alpha",
        "Beta",
        "gam_ma",
        "100%",
        "é𝕏",
        "\uFFFDz",
        "a'b\"c\\d",
    ];

    public static readonly string[] Keys = ["k", "n", "user", "a.b"];

    public static readonly string[] Values =
    [
        "1",
        "2",
        "10",
        "9.5",
        "1e1",
        "abc",
        "",
        "true",
        "-3",
        " 4 ",
        "2026-03-01",
        "𝕏",
        "\uFFFD",
    ];

    public static readonly string[] Words = ["refund", "policy", "Invoice", "naïve", "日", "x1"];
    public static readonly string[] FeedbackKeys = ["correctness", "user_score", "note"];
    public static readonly Guid[] Examples =
    [
        new("018f0000-0000-7000-8000-0000000000e1"),
        new("018f0000-0000-7000-8000-0000000000e2"),
    ];

    private readonly Random _random = new(seed);

    public List<RunWrite> Runs { get; } = [];

    public List<FeedbackRecord> Feedback { get; } = [];

    public SampleTraces Make(int traces)
    {
        var normalizer = new RunNormalizer();
        for (var i = 0; i < traces; i++)
        {
            var ids = Enumerable.Range(0, _random.Next(1, 6)).Select(_ => NewId()).ToArray();
            for (var j = 0; j < ids.Length; j++)
            {
                var run = Run(ids, j);
                Assert.Null(normalizer.Normalize(run, RunStart(0)));
                Runs.Add(run);
                for (var f = _random.Next(-1, 4); f > 0; f--)
                {
                    Feedback.Add(Judge(run.RunId));
                }
            }
        }

        return this;
    }

    private RunWrite Run(Guid[] ids, int index)
    {
        var start = RunStart(_random.Next(0, 5));
        var parent =
            index == 0 ? (Guid?)null
            : Chance(10) ? NewId()
            : ids[_random.Next(index)];
        return new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = ids[index],
            TraceId = ids[0],
            ParentRunId = parent,
            ProjectId = project,
            DottedOrder = Chance(60)
                ? string.Join(
                    '.',
                    Enumerable
                        .Range(0, index + 1)
                        .Select(i => RunNormalizer.OrderSegment(RunStart(i), ids[i]))
                )
                : null,
            Name = Pick(Names),
            Kind = Pick(RunKind.Chain, RunKind.Llm, RunKind.Tool, RunKind.Retriever),
            StartTime = start,
            EndTime = Chance(80)
                ? start.AddMilliseconds(Pick(0, 500, 1_500, 5_000, 300_000))
                : null,
            FirstTokenTime = Chance(30) ? start.AddMilliseconds(Pick(100, 200)) : null,
            Error = Chance(25) ? $"{Pick("Timeout", "ValueError")}: {Pick(Words)}" : null,
            Model = Chance(40) ? Pick("gpt-5", "claude-x") : null,
            Provider = Chance(40) ? Pick("openai", "anthropic") : null,
            ThreadId = index == 0 && Chance(50) ? Pick("t1", "t2", "é") : null,
            ReferenceExampleId = Chance(20) ? Pick(Examples) : null,
            Tags = Chance(60)
                ? [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Pick(Names))]
                : null,
            Inputs = Chance(90) ? Body() : null,
            Outputs = Chance(70) ? Body() : null,
            Extra = Chance(80)
                ? Payload.FromUtf8(
                    JsonSerializer.SerializeToUtf8Bytes(new { metadata = Metadata() })
                )
                : null,
        };
    }

    private Dictionary<string, object> Metadata()
    {
        var pairs = new Dictionary<string, object>();
        for (var i = _random.Next(4); i > 0; i--)
        {
            pairs[Pick(Keys)] = Chance(50) ? Pick(Values) : Pick<object>(1, 10, 9.5, true, -3);
        }

        if (Chance(20))
        {
            pairs["nested"] = new Dictionary<string, object> { ["in"] = Pick(Values) };
        }

        return pairs;
    }

    private Payload Body() =>
        Payload.FromUtf8(
            JsonSerializer.SerializeToUtf8Bytes(
                new Dictionary<string, object?>
                {
                    ["question"] = $"{Pick(Words)} {Pick(Words)}",
                    ["k"] = Chance(50) ? Pick(Values) : _random.Next(0, 12),
                    ["documents"] = Enumerable
                        .Range(0, _random.Next(3))
                        .Select(_ => new { page_content = Pick(Words), score = _random.Next(5) })
                        .ToArray(),
                    ["usage_metadata"] = Chance(40)
                        ? new
                        {
                            input_tokens = Pick(10, 20),
                            output_tokens = 5,
                            total_tokens = Pick(15, 25),
                        }
                        : null,
                }
            )
        );

    private FeedbackRecord Judge(Guid run) =>
        new()
        {
            Id = NewId(),
            RunId = run,
            Key = Pick(FeedbackKeys),
            Score = Chance(70) ? Pick(0, 0.25, 0.5, 1, 10) : null,
            ValueJson = Chance(40) ? JsonSerializer.Serialize(Pick(Values)) : null,
            Comment = Chance(40) ? $"{Pick(Words)} {Pick(Names)}" : null,
            SourceType = Pick("api", "app", "model"),
            CreatedAt = RunStart(_random.Next(10)),
            ModifiedAt = RunStart(10),
        };

    private static DateTimeOffset RunStart(int step) =>
        new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero).AddSeconds(step * 1_000);

    private Guid NewId()
    {
        var bytes = new byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];
}
