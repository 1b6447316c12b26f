using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Core.Tests.Traces;

public sealed class TraceHintsTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_whole_trace_gets_no_hint() =>
        Assert.Empty(TraceHints.Of(Root(), [Call(), Call()], "openinference", s_start));

    [Fact]
    public void Missing_messages_name_the_line_of_their_sdk_and_how_many_calls_lack_them()
    {
        var silent = Call() with { PayloadLengths = new Dictionary<PayloadKind, long>() };
        Assert.Equal(
            "The messages of the model call were not sent. Say so where telemetry is added: UseOpenTelemetry(configure: c => c.EnableSensitiveData = true).",
            Assert.Single(TraceHints.Of(silent, [silent], "microsoft-extensions-ai", s_start))
        );
        var hint = Assert.Single(
            TraceHints.Of(Root(), [silent, Call(), Call()], "opentelemetry-contrib", s_start)
        );
        Assert.StartsWith("The messages of 1 of 3 model calls", hint, StringComparison.Ordinal);
        Assert.Contains(
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            hint,
            StringComparison.Ordinal
        );
        // A call that failed has nothing to show.
        Assert.Empty(
            TraceHints.Of(Root(), [silent with { Status = RunStatus.Error }], "openlit", s_start)
        );
    }

    [Fact]
    public void Missing_tokens_a_missing_parent_and_a_missing_end_are_told()
    {
        var root = Root() with { ParentRunId = Guid.NewGuid() };
        var estimated = Call() with { Usage = new TokenUsage { Source = FigureSource.Estimated } };
        var running = Call() with { Status = RunStatus.Pending, EndTime = null };
        var hints = TraceHints.Of(
            root,
            [estimated, estimated, running],
            "openinference",
            s_start.AddHours(1)
        );
        Assert.Equal(3, hints.Count);
        Assert.Contains("both model calls", hints[0], StringComparison.Ordinal);
        Assert.Contains("include_usage", hints[0], StringComparison.Ordinal);
        Assert.Contains("has not arrived", hints[1], StringComparison.Ordinal);
        Assert.Contains("forceFlush", hints[2], StringComparison.Ordinal);
        Assert.Equal(
            2,
            TraceHints.Of(root, [estimated, running], "openinference", s_start.AddMinutes(1)).Count
        );
    }

    private static Run Root() =>
        Call() with
        {
            Kind = RunKind.Chain,
            IsRoot = true,
            Usage = null,
            PayloadLengths = new Dictionary<PayloadKind, long>(),
        };

    private static Run Call() =>
        new()
        {
            Id = Guid.NewGuid(),
            ProjectId = Guid.NewGuid(),
            TraceId = Guid.NewGuid(),
            DottedOrder = "",
            Name = "chat",
            Kind = RunKind.Llm,
            Status = RunStatus.Success,
            StartTime = s_start,
            EndTime = s_start.AddSeconds(1),
            Usage = new TokenUsage { PromptTokens = 1 },
            PayloadLengths = new Dictionary<PayloadKind, long>
            {
                [PayloadKind.Inputs] = 1,
                [PayloadKind.Outputs] = 1,
            },
        };
}
