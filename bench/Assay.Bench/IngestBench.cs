using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Assay.Bench;

/// <summary>
/// Loads the server over real HTTP. Bodies are made before the clock starts. "Acknowledged" is the time until the last 2xx; "queryable" until
/// the index holds every run, as the server's health says.
/// </summary>
internal static class IngestBench
{
    public static async Task<int> RunAsync(Arguments arguments, bool isOneTrace = false)
    {
        var runs = arguments.Number("runs", isOneTrace ? 100_000 : 60_000);
        var batch = arguments.Number("batch", isOneTrace ? 1_000 : 100);
        var clients = arguments.Number("clients", isOneTrace ? 1 : 4);
        var late = arguments.Fraction("late", isOneTrace ? 0 : 0.5);
        var wire = arguments.Text("wire") ?? "batch";
        await using var server = await ServerProcess.OpenAsync(arguments);
        await WarmAsync(server, wire);
        for (var round = 1; round <= arguments.Number("rounds", isOneTrace ? 1 : 3); round++)
        {
            var samples = new SampleRuns(
                round,
                TimeProvider.System.GetUtcNow().AddMinutes(-10),
                isOneTrace ? runs : 12,
                arguments.Fraction("scale", 1)
            );
            var bodies = Bodies(samples, runs, batch, late, wire);
            await MeasureAsync(server, bodies, runs, clients, $"{wire} round {round}");
        }

        return 0;
    }

    private static async Task WarmAsync(ServerProcess server, string wire)
    {
        var samples = new SampleRuns(
            4_711,
            TimeProvider.System.GetUtcNow().AddMinutes(-20),
            12,
            0.3
        );
        await MeasureAsync(server, Bodies(samples, 5_000, 100, 0.5, wire), 5_000, 4, "warm-up");
    }

    private static Queue<WireBody> Bodies(
        SampleRuns samples,
        int runs,
        int batch,
        double late,
        string wire
    )
    {
        var bodies = new Queue<WireBody>();
        var waiting = new List<SampleRun>();
        for (var made = 0; made < runs; made += batch)
        {
            var posts = Enumerable
                .Range(0, Math.Min(batch, runs - made))
                .Select(_ => samples.Next())
                .ToList();
            var now = posts.Take((int)(posts.Count * (1 - late))).Concat(waiting).ToList();
            waiting = [.. posts.Skip((int)(posts.Count * (1 - late)))];
            if (made + batch >= runs)
            {
                now.AddRange(waiting);
            }

            bodies.Enqueue(
                wire == "otlp" ? OtlpBodies.Traces(posts)
                : wire == "multipart" ? WireBodies.Multipart(posts, now, "bench")
                : WireBodies.Batch(posts, now, "bench")
            );
        }

        return bodies;
    }

    private static async Task MeasureAsync(
        ServerProcess server,
        Queue<WireBody> bodies,
        int runs,
        int clients,
        string title
    )
    {
        var before = await HealthAsync(server);
        var processor = server.Processor;
        var bytes = bodies.Sum(b => (long)b.Bytes.Length);
        var work = new ConcurrentQueue<WireBody>(bodies);
        bodies.Clear();
        var latencies = new Latencies();
        var refused = 0;
        var began = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(SendAsync)));
        var acknowledged = TimeProvider.System.GetElapsedTime(began);
        var after = await HealthAsync(server);
        while (after.Runs < before.Runs + runs || after.Backlog > 0)
        {
            await Task.Delay(20, CancellationToken.None);
            after = await HealthAsync(server);
        }

        var queryable = TimeProvider.System.GetElapsedTime(began);
        var cpu = server.Processor - processor;
        await Console.Out.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{title}: {runs} runs, {bytes >> 20} MB sent | acknowledged {runs / acknowledged.TotalSeconds:0} runs/s | queryable {runs / queryable.TotalSeconds:0} runs/s | request {latencies} | refused {refused} | server {cpu.TotalMicroseconds / runs:0} µs CPU/run, {(after.Allocated - before.Allocated) / runs} B allocated/run, {server.Resident >> 20} MB resident, {server.DiskBytes >> 20} MB on disk"
            )
        );

        async Task SendAsync()
        {
            while (work.TryDequeue(out var body))
            {
                while (true)
                {
                    var sent = TimeProvider.System.GetTimestamp();
                    using var request = body.Request();
                    using var response = await server.Client.SendAsync(request);
                    latencies.Add(TimeProvider.System.GetElapsedTime(sent));
                    if (
                        response.StatusCode
                        is HttpStatusCode.TooManyRequests
                            or HttpStatusCode.ServiceUnavailable
                    )
                    {
                        Interlocked.Increment(ref refused);
                        await Task.Delay(100, CancellationToken.None);
                        continue;
                    }

                    response.EnsureSuccessStatusCode();
                    break;
                }
            }
        }
    }

    private static async Task<(long Runs, long Backlog, long Allocated)> HealthAsync(
        ServerProcess server
    )
    {
        using var json = JsonDocument.Parse(
            await server.Client.GetStringAsync(new Uri("health/ready", UriKind.Relative))
        );
        return (
            json.RootElement.GetProperty("runs").GetInt64(),
            json.RootElement.GetProperty("backlog").GetInt64(),
            json.RootElement.TryGetProperty("allocated_bytes", out var allocated)
                ? allocated.GetInt64()
                : 0
        );
    }
}
