using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Assay.Bench;

/// <summary>Datasets over real HTTP: a large import with the server's memory beside it, the dataset page after it, and the page that compares experiments.</summary>
internal static class DatasetBench
{
    private const int Batch = 500;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var examples = arguments.Number("examples", 1_000_000);
        var experiments = arguments.Number("experiments", 5);
        var rows = arguments.Number("rows", 10_000);
        await using var server = await ServerProcess.OpenAsync(arguments);
        if (examples > 0)
        {
            await ImportAsync(server, examples);
        }

        if (experiments > 0)
        {
            await CompareAsync(server, experiments, rows);
        }

        return 0;
    }

    private static async Task ImportAsync(ServerProcess server, int examples)
    {
        var dataset = await MakeAsync(server, "large");
        var before = server.Resident;
        var most = before;
        using var watching = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!watching.IsCancellationRequested)
            {
                most = Math.Max(most, server.Resident);
                await Task.Delay(200);
            }
        });
        var clock = Stopwatch.StartNew();
        var pipe = new Pipe();
        var writing = Task.Run(async () =>
        {
            await using var text = new StreamWriter(
                pipe.Writer.AsStream(),
                new UTF8Encoding(false)
            );
            for (var i = 0; i < examples; i++)
            {
                await text.WriteAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{{\"inputs\":{{\"question\":\"How long does delivery of order {i} to Lyon take, and who pays when it is late?\"}},\"outputs\":{{\"answer\":\"Delivery takes {i % 7 + 1} working days; when it is late the shop pays.\"}},\"metadata\":{{\"level\":\"{(i % 2 == 0 ? "easy" : "hard")}\"}},\"split\":[\"{(i % 10 == 0 ? "test" : "train")}\"]}}\n"
                    )
                );
            }
        });
        using var patient = new HttpClient
        {
            BaseAddress = server.Client.BaseAddress,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        patient.DefaultRequestHeaders.Add(
            "x-api-key",
            server.Client.DefaultRequestHeaders.GetValues("x-api-key")
        );
        using var body = new StreamContent(pipe.Reader.AsStream());
        using var answer = await patient.PostAsync(
            $"api/v1/datasets/{dataset}/import?format=jsonl",
            body
        );
        answer.EnsureSuccessStatusCode();
        await writing;
        var time = clock.Elapsed;
        await watching.CancelAsync();
        await watch;
        Say(
            $"import of {examples:N0} examples (JSON Lines): {time.TotalSeconds:0.0} s, {examples / time.TotalSeconds:N0} rows/s; resident before {before >> 20} MB, at most {most >> 20} MB, disk {server.DiskBytes >> 20} MB"
        );
        await PageAsync(server, "dataset page", $"data/{dataset}");
        await PageAsync(
            server,
            "its rows at 500,000",
            $"ui/data/{dataset}/rows?offset={examples / 2}"
        );
        await PageAsync(
            server,
            "a search that finds little",
            $"data/{dataset}?q=order+{examples - 7}+to"
        );
    }

    private static async Task CompareAsync(ServerProcess server, int experiments, int rows)
    {
        var dataset = await MakeAsync(server, "compared");
        var ids = Enumerable.Range(0, rows).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var chunk in ids.Chunk(Batch))
        {
            await SendAsync(
                server,
                "api/v1/examples/bulk",
                chunk.Select(id => new
                {
                    id,
                    dataset_id = dataset,
                    inputs = new { question = $"How long does delivery of {id} take?" },
                    outputs = new { answer = "Three working days." },
                })
            );
        }

        var random = new Random(1);
        var sessions = new List<Guid>();
        for (var e = 0; e < experiments; e++)
        {
            var session = Guid.CreateVersion7();
            sessions.Add(session);
            await SendAsync(
                server,
                "api/v1/sessions",
                new
                {
                    id = session,
                    name = $"experiment {e}",
                    reference_dataset_id = dataset,
                    extra = new { metadata = new { model = $"model-{e}" } },
                }
            );
            foreach (var chunk in ids.Chunk(Batch))
            {
                var start = TimeProvider.System.GetUtcNow();
                var runs = chunk
                    .Select(example => (Run: Guid.CreateVersion7(), Example: example))
                    .ToList();
                await SendAsync(
                    server,
                    "api/v1/runs/batch",
                    new
                    {
                        post = runs.Select(r => new
                        {
                            id = r.Run,
                            trace_id = r.Run,
                            dotted_order = $"{start:yyyyMMdd'T'HHmmssffffff}Z{r.Run}",
                            name = "app",
                            run_type = "chain",
                            session_id = session,
                            reference_example_id = r.Example,
                            start_time = start,
                            end_time = start.AddMilliseconds(random.Next(200, 3_000)),
                            inputs = new { question = "How long?" },
                            outputs = new { answer = $"It takes {random.Next(1, 9)} days." },
                        }),
                    }
                );
                await Task.WhenAll(
                    runs.Chunk(50)
                        .Select(async part =>
                        {
                            foreach (var (run, _) in part)
                            {
                                await SendAsync(
                                    server,
                                    "api/v1/feedback",
                                    new
                                    {
                                        run_id = run,
                                        key = "correct",
                                        score = random.Next(10) < 6 + e ? 1 : 0,
                                    }
                                );
                            }
                        })
                );
            }
        }

        Say($"compare page of {experiments} experiments × {rows:N0} rows:");
        await PageAsync(
            server,
            "compare page",
            $"data/{dataset}/compare?selectedSessions={string.Join(',', sessions)}"
        );
        await PageAsync(
            server,
            "its regressed rows, sorted",
            $"data/{dataset}/compare?selectedSessions={string.Join(',', sessions)}&show=regressed&sort=delta&dir=asc"
        );
        await PageAsync(
            server,
            "the next block of rows",
            $"ui/data/{dataset}/results/rows?selectedSessions={string.Join(',', sessions)}&offset=5000"
        );
        await PageAsync(server, "experiments table", $"data/{dataset}?tab=experiments");
    }

    private static async Task PageAsync(ServerProcess server, string name, string path)
    {
        var times = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var clock = Stopwatch.StartNew();
            using var answer = await server.Client.GetAsync(path);
            answer.EnsureSuccessStatusCode();
            _ = await answer.Content.ReadAsByteArrayAsync();
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        var first = times[0];
        times.Sort();
        Say($"  {name}: first {first:0} ms, then median {times[4]:0} ms, slowest {times[^1]:0} ms");
    }

    private static async Task<Guid> MakeAsync(ServerProcess server, string name)
    {
        using var answer = await server.Client.PostAsJsonAsync("api/v1/datasets", new { name });
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private static async Task SendAsync(ServerProcess server, string path, object body)
    {
        using var answer = await server.Client.PostAsJsonAsync(path, body);
        answer.EnsureSuccessStatusCode();
    }

    private static void Say(FormattableString text) =>
        Console.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
