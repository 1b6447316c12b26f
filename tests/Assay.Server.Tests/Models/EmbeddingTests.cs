using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Models;

/// <summary>The evaluator that asks an embedding model, through the door its editor uses, in the dialects that have embeddings.</summary>
public sealed class EmbeddingTests(ProviderTests.Servers servers)
    : ProviderScene(servers),
        IClassFixture<ProviderTests.Servers>
{
    [Theory]
    [InlineData(ProviderKind.OpenAI, "/v1", "small")]
    [InlineData(ProviderKind.OpenAIResponses, "/v1", "floats")]
    [InlineData(ProviderKind.Ollama, "", "small")]
    public async Task Answer_and_reference_are_compared_by_the_angle_between_their_embeddings(
        ProviderKind kind,
        string path,
        string model
    )
    {
        using var priced = await Client.PostAsJsonAsync(
            "/api/v1/model-price-map",
            new
            {
                name = "embeddings",
                match_pattern = $"^{model}$",
                prompt_cost = 0.001m,
                completion_cost = 0m,
            },
            Cancel
        );
        Assert.True(priced.IsSuccessStatusCode, await priced.Content.ReadAsStringAsync(Cancel));
        var provider = await AddAsync(kind, path);
        // (3, 4) and (1, 0) enclose an angle of cosine 0.6.
        var said = await TryAsync(provider, model, "3 4", "one");
        Assert.Equal(0.6, said.GetProperty("number").GetDouble(), 6);
        Assert.Equal(7, said.GetProperty("tokens").GetInt64());
        Assert.Equal(0.007, said.GetProperty("cost").GetDouble(), 9);
        var run = await Client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/runs/{said.GetProperty("run").GetGuid()}",
            Cancel
        );
        Assert.Equal("embedding", run.GetProperty("run_type").GetString());
        Assert.Equal(7, run.GetProperty("prompt_tokens").GetInt64());
        Assert.Equal(
            0.007m,
            decimal.Parse(run.GetProperty("total_cost").GetString()!, CultureInfo.InvariantCulture)
        );
        Assert.DoesNotContain(Secret, run.GetRawText());
    }

    [Theory]
    [InlineData("status-401", "refused with 401")]
    [InlineData("status-400", "refused with 400")]
    [InlineData("too-few", "1 embeddings to 2 texts")]
    public async Task A_model_that_does_not_answer_is_no_score_and_says_why(
        string model,
        string words
    )
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1", retries: 0);
        var said = await TryAsync(provider, model, "3 4", "one");
        Assert.True(said.GetProperty("failed").GetBoolean(), said.GetRawText());
        Assert.Contains(
            words,
            said.GetProperty("notes").GetRawText(),
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public async Task The_simulated_model_finds_equal_words_equal_and_other_words_far()
    {
        var simulated = ModelProvider.Simulated.Id;
        async Task<double> Score(string answer, string reference) =>
            (await TryAsync(simulated, "sim-embed", answer, reference))
                .GetProperty("number")
                .GetDouble();
        Assert.Equal(1, await Score("Where is my parcel?", "where is MY parcel"), 5);
        var near = await Score("Where is my parcel?", "My parcel, where is it?");
        var far = await Score("Where is my parcel?", "Cancel the subscription today");
        Assert.InRange(near, 0.7, 0.999);
        Assert.InRange(far, -0.3, 0.3);
    }

    [Fact]
    public async Task A_provider_without_embeddings_or_of_another_workspace_cannot_be_chosen()
    {
        var anthropic = await AddAsync(ProviderKind.Anthropic, "");
        foreach (var provider in (Guid[])[anthropic, Guid.NewGuid()])
        {
            using var refused = await TriedAsync(provider, "small", "a", "b");
            Assert.Equal(400, (int)refused.StatusCode);
            Assert.Contains(
                "no such provider of embeddings",
                await refused.Content.ReadAsStringAsync(Cancel)
            );
        }

        Assert.Equal(0, Calls);
    }

    private async Task<JsonElement> TryAsync(
        Guid provider,
        string model,
        string answer,
        string reference
    )
    {
        using var tried = await TriedAsync(provider, model, answer, reference);
        var said = await tried.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.True(tried.IsSuccessStatusCode, said.GetRawText());
        return said;
    }

    private async Task<HttpResponseMessage> TriedAsync(
        Guid provider,
        string model,
        string answer,
        string reference
    )
    {
        using var made = await Client.PostAsJsonAsync(
            "/api/v1/datasets",
            new { name = Guid.NewGuid().ToString() },
            Cancel
        );
        var dataset = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("id")
            .GetGuid();
        var example = Guid.NewGuid();
        using var added = await Client.PostAsJsonAsync(
            "/api/v1/examples",
            new
            {
                id = example,
                dataset_id = dataset,
                inputs = new { question = "?" },
                outputs = new { answer = reference },
            },
            Cancel
        );
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Cancel));
        var run = Guid.CreateVersion7();
        var project = Guid.NewGuid().ToString();
        using var sent = await Client.PostAsJsonAsync(
            "/api/v1/runs",
            new
            {
                id = run,
                name = "app",
                run_type = "chain",
                session_name = project,
                start_time = "2026-11-20T00:00:00Z",
                end_time = "2026-11-20T00:00:01Z",
                inputs = new { question = "?" },
                outputs = new { answer },
                reference_example_id = example,
            },
            Cancel
        );
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync(Cancel));
        var sessions = await Client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/sessions?name={project}",
            Cancel
        );
        return await Client.PostAsJsonAsync(
            "/ui/evaluators/try",
            new
            {
                run,
                project = sessions[0].GetProperty("id").GetGuid(),
                draft = new
                {
                    name = "Near",
                    key = "near",
                    kind = "BuiltIn",
                    settings = new
                    {
                        type = "embedding_similarity",
                        provider,
                        model,
                    },
                },
            },
            Cancel
        );
    }
}
