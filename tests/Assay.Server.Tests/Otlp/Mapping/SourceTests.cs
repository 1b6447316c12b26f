using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>Emitters of which there is no capture, as their sources and documents describe them (shared notes of November 2026).</summary>
public sealed class SourceTests
{
    private const string Answer = "It is sunny.";

    [Fact]
    public void Messages_in_log_records_of_the_conventions_before_1_37()
    {
        var mapped = Spans
            .Of(
                "@opentelemetry/instrumentation-openai",
                "chat gpt-4o",
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.system", "openai"),
                ("gen_ai.request.model", "gpt-4o")
            )
            .Log("gen_ai.system.message", """{"content":"Be brief."}""")
            .Log("gen_ai.user.message", """{"content":"Weather?"}""")
            .Log(
                "gen_ai.assistant.message",
                """{"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]}"""
            )
            .Log("gen_ai.tool.message", """{"id":"c1","content":"18C"}""")
            .Log(
                "gen_ai.choice",
                """{"index":0,"finish_reason":"stop","message":{"content":"It is sunny."}}"""
            )
            .Map();
        var run = Spans.Run(mapped);
        Assert.Equal(
            """
            system: Be brief.
            user: Weather?
            assistant: get_weather({"city":"Paris"}) #c1
            tool #c1: 18C
            """,
            run.Asked
        );
        Assert.Equal("assistant: It is sunny. <stop>", run.Answered);
        Assert.Equal((RunKind.Llm, "opentelemetry-contrib"), (mapped.Kind, mapped.Source));
    }

    [Fact]
    public void Several_choices_are_several_answers()
    {
        var run = Spans.Run(
            Spans
                .Of("x", "chat", ("gen_ai.operation.name", "chat"))
                .Log(
                    "gen_ai.choice",
                    """{"index":0,"finish_reason":"stop","message":{"content":"one"}}"""
                )
                .Log(
                    "gen_ai.choice",
                    """{"index":1,"finish_reason":"length","message":{"content":"two"}}"""
                )
                .Map()
        );
        Assert.Equal(
            """
            assistant: one <stop>
            assistant: two <length>
            """,
            run.Answered
        );
    }

    [Fact]
    public void Semantic_Kernel_writes_JSON_into_span_events_and_prompts_that_pose_as_tools()
    {
        var mapped = Spans
            .Of(
                "Microsoft.SemanticKernel.Diagnostics",
                "chat.completions gpt-4o",
                ("gen_ai.operation.name", "chat.completions"),
                ("gen_ai.system", "openai"),
                ("gen_ai.request.model", "gpt-4o"),
                ("gen_ai.response.finish_reason", """["Stop"]"""),
                ("gen_ai.usage.input_tokens", 24),
                ("gen_ai.usage.output_tokens", 9)
            )
            .Event(
                "gen_ai.user.message",
                ("gen_ai.event.content", """{"role":"User","content":"Weather?"}""")
            )
            .Event(
                "gen_ai.choice",
                (
                    "gen_ai.event.content",
                    """{"index":0,"message":{"role":"Assistant","content":"It is sunny.","tool_calls":[]},"tool_calls":[],"finish_reason":"Stop"}"""
                )
            )
            .Map();
        var run = Spans.Run(mapped);
        Assert.Equal("user: Weather?", run.Asked);
        Assert.Equal("assistant: It is sunny. <stop>", run.Answered);
        Assert.Equal((RunKind.Llm, "stop"), (mapped.Kind, run.Meta("finish_reason")));
        Assert.Null(mapped.Events);

        var prompt = Spans
            .Of(
                "Microsoft.SemanticKernel",
                "execute_tool InvokePromptAsync_4f3a",
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "InvokePromptAsync_4f3a")
            )
            .Map();
        Assert.Equal(RunKind.Chain, prompt.Kind);
    }

    [Fact]
    public void The_events_of_the_conventions_before_1_27()
    {
        var run = Spans.Run(
            Spans
                .Of(
                    "x",
                    "openai.chat",
                    ("gen_ai.system", "openai"),
                    ("gen_ai.request.model", "gpt-4o")
                )
                .Event(
                    "gen_ai.content.prompt",
                    ("gen_ai.prompt", """[{"role":"user","content":"Weather?"}]""")
                )
                .Event(
                    "gen_ai.content.completion",
                    ("gen_ai.completion", """[{"role":"assistant","content":"It is sunny."}]""")
                )
                .Map()
        );
        Assert.Equal("user: Weather?", run.Asked);
        Assert.Equal("assistant: It is sunny.", run.Answered);
    }

    [Fact]
    public void Messages_in_the_details_event_with_results_under_either_name()
    {
        var mapped = Spans
            .Of("strands.telemetry.tracer", "chat", ("gen_ai.operation.name", "chat"))
            .Event(
                "gen_ai.client.inference.operation.details",
                ("gen_ai.system_instructions", """[{"type":"text","content":"Be brief."}]"""),
                (
                    "gen_ai.input.messages",
                    """[{"role":"user","parts":[{"type":"text","content":"Weather?"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"get_weather","arguments":"{\"city\":\"Paris\"}"}]},{"role":"user","parts":[{"type":"tool_call_response","id":"c1","result":[{"text":"18C"}]}]}]"""
                ),
                (
                    "gen_ai.output.messages",
                    """[{"role":"assistant","parts":[{"type":"reasoning","content":"Sun."},{"type":"text","content":"It is sunny."}],"finish_reason":"end_turn"}]"""
                )
            )
            .Map();
        var run = Spans.Run(mapped);
        Assert.Equal(
            """
            system: Be brief.
            user: Weather?
            assistant: get_weather({"city":"Paris"}) #c1
            tool #c1: 18C
            """,
            run.Asked
        );
        Assert.Equal("assistant: (Sun.) It is sunny. <stop>", run.Answered);
    }

    [Fact]
    public void Google_ADK_leaves_thoughts_out_of_its_output_tokens()
    {
        var mapped = Spans
            .Of(
                "gcp.vertex.agent",
                "call_llm",
                ("gen_ai.system", "gcp.vertex.agent"),
                ("gen_ai.request.model", "gemini-2.5-flash"),
                ("gen_ai.agent.name", "weather_agent"),
                ("gen_ai.usage.input_tokens", 24),
                ("gen_ai.usage.output_tokens", 9),
                ("gcp.vertex.agent.session_id", "s1"),
                (
                    "gcp.vertex.agent.llm_request",
                    """{"model":"gemini-2.5-flash","config":{"system_instruction":"You are a weather bot.","temperature":0.2,"tools":[{"function_declarations":[{"name":"get_weather","description":"Weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}]},"contents":[{"parts":[{"text":"Weather in Paris?"}],"role":"user"},{"parts":[{"function_call":{"id":"c1","name":"get_weather","args":{"city":"Paris"}}}],"role":"model"},{"parts":[{"function_response":{"id":"c1","name":"get_weather","response":{"celsius":18}}}],"role":"user"}]}"""
                ),
                (
                    "gcp.vertex.agent.llm_response",
                    """{"content":{"parts":[{"text":"Thinking it over.","thought":true},{"text":"It is sunny."}],"role":"model"},"finish_reason":"STOP","usage_metadata":{"prompt_token_count":24,"candidates_token_count":9,"thoughts_token_count":4,"cached_content_token_count":16,"total_token_count":37}}"""
                )
            )
            .Map();
        var run = Spans.Run(mapped);
        Assert.Equal(
            (RunKind.Llm, "google-adk", "call_llm"),
            (mapped.Kind, mapped.Source, mapped.Name)
        );
        Assert.Equal(
            """
            system: You are a weather bot.
            user: Weather in Paris?
            assistant: get_weather({"city":"Paris"}) #c1
            tool #c1: {"celsius":18}
            """,
            run.Asked
        );
        Assert.Equal("assistant: (Thinking it over.) It is sunny. <stop>", run.Answered);
        Assert.Equal("24 + 13 = 37, cache_read 16, reasoning 4", Figures(mapped.Usage));
        Assert.Equal(("google", "s1"), (mapped.Provider, mapped.ThreadId));
        Assert.Equal("get_weather(city)", run.Tools);
        Assert.Equal("0.2", run.Parameters.GetProperty("temperature").GetRawText());
    }

    [Fact]
    public void Google_ADK_tools_and_its_span_of_merged_tools()
    {
        var tool = Spans
            .Of(
                "gcp.vertex.agent",
                "execute_tool get_weather",
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "get_weather"),
                ("gcp.vertex.agent.llm_request", "{}"),
                ("gcp.vertex.agent.tool_call_args", """{"city":"Paris"}"""),
                ("gcp.vertex.agent.tool_response", """{"celsius":18}""")
            )
            .Map();
        Assert.Equal((RunKind.Tool, "get_weather"), (tool.Kind, tool.Name));
        Assert.Equal("""{"city":"Paris"}""", Spans.Text(tool.Inputs));
        Assert.Equal("""{"celsius":18}""", Spans.Text(tool.Outputs));
        var merged = Spans
            .Of(
                "gcp.vertex.agent",
                "execute_tool (merged tools)",
                ("gen_ai.tool.name", "(merged tools)"),
                ("gcp.vertex.agent.tool_call_args", "N/A")
            )
            .Map();
        Assert.True(merged.IsRepetition);
        Assert.Null(merged.Inputs);
        Assert.True(Spans.Run(merged).Otel.GetProperty("hidden").GetBoolean());
    }

    [Fact]
    public void Genkit_keeps_everything_in_its_own_input_and_output()
    {
        var mapped = Spans
            .Of(
                "genkit-tracer",
                "openai/gpt-4o-mini",
                ("genkit:type", "action"),
                ("genkit:metadata:subtype", "model"),
                ("genkit:name", "openai/gpt-4o-mini"),
                ("genkit:state", "success"),
                (
                    "genkit:input",
                    """{"messages":[{"role":"system","content":[{"text":"Be brief."}]},{"role":"user","content":[{"text":"Weather?"},{"media":{"url":"https://example.com/a.png","contentType":"image/png"}}]},{"role":"model","content":[{"toolRequest":{"ref":"c1","name":"get_weather","input":{"city":"Paris"}}}]},{"role":"tool","content":[{"toolResponse":{"ref":"c1","name":"get_weather","output":{"celsius":18}}}]}],"tools":[{"name":"get_weather","description":"Weather","inputSchema":{"type":"object","properties":{"city":{"type":"string"}}}}],"config":{"temperature":0.2}}"""
                ),
                (
                    "genkit:output",
                    """{"message":{"role":"model","content":[{"text":"It is sunny."}]},"finishReason":"stop","usage":{"inputTokens":24,"outputTokens":9,"totalTokens":33}}"""
                )
            )
            .Map();
        var run = Spans.Run(mapped);
        Assert.Equal(
            (RunKind.Llm, "openai", "openai/gpt-4o-mini"),
            (mapped.Kind, mapped.Provider, mapped.Model)
        );
        Assert.Equal(
            """
            system: Be brief.
            user: Weather? [image https://example.com/a.png]
            assistant: get_weather({"city":"Paris"}) #c1
            tool #c1: {"celsius":18}
            """,
            run.Asked
        );
        Assert.Equal("assistant: It is sunny. <stop>", run.Answered);
        Assert.Equal("24 + 9 = 33", Figures(mapped.Usage));
        Assert.Equal("get_weather(city)", run.Tools);
        Assert.Equal("0.2", run.Parameters.GetProperty("temperature").GetRawText());

        var flow = Spans
            .Of(
                "genkit-tracer",
                "menu",
                ("genkit:metadata:subtype", "flow"),
                ("genkit:input", "\"pasta\""),
                ("genkit:state", "error"),
                ("genkit:error", "no pasta")
            )
            .Map();
        Assert.Equal((RunKind.Chain, true, "no pasta"), (flow.Kind, flow.Failed, flow.Error));
        Assert.Equal("""{"input":"pasta"}""", Spans.Text(flow.Inputs));
    }

    [Fact]
    public void Pydantic_AI_agents_and_the_placeholder_of_a_span_that_has_not_ended()
    {
        var agent = Spans
            .Of(
                "pydantic-ai",
                "agent run",
                ("gen_ai.operation.name", "invoke_agent"),
                ("gen_ai.agent.name", "weather"),
                ("model_name", "gpt-4o"),
                ("final_result", "It is sunny."),
                (
                    "pydantic_ai.all_messages",
                    """[{"role":"user","parts":[{"type":"text","content":"Weather?"}]},{"role":"assistant","parts":[{"type":"text","content":"It is sunny."}]}]"""
                )
            )
            .Map();
        Assert.Equal((RunKind.Agent, "weather", "gpt-4o"), (agent.Kind, agent.Name, agent.Model));
        Assert.Equal("""{"output":"It is sunny."}""", Spans.Text(agent.Outputs));

        var pending = Spans.Of(
            "logfire",
            "agent run (pending)",
            ("logfire.span_type", "pending_span"),
            ("logfire.pending_parent_id", "0000000000000000"),
            ("logfire.msg", "agent run")
        );
        pending.Span.ParentSpanId = Google.Protobuf.ByteString.CopyFrom(
            0x66,
            0x66,
            0x66,
            0x66,
            0x66,
            0x66,
            0x66,
            0x66
        );
        var mapped = pending.Map();
        Assert.Equal(
            ("6666666666666666", null),
            (mapped.Pending?.SpanId, mapped.Pending?.ParentSpanId)
        );
        Assert.Equal("agent run", mapped.Name);
    }

    [Fact]
    public void OpenLIT_says_zero_when_it_knows_no_price_and_repeats_the_system_message()
    {
        var mapped = Spans
            .Of(
                "openlit",
                "chat gpt-4o",
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.provider.name", "openai"),
                ("gen_ai.request.model", "gpt-4o"),
                ("gen_ai.tool.name", "get_weather"),
                ("gen_ai.usage.input_tokens", 24),
                ("gen_ai.usage.output_tokens", 9),
                ("gen_ai.usage.cost", 0.0),
                ("gen_ai.server.time_to_first_token", 0.25),
                ("gen_ai.system_instructions", """[{"type":"text","content":"Be brief."}]"""),
                (
                    "gen_ai.input.messages",
                    """[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]"""
                )
            )
            .Map();
        Assert.Equal(RunKind.Llm, mapped.Kind);
        Assert.Null(mapped.Usage!.KnownCost);
        Assert.Equal(
            """
            system: Be brief.
            user: Weather?
            """,
            Spans.Run(mapped).Asked
        );
        Assert.Equal(
            TimeSpan.FromMilliseconds(250),
            mapped.FirstTokenTime - DateTimeOffset.UnixEpoch.AddTicks((long)(Spans.Start / 100))
        );
        var embedding = Spans
            .Of(
                "openlit",
                "embeddings",
                ("gen_ai.operation.name", "embeddings"),
                ("gen_ai.input.messages", "hello")
            )
            .Map();
        Assert.Equal("""{"input":"hello"}""", Spans.Text(embedding.Inputs));
    }

    [Fact]
    public void Claude_Code_counts_input_without_what_came_from_the_cache()
    {
        var mapped = Spans
            .Of(
                "com.anthropic.claude_code.tracing",
                "claude_code.llm_request",
                ("span.type", "llm_request"),
                ("model", "claude-sonnet-4-5"),
                ("input_tokens", 8),
                ("output_tokens", 9),
                ("cache_read_tokens", 16),
                ("cache_creation_tokens", 4),
                ("new_context", "Weather?"),
                ("response.model_output", "It is sunny.")
            )
            .Map();
        Assert.Equal((RunKind.Llm, "anthropic"), (mapped.Kind, mapped.Provider));
        Assert.Equal("28 + 9 = 37, cache_creation 4, cache_read 16", Figures(mapped.Usage));
        Assert.Equal("user: Weather?", Spans.Run(mapped).Asked);
        Assert.Equal($"assistant: {Answer}", Spans.Run(mapped).Answered);
        var hidden = Spans
            .Of(
                "com.anthropic.claude_code.tracing",
                "claude_code.interaction",
                ("span.type", "interaction"),
                ("user_prompt", "<REDACTED>")
            )
            .Map();
        Assert.Equal((RunKind.Agent, null), (hidden.Kind, Spans.Text(hidden.Inputs)));
    }

    [Fact]
    public void MCP_and_vector_stores_and_plain_HTTP()
    {
        var tool = Spans
            .Of(
                "mcp",
                "tools/call get_weather",
                ("mcp.method.name", "tools/call"),
                ("gen_ai.tool.name", "get_weather"),
                ("mcp.request.argument", """{"city":"Paris"}"""),
                ("mcp.session.id", "m1")
            )
            .Map();
        Assert.Equal((RunKind.Tool, "get_weather", "m1"), (tool.Kind, tool.Name, tool.ThreadId));
        var search = Spans
            .Of(
                "x",
                "query",
                ("db.system", "qdrant"),
                ("db.operation.name", "query"),
                ("db.query.text", "sun")
            )
            .Map();
        Assert.Equal(
            (RunKind.Retriever, """{"query":"sun"}"""),
            (search.Kind, Spans.Text(search.Inputs))
        );
        var http = Spans
            .Of(
                "System.Net.Http",
                "POST",
                ("http.request.method", "POST"),
                ("url.full", "https://api.openai.com/v1/chat/completions"),
                ("http.response.status_code", 200)
            )
            .Map();
        Assert.Equal(
            (RunKind.Chain, true, false),
            (http.Kind, http.IsInfrastructure, http.IsRecognized)
        );
        Assert.Equal("""{"status_code":200}""", Spans.Text(http.Outputs));
        Assert.Empty(http.Warnings);
    }

    [Fact]
    public void Retrieved_documents_of_the_conventions()
    {
        var mapped = Spans
            .Of(
                "x",
                "retrieval kb",
                ("gen_ai.operation.name", "retrieval"),
                ("gen_ai.retrieval.query.text", "paris"),
                (
                    "gen_ai.retrieval.documents",
                    """[{"id":"d1","score":0.9,"content":"Paris is sunny"}]"""
                )
            )
            .Map();
        Assert.Equal(
            (RunKind.Retriever, """{"input":"paris"}"""),
            (mapped.Kind, Spans.Text(mapped.Inputs))
        );
        Assert.Equal(
            """{"documents":[{"id":"d1","page_content":"Paris is sunny","score":0.9}]}""",
            Spans.Text(mapped.Outputs)
        );
    }

    [Fact]
    public void An_evaluation_becomes_a_score()
    {
        var score = Assert.Single(
            Spans
                .Of("x", "chat", ("gen_ai.operation.name", "chat"))
                .Event(
                    "gen_ai.evaluation.result",
                    ("gen_ai.evaluation.name", "Relevance"),
                    ("gen_ai.evaluation.score.value", 4.0),
                    ("gen_ai.evaluation.score.label", "relevant"),
                    ("gen_ai.evaluation.explanation", "on topic"),
                    ("gen_ai.response.id", "chatcmpl-1")
                )
                .Map()
                .Scores
        );
        Assert.Equal(
            ("Relevance", 4.0, "relevant", "on topic", "chatcmpl-1"),
            (score.Key, score.Score, score.Label, score.Comment, score.ResponseId)
        );
    }

    [Fact]
    public void LangSmiths_attributes_by_hand_and_Pythons_way_of_writing_a_dictionary()
    {
        var mapped = Spans
            .Of(
                "my-app",
                "call",
                ("langsmith.span.kind", "LLM"),
                ("langsmith.trace.name", "my call"),
                ("langsmith.trace.session_name", "shop"),
                ("langsmith.metadata.thread_id", "t1"),
                ("langsmith.reference_example_id", "0199aaaa-0000-7000-8000-000000000009"),
                ("langsmith.span.parent_id", "00000000-0000-0000-a1f5-f243fd820f14"),
                ("langsmith.traceable_parent_otel_span_id", "a1f5f243fd820f14"),
                (
                    "langsmith.attachments",
                    """[{"name":"a.txt","content":"aGk=","mime_type":"text/plain"}]"""
                ),
                ("langsmith.metadata.LANGSMITH_API_KEY", "lsv2_secret"),
                ("langsmith.request.headers", """{"authorization":"Bearer secret"}"""),
                (
                    "gen_ai.prompt",
                    """{"messages":[{"role":"user","content":"Weather?"}],"model":"gpt-4o"}"""
                ),
                (
                    "gen_ai.completion",
                    """{"messages":[{"role":"assistant","content":"It is sunny."}]}"""
                ),
                ("gen_ai.usage.input_tokens", 24),
                ("gen_ai.usage.output_tokens", 9),
                ("gen_ai.usage.input_token_details", "{'cache_read': 16}")
            )
            .Map();
        Assert.Equal((RunKind.Llm, "my call", "t1"), (mapped.Kind, mapped.Name, mapped.ThreadId));
        Assert.Equal((true, "shop"), (mapped.Project?.IsExplicit, mapped.Project?.Name));
        Assert.Equal(
            (null, "a1f5f243fd820f14"),
            (mapped.Ids.ParentRunId, mapped.Ids.FallbackParentSpanId)
        );
        Assert.Equal(Guid.Parse("0199aaaa-0000-7000-8000-000000000009"), mapped.ReferenceExampleId);
        Assert.Equal("24 + 9 = 33, cache_read 16", Figures(mapped.Usage));
        var file = Assert.Single(mapped.Files);
        Assert.Equal(
            ("a.txt", "text/plain", "hi"),
            (file.Name, file.ContentType, Spans.Text(file.Bytes))
        );
        Assert.DoesNotContain("secret", Spans.Text(mapped.Extra), StringComparison.Ordinal);
    }

    [Fact]
    public void An_AI_SDK_call_through_LangSmiths_exporter_keeps_the_calls_name_to_its_outermost_span()
    {
        var inner = Spans
            .Of(
                "ai",
                "ai.generateText.doGenerate",
                ("ai.operationId", "ai.generateText.doGenerate"),
                ("langsmith.trace.name", "answer")
            )
            .Map();
        var outer = Spans
            .Of(
                "ai",
                "ai.generateText",
                ("ai.operationId", "ai.generateText"),
                ("langsmith.trace.name", "answer")
            )
            .Map();
        Assert.Equal(("ai.generateText.doGenerate", "answer"), (inner.Name, outer.Name));
    }

    [Fact]
    public void Anthropics_cache_by_life_and_a_producer_whose_cached_part_is_larger_than_its_whole()
    {
        var mapped = Spans
            .Of(
                "ai",
                "ai.generateText.doGenerate",
                ("ai.operationId", "ai.generateText.doGenerate"),
                ("ai.model.provider", "anthropic.messages"),
                ("ai.model.id", "claude-sonnet-4-5"),
                ("ai.usage.inputTokens", 10),
                ("ai.usage.outputTokens", 9),
                ("ai.usage.cachedInputTokens", 100),
                (
                    "ai.response.providerMetadata",
                    """{"anthropic":{"cacheCreationInputTokens":30,"usage":{"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10}}}}"""
                )
            )
            .Map();
        Assert.Equal("anthropic", mapped.Provider);
        Assert.Equal(
            "140 + 9 = 149, cache_creation 30, cache_read 100, ephemeral_1h_input 10, ephemeral_5m_input 20",
            Figures(mapped.Usage)
        );
    }

    [Fact]
    public void A_handled_exception_is_no_failure_and_a_failed_tool_is_one()
    {
        Assert.False(
            Spans
                .Of("x", "chat", ("gen_ai.operation.name", "chat"))
                .Event("exception", ("exception.message", "retried"))
                .Map()
                .Failed
        );
        var tool = Spans
            .Of(
                "strands-agents",
                "execute_tool t",
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.status", "error")
            )
            .Map();
        Assert.True(tool.Failed);
        Assert.Equal("no luck", Spans.Of("x", "y").Status(2, "no luck").Map().Error);
    }

    [Fact]
    public void What_nobody_recognizes_is_kept_counted_and_said()
    {
        var mapped = Spans
            .Of("acme.llm", "do it", ("acme.prompt", "hello"), ("acme.plan", "pro"))
            .Resource("service.name", "shop")
            .Resource("acme.region", "eu")
            .Map();
        Assert.Equal(
            (RunKind.Chain, false, "generic"),
            (mapped.Kind, mapped.IsRecognized, mapped.Source)
        );
        Assert.Contains("acme.llm", Assert.Single(mapped.Warnings), StringComparison.Ordinal);
        var counted = Assert.Single(Spans.Unrecognized.Read(), s => s.Scope == "acme.llm");
        Assert.Equal(
            (1, "acme.plan acme.prompt"),
            (counted.Spans, string.Join(' ', counted.SampleKeys.Order(StringComparer.Ordinal)))
        );
        var run = Spans.Run(mapped);
        Assert.Equal(
            ("pro", "shop", "eu"),
            (run.Meta("acme.plan"), run.Meta("service.name"), run.Meta("acme.region"))
        );
        Assert.Equal(
            "hello",
            run.Otel.GetProperty("attributes").GetProperty("acme.prompt").GetString()
        );
        // A plain span of one's own says nothing, and nothing is wrong with it.
        Assert.Empty(Spans.Of("my-app", "checkout").Map().Warnings);
    }

    [Fact]
    public void Limits_of_the_SDK_are_said_with_the_setting_that_raises_them()
    {
        var span = Spans.Of(
            "x",
            "chat",
            ("gen_ai.operation.name", "chat"),
            (
                "gen_ai.input.messages",
                """[{"role":"user","parts":[{"type":"text","content":"How is the wea"""
            )
        );
        span.Span.DroppedAttributesCount = 52;
        var mapped = span.Map();
        Assert.Equal("user: How is the wea…", Spans.Run(mapped).Asked);
        Assert.Contains(
            mapped.Warnings,
            w => w.Contains("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", StringComparison.Ordinal)
        );
        Assert.Contains(
            mapped.Warnings,
            w => w.Contains("gen_ai.input.messages was cut", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Figures_that_are_guesses_are_marked()
    {
        Assert.Equal(FigureSource.Estimated, Traceloop(4).Source);
        Assert.Equal(FigureSource.Reported, Traceloop(11).Source);

        static TokenUsage Traceloop(int prompt) =>
            Spans
                .Of(
                    "@traceloop/instrumentation-openai",
                    "openai.chat",
                    ("llm.request.type", "chat"),
                    ("gen_ai.prompt.0.role", "user"),
                    ("gen_ai.prompt.0.content", "Weather in Paris?"),
                    ("gen_ai.usage.prompt_tokens", prompt),
                    ("gen_ai.usage.completion_tokens", 10)
                )
                .Map()
                .Usage!;
    }

    [Theory]
    [InlineData("openai.chat", "openai")]
    [InlineData("OpenAI", "openai")]
    [InlineData("azure-openai.chat", "azure_openai")]
    [InlineData("az.ai.inference", "azure.ai.inference")]
    [InlineData("google.generative-ai", "google")]
    [InlineData("gcp.gemini", "google")]
    [InlineData("google.vertex.chat", "vertex_ai")]
    [InlineData("amazon-bedrock", "bedrock")]
    [InlineData("aws.bedrock", "bedrock")]
    [InlineData("x_ai", "xai")]
    [InlineData("openrouter", "openrouter")]
    public void Providers_have_one_name(string written, string normal) =>
        Assert.Equal(
            normal,
            Spans
                .Of("x", "chat", ("gen_ai.operation.name", "chat"), ("gen_ai.system", written))
                .Map()
                .Provider
        );

    private static string Figures(TokenUsage? usage)
    {
        Assert.NotNull(usage);
        return $"{usage.PromptTokens} + {usage.CompletionTokens} = {usage.TotalTokens}"
            + string.Concat(
                (usage.PromptDetails ?? new Dictionary<string, long>())
                    .OrderBy(p => p.Key, StringComparer.Ordinal)
                    .Concat(usage.CompletionDetails ?? new Dictionary<string, long>())
                    .Select(p => $", {p.Key} {p.Value}")
            );
    }
}
