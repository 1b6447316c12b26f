using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests;

public sealed class DatasetTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Any_moment_of_a_random_history_reads_back_as_it_was()
    {
        var dataset = await DatasetAsync("history");
        var random = new Random(42);
        var now = new SortedDictionary<Guid, int>();
        var history = new List<(string AsOf, Dictionary<Guid, int> State)>();
        for (var step = 0; step < 60; step++)
        {
            var roll = random.Next(10);
            if (now.Count == 0 || roll < 4)
            {
                var made = await _server.JsonAsync(
                    HttpMethod.Post,
                    "/examples/bulk",
                    Enumerable
                        .Range(0, random.Next(1, 4))
                        .Select(_ => new { dataset_id = dataset, inputs = new { n = step } })
                );
                foreach (var example in made.EnumerateArray())
                {
                    now[example.GetProperty("id").GetGuid()] = step;
                }
            }
            else if (roll < 8)
            {
                var id = now.Keys.ElementAt(random.Next(now.Count));
                await _server.JsonAsync(
                    HttpMethod.Patch,
                    $"/examples/{id}",
                    new { inputs = new { n = step } }
                );
                now[id] = step;
            }
            else
            {
                var id = now.Keys.ElementAt(random.Next(now.Count));
                await _server.JsonAsync(HttpMethod.Delete, $"/examples/{id}");
                now.Remove(id);
            }

            var version = await _server.JsonAsync(
                HttpMethod.Get,
                $"/datasets/{dataset}/version?tag=latest"
            );
            history.Add(
                (version.GetProperty("as_of").GetString()!, new Dictionary<Guid, int>(now))
            );
        }

        // Every version is a moment of its own, later than the one before.
        Assert.Equal(
            history.Select(h => h.AsOf),
            history.Select(h => h.AsOf).Distinct().Order(StringComparer.Ordinal)
        );
        for (var i = 0; i < history.Count; i++)
        {
            Assert.Equal(history[i].State, await StateAsync(dataset, history[i].AsOf));
            if (i > 0)
            {
                var diff = await _server.JsonAsync(
                    HttpMethod.Get,
                    $"/datasets/{dataset}/versions/diff?from_version={Uri.EscapeDataString(history[i - 1].AsOf)}&to_version={Uri.EscapeDataString(history[i].AsOf)}"
                );
                var (before, after) = (history[i - 1].State, history[i].State);
                Assert.Equal(after.Keys.Except(before.Keys).Order(), Ids(diff, "examples_added"));
                Assert.Equal(before.Keys.Except(after.Keys).Order(), Ids(diff, "examples_removed"));
                Assert.Equal(
                    before.Keys.Intersect(after.Keys).Where(k => before[k] != after[k]).Order(),
                    Ids(diff, "examples_modified")
                );
            }
        }
    }

    [Fact]
    public async Task Pages_of_a_dataset_neither_overlap_nor_miss()
    {
        var dataset = await DatasetAsync("pages");
        var lines = string.Join('\n', Enumerable.Range(0, 250).Select(i => $$"""{"n":{{i}}}"""));
        await ImportAsync(dataset, "format=jsonl", lines, HttpStatusCode.OK);
        foreach (var order in (string[])["recent", "recently_created", "id", "random"])
        {
            var seen = new List<int>();
            for (var offset = 0; offset < 300; offset += 60)
            {
                var page = await _server.JsonAsync(
                    HttpMethod.Get,
                    $"/examples?dataset={dataset}&limit=60&offset={offset}&order={order}&random_seed=7"
                );
                seen.AddRange(
                    page.EnumerateArray()
                        .Select(e => e.GetProperty("inputs").GetProperty("n").GetInt32())
                );
            }

            Assert.Equal(Enumerable.Range(0, 250), seen.Order());
        }
    }

    [Fact]
    public async Task A_bad_line_refuses_the_file_or_is_left_out_by_choice()
    {
        var dataset = await DatasetAsync("import");
        const string lines = "{\"q\":1}\nnot json\n\n[1]\n{\"q\":2}\n";
        var refused = await ImportAsync(
            dataset,
            "format=jsonl",
            lines,
            HttpStatusCode.UnprocessableEntity
        );
        Assert.Equal(
            [2, 4],
            refused
                .GetProperty("problems")
                .EnumerateArray()
                .Select(p => p.GetProperty("line").GetInt32())
        );
        Assert.Empty(await StateAsync(dataset, "latest", "q"));
        var taken = await ImportAsync(
            dataset,
            "format=jsonl&skip_bad_rows=true",
            lines,
            HttpStatusCode.OK
        );
        Assert.Equal(2, taken.GetProperty("imported").GetInt32());
        Assert.Equal(2, taken.GetProperty("bad").GetInt32());
        Assert.Equal([1, 2], (await StateAsync(dataset, "latest", "q")).Values.Order());
    }

    [Fact]
    public async Task What_is_exported_imports_as_the_same()
    {
        var dataset = await DatasetAsync("export");
        await _server.JsonAsync(
            HttpMethod.Post,
            "/examples/bulk",
            new object[]
            {
                new
                {
                    dataset_id = dataset,
                    inputs = new { q = "a,\"b\"\nc" },
                    outputs = new { a = new[] { 1, 2 } },
                    metadata = new { level = "é🌍" },
                    split = new[] { "train", "x" },
                },
                new { dataset_id = dataset, inputs = new { q = "=1+1" } },
            }
        );
        var jsonl = await _server.Client.GetStringAsync($"/datasets/{dataset}/jsonl", Cancel);
        var copy = await DatasetAsync("copy");
        var withoutIds = string.Join(
            '\n',
            jsonl
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => l.Replace("\"id\":", "\"old\":", StringComparison.Ordinal))
        );
        await ImportAsync(copy, "format=jsonl", withoutIds, HttpStatusCode.OK);
        var again = await _server.Client.GetStringAsync($"/datasets/{copy}/jsonl", Cancel);
        Assert.Equal(Contents(jsonl), Contents(again));
        var csv = await _server.Client.GetStringAsync($"/datasets/{dataset}/csv", Cancel);
        Assert.StartsWith("q,a,level,split,id\r\n", csv, StringComparison.Ordinal);
        // A spreadsheet must not run what a client sent.
        Assert.Contains("'=1+1", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_csv_row_with_a_missing_cell_is_named_by_its_line()
    {
        var dataset = await DatasetAsync("csv");
        var answer = await ImportAsync(
            dataset,
            "format=csv&inputs=q&outputs=a",
            "q,a\n\"one\nline\",1\nonly\n",
            HttpStatusCode.UnprocessableEntity
        );
        Assert.Equal(4, answer.GetProperty("problems")[0].GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task An_import_that_is_killed_leaves_the_dataset_as_it_was()
    {
        var dataset = await DatasetAsync("killed");
        await ImportAsync(dataset, "format=jsonl", "{\"n\":1}", HttpStatusCode.OK);
        using var content = new EndlessLines();
        var import = _server.Client.PostAsync(
            $"/datasets/{dataset}/import?format=jsonl",
            content,
            Cancel
        );
        await content.Sent.WaitAsync(Cancel);
        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => import);
        await _server.StartAgainAsync();
        Assert.Equal([1], (await StateAsync(dataset, "latest")).Values);
        var read = await _server.JsonAsync(HttpMethod.Get, $"/datasets/{dataset}");
        Assert.Equal(1, read.GetProperty("example_count").GetInt32());
        await ImportAsync(dataset, "format=jsonl", "{\"n\":2}", HttpStatusCode.OK);
        Assert.Equal([1, 2], (await StateAsync(dataset, "latest")).Values.Order());
    }

    [Fact]
    public async Task Acknowledged_examples_survive_kill()
    {
        var dataset = await DatasetAsync("durable");
        var example = await _server.JsonAsync(
            HttpMethod.Post,
            "/examples",
            new { dataset_id = dataset, inputs = new { n = 5 } }
        );
        await _server.KillAsync();
        await _server.StartAgainAsync();
        var read = await _server.JsonAsync(
            HttpMethod.Get,
            $"/examples/{example.GetProperty("id").GetGuid()}"
        );
        Assert.Equal(5, read.GetProperty("inputs").GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task A_server_killed_during_an_experiment_keeps_every_acknowledged_run_and_score()
    {
        var dataset = await DatasetAsync("evaluated");
        await ImportAsync(
            dataset,
            "format=jsonl",
            string.Join('\n', Enumerable.Range(0, 60).Select(n => $"{{\"n\":{n}}}")),
            HttpStatusCode.OK
        );
        var examples = await StateAsync(dataset, "latest");
        var session = Guid.NewGuid();
        await _server.JsonAsync(
            HttpMethod.Post,
            "/sessions",
            new
            {
                id = session,
                name = "killed",
                reference_dataset_id = dataset,
            }
        );
        var (runs, scored) = (
            new ConcurrentDictionary<Guid, Guid>(),
            new ConcurrentDictionary<Guid, Guid>()
        );
        var enough = new TaskCompletionSource();
        async Task EvaluateAsync(IEnumerable<Guid> some)
        {
            foreach (var example in some)
            {
                var run = Guid.CreateVersion7();
                var start = TimeProvider.System.GetUtcNow();
                await _server.JsonAsync(
                    HttpMethod.Post,
                    "/runs/batch",
                    new
                    {
                        post = new[]
                        {
                            new
                            {
                                id = run,
                                trace_id = run,
                                dotted_order = $"{start:yyyyMMdd'T'HHmmssffffff}Z{run}",
                                name = "app",
                                run_type = "chain",
                                session_id = session,
                                reference_example_id = example,
                                start_time = start,
                                end_time = start.AddSeconds(1),
                                inputs = new { n = 1 },
                                outputs = new { answer = 1 },
                            },
                        },
                    }
                );
                runs[example] = run;
                await _server.JsonAsync(
                    HttpMethod.Post,
                    "/feedback",
                    new
                    {
                        run_id = run,
                        key = "correct",
                        score = 1,
                    }
                );
                scored[example] = run;
                if (scored.Count >= 15)
                {
                    enough.TrySetResult();
                }
            }
        }

        var working = Task.WhenAll(examples.Keys.Chunk(15).Select(EvaluateAsync));
        await enough.Task.WaitAsync(Cancel);
        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => working);
        await _server.StartAgainAsync();

        Assert.Equal(examples, await StateAsync(dataset, "latest"));
        var rows = await RowsAsync();
        foreach (var (example, run) in runs)
        {
            Assert.Contains(rows[example], r => r.Id == run);
        }

        foreach (var (example, run) in scored)
        {
            Assert.Equal(1, rows[example].Single(r => r.Id == run).Score);
        }

        // Whoever goes on where it broke off gets a whole experiment.
        await EvaluateAsync(examples.Keys.Where(e => !scored.ContainsKey(e)).ToList());
        rows = await RowsAsync();
        Assert.Equal(examples.Keys.Order(), rows.Keys.Order());
        Assert.All(rows.Values, r => Assert.Contains(r, one => one.Score == 1));

        async Task<Dictionary<Guid, List<(Guid Id, double? Score)>>> RowsAsync() =>
            (
                await _server.JsonAsync(
                    HttpMethod.Post,
                    $"/datasets/{dataset}/runs",
                    new { session_ids = new[] { session }, limit = 100 }
                )
            )
                .EnumerateArray()
                .ToDictionary(
                    e => e.GetProperty("id").GetGuid(),
                    e =>
                        e.GetProperty("runs")
                            .EnumerateArray()
                            .Select(r =>
                                (
                                    r.GetProperty("id").GetGuid(),
                                    r.GetProperty("feedback_stats")
                                        .TryGetProperty("correct", out var score)
                                        ? score.GetProperty("avg").GetDouble()
                                        : (double?)null
                                )
                            )
                            .ToList()
                );
    }

    [Fact]
    public async Task A_file_of_tabs_is_read_by_tabs_and_a_clone_has_every_example_in_one_version()
    {
        var dataset = await DatasetAsync("tabs");
        await ImportAsync(
            dataset,
            "format=tsv&inputs=n&outputs=answer",
            "n\tanswer\n1\tone, and only\n2\ttwo; three\n",
            HttpStatusCode.OK
        );
        await ImportAsync(
            dataset,
            "format=jsonl",
            string.Join(
                '\n',
                Enumerable
                    .Range(0, 2_500)
                    .Select(n => $"{{\"inputs\":{{\"k\":{n}}},\"split\":[\"s{n % 2}\"]}}")
            ),
            HttpStatusCode.OK
        );
        var copy = await DatasetAsync("copy of tabs");
        var cloned = await _server.JsonAsync(
            HttpMethod.Post,
            "/datasets/clone",
            new { source_dataset_id = dataset, target_dataset_id = copy }
        );
        Assert.Equal(2_502, cloned.GetArrayLength());
        var versions = await _server.JsonAsync(HttpMethod.Get, $"/datasets/{copy}/versions");
        Assert.Equal(1, versions.GetArrayLength());
        Assert.Equal(
            Contents(await LinesAsync(dataset)).Order(),
            Contents(await LinesAsync(copy)).Order()
        );

        Task<string> LinesAsync(Guid id) =>
            _server.Client.GetStringAsync($"/datasets/{id}/jsonl", Cancel);
    }

    private async Task<Guid> DatasetAsync(string name) =>
        (await _server.JsonAsync(HttpMethod.Post, "/datasets", new { name }))
            .GetProperty("id")
            .GetGuid();

    private async Task<JsonElement> ImportAsync(
        Guid dataset,
        string query,
        string body,
        HttpStatusCode expected
    )
    {
        using var response = await _server.Client.PostAsync(
            $"/datasets/{dataset}/import?{query}",
            new StringContent(body),
            Cancel
        );
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.StatusCode == expected, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private async Task<Dictionary<Guid, int>> StateAsync(
        Guid dataset,
        string asOf,
        string field = "n"
    )
    {
        var examples = await _server.JsonAsync(
            HttpMethod.Get,
            $"/examples?dataset={dataset}&as_of={Uri.EscapeDataString(asOf)}"
        );
        return examples
            .EnumerateArray()
            .ToDictionary(
                e => e.GetProperty("id").GetGuid(),
                e => e.GetProperty("inputs").GetProperty(field).GetInt32()
            );
    }

    private static IEnumerable<Guid> Ids(JsonElement json, string name) =>
        json.GetProperty(name).EnumerateArray().Select(i => i.GetGuid()).Order();

    private static IEnumerable<string> Contents(string jsonl) =>
        jsonl
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l =>
            {
                var line = JsonSerializer.Deserialize<JsonElement>(l);
                return $"{line.GetProperty("inputs")}{line.GetProperty("outputs")}{line.GetProperty("metadata")}{line.GetProperty("split")}";
            });

    /// <summary>A body of good lines without an end; tells when enough was sent for several portions to be staged.</summary>
    private sealed class EndlessLines : HttpContent
    {
        private readonly TaskCompletionSource _sent = new();

        public Task Sent => _sent.Task;

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            TransportContext? context
        )
        {
            var line = Encoding.UTF8.GetBytes(
                string.Concat(Enumerable.Repeat("{\"n\":7,\"text\":\"0123456789\"}\n", 1_000))
            );
            for (var i = 0; ; i++)
            {
                await stream.WriteAsync(line);
                if (i == 12)
                {
                    _sent.TrySetResult();
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = -1;
            return false;
        }
    }
}
