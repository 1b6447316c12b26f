using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Models;

/// <summary>What can happen between Assay and a provider, in every dialect, through the real client libraries: the error is the one a user reads.</summary>
public sealed class DialectTests(ProviderTests.Servers servers)
    : ProviderScene(servers),
        IClassFixture<ProviderTests.Servers>
{
    /// <summary>Every dialect there is.</summary>
    public static TheoryData<ProviderKind> Dialects { get; } =
        new(
            ProviderKind.OpenAI,
            ProviderKind.OpenAIResponses,
            ProviderKind.Anthropic,
            ProviderKind.Ollama
        );

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Tools_are_offered_and_their_calls_come_whole(ProviderKind kind)
    {
        var (_, done, tools) = await RunWholeAsync(await ProviderAsync(kind), "tools", Tools());
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        var tool = Assert.Single(tools);
        Assert.Equal("lookup", tool.GetProperty("name").GetString());
        Assert.Equal("Lima", tool.GetProperty("arguments").GetProperty("city").GetString());
        Assert.Contains(
            "lookup",
            Fake.LastBody.GetProperty("tools").GetRawText(),
            StringComparison.Ordinal
        );
        var run = await RecordedAsync(done);
        Assert.Contains("lookup", run.GetProperty("outputs").GetRawText());
        Assert.Contains("lookup", run.GetProperty("inputs").GetProperty("tools").GetRawText());
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_error_is_told_in_the_providers_words_and_recorded(ProviderKind kind)
    {
        var provider = await ProviderAsync(kind, retries: 0);
        foreach (var status in (int[])[400, 401, 429, 500])
        {
            var (_, done) = await RunAsync(
                provider,
                string.Create(CultureInfo.InvariantCulture, $"status-{status}")
            );
            var error = done.GetProperty("error").GetString();
            Assert.Contains($"refused with {status}", error);
            Assert.Contains(status.ToString(CultureInfo.InvariantCulture), error);
            Assert.DoesNotContain(Secret, error);
            var run = await RecordedAsync(done);
            Assert.Equal("error", run.GetProperty("status").GetString());
            Assert.Equal(error, run.GetProperty("error").GetString());
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_rate_limit_is_waited_out_as_the_provider_asks_and_tried_again(
        ProviderKind kind
    )
    {
        var (text, done) = await RunAsync(await ProviderAsync(kind, retries: 2), "busy-then-ok");
        Assert.Equal("Shipping.", text);
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        Assert.Equal(2, Calls);
        // "Retry-After: 1" was kept to: earlier the answer cannot have come.
        Assert.InRange(done.GetProperty("latency").GetDouble(), 900, double.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_answer_that_breaks_off_or_makes_no_sense_is_an_error(ProviderKind kind)
    {
        var provider = await ProviderAsync(kind, retries: 0);
        var (_, cut) = await RunAsync(provider, "broken");
        Assert.Contains("broke off", cut.GetProperty("error").GetString());
        var (_, garbage) = await RunAsync(provider, "garbage");
        Assert.Matches(
            "broke off|not what its dialect promises|could not be read",
            garbage.GetProperty("error").GetString()
        );
        Assert.Equal("error", (await RecordedAsync(garbage)).GetProperty("status").GetString());
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Silence_ends_a_call_and_a_slow_answer_does_not(ProviderKind kind)
    {
        var provider = await ProviderAsync(kind, retries: 0, seconds: 1);
        var (_, silent) = await RunAsync(provider, "silent");
        Assert.Matches("in time|said nothing", silent.GetProperty("error").GetString());
        // Pieces 400 ms apart last longer than the limit of silence.
        var (text, slow) = await RunAsync(provider, "drip");
        Assert.Equal("Shipping.", text);
        Assert.Equal(JsonValueKind.Null, slow.GetProperty("error").ValueKind);
    }

    [Theory]
    [InlineData(ProviderKind.OpenAI, "I cannot help with that.", "stop")]
    [InlineData(ProviderKind.OpenAIResponses, "I cannot help with that.", "stop")]
    [InlineData(ProviderKind.Anthropic, null, "content_filter")]
    public async Task A_refusal_of_the_model_is_told_and_recorded(
        ProviderKind kind,
        string? words,
        string finish
    )
    {
        var (text, done, pieces) = await RunPiecesAsync(await ProviderAsync(kind), "refusal");
        Assert.Equal("", text);
        Assert.Equal(finish, done.GetProperty("finish").GetString());
        Assert.Equal(words ?? "", string.Concat(pieces));
        if (words is not null)
        {
            Assert.Contains(words, (await RecordedAsync(done)).GetProperty("outputs").GetRawText());
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_call_is_priced_counted_and_attributed_and_the_limit_holds(ProviderKind kind)
    {
        var provider = await ProviderAsync(kind);
        using var priced = await Client.PostAsJsonAsync(
            "/api/v1/model-price-map",
            new
            {
                name = "fake",
                match_pattern = "^fake-2026$",
                prompt_cost = 0.001m,
                completion_cost = 0.002m,
            },
            Cancel
        );
        Assert.True(priced.IsSuccessStatusCode, await priced.Content.ReadAsStringAsync(Cancel));
        var (_, done) = await RunAsync(provider, "ok");
        Assert.InRange(done.GetProperty("cost").GetDouble(), 0.01, 0.05);
        var run = await RecordedAsync(done);
        var said = run.GetProperty("extra").GetProperty("metadata");
        Assert.Equal(
            kind switch
            {
                ProviderKind.Anthropic => "anthropic",
                ProviderKind.Ollama => "ollama",
                _ => "openai",
            },
            said.GetProperty("ls_provider").GetString()
        );
        Assert.Equal(
            done.GetProperty("cost").GetDecimal(),
            decimal.Parse(run.GetProperty("total_cost").GetString()!, CultureInfo.InvariantCulture)
        );

        await Server.Get<ModelProviders>().LimitAsync(Owner, 0.001m, Cancel);
        var (_, refused) = await RunAsync(provider, "ok");
        Assert.Contains("limit", refused.GetProperty("error").GetString());
        Assert.Equal(1, Calls);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_judge_judges_in_every_dialect(ProviderKind kind)
    {
        var provider = await ProviderAsync(kind);
        var run = Guid.CreateVersion7();
        using var sent = await Client.PostAsJsonAsync(
            "/api/v1/runs",
            new
            {
                id = run,
                name = "app",
                run_type = "chain",
                session_name = "to judge",
                start_time = "2026-11-20T00:00:00Z",
                end_time = "2026-11-20T00:00:01Z",
                inputs = new { question = "Where is it?" },
                outputs = new { answer = "On its way." },
            },
            Cancel
        );
        Assert.True(sent.IsSuccessStatusCode);
        var sessions = await Client.GetFromJsonAsync<JsonElement>(
            "/api/v1/sessions?name=to%20judge",
            Cancel
        );
        using var tried = await Client.PostAsJsonAsync(
            "/ui/evaluators/try",
            new
            {
                run,
                project = sessions[0].GetProperty("id").GetGuid(),
                draft = new
                {
                    name = "Judge",
                    key = "judged",
                    kind = "Judge",
                    settings = new
                    {
                        provider,
                        model = "verdict",
                        messages = new[] { new { role = "user", content = "{{answer}}" } },
                        verdict = new { kind = "boolean" },
                    },
                },
            },
            Cancel
        );
        var said = await tried.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.True(tried.IsSuccessStatusCode, said.GetRawText());
        Assert.False(said.GetProperty("failed").GetBoolean(), said.GetRawText());
        Assert.Equal("fine", said.GetProperty("reason").GetString());
        Assert.Equal(33, said.GetProperty("tokens").GetInt64());
    }

    private async Task<JsonElement> RecordedAsync(JsonElement done) =>
        await Client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/runs/{done.GetProperty("run").GetGuid()}",
            Cancel
        );

    private async Task<(string Text, JsonElement Done, List<string> Refusal)> RunPiecesAsync(
        Guid provider,
        string model
    )
    {
        var refusal = new List<string>();
        var (text, done, _) = await RunWholeAsync(Client, provider, model, [], refusal);
        return (text, done, refusal);
    }

    private Task<Guid> ProviderAsync(ProviderKind kind, int retries = 1, int seconds = 30) =>
        AddAsync(
            kind,
            kind is ProviderKind.OpenAI or ProviderKind.OpenAIResponses ? "/v1" : "",
            retries,
            seconds
        );
}
