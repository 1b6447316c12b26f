using System.Text;
using Assay.Core.Traces;
using CsCheck;

namespace Assay.Core.Tests.Traces;

public sealed class NormalizerTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    // OpenAI: prompt includes cached, completion includes reasoning.
    [InlineData(
        """{"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":80}}}""",
        100,
        20,
        120,
        80
    )]
    // Anthropic: input excludes cached.
    [InlineData(
        """{"usage":{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":80,"cache_creation_input_tokens":7}}""",
        97,
        5,
        102,
        80
    )]
    // LangSmith's own.
    [InlineData(
        """{"usage_metadata":{"input_tokens":3,"output_tokens":4,"total_tokens":7,"input_token_details":{"cache_read":2}}}""",
        3,
        4,
        7,
        2
    )]
    // A key twice is odd, not an error.
    [InlineData(
        """{"usage_metadata":{"input_tokens":3,"output_tokens":4,"input_token_details":{"cache_read":1,"cache_read":2}}}""",
        3,
        4,
        7,
        2
    )]
    public void Usage_has_one_meaning_whoever_reported_it(
        string outputs,
        long prompt,
        long completion,
        long total,
        long cached
    )
    {
        var run = Write(outputs);
        Assert.Null(new RunNormalizer().Normalize(run, s_now));
        Assert.NotNull(run.Usage);
        Assert.Equal(
            (prompt, completion, total),
            (run.Usage.PromptTokens, run.Usage.CompletionTokens, run.Usage.TotalTokens)
        );
        Assert.Equal(cached, run.Usage.PromptDetails?["cache_read"]);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"a\":1}x")]
    public void A_payload_that_is_not_json_is_refused_with_its_name(string outputs) =>
        Assert.StartsWith(
            "outputs:",
            new RunNormalizer().Normalize(Write(outputs), s_now),
            StringComparison.Ordinal
        );

    [Fact]
    public void Garbage_never_throws() =>
        Gen.String[Gen.Char["{}[]\":,usage_tokensinput0123456789\\ud8"], 0, 120]
            .Sample(text => new RunNormalizer().Normalize(Write(text), s_now));

    [Fact]
    public void The_order_key_says_trace_parent_and_start()
    {
        var (root, child) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var run = new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = child,
            DottedOrder = $"20260102T030405000000Z{root}.20260102T030406500000Z{child}",
        };
        Assert.Null(new RunNormalizer().Normalize(run, s_now));
        Assert.Equal((root, root), (run.TraceId, run.ParentRunId));
        Assert.Equal(s_now.AddSeconds(1.5), run.StartTime);
    }

    private static RunWrite Write(string outputs) =>
        new()
        {
            Operation = RunOperation.Create,
            RunId = Guid.CreateVersion7(),
            Outputs = Payload.FromUtf8(Encoding.UTF8.GetBytes(outputs)),
        };
}
