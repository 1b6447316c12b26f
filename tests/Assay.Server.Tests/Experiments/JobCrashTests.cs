using System.Globalization;
using System.Text.Json;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Experiments;

/// <summary>kill -9 while a prompt runs on a dataset.</summary>
public sealed class JobCrashTests
{
    private const int Examples = 60;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_server_goes_on_and_no_example_is_run_twice_or_lost()
    {
        await using var server = await RunningServer.StartAsync();
        var dataset = (
            await server.JsonAsync(HttpMethod.Post, "/api/v1/datasets", new { name = "crash" })
        )
            .GetProperty("id")
            .GetGuid();
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/examples/bulk",
            Enumerable
                .Range(0, Examples)
                .Select(i => new
                {
                    dataset_id = dataset,
                    inputs = new { question = $"question {i}" },
                })
        );
        await server.JsonAsync(
            HttpMethod.Post,
            $"/ui/jobs/datasets/{dataset}/run",
            new
            {
                variant = new
                {
                    provider = ModelProvider.Simulated.Id,
                    model = "sim-echo?latency=150",
                    messages = new[] { new { role = "user", content = "{question}" } },
                },
                concurrency = 4,
                name = "killed twice",
            }
        );
        var experiment = (
            await server.JsonAsync(HttpMethod.Get, "/api/v1/sessions?name=killed%20twice")
        )[0]
            .GetProperty("id")
            .GetGuid();
        foreach (var enough in (int[])[8, 30])
        {
            await UntilAsync(server, experiment, j => j.GetProperty("done").GetInt32() >= enough);
            await server.KillAsync();
            await server.StartAgainAsync();
        }

        var job = await UntilAsync(
            server,
            experiment,
            j => j.GetProperty("status").GetString() == "done"
        );
        Assert.Equal(Examples, job.GetProperty("done").GetInt32());
        Assert.Equal(0, job.GetProperty("failed").GetInt32());
        var roots = await RunsAsync(server, experiment, isRoot: true);
        Assert.Equal(Examples, roots.Count);
        Assert.Equal(
            Examples,
            roots.Select(r => r.GetProperty("reference_example_id").GetGuid()).Distinct().Count()
        );
        Assert.All(
            roots,
            r =>
            {
                Assert.Equal("success", r.GetProperty("status").GetString());
                Assert.Equal(
                    r.GetProperty("inputs").GetProperty("question").GetString(),
                    r.GetProperty("outputs").GetProperty("output").GetString()
                );
            }
        );
        Assert.Equal(Examples, (await RunsAsync(server, experiment, isRoot: false)).Count);
    }

    [Fact]
    public async Task A_comparison_with_people_goes_on_after_a_kill()
    {
        const int Runs = 40;
        await using var server = await RunningServer.StartAsync();
        var runs = Enumerable.Range(0, Runs).Select(_ => Guid.CreateVersion7()).ToList();
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/batch",
            new
            {
                post = runs.Select(id => new
                {
                    id,
                    trace_id = id,
                    dotted_order = $"20261120T000000000000Z{id}",
                    name = "app",
                    run_type = "chain",
                    session_name = "judged",
                    start_time = "2026-11-20T00:00:00Z",
                    end_time = "2026-11-20T00:00:01Z",
                    inputs = new { question = $"q {id}" },
                    outputs = new { answer = $"a {id}" },
                }),
            }
        );
        foreach (var id in runs)
        {
            await server.JsonAsync(
                HttpMethod.Post,
                $"/ui/runs/{id}/feedback",
                new { key = "human", score = 1 }
            );
        }

        var judge = (
            await server.JsonAsync(
                HttpMethod.Post,
                "/ui/evaluators",
                new
                {
                    name = "Quality",
                    key = "quality",
                    kind = "Judge",
                    settings = new
                    {
                        provider = ModelProvider.Simulated.Id,
                        model = "sim-chat?latency=200",
                        messages = new[] { new { role = "user", content = "{{answer}}" } },
                        verdict = new { kind = "boolean" },
                    },
                }
            )
        ).GetProperty("id").GetGuid();
        var job = (
            await server.JsonAsync(
                HttpMethod.Post,
                $"/ui/evaluators/{judge}/calibrate",
                new { key = "human" }
            )
        )
            .GetProperty("job")
            .GetGuid();
        Assert.InRange(await DoneAsync(enough: 8), 8, Runs - 1);
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal(Runs, await DoneAsync(enough: Runs));
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        string page;
        do
        {
            page = await server.Client.GetStringAsync($"/evaluators/{judge}/calibration", Cancel);
        } while (
            page.Contains("Comparison under way", StringComparison.Ordinal)
            && await again.WaitForNextTickAsync(Cancel)
        );
        var figures = page[page.IndexOf("<h2>Version 1 against", StringComparison.Ordinal)..];
        Assert.Contains(
            Runs.ToString(CultureInfo.InvariantCulture),
            figures.Split("<dd>")[1].Split("</dd>")[0],
            StringComparison.Ordinal
        );
        Assert.Contains("all got a verdict", figures, StringComparison.Ordinal);

        async Task<int> DoneAsync(int enough)
        {
            using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (true)
            {
                var view = await server.Client.GetStringAsync($"/ui/jobs/{job}/view", Cancel);
                var done = int.Parse(
                    view.Split("aria-valuenow=\"")[1].Split('"')[0],
                    CultureInfo.InvariantCulture
                );
                if (done >= enough)
                {
                    return done;
                }

                await look.WaitForNextTickAsync(Cancel);
            }
        }
    }

    private static async Task<JsonElement> UntilAsync(
        RunningServer server,
        Guid experiment,
        Func<JsonElement, bool> isSo
    )
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await again.WaitForNextTickAsync(Cancel))
        {
            var jobs = await server.JsonAsync(
                HttpMethod.Get,
                $"/api/v1/runs/experiments/{experiment}/jobs"
            );
            if (isSo(jobs[0]))
            {
                return jobs[0];
            }

            Assert.NotEqual("paused", jobs[0].GetProperty("status").GetString());
        }

        throw new InvalidOperationException("The test was cancelled.");
    }

    private static async Task<IReadOnlyList<JsonElement>> RunsAsync(
        RunningServer server,
        Guid experiment,
        bool isRoot
    )
    {
        var page = await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new
            {
                session = new[] { experiment },
                limit = 100,
                filter = isRoot ? "eq(is_root, true)" : "eq(is_root, false)",
                select = new[] { "status", "inputs", "outputs", "reference_example_id" },
            }
        );
        Assert.False(
            page.GetProperty("cursors").TryGetProperty("next", out var next)
                && next.ValueKind == JsonValueKind.String
        );
        return [.. page.GetProperty("runs").EnumerateArray()];
    }
}
