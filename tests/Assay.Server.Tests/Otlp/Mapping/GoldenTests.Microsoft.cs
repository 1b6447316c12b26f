namespace Assay.Server.Tests.Otlp.Mapping;

public sealed partial class GoldenTests
{
    /// <summary>The messages of gRPC are the same bytes as those of HTTP, so they are played over HTTP here; the transport has tests of its own.</summary>
    [Theory]
    [InlineData("dotnet-meai-http")]
    [InlineData("dotnet-meai-grpc")]
    public async Task Microsoft_Extensions_AI_and_the_Agent_Framework(string folder)
    {
        var traces = await server.PlayAsync(folder);
        Assert.Equal(
            [
                """
                weather-request [chain]
                  orchestrate_tools [chain]
                    chat gpt-4o-mini [llm]
                    get_weather [tool]
                    chat gpt-4o-mini [llm]
                  orchestrate_tools [chain]
                    chat gpt-4o-mini [llm]
                    get_weather [tool]
                    chat gpt-4o-mini [llm]
                  orchestrate_tools [chain]
                    chat gpt-4o-mini [llm]
                """,
                """
                orchestrate_tools [chain]
                  chat gpt-4o-mini [llm]
                """,
                """
                orchestrate_tools [chain]
                  chat gpt-error [llm]!
                """,
                "embeddings text-embedding-3-small [embedding]",
                """
                WeatherAgent [chain]
                  chat gpt-4o-mini [llm]
                  get_weather [tool]
                  chat gpt-4o-mini [llm]
                """,
                """
                WeatherAgent [chain]
                  chat gpt-4o-mini [llm]
                """,
            ],
            traces.Select(t => t.Outline)
        );
        var request = traces[0];
        var chats = request.Runs.Where(r => r.Type == "llm").ToList();
        Assert.Equal(
            $"""
            system: You are a weather bot.
            user: Weather in Paris? {Image} [image https://example.com/a.jpg]
            """,
            chats[0].Asked
        );
        Assert.Equal($"assistant: {Asks} <tool_calls>", chats[0].Answered);
        Assert.Equal("get_weather(city)", chats[0].Tools);
        Assert.Equal("0.2", chats[0].Parameters.GetProperty("temperature").GetRawText());
        Assert.Equal("user-1", chats[0].Meta("user_id"));
        Assert.Equal(
            $$"""
            system: You are a weather bot.
            user: Weather in Paris? {{Image}} [image https://example.com/a.jpg]
            assistant: {{Asks}}
            tool #call_fake1: {"city":"Paris","celsius":18}
            """,
            chats[1].Asked
        );
        Assert.Equal($"assistant: {Answer} <stop>", chats[1].Answered);
        Assert.All(chats, c => Assert.Equal(Figures, c.Tokens));
        // The streamed ones tell when the first token came.
        Assert.Equal(
            [false, false, true, true, false],
            chats.Select(c => c.FirstToken > TimeSpan.Zero)
        );
        Assert.Equal("""assistant: {"city":"Paris","celsius":18} <stop>""", chats[4].Answered);
        Assert.Equal("""{"city":"Paris"}""", request["get_weather", 0].Inputs);
        Assert.Equal("""{"city":"Paris","celsius":18}""", request["get_weather", 0].Outputs);
        // Five calls of 33 tokens; the loops repeat the sums.
        Assert.Equal(165, request.Root.Json.GetProperty("total_tokens").GetInt64());
        Assert.All(request.Runs, r => Assert.Equal("staging", r.Meta("environment")));
        Assert.Equal("1.0.0", request.Root.Meta("release"));

        Assert.Equal(
            """
            system: Be brief
            user: Weather?
            """,
            traces[1]["chat gpt-4o-mini"].Asked
        );
        Assert.Equal(
            $"assistant: (The user wants the weather.) {Answer}",
            traces[1]["chat gpt-4o-mini"].Answered.Replace(" <stop>", "", StringComparison.Ordinal)
        );
        var failed = traces[2]["chat gpt-error"];
        Assert.Equal("user: boom", failed.Asked);
        Assert.Equal(
            "ClientResultException: HTTP 400 (invalid_request_error: model_not_found)",
            failed.ErrorLine
        );
        Assert.Contains(
            "The requested model is not available.",
            failed.Error,
            StringComparison.Ordinal
        );
        Assert.Equal("7 + 0 = 7", traces[3].Root.Tokens);

        var agent = traces[4];
        Assert.Equal("user: Weather in Paris?", agent.Root.Asked);
        Assert.Equal(
            $$"""
            assistant: {{Asks}}
            tool #call_fake1: {"city":"Paris","celsius":18}
            assistant: {{Answer}} <stop>
            """,
            agent.Root.Answered
        );
        Assert.Equal("48 + 18 = 66, cache_read 32, reasoning 8", agent.Root.Tokens);
        Assert.Equal(
            $"""
            system: You are a weather agent.
            user: Weather in Paris?
            """,
            agent["chat gpt-4o-mini", 0].Asked
        );
        Assert.Equal(
            $$"""
            system: You are a weather agent.
            user: Weather in Paris?
            assistant: {{Asks}}
            tool #call_fake1: {"city":"Paris","celsius":18}
            assistant: {{Answer}}
            user: And now?
            """,
            traces[5]["chat gpt-4o-mini"].Asked
        );
    }

    [Fact]
    public async Task The_official_OpenAI_library_for_dotnet_gives_figures_and_no_content()
    {
        var traces = await server.PlayAsync("dotnet-openai-sdk");
        Assert.Equal(
            ["chat gpt-4o-mini [llm]", "chat gpt-error [llm]!"],
            traces.Select(t => t.Outline)
        );
        Assert.Equal("24 + 9 = 33", traces[0].Root.Tokens);
        Assert.Equal("{}", traces[0].Root.Inputs);
        Assert.Equal("null", traces[0].Root.Outputs);
        Assert.Equal("stop", traces[0].Root.Meta("finish_reason"));
        Assert.Equal("HTTP 400 (invalid_request_error: model_not_found)", traces[1].Root.ErrorLine);
    }
}
