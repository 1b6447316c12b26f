using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Assay.Server.Tests;

/// <summary>The real process killed without warning while clients send: nothing that was acknowledged may be lost, doubled or miscounted.</summary>
public sealed class CrashTests
{
    private const int Rounds = 25;
    private const int Clients = 3;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_again_and_again_under_load_nothing_acknowledged_is_lost()
    {
        await using var server = await RunningServer.StartAsync();
        var random = new Random(2_026);
        var acknowledged = new List<(Guid Id, bool Ended)>();
        for (var round = 0; round < Rounds; round++)
        {
            var sent = new List<(Guid Id, bool Ended)>[Clients];
            var clients = Enumerable
                .Range(0, Clients)
                .Select(i => SendUntilRefusedAsync(server.Client, sent[i] = [], round * 10 + i))
                .ToList();
            // Killed once the clients are well under way, at a moment nobody chose.
            var enough = random.Next(1, 25);
            while (sent.Sum(s => s.Count) < enough)
            {
                await Task.Yield();
            }

            await server.KillAsync();
            await Task.WhenAll(clients);
            acknowledged.AddRange(sent.SelectMany(s => s));
            await server.StartAgainAsync();
            await AssertThereAsync(server, [.. sent.SelectMany(s => s)]);
        }

        await AssertThereAsync(server, acknowledged);
        await AssertCountedOnceAsync(server, acknowledged[0].Id);
        var (code, output) = await RunningServer.RunAsync("check", "--data", server.Data);
        Assert.True(code == 0, output);
    }

    /// <summary>POST and PATCH in turn, in batches, until the server is gone; what was acknowledged is noted.</summary>
    private static async Task SendUntilRefusedAsync(
        HttpClient client,
        List<(Guid Id, bool Ended)> acknowledged,
        int seed
    )
    {
        var random = new Random(seed);
        var open = new List<Guid>();
        while (true)
        {
            var post = Enumerable
                .Range(0, random.Next(1, 30))
                .Select(_ => Guid.CreateVersion7())
                .ToList();
            var patch = open.Take(random.Next(0, 30)).ToList();
            try
            {
                using var response = await client.PostAsJsonAsync(
                    "/runs/batch",
                    Batch(post, patch),
                    Cancel
                );
                if (response.StatusCode != HttpStatusCode.Accepted)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                return;
            }

            open.AddRange(post);
            open.RemoveAll(patch.Contains);
            lock (acknowledged)
            {
                acknowledged.AddRange(post.Select(id => (id, false)));
                acknowledged.AddRange(patch.Select(id => (id, true)));
            }
        }
    }

    private static object Batch(List<Guid> post, List<Guid> patch)
    {
        var start = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        return new
        {
            post = post.Select(id => new
            {
                id,
                trace_id = id,
                dotted_order = $"{start:yyyyMMdd'T'HHmmssffffff'Z'}{id}",
                name = "crash",
                run_type = "llm",
                start_time = start,
                inputs = new { text = $"question of {id}" },
            }),
            patch = patch.Select(id => new
            {
                id,
                trace_id = id,
                dotted_order = $"{start:yyyyMMdd'T'HHmmssffffff'Z'}{id}",
                end_time = start.AddSeconds(2),
                outputs = new
                {
                    answer = $"answer of {id}",
                    usage_metadata = new
                    {
                        input_tokens = 3,
                        output_tokens = 4,
                        total_tokens = 7,
                    },
                },
            }),
        };
    }

    private static async Task AssertThereAsync(
        RunningServer server,
        IReadOnlyList<(Guid Id, bool Ended)> acknowledged
    )
    {
        var ended = acknowledged.Where(a => a.Ended).Select(a => a.Id).ToHashSet();
        foreach (var chunk in acknowledged.Select(a => a.Id).Distinct().Chunk(100))
        {
            var page = await server.JsonAsync(
                HttpMethod.Post,
                "/runs/query",
                new
                {
                    id = chunk,
                    limit = 100,
                    select = new[] { "id", "inputs", "outputs", "end_time" },
                }
            );
            var runs = page.GetProperty("runs")
                .EnumerateArray()
                .ToDictionary(r => r.GetProperty("id").GetGuid());
            Assert.Equal(chunk.ToHashSet(), [.. runs.Keys]);
            foreach (var (id, run) in runs)
            {
                Assert.Equal(
                    $"question of {id}",
                    run.GetProperty("inputs").GetProperty("text").GetString()
                );
                if (ended.Contains(id))
                {
                    Assert.Equal(
                        $"answer of {id}",
                        run.GetProperty("outputs").GetProperty("answer").GetString()
                    );
                    Assert.NotEqual(JsonValueKind.Null, run.GetProperty("end_time").ValueKind);
                }
            }
        }
    }

    /// <summary>The kept figures, the rows counted one by one, and the tokens of every ended run agree.</summary>
    private static async Task AssertCountedOnceAsync(RunningServer server, Guid any)
    {
        var project = (await server.JsonAsync(HttpMethod.Get, $"/runs/{any}"))
            .GetProperty("session_id")
            .GetGuid();
        var counted = await server.JsonAsync(
            HttpMethod.Get,
            $"/sessions/{project}?include_stats=true"
        );
        var stats = await server.JsonAsync(
            HttpMethod.Post,
            "/runs/stats",
            new { session = new[] { project } }
        );
        Assert.Equal(
            stats.GetProperty("run_count").GetInt64(),
            counted.GetProperty("run_count").GetInt64()
        );
        Assert.Equal(
            stats.GetProperty("total_tokens").GetInt64(),
            counted.GetProperty("total_tokens").GetInt64()
        );
    }
}
