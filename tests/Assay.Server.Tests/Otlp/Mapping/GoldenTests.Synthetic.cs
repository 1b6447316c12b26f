namespace Assay.Server.Tests.Otlp.Mapping;

public sealed partial class GoldenTests
{
    [Fact]
    public async Task Messages_as_lists_and_maps_instead_of_JSON_text()
    {
        var run = await OnlyRunAsync("01-");
        Assert.Equal("user: hi", run.Asked);
        Assert.Equal("assistant: hello <stop>", run.Answered);
        Assert.Equal("llm", run.Type);
    }

    [Fact]
    public async Task Every_encoding_of_a_number_is_kept()
    {
        var attributes = (await OnlyRunAsync("02-")).Otel.GetProperty("attributes");
        Assert.Equal("9007199254740993", attributes.GetProperty("int.as.string").GetRawText());
        Assert.Equal("42", attributes.GetProperty("int.as.number").GetRawText());
        Assert.Equal("NaN", attributes.GetProperty("dbl.nan").GetString());
        Assert.Equal("-Infinity", attributes.GetProperty("dbl.inf").GetString());
        Assert.Equal("1.5", attributes.GetProperty("dbl.str").GetRawText());
        Assert.Equal("""{"x":1}""", attributes.GetProperty("bytes").GetString());
        Assert.Equal("[]", attributes.GetProperty("null.array").GetRawText());
    }

    [Fact]
    public async Task Ids_and_labels_that_LangSmith_overrides()
    {
        var run = await OnlyRunAsync("09-");
        Assert.Equal(Guid.Parse("0199aaaa-0000-7000-8000-000000000002"), run.Id);
        Assert.Equal(Guid.Parse("0199aaaa-0000-7000-8000-000000000001"), run.TraceId);
        Assert.Equal(Guid.Parse("0199aaaa-0000-7000-8000-000000000001"), run.ParentId);
        Assert.Equal("llm", run.Type);
        Assert.Equal(["a", "b"], run.Tags);
    }

    [Fact]
    public async Task MLflow_encodes_every_value_as_JSON()
    {
        var run = await OnlyRunAsync("14-");
        Assert.Equal("predict [llm]", $"{run.Name} [{run.Type}]");
        Assert.Equal("user: hi", run.Asked);
        Assert.Equal("assistant: hello", run.Answered);
        Assert.Equal("10 + 2 = 12, cache_read 4", run.Tokens);
        Assert.Equal("gpt-4o", run.Meta("ls_model_name"));
        Assert.Equal("openai", run.Meta("ls_provider"));
    }

    [Fact]
    public async Task Pydantic_AI_1_puts_its_messages_into_one_attribute()
    {
        var run = await OnlyRunAsync("16-");
        Assert.Equal("chat gpt-4o [llm]", $"{run.Name} [{run.Type}]");
        Assert.Equal(
            """
            system: You are a bot
            user: hi
            """,
            run.Asked
        );
        Assert.Equal("assistant: hello", run.Answered);
        Assert.Equal("10 + 2 = 12, cache_read 4", run.Tokens);
        Assert.Equal(0.00012m, run.Cost);
    }

    [Fact]
    public async Task A_session_on_a_child_is_the_whole_traces()
    {
        var trace = Assert.Single(await server.PlayAsync("synthetic", files: "13-"));
        Assert.Equal(
            """
            root [chain]
              llm [llm]
            """,
            trace.Outline
        );
        Assert.All(trace.Runs, r => Assert.Equal("s1", r.Thread));
        Assert.Equal("u1", trace.Root.Meta("user_id"));
    }

    private async Task<GoldenRun> OnlyRunAsync(string files) =>
        Assert.Single(Assert.Single(await server.PlayAsync("synthetic", files: files)).Runs);
}
