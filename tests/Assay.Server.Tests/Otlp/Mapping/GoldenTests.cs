namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>
/// Every capture in tests/fixtures/otel as a whole tree. What is expected follows from what was called (the README beside each capture): the fake model
/// asks for <c>get_weather</c> when it has not been called and answers "It is 18°C and sunny in Paris." after; it counts 24 prompt tokens
/// (16 cached) and 9 of completion (4 reasoning), 7 for embeddings; models whose name contains "error" answer 400.
/// </summary>
public sealed partial class GoldenTests(GoldenServer server) : IClassFixture<GoldenServer>
{
    private const string Image = "[image data:image/png;base64,iVBORw0KGgo=]";
    private const string Asks = """get_weather({"city":"Paris"}) #call_fake1""";
    private const string Answer = "It is 18°C and sunny in Paris.";
    private const string Figures = "24 + 9 = 33, cache_read 16, reasoning 4";

    [Fact]
    public async Task OpenInference_agent_with_chat_tool_stream_and_retriever_then_embeddings_and_responses()
    {
        var traces = await server.PlayAsync("js-openinference-openai-proto");
        Assert.Equal(
            [
                """
                weather-agent [chain]
                  OpenAI Chat Completions [llm]
                  get_weather [tool]
                  OpenAI Chat Completions [llm]
                  retrieve [retriever]
                """,
                "OpenAI Embeddings [embedding]",
                "OpenAI Responses [llm]",
                "OpenAI Responses [llm]",
            ],
            traces.Select(t => t.Outline)
        );
        var agent = traces[0];
        Assert.Equal("""{"input":"Weather in Paris?"}""", agent.Root.Inputs);
        Assert.Equal($$"""{"output":"{{Answer}}"}""", agent.Root.Outputs);
        var first = agent["OpenAI Chat Completions", 0];
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            first.Asked
        );
        Assert.Equal($"assistant: {Asks} <tool_calls>", first.Answered);
        Assert.Equal(Figures, first.Tokens);
        Assert.Equal("get_weather(city)", first.Tools);
        Assert.Equal("0.2", first.Parameters.GetProperty("temperature").GetRawText());
        Assert.Equal("openai", first.Meta("ls_provider"));
        Assert.Equal(["demo", "weather"], first.Tags);
        Assert.Equal("gold", first.Meta("tier"));
        Assert.Equal("user-1", first.Meta("user_id"));

        var streamed = agent["OpenAI Chat Completions", 1];
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            assistant: {Asks}
            tool #call_fake1: 18C
            """,
            streamed.Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", streamed.Answered);

        Assert.Equal("""{"city":"Paris"}""", agent["get_weather"].Inputs);
        Assert.Equal("""{"output":"18C"}""", agent["get_weather"].Outputs);
        Assert.Equal("""{"input":"paris"}""", agent["retrieve"].Inputs);
        Assert.Equal(
            """{"documents":[{"id":"d1","page_content":"Paris is sunny","score":0.91,"metadata":{"src":"kb"}}]}""",
            agent["retrieve"].Outputs
        );
        // Session and user stand on the model calls only; the trace has them.
        Assert.All(agent.Runs, r => Assert.Equal("sess-1", r.Thread));

        Assert.Equal("""{"input":["hello","world"]}""", traces[1].Root.Inputs);
        Assert.Equal(
            """{"embeddings":[[0.25,-0.5,0.125,1],[0.25,-0.5,0.125,1]]}""",
            traces[1].Root.Outputs
        );
        var responses = traces[2].Root;
        Assert.Equal(
            """
            system: Be brief
            user: Weather in Paris?
            """,
            responses.Asked
        );
        Assert.Equal($"assistant: (The user wants the weather.) {Asks}", responses.Answered);
        Assert.Equal(Figures, responses.Tokens);
        Assert.Equal("get_weather(city)", responses.Tools);
        Assert.Equal("user: Weather?", traces[3].Root.Asked);
        Assert.Equal($"assistant: {Answer}", traces[3].Root.Answered);
        Assert.Equal(Figures, traces[3].Root.Tokens);
    }

    [Fact]
    public async Task OpenAI_Agents_through_OpenInference_with_turns_guardrail_and_a_failing_agent()
    {
        var traces = await server.PlayAsync("js-openai-agents");
        Assert.Equal(
            [
                """
                Weather workflow [chain]
                  Agent workflow [chain]
                    WeatherAgent [chain]
                      turn [chain]
                        response [llm]
                        get_weather [tool]
                      no-secrets [chain]
                      turn [chain]
                        response [llm]
                """,
                // The SDK did not export the failed workflow's own span.
                """
                Agent workflow [chain]!
                  Broken [chain]!
                    turn [chain]!
                      response [llm]!
                """,
            ],
            traces.Select(t => t.Outline)
        );
        var workflow = traces[0];
        Assert.Equal("user: Weather in Paris?", workflow.Root.Asked);
        Assert.Equal($$"""{"output":"{{Answer}}"}""", workflow.Root.Outputs);
        Assert.Equal(
            "66 total of 2",
            $"{workflow.Root.Json.GetProperty("total_tokens")} total of 2"
        );
        Assert.Equal(
            """
            system: You are a weather bot.
            user: Weather in Paris?
            """,
            workflow["response", 0].Asked
        );
        Assert.Equal($"assistant: {Asks} <stop>", workflow["response", 0].Answered);
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris?
            assistant: (The user wants the weather.) {Asks}
            tool #call_fake1: 18C in Paris
            """,
            workflow["response", 1].Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", workflow["response", 1].Answered);
        Assert.All(
            [workflow["response", 0], workflow["response", 1]],
            r => Assert.Equal(Figures, r.Tokens)
        );
        Assert.Equal("get_weather(city)", workflow["response", 0].Tools);
        Assert.Equal("""{"output":"18C in Paris"}""", workflow["get_weather"].Outputs);

        Assert.Equal("400 The requested model is not available.", traces[1]["response"].Error);
        Assert.StartsWith(
            "Error in agent run",
            traces[1]["Broken"].Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Traceloop_workflow_agent_and_tool_with_association_properties()
    {
        var traces = await server.PlayAsync("js-traceloop-sdk");
        Assert.Equal(
            [
                """
                weather_workflow [chain]
                  weather_agent [chain]
                    chat gpt-4o-mini [llm]
                    get_weather [tool]
                    chat gpt-4o-mini [llm]
                """,
                "chat gpt-4o-mini [llm]",
            ],
            traces.Select(t => t.Outline)
        );
        var trace = traces[0];
        Assert.All(trace.Runs, r => Assert.Equal("sess-1", r.Thread));
        Assert.All(trace.Runs, r => Assert.Equal("user-1", r.Meta("user_id")));
        Assert.Equal("chat-9", trace.Root.Meta("chat_id"));
        Assert.Equal("""{"input":"Weather in Paris?"}""", trace.Root.Inputs);
        Assert.Equal($$"""{"output":"{{Answer}}"}""", trace.Root.Outputs);
        var first = trace["chat gpt-4o-mini", 0];
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            first.Asked
        );
        Assert.Equal($"assistant: {Asks} <tool_calls>", first.Answered);
        Assert.Equal("24 + 9 = 33", first.Tokens);
        Assert.Equal("get_weather(city)", first.Tools);
        Assert.Equal("""{"city":"Paris"}""", trace["get_weather"].Inputs);
        Assert.Equal("""{"output":"18C"}""", trace["get_weather"].Outputs);
        var streamed = trace["chat gpt-4o-mini", 1];
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris?
            assistant: {Asks}
            tool #call_fake1: 18C
            """,
            streamed.Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", streamed.Answered);
        // What the fake model said (24 + 9) never left the process: the SDK counted the bare texts. That is no report, so our estimate stands, of
        // the messages whole.
        Assert.NotEqual("12 + 10 = 22", streamed.Tokens);
        Assert.True(streamed.Json.GetProperty("prompt_tokens").GetInt64() > 12);
        Assert.Equal("user: json please", traces[1].Root.Asked);
        Assert.Equal(
            """assistant: {"city":"Paris","celsius":18} <stop>""",
            traces[1].Root.Answered
        );
    }

    [Fact]
    public async Task Traceloop_of_2024_with_flattened_prompts()
    {
        var traces = await server.PlayAsync("js-traceloop-openai-0.14.6");
        Assert.Equal(Enumerable.Repeat("openai.chat [llm]", 3), traces.Select(t => t.Outline));
        var first = traces[0].Root;
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            first.Asked
        );
        Assert.Equal("""assistant: get_weather({"city":"Paris"}) <tool_calls>""", first.Answered);
        Assert.Equal("24 + 9 = 33", first.Tokens);
        Assert.Equal("get_weather(city)", first.Tools);
        Assert.Equal("openai", first.Meta("ls_provider"));
        // This version lost the assistant's calls and the tool's call id.
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            assistant:{" "}
            tool: 18C
            """,
            traces[1].Root.Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", traces[1].Root.Answered);
        Assert.NotEqual("4 + 10 = 14", traces[2].Root.Tokens);
        Assert.True(traces[2].Root.Json.GetProperty("prompt_tokens").GetInt64() > 4);
    }

    [Fact]
    public async Task LangSmith_in_OpenTelemetry_mode_keeps_inputs_and_outputs_as_on_its_own_wire()
    {
        var traces = await server.PlayAsync("js-langsmith-otel", "my-project", "002");
        Assert.Equal(
            [
                """
                weather-agent [chain]
                  ChatOpenAI [llm]
                  get_weather [tool]
                  search [retriever]
                  ChatOpenAI [llm]
                  ChatOpenAI [llm]!
                """,
                "ChatOpenAI [llm]",
            ],
            traces.Select(t => t.Outline)
        );
        var agent = traces[0];
        Assert.Equal("""{"input":"Weather in Paris?"}""", agent.Root.Inputs);
        Assert.Equal($$"""{"answer":"{{Answer}}"}""", agent.Root.Outputs);
        Assert.Equal(["demo", "weather"], agent.Root.Tags);
        Assert.All(agent.Runs, r => Assert.Equal("sess-1", r.Thread));
        Assert.Equal("""{"a":1}""", agent.Root.Metadata.GetProperty("nested").GetRawText());
        var chat = agent["ChatOpenAI", 0];
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            chat.Asked
        );
        Assert.Equal(
            "gpt-4o-mini",
            chat.Json.GetProperty("inputs").GetProperty("model").GetString()
        );
        Assert.Equal(
            "get_weather",
            chat.Json.GetProperty("outputs")
                .GetProperty("choices")[0]
                .GetProperty("message")
                .GetProperty("tool_calls")[0]
                .GetProperty("function")
                .GetProperty("name")
                .GetString()
        );
        Assert.Equal(Figures, chat.Tokens);
        Assert.Equal("""{"city":"Paris","celsius":18}""", agent["get_weather"].Outputs);
        Assert.Equal(
            """{"documents":[{"page_content":"Paris is sunny","metadata":{"src":"kb"},"type":"Document"}]}""",
            agent["search"].Outputs
        );
        Assert.Equal(Figures, agent["ChatOpenAI", 1].Tokens);
        Assert.Equal(
            "Error: 400 The requested model is not available.",
            agent["ChatOpenAI", 2].ErrorLine
        );
        Assert.Equal(66, agent.Root.Json.GetProperty("total_tokens").GetInt64());
        Assert.Equal(Figures, traces[1].Root.Tokens);
    }

    [Fact]
    public async Task Strands_agent_with_a_tool_in_two_cycles_and_a_failing_one()
    {
        var traces = await server.PlayAsync("js-strands");
        Assert.Equal(
            [
                """
                WeatherAgent [chain]
                  execute_agent_loop_cycle [chain]
                    chat [llm]
                    get_weather [tool]
                  execute_agent_loop_cycle [chain]
                    chat [llm]
                """,
                """
                Strands Agent [chain]!
                  execute_agent_loop_cycle [chain]!
                    chat [llm]!
                """,
            ],
            traces.Select(t => t.Outline)
        );
        var agent = traces[0];
        Assert.Equal(
            """
            system: You are a weather bot.
            user: Weather in Paris?
            """,
            agent.Root.Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", agent.Root.Answered);
        Assert.Equal(["demo"], agent.Root.Tags);
        Assert.Equal("user-1", agent.Root.Meta("user_id"));
        // The session stands on the root only; every run of the trace has it.
        Assert.All(agent.Runs, r => Assert.Equal("sess-1", r.Thread));
        Assert.Equal($"assistant: {Asks} <tool_calls>", agent["chat", 0].Answered);
        Assert.Equal("24 + 9 = 33, cache_read 16", agent["chat", 0].Tokens);
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris?
            assistant: {Asks}
            tool #call_fake1: 18C in Paris
            """,
            agent["chat", 1].Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", agent["chat", 1].Answered);
        Assert.Equal("""{"city":"Paris"}""", agent["get_weather"].Inputs);
        Assert.Equal("""{"output":"18C in Paris"}""", agent["get_weather"].Outputs);
        // The agent repeats the sum of its calls; it counts once.
        Assert.Equal("48 + 18 = 66, cache_read 32", agent.Root.Tokens);
        Assert.All(
            traces[1].Runs,
            r => Assert.Equal("ModelError: 400 The requested model is not available.", r.ErrorLine)
        );
        Assert.Null(traces[1].Root.Cost);
    }
}
