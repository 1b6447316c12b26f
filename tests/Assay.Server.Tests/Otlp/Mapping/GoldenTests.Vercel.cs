namespace Assay.Server.Tests.Otlp.Mapping;

public sealed partial class GoldenTests
{
    [Fact]
    public async Task AI_SDK_7_calls_as_agents_with_steps()
    {
        var traces = await server.PlayAsync("js-vercel-ai7");
        Assert.Equal(
            [
                """
                weather-fn [chain]
                  step 1 [chain]
                    chat gpt-4o-mini [llm]
                    get_weather [tool]
                  step 2 [chain]
                    chat gpt-4o-mini [llm]
                """,
                """
                weather-fn [chain]
                  step 1 [chain]
                    chat gpt-4o-mini [llm]
                    get_weather [tool]
                  step 2 [chain]
                    chat gpt-4o-mini [llm]
                """,
                """
                weather-fn [chain]
                  chat gpt-4o-mini [llm]
                """,
                """
                embeddings text-embedding-3-small [embedding]
                  embeddings text-embedding-3-small [embedding]
                """,
                """
                embeddings text-embedding-3-small [embedding]
                  embeddings text-embedding-3-small [embedding]
                """,
                """
                weather-fn [chain]!
                  step 1 [chain]!
                    chat gpt-error [llm]!
                """,
            ],
            traces.Select(t => t.Outline)
        );
        CheckToolCall(traces[0], "chat gpt-4o-mini", "get_weather", "24 + 9 = 33, cache_read 16");
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            traces[0].Root.Asked
        );
        // In the order it happened, though the SDK writes the answer first.
        Assert.Equal(
            $$"""
            assistant: {{Asks}}
            tool #call_fake1: {"celsius":18}
            assistant: {{Answer}} <stop>
            """,
            traces[0].Root.Answered
        );
        Assert.Equal("48 + 18 = 66, cache_read 32", traces[0].Root.Tokens);
        Assert.Equal(
            "100",
            traces[0]["chat gpt-4o-mini", 0].Parameters.GetProperty("max_tokens").GetRawText()
        );
        Assert.Equal(
            [316.615, 364.156],
            traces[1]
                .Runs.Where(r => r.Type == "llm")
                .Select(r => Math.Round(r.FirstToken!.Value.TotalMilliseconds, 3))
        );
        Assert.Equal(
            """assistant: {"city":"Paris","celsius":18} <stop>""",
            traces[2].Root.Answered
        );
        Assert.Equal(7, traces[3].Root.Json.GetProperty("total_tokens").GetInt64());
        Assert.All(
            traces[5].Runs,
            r => Assert.Equal("AI_APICallError: The requested model is not available.", r.ErrorLine)
        );
    }

    [Theory]
    [InlineData("js-vercel-ai5", "24 + 9 = 33")]
    [InlineData("js-vercel-ai7-legacy", Figures)]
    public async Task AI_SDK_with_its_own_attributes(string folder, string chatTokens)
    {
        var traces = await server.PlayAsync(folder);
        // Version 5 hangs the tool under the call, except in streams; version 7 under the answer that asked for it.
        var under = folder == "js-vercel-ai5" ? "  " : "    ";
        Assert.Equal(
            [
                $"""
                ai.generateText [chain]
                  ai.generateText.doGenerate [llm]
                {under}get_weather [tool]
                  ai.generateText.doGenerate [llm]
                """,
                """
                ai.streamText [chain]
                  ai.streamText.doStream [llm]
                    get_weather [tool]
                  ai.streamText.doStream [llm]
                """,
                """
                ai.generateObject [chain]
                  ai.generateObject.doGenerate [llm]
                """,
                """
                ai.embed [chain]
                  ai.embed.doEmbed [embedding]
                """,
                """
                ai.embedMany [chain]
                  ai.embedMany.doEmbed [embedding]
                """,
                """
                ai.generateText [chain]!
                  ai.generateText.doGenerate [llm]!
                """,
            ],
            traces.Select(t => t.Outline)
        );
        var generated = traces[0];
        CheckToolCall(generated, "ai.generateText.doGenerate", "get_weather", chatTokens);
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            generated.Root.Asked
        );
        // Version 7 gathers the calls of the steps on the outer span.
        var steps = folder == "js-vercel-ai5" ? "" : $"assistant: {Asks}\n";
        Assert.Equal($"{steps}assistant: {Answer} <stop>", generated.Root.Answered);
        Assert.Equal(66, generated.Root.Json.GetProperty("total_tokens").GetInt64());
        // Version 7 has no metadata, whatever it is given.
        Assert.All(
            folder == "js-vercel-ai5" ? traces.SelectMany(t => t.Runs) : [],
            r =>
            {
                Assert.Equal("sess-1", r.Thread);
                Assert.Equal("user-1", r.Meta("user_id"));
                Assert.Equal(["demo", "weather"], r.Tags);
                Assert.Equal("gold", r.Meta("tier"));
            }
        );
        Assert.All(
            traces[1].Runs.Where(r => r.Type == "llm"),
            r =>
            {
                Assert.Equal(Figures, r.Tokens);
                Assert.InRange(r.FirstToken!.Value.TotalMilliseconds, 1, 2_000);
            }
        );
        Assert.Equal("user: Weather in Paris?", traces[1].Root.Asked);
        Assert.Equal("user: Weather?", traces[2].Root.Asked);
        Assert.Equal("""{"city":"Paris","celsius":18}""", traces[2].Root.Outputs);
        Assert.Equal(
            """assistant: {"city":"Paris","celsius":18} <stop>""",
            traces[2]["ai.generateObject.doGenerate"].Answered
        );
        Assert.Equal("""{"input":"hello"}""", traces[3].Root.Inputs);
        Assert.Equal("""{"embedding":[0.25,-0.5,0.125,1]}""", traces[3].Root.Outputs);
        Assert.Equal("""{"input":["a","b"]}""", traces[4]["ai.embedMany.doEmbed"].Inputs);
        Assert.Equal(7, traces[4].Root.Json.GetProperty("total_tokens").GetInt64());
        Assert.All(
            traces[5].Runs,
            r => Assert.Equal("AI_APICallError: The requested model is not available.", r.ErrorLine)
        );
    }

    [Fact]
    public async Task JSON_that_the_SDK_cut_in_the_middle_is_shown_as_far_as_it_goes_and_said_to_be_cut()
    {
        var traces = await server.PlayAsync("edge-vercel7-truncated-json");
        Assert.Equal(6, traces.Length);
        var first = traces[0]["chat gpt-4o-mini", 0];
        // The text before the cut is whole; of the image only the beginning of its type is left.
        Assert.StartsWith(
            """
            system: You are a weather bot.
            user: Weather in Paris? {"type":"blob"
            """,
            first.Asked,
            StringComparison.Ordinal
        );
        Assert.Equal($"assistant: {Asks}", first.Answered);
        Assert.Equal("24 + 9 = 33, cache_read 16", first.Tokens);
        Assert.Equal($"assistant: {Answer} <stop>", traces[0]["chat gpt-4o-mini", 1].Answered);
    }

    private static void CheckToolCall(GoldenTrace trace, string chat, string tool, string tokens)
    {
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image}
            """,
            trace[chat, 0].Asked
        );
        Assert.Equal($"assistant: {Asks} <tool_calls>", trace[chat, 0].Answered);
        Assert.Equal("get_weather(city)", trace[chat, 0].Tools);
        Assert.Equal("0.2", trace[chat, 0].Parameters.GetProperty("temperature").GetRawText());
        Assert.Equal(tokens, trace[chat, 0].Tokens);
        Assert.Equal(
            $$"""
            system: You are a weather bot.
            user: Weather in Paris? {{Image}}
            assistant: {{Asks}}
            tool #call_fake1: {"celsius":18}
            """,
            trace[chat, 1].Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", trace[chat, 1].Answered);
        Assert.Equal("""{"city":"Paris"}""", trace[tool].Inputs);
        Assert.Equal("""{"celsius":18}""", trace[tool].Outputs);
        Assert.Equal("openai", trace[chat, 0].Meta("ls_provider"));
    }
}
