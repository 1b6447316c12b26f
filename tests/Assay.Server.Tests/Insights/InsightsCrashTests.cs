using System.Text.Json;

namespace Assay.Server.Tests.Insights;

/// <summary>kill -9 while a report is made.</summary>
public sealed class InsightsCrashTests
{
    private const int Runs = 40;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_server_goes_on_where_it_stopped_and_keeps_what_was_answered()
    {
        await using var server = await RunningServer.StartAsync();
        var project = (
            await server.JsonAsync(HttpMethod.Post, "/api/v1/sessions", new { name = "crash" })
        )
            .GetProperty("id")
            .GetGuid();
        var start = TimeProvider.System.GetUtcNow().AddMinutes(-5);
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/batch",
            new
            {
                post = Enumerable
                    .Range(0, Runs)
                    .Select(i => new
                    {
                        id = Guid.CreateVersion7(start),
                        name = "run",
                        run_type = "chain",
                        session_name = "crash",
                        start_time = start.AddSeconds(i).ToString("O"),
                        end_time = start.AddSeconds(i + 1).ToString("O"),
                        inputs = new { question = i % 2 == 0 ? $"weather {i}" : $"football {i}" },
                        outputs = new { answer = "yes" },
                    }),
            }
        );
        var path = $"/api/v1/sessions/{project}/insights";
        var id = (
            await server.JsonAsync(
                HttpMethod.Post,
                path,
                new { summary_model = "simulated/sim-chat?latency=150" }
            )
        )
            .GetProperty("id")
            .GetString();
        var earlier = new Dictionary<string, string>();
        foreach (
            var (figure, enough) in ((string, int)[])[("runs_summarized", 6), ("runs_assigned", 6)]
        )
        {
            await UntilAsync(
                server,
                $"{path}/{id}",
                j => j.GetProperty("metadata").GetProperty(figure).GetInt32() >= enough
            );
            foreach (var (run, summary) in await SummariesAsync(server, $"{path}/{id}"))
            {
                earlier[run] = summary;
            }

            await server.KillAsync();
            await server.StartAgainAsync();
        }

        var report = await UntilAsync(
            server,
            $"{path}/{id}",
            j => j.GetProperty("status").GetString() == "success"
        );
        Assert.Equal(Runs, report.GetProperty("metadata").GetProperty("runs_assigned").GetInt32());
        Assert.Equal(
            Runs,
            report
                .GetProperty("clusters")
                .EnumerateArray()
                .Sum(c => c.GetProperty("num_runs").GetInt32())
        );
        var summaries = await SummariesAsync(server, $"{path}/{id}");
        Assert.All(earlier, e => Assert.Equal(e.Value, summaries[e.Key]));

        // Only the calls that were under way at the two kills were asked again.
        var trace = await server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/runs/{report.GetProperty("metadata").GetProperty("trace_run_id").GetString()}"
        );
        Assert.InRange(
            trace.GetProperty("child_run_ids").GetArrayLength(),
            (2 * Runs) + 2,
            (2 * Runs) + 2 + 8
        );
    }

    private static async Task<Dictionary<string, string>> SummariesAsync(
        RunningServer server,
        string path
    ) =>
        (await server.JsonAsync(HttpMethod.Get, path + "/runs"))
            .GetProperty("runs")
            .EnumerateArray()
            .Where(r => r.GetProperty("summary").ValueKind == JsonValueKind.String)
            .ToDictionary(
                r => r.GetProperty("id").GetString()!,
                r => r.GetProperty("summary").GetString()!
            );

    private static async Task<JsonElement> UntilAsync(
        RunningServer server,
        string path,
        Func<JsonElement, bool> isSo
    )
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await again.WaitForNextTickAsync(Cancel))
        {
            var report = await server.JsonAsync(HttpMethod.Get, path);
            if (isSo(report))
            {
                return report;
            }

            Assert.NotEqual("error", report.GetProperty("status").GetString());
        }

        throw new InvalidOperationException("The test was cancelled.");
    }
}
