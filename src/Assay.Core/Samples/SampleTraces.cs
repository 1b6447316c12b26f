using System.Text;
using System.Text.Json.Nodes;
using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Core.Samples;

/// <summary>The scenes of the sample project. The same seed makes the same traces, ending at the given moment.</summary>
internal sealed partial class SampleTraces(Guid projectId, DateTimeOffset now)
    : SampleRuns(projectId, now)
{
    private const int LongTraceSteps = 400;
    private static readonly string[] s_include = ["shipments", "payments"];
    private static readonly string[] s_choices = ["replacement", "refund"];
    private static readonly string[] s_sources = ["policy-1.md", "policy-3.md"];

    public void Build()
    {
        for (var i = 0; i < 90; i++)
        {
            var age = TimeSpan.FromMinutes(6 + Math.Pow(i, 1.75) * 3.2);
            var at = Now - age;
            switch (i % 5)
            {
                case 0:
                case 1:
                    Agent(at, i);
                    break;
                case 2:
                    Retrieval(at, i);
                    break;
                case 3:
                    Vision(at, i);
                    break;
                default:
                    Extraction(at, i);
                    break;
            }
        }

        for (var thread = 0; thread < 8; thread++)
        {
            Thread(Now - TimeSpan.FromHours(1 + thread * 2.6), thread);
        }

        LongRunning(Now - TimeSpan.FromMinutes(38));
        Running(Now - TimeSpan.FromSeconds(4));
    }

    private void Agent(DateTimeOffset at, int i)
    {
        var (question, answer, order) = SampleText.Cases[i % SampleText.Cases.Length];
        var fails = i % 13 == 6;
        var root = Start(
            null,
            "support-agent",
            RunKind.Agent,
            at,
            Json(new { messages = Messages(("system", SampleText.System), ("user", question)) })
        );
        root.Tags = i % 3 == 0 ? ["prod", "v2.14", "eu-west", "vip"] : ["prod", "v2.14"];
        root.Metadata =
        [
            new("environment", "production"),
            new("release", "2.14.0"),
            new("customer_tier", i % 3 == 0 ? "gold" : "standard"),
            new("region", i % 2 == 0 ? "eu-west" : "us-east"),
        ];
        var clock = at.AddMilliseconds(4);
        var guard = Start(
            root,
            "input_guardrail",
            RunKind.Guardrail,
            clock,
            Json(new { text = question })
        );
        clock = Llm(
            guard,
            "moderation",
            "gpt-4.1-mini",
            clock,
            [("user", question)],
            """{"flagged": false, "categories": []}""",
            320,
            14,
            stream: false
        );
        clock = End(guard, clock, Json(new { passed = true }));
        var plan = Start(root, "agent_step", RunKind.Chain, clock, Json(new { step = 1 }));
        clock = Call(
            plan,
            clock,
            question,
            (
                "lookup_order",
                $$"""{"order_id": "{{order}}", "include": ["shipments", "payments"]}"""
            ),
            (
                "carrier_tracking",
                """{"carrier": "DHL", "tracking_number": "JD014600006754", "locale": "en-GB"}"""
            )
        );
        var lookup = Tool(
            plan,
            "lookup_order",
            clock,
            new { order_id = order, include = s_include },
            new
            {
                status = "shipped",
                total = 129.00,
                currency = "EUR",
                shipments = new[]
                {
                    new
                    {
                        carrier = "DHL",
                        tracking_number = "JD014600006754",
                        last_event = "LOST_IN_TRANSIT",
                    },
                },
            },
            180 + Random.Next(300),
            null
        );
        var track = Tool(
            plan,
            "carrier_tracking",
            clock,
            new { carrier = "DHL", tracking_number = "JD014600006754" },
            new
            {
                events = new[]
                {
                    new
                    {
                        at = "2026-11-17T08:12:00Z",
                        place = "Hamburg",
                        code = "LOST_IN_TRANSIT",
                    },
                },
            },
            fails ? 8_000 : 400 + Random.Next(500),
            fails ? SampleText.Errors[1] : null
        );
        clock = End(plan, Max(lookup, track), Json(new { done = false }));
        if (fails)
        {
            Fail(root, clock, SampleText.Errors[1]);
            return;
        }

        var finish = Start(root, "agent_step", RunKind.Chain, clock, Json(new { step = 2 }));
        clock = Tool(
            finish,
            "create_claim",
            clock,
            new { order_id = order, reason = "lost in transit" },
            new { claim = "C-1093", choices = s_choices },
            140 + Random.Next(160),
            null
        );
        clock = Llm(
            finish,
            "ChatOpenAI",
            "gpt-4.1",
            clock,
            [("system", SampleText.System), ("user", question)],
            answer,
            3_400 + Random.Next(900),
            90 + Random.Next(160),
            stream: true,
            reasoning: "The carrier reports the parcel as lost. The policy says the customer chooses between a replacement and a refund, and a claim must exist first; it does Now."
        );
        clock = End(finish, clock, Json(new { done = true }));
        End(root, clock, Json(new { messages = Messages(("assistant", answer)) }));
        Judge(
            root,
            "correctness",
            0.55 + Random.NextDouble() * 0.45,
            "Names the claim and offers both choices.",
            "auto_eval"
        );
        if (i % 4 == 0)
        {
            Judge(
                root,
                "user_score",
                i % 8 == 0 ? 1 : 0,
                i % 8 == 0 ? "Solved my problem." : "Too slow.",
                "app"
            );
        }
    }

    private void Retrieval(DateTimeOffset at, int i)
    {
        var (question, answer, _) = SampleText.Cases[(i + 1) % SampleText.Cases.Length];
        var root = Start(null, "rag-answer", RunKind.Chain, at, Json(new { question }));
        root.Tags = ["rag", "staging"];
        root.Metadata = [new("environment", "staging"), new("index", "help-center-2026-11")];
        var embed = Start(
            root,
            "embed_query",
            RunKind.Embedding,
            at.AddMilliseconds(3),
            Json(new { input = question })
        );
        embed.Model = "text-embedding-3-large";
        embed.Provider = "openai";
        embed.Usage = new TokenUsage { PromptTokens = 24, TotalTokens = 24 };
        var clock = End(
            embed,
            at.AddMilliseconds(60 + Random.Next(80)),
            Json(new { dimensions = 3_072 })
        );
        var search = Start(
            root,
            "search_knowledge_base",
            RunKind.Retriever,
            clock,
            Json(new { query = question, k = 4 })
        );
        clock = End(
            search,
            clock.AddMilliseconds(90 + Random.Next(200)),
            Json(
                new
                {
                    documents = SampleText.Documents.Select(
                        (d, n) =>
                            new
                            {
                                page_content = d,
                                metadata = new
                                {
                                    source = $"policy-{n + 1}.md",
                                    score = Math.Round(0.91 - n * 0.11, 2),
                                },
                            }
                    ),
                }
            )
        );
        var prompt = Start(
            root,
            "format_prompt",
            RunKind.Prompt,
            clock,
            Json(new { question, documents = 4 })
        );
        clock = End(
            prompt,
            clock.AddMilliseconds(2),
            Json(
                new
                {
                    messages = Messages(
                        ("system", "Answer from the documents only."),
                        ("user", question)
                    ),
                }
            )
        );
        if (i % 17 == 7)
        {
            var failed = Start(
                root,
                "ChatAnthropic",
                RunKind.Llm,
                clock,
                Json(new { messages = Messages(("user", question)) })
            );
            failed.Model = "claude-sonnet-4-5";
            failed.Provider = "anthropic";
            clock = Fail(failed, clock.AddMilliseconds(900), SampleText.Errors[0]);
            Fail(root, clock, SampleText.Errors[0]);
            return;
        }

        clock = Llm(
            root,
            "ChatAnthropic",
            "claude-sonnet-4-5",
            clock,
            [
                (
                    "system",
                    "Answer from the documents only.\n\n"
                        + string.Join("\n\n", SampleText.Documents)
                ),
                ("user", question),
            ],
            answer,
            1_900 + Random.Next(400),
            80 + Random.Next(120),
            stream: true,
            cached: 1_200
        );
        End(root, clock, Json(new { answer, sources = s_sources }));
        Judge(root, "groundedness", 0.4 + Random.NextDouble() * 0.6, null, "auto_eval");
    }

    private void Vision(DateTimeOffset at, int i)
    {
        var root = Start(
            null,
            "damage-check",
            RunKind.Chain,
            at,
            Json(new { claim = $"C-{1_000 + i}" })
        );
        root.Tags = ["vision"];
        var input = new JsonObject
        {
            ["messages"] = new JsonArray(
                new JsonObject
                {
                    ["role"] = "system",
                    ["content"] =
                        "Say whether the parcel in the picture is damaged. Answer in the given schema.",
                },
                new JsonObject
                {
                    ["role"] = "user",
                    ["content"] = new JsonArray(
                        new JsonObject { ["type"] = "text", ["text"] = "Is this parcel damaged?" },
                        new JsonObject
                        {
                            ["type"] = "image_url",
                            ["image_url"] = new JsonObject
                            {
                                ["url"] = "data:image/png;base64," + SampleText.ParcelPng,
                            },
                        }
                    ),
                }
            ),
        };
        var llm = Start(
            root,
            "ChatOpenAI",
            RunKind.Llm,
            at.AddMilliseconds(5),
            Payload.FromUtf8(Encoding.UTF8.GetBytes(input.ToJsonString()))
        );
        llm.Model = "gpt-4.1";
        llm.Provider = "openai";
        llm.Usage = new TokenUsage
        {
            PromptTokens = 1_105,
            CompletionTokens = 42,
            TotalTokens = 1_147,
        };
        var verdict = """{"damaged": true, "where": ["upper left corner"], "confidence": 0.87}""";
        var clock = End(
            llm,
            at.AddMilliseconds(1_400 + Random.Next(900)),
            Json(
                new
                {
                    choices = new[]
                    {
                        new
                        {
                            message = new { role = "assistant", content = verdict },
                            finish_reason = "stop",
                        },
                    },
                }
            )
        );
        End(root, clock, Json(new { damaged = true, confidence = 0.87 }));
    }

    private void Extraction(DateTimeOffset at, int i)
    {
        var fails = i % 10 == 9;
        var root = Start(
            null,
            "invoice-extractor",
            RunKind.Chain,
            at,
            Json(new { file = $"invoice-{2_000 + i}.pdf", pages = 2 })
        );
        root.Tags = ["batch"];
        root.Metadata = [new("environment", "production"), new("batch", "2026-11-nightly")];
        var clock = Llm(
            root,
            "ChatOpenAI",
            "gpt-4.1-mini",
            at.AddMilliseconds(8),
            [("user", "Extract supplier, number, date and total as JSON.")],
            """{"supplier": "Nordwind GmbH", "number": "R-2291", "date": "2026-11-03", "total": 1290.50}""",
            5_200 + Random.Next(2_000),
            60,
            stream: false
        );
        var parse = Start(root, "parse_invoice", RunKind.Parser, clock, Json(new { text = "{…}" }));
        if (fails)
        {
            clock = Fail(parse, clock.AddMilliseconds(3), SampleText.Errors[2]);
            Fail(root, clock, SampleText.Errors[2]);
            return;
        }

        clock = End(
            parse,
            clock.AddMilliseconds(3),
            Json(
                new
                {
                    supplier = "Nordwind GmbH",
                    number = "R-2291",
                    total = 1290.50,
                }
            )
        );
        End(
            root,
            clock,
            Json(
                new
                {
                    supplier = "Nordwind GmbH",
                    number = "R-2291",
                    total = 1290.50,
                }
            )
        );
    }
}
