using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Assay.Server.Tests;

/// <summary>Re-costing of past calls behind the screens: it reaches every call, over a crash of the server, once.</summary>
public sealed class RecostTests
{
    private const int Calls = 5_000;
    private const string Model = "house-model";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_past_call_gets_its_cost_although_the_server_was_killed_meanwhile()
    {
        await using var server = await RunningServer.StartAsync();
        await SeedAsync(server);
        // Asked before there is a price: all of them have been stored without one then.
        Assert.Equal(0, await CostAsync(server));
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/model-price-map",
            new
            {
                name = "house",
                match_pattern = $"^{Model}$",
                prompt_cost = 0.000001,
                completion_cost = 0.000002,
            }
        );
        using (var browser = new Browser(new Uri(server.Address)))
        {
            var link = new Uri(server.LoginLink).AbsolutePath;
            using var signedIn = await browser.SubmitAsync(link, "/auth/link");
            using var started = await browser.SubmitNamedAsync(
                "/settings/prices",
                "past",
                ("Since", "all"),
                ("PastStep", "apply")
            );
            Assert.Equal(HttpStatusCode.Redirect, started.StatusCode);
        }

        await server.KillAsync();
        await server.StartAgainAsync();
        _ = await UntilAsync(server, t => t.Contains("new cost", StringComparison.Ordinal));
        // 1,000 prompt and 500 completion tokens each: 0.002 dollars.
        Assert.Equal(Calls * 0.002m, await CostAsync(server));

        var log = await server.Client.GetStringAsync("/ui/audit?format=jsonl", Cancel);
        Assert.Contains("\"model_price.recost\"", log, StringComparison.Ordinal);
        Assert.Contains("model_price.recost_done", log, StringComparison.Ordinal);
        var wire = await server.JsonAsync(
            HttpMethod.Get,
            "/api/v1/audit-logs?operations=recost_runs&operations=model_price_recost_done"
        );
        Assert.Equal(
            ["model_price_recost_done", "recost_runs"],
            wire.GetProperty("items")
                .EnumerateArray()
                .Select(i => i.GetProperty("api").GetProperty("operation").GetString())
        );
    }

    private static async Task SeedAsync(RunningServer server)
    {
        foreach (var batch in Enumerable.Range(0, Calls).Chunk(1_000))
        {
            using var answer = await server.Client.PostAsJsonAsync(
                "/runs/batch",
                new
                {
                    post = batch.Select(_ =>
                    {
                        var id = Guid.CreateVersion7();
                        return new
                        {
                            id,
                            trace_id = id,
                            dotted_order = $"20260301T100000000000Z{id}",
                            name = "call",
                            run_type = "llm",
                            session_name = "recost",
                            start_time = "2026-03-01T10:00:00Z",
                            end_time = "2026-03-01T10:00:01Z",
                            inputs = new { },
                            outputs = new
                            {
                                usage_metadata = new
                                {
                                    input_tokens = 1_000,
                                    output_tokens = 500,
                                    total_tokens = 1_500,
                                },
                            },
                            extra = new { metadata = new { ls_model_name = Model } },
                        };
                    }),
                },
                Cancel
            );
            answer.EnsureSuccessStatusCode();
        }
    }

    private static async Task<decimal> CostAsync(RunningServer server)
    {
        var sessions = await server.JsonAsync(HttpMethod.Get, "/api/v1/sessions?name=recost");
        var stats = await server.JsonAsync(
            HttpMethod.Post,
            "/runs/stats",
            new { session = new[] { sessions[0].GetProperty("id").GetString() } }
        );
        return
            stats.TryGetProperty("total_cost", out var cost)
            && cost.ValueKind is not JsonValueKind.Null
            ? decimal.Parse(
                cost.ValueKind == JsonValueKind.String ? cost.GetString()! : cost.GetRawText(),
                System.Globalization.CultureInfo.InvariantCulture
            )
            : 0;
    }

    /// <summary>What the screen says about the job, once it says so.</summary>
    private static async Task<string> UntilAsync(RunningServer server, Func<string, bool> isEnd)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await timer.WaitForNextTickAsync(Cancel))
        {
            var told = await server.Client.GetStringAsync("/ui/recost", Cancel);
            if (isEnd(told))
            {
                return told;
            }
        }

        return "";
    }
}
