namespace Assay.Server.Tests.Otlp.Mapping;

public sealed partial class GoldenTests
{
    [Fact]
    public async Task Langfuse_with_every_type_of_observation_and_its_wrapper_of_OpenAI()
    {
        var trace = Assert.Single(await server.PlayAsync("js-langfuse-v5"));
        // The trace's name is the root's: "weather-request" started it, "weather-trace" was propagated.
        Assert.Equal(
            """
            weather-trace [chain]
              agent [chain]
                manual-generation [llm]
                get_weather [tool]
                search [retriever]
                embed [embedding]
                guard [chain]
                log [chain]
              oai-chat [llm]
              oai-chat [llm]
              oai-chat [llm]!
            """,
            trace.Outline
        );
        // The root's own input stays its input; what setActiveTraceIO said besides is kept raw.
        Assert.Equal("""{"q":"Weather in Paris?"}""", trace.Root.Inputs);
        Assert.Equal(
            "Weather in Paris?",
            trace
                .Root.Otel.GetProperty("attributes")
                .GetProperty("langfuse.trace.input")
                .GetString()
        );
        Assert.Equal("""{"output":"It is 18°C."}""", trace.Root.Outputs);
        Assert.Equal(["demo", "weather"], trace.Root.Tags);
        Assert.Equal("gold", trace.Root.Meta("tier"));
        Assert.All(trace.Runs, r => Assert.Equal("sess-1", r.Thread));
        Assert.All(trace.Runs, r => Assert.Equal("user-1", r.Meta("user_id")));
        Assert.All(trace.Runs, r => Assert.Equal("staging", r.Meta("environment")));
        Assert.All(trace.Runs, r => Assert.Equal("r42", r.Meta("release")));
        Assert.Equal("""{"a":1}""", trace.Root.Metadata.GetProperty("nested").GetRawText());
        Assert.Equal("x", trace.Root.Meta("flat"));

        var manual = trace["manual-generation"];
        Assert.Equal("user: Weather in Paris?", manual.Asked);
        Assert.Equal("assistant: It is 18°C.", manual.Answered);
        // The user's own figures are inclusive, the wrapper's exclusive: both mean 24 + 9.
        Assert.Equal("24 + 9 = 33, cache_read 16", manual.Tokens);
        Assert.Equal(0.0003m, manual.Cost);
        Assert.Equal(TimeSpan.Zero, manual.FirstToken);
        Assert.Equal("weather-prompt", manual.Meta("prompt_name"));
        Assert.Equal("3", manual.Meta("prompt_version"));
        Assert.Equal("100", manual.Parameters.GetProperty("max_tokens").GetRawText());

        var chat = trace["oai-chat", 0];
        Assert.StartsWith(
            """
            system: You are a weather bot.
            user: Weather in Paris? [image
            """,
            chat.Asked,
            StringComparison.Ordinal
        );
        Assert.Equal($"assistant: {Asks}", chat.Answered);
        Assert.Equal(Figures, chat.Tokens);
        Assert.Equal("get_weather(city)", chat.Tools);
        Assert.Equal("one", chat.Meta("step"));
        var streamed = trace["oai-chat", 1];
        Assert.Equal($"assistant: {Answer}", streamed.Answered);
        Assert.Equal(Figures, streamed.Tokens);
        Assert.InRange(streamed.FirstToken!.Value.TotalMilliseconds, 1, 1_000);
        var failed = trace["oai-chat", 2];
        Assert.Equal("Error: 400 The requested model is not available.", failed.Error);
        Assert.Null(failed.Cost);

        Assert.Equal("""{"city":"Paris"}""", trace["get_weather"].Inputs);
        Assert.Equal("""{"celsius":18}""", trace["get_weather"].Outputs);
        Assert.Equal(
            """{"documents":[{"id":"d1","page_content":"Paris is sunny"}]}""",
            trace["search"].Outputs
        );
        Assert.Equal("7 + 0 = 7", trace["embed"].Tokens);
        Assert.Equal("""{"input":"something happened"}""", trace["log"].Inputs);
        Assert.Contains("event", trace["log"].Tags);
    }

    [Fact]
    public async Task LangSmith_without_an_info_endpoint_loses_a_run_and_what_came_is_shown_as_it_came()
    {
        var traces = await server.PlayAsync("js-langsmith-otel-no-info", "my-project", "008");
        // The SDK wrote the streamed call's data onto the root's span; nothing in it tells.
        var trace = traces.Single(t => t.Runs.Count == 5);
        Assert.Equal(
            """
            ChatOpenAI [llm]
              ChatOpenAI [llm]
              get_weather [tool]
              search [retriever]
              ChatOpenAI [llm]!
            """,
            trace.Outline
        );
        Assert.Equal(Figures, trace["ChatOpenAI", 1].Tokens);
    }

    [Fact]
    public async Task A_span_that_lost_its_outputs_to_the_SDKs_limit_says_so()
    {
        var run = Assert.Single(await server.PlayAsync("edge-openinference-attribute-limit")).Root;
        Assert.Equal("OpenAI Chat Completions [llm]", $"{run.Name} [{run.Type}]");
        var lines = run.Asked.Split('\n');
        Assert.Equal(61, lines.Length);
        Assert.Equal("system: You are a weather bot.", lines[0]);
        Assert.Equal("user: message 0", lines[1]);
        Assert.Equal("assistant: message 59", lines[^1]);
        Assert.Equal("null", run.Outputs);
        Assert.Equal(52, run.Otel.GetProperty("dropped_attributes").GetInt32());
    }
}
