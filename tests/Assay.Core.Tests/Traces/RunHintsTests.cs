using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Core.Tests.Traces;

public sealed class RunHintsTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_whole_call_gets_no_hint() =>
        Assert.Empty(RunHints.Of(Call(), "openinference", s_start));

    [Fact]
    public void What_came_another_way_gets_none() =>
        Assert.Empty(
            RunHints.Of(
                Call() with
                {
                    Usage = null,
                    PayloadLengths = new Dictionary<PayloadKind, long>(),
                },
                null,
                s_start
            )
        );

    [Fact]
    public void Missing_messages_name_the_line_of_their_sdk()
    {
        var run = Call() with { PayloadLengths = new Dictionary<PayloadKind, long>() };
        Assert.Contains(
            "EnableSensitiveData",
            Assert.Single(RunHints.Of(run, "microsoft-extensions-ai", s_start)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            Assert.Single(RunHints.Of(run, "opentelemetry-contrib", s_start)),
            StringComparison.Ordinal
        );
        Assert.Empty(RunHints.Of(run with { Status = RunStatus.Error }, "openlit", s_start));
    }

    [Fact]
    public void Missing_tokens_a_missing_parent_and_a_missing_end_are_told()
    {
        var run = Call() with
        {
            Usage = new TokenUsage { Source = FigureSource.Estimated },
            IsRoot = true,
            ParentRunId = Guid.NewGuid(),
            EndTime = null,
        };
        var hints = RunHints.Of(run, "openinference", s_start.AddHours(1));
        Assert.Equal(3, hints.Count);
        Assert.Contains("include_usage", hints[0], StringComparison.Ordinal);
        Assert.Contains("has not arrived", hints[1], StringComparison.Ordinal);
        Assert.Contains("forceFlush", hints[2], StringComparison.Ordinal);
        Assert.Equal(2, RunHints.Of(run, "openinference", s_start.AddMinutes(1)).Count);
    }

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
