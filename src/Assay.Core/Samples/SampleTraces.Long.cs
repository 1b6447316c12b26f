using Assay.Core.Traces;

namespace Assay.Core.Samples;

/// <summary>The scenes that go on: threads, a long trace, one that still runs.</summary>
internal sealed partial class SampleTraces
{
    private void Thread(DateTimeOffset at, int n)
    {
        var history = new List<(string, string)> { ("system", SampleText.System) };
        for (var turn = 0; turn < 2 + n % 3; turn++)
        {
            history.Add(("user", SampleText.Turns[turn]));
            var root = Start(
                null,
                "chat-turn",
                RunKind.Chain,
                at,
                Json(new { messages = Messages([.. history]) })
            );
            root.ThreadId = $"chat-{7_310 + n}";
            root.Tags = ["chat"];
            var clock = Llm(
                root,
                "ChatOpenAI",
                "gpt-4.1",
                at.AddMilliseconds(6),
                history,
                SampleText.Replies[turn],
                300 + history.Count * 90,
                30 + Random.Next(60),
                stream: true
            );
            End(
                root,
                clock,
                Json(new { messages = Messages(("assistant", SampleText.Replies[turn])) })
            );
            history.Add(("assistant", SampleText.Replies[turn]));
            at = clock.AddSeconds(20 + Random.Next(60));
        }
    }

    /// <summary>A research agent of about 2,000 runs.</summary>
    private void LongRunning(DateTimeOffset at)
    {
        var root = Start(
            null,
            "market-research-agent",
            RunKind.Agent,
            at,
            Json(
                new
                {
                    messages = Messages(
                        ("user", "Compare the return policies of forty shops and write a report.")
                    ),
                }
            )
        );
        root.Tags = ["long", "batch"];
        var clock = at;
        for (var step = 0; step < LongTraceSteps; step++)
        {
            var chain = Start(root, "agent_step", RunKind.Chain, clock, Json(new { step }));
            clock = Llm(
                chain,
                "ChatOpenAI",
                step % 7 == 0 ? "gpt-4.1" : "gpt-4.1-mini",
                clock.AddMilliseconds(2),
                [("user", $"Shop {step}: what is the policy?")],
                "I read the page and note the policy.",
                1_800 + Random.Next(2_500),
                20 + Random.Next(90),
                stream: false,
                scale: 0.25
            );
            var a = Tool(
                chain,
                "fetch_page",
                clock,
                new { url = $"https://shop-{step}.example/returns" },
                new { status = 200, characters = 8_000 + step },
                60 + Random.Next(240),
                step % 41 == 40 ? SampleText.Errors[1] : null
            );
            var b = Tool(
                chain,
                "search_web",
                clock,
                new { q = $"shop {step} returns" },
                new { hits = 3 },
                90 + Random.Next(120),
                null
            );
            clock = Max(a, b);
            var parser = Start(
                chain,
                "parse_policy",
                RunKind.Parser,
                clock,
                Json(new { text = "…" })
            );
            clock = End(parser, clock.AddMilliseconds(2), Json(new { days = 30 }));
            clock = End(chain, clock, Json(new { ok = true }));
        }

        End(
            root,
            clock,
            Json(
                new
                {
                    report = "# Return policies of forty shops\n\nMost shops take goods back for **30 days**; nine ask for closed packaging.",
                }
            )
        );
        Judge(root, "helpfulness", 0.82, "Complete, a little long.", "auto_eval");
    }

    private void Running(DateTimeOffset at)
    {
        var root = Start(
            null,
            "support-agent",
            RunKind.Agent,
            at,
            Json(new { messages = Messages(("user", "Is my order on its way?")) })
        );
        root.Tags = ["prod"];
        var step = Start(
            root,
            "agent_step",
            RunKind.Chain,
            at.AddMilliseconds(5),
            Json(new { step = 1 })
        );
        Start(
            step,
            "ChatOpenAI",
            RunKind.Llm,
            at.AddMilliseconds(9),
            Json(new { messages = Messages(("user", "Is my order on its way?")) })
        ).Model = "gpt-4.1";
    }
}
