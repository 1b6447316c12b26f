using System.Globalization;
using System.Net;
using System.Net.Http.Json;

namespace Assay.Server.Tests;

public sealed class ModelPriceTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_run_of_a_known_model_is_priced_by_the_price_in_force_when_it_started()
    {
        Assert.Equal("0.0075", await CostAsync("gpt-4o", "2024-11-01T00:00:00Z"));
        Assert.Equal("0.0125", await CostAsync("gpt-4o", "2024-06-01T00:00:00Z"));
        Assert.Null(await CostAsync("nobody-knows-me", "2024-11-01T00:00:00Z"));
    }

    [Fact]
    public async Task An_own_price_wins_over_the_shipped_one_and_is_gone_after_its_deletion()
    {
        var made = await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/model-price-map",
            new
            {
                name = "our gpt",
                match_pattern = "^gpt-4o$",
                prompt_cost = "0.000001",
                completion_cost = 0.000002,
            }
        );
        Assert.Equal("0.002", await CostAsync("gpt-4o", "2024-11-01T00:00:00Z"));
        var id = made.GetProperty("id").GetString();
        await _server.JsonAsync(HttpMethod.Delete, $"/api/v1/model-price-map/{id}");
        Assert.Equal("0.0075", await CostAsync("gpt-4o", "2024-11-01T00:00:00Z"));
    }

    [Fact]
    public async Task A_price_that_cannot_be_stored_is_refused_with_its_field()
    {
        using var answer = await _server.Client.PostAsJsonAsync(
            "/api/v1/model-price-map",
            new
            {
                name = "x",
                match_pattern = "(",
                prompt_cost = 1,
                completion_cost = 1,
            },
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(
            "match_pattern",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_shipped_price_cannot_be_changed()
    {
        var shipped = (await _server.JsonAsync(HttpMethod.Get, "/api/v1/model-price-map"))[0]
            .GetProperty("id");
        using var answer = await _server.Client.DeleteAsync(
            $"/api/v1/model-price-map/{shipped}",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    /// <summary>The cost of a run of 1,000 prompt and 500 completion tokens, as the wire says it.</summary>
    private async Task<string?> CostAsync(string model, string start)
    {
        var id = Guid.CreateVersion7();
        await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs",
            new
            {
                id,
                name = "call",
                run_type = "llm",
                start_time = start,
                end_time = DateTimeOffset.Parse(start, CultureInfo.InvariantCulture).AddSeconds(1),
                inputs = new { q = "hi" },
                outputs = new
                {
                    usage_metadata = new { input_tokens = 1_000, output_tokens = 500 },
                },
                extra = new { metadata = new { ls_model_name = model } },
            }
        );
        var run = await _server.JsonAsync(HttpMethod.Get, $"/api/v1/runs/{id}");
        return run.GetProperty("total_cost").GetString();
    }
}
