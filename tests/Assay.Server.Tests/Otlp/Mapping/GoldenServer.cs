using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>
/// Plays captured exports (tests/fixtures/otel) into a real server, as the emitter sent them, and reads the runs back through LangSmith's API. Each
/// capture goes in once, however many tests look at it, and has a server to itself with the others that share it.
/// </summary>
public sealed class GoldenServer : IAsyncLifetime
{
    private readonly Dictionary<string, Task<GoldenTrace[]>> _played = [];
    private readonly HashSet<Guid> _seen = [];
    private readonly SemaphoreSlim _gate = new(1, 1);
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _gate.Dispose();
    }

    /// <summary>The traces of a capture, by start time. Only the files that begin so, when told.</summary>
    /// <param name="folder">The capture.</param>
    /// <param name="project">The project its runs end in; null for one that the header names.</param>
    /// <param name="files">Beginning of the names of the files to play.</param>
    public async Task<GoldenTrace[]> PlayAsync(
        string folder,
        string? project = null,
        string files = ""
    )
    {
        await _gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            var key = folder + "/" + files;
            if (!_played.TryGetValue(key, out var traces))
            {
                _played[key] = traces = ReadAsync(folder, project, files);
            }

            return await traces;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Posts one hand-written request under a trace id, and gives the answer as it is.</summary>
    public async Task<(int Status, string Body)> PostFileAsync(
        string project,
        string file,
        string traceId,
        string path = "/v1/traces"
    )
    {
        var json = await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "fixtures", "otel", "synthetic", file + ".json"),
            TestContext.Current.CancellationToken
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(
                json.Replace(
                    "5b8efff798038103d269b633813fc60c",
                    traceId,
                    StringComparison.OrdinalIgnoreCase
                ),
                Encoding.UTF8,
                "application/json"
            ),
        };
        request.Headers.Add("Langsmith-Project", project);
        using var response = await _server.Client.SendAsync(
            request,
            TestContext.Current.CancellationToken
        );
        return (
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>Feedback on a run.</summary>
    public async Task<JsonElement[]> FeedbackAsync(Guid run) =>
        [
            .. (
                await _server.JsonAsync(HttpMethod.Get, $"/api/v1/feedback?run={run}")
            ).EnumerateArray(),
        ];

    /// <summary>Traces of a request made here.</summary>
    public async Task<GoldenTrace[]> SendAsync(string project, string path, HttpContent body)
    {
        await PostAsync(project, path, body);
        return await TracesAsync(project);
    }

    private async Task<GoldenTrace[]> ReadAsync(string folder, string? project, string files)
    {
        var name = "golden-" + folder + files;
        var path = Path.Combine(AppContext.BaseDirectory, "fixtures", "otel", folder);
        var captured = Directory
            .EnumerateFiles(path, files + "*")
            .Where(f =>
                f.EndsWith(".traces.pb", StringComparison.Ordinal)
                || f.EndsWith(".logs.pb", StringComparison.Ordinal)
                || f.EndsWith(".json", StringComparison.Ordinal)
            )
            .Where(f => !f.Contains(".other.", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.NotEmpty(captured);
        foreach (var file in captured)
        {
            var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            // The hand-written requests share a trace id, and a trace is one wherever its spans are sent.
            var body = new ByteArrayContent(
                folder == "synthetic"
                    ? Encoding.UTF8.GetBytes(
                        Encoding
                            .UTF8.GetString(bytes)
                            .Replace(
                                "5b8efff798038103d269b633813fc60c",
                                Guid.NewGuid().ToString("N"),
                                StringComparison.OrdinalIgnoreCase
                            )
                    )
                    : bytes
            );
            body.Headers.ContentType = new MediaTypeHeaderValue(
                file.EndsWith(".pb", StringComparison.Ordinal)
                    ? "application/x-protobuf"
                    : "application/json"
            );
            var isLog =
                file.Contains(".logs.", StringComparison.Ordinal)
                || file.Contains("-log", StringComparison.Ordinal);
            await PostAsync(name, isLog ? "/v1/logs" : "/v1/traces", body);
        }

        // Two captures name the same project: what an earlier one brought is not this one's.
        return [.. (await TracesAsync(project ?? name)).Where(t => _seen.Add(t.Root.Id))];
    }

    private async Task PostAsync(string project, string path, HttpContent body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        request.Headers.Add("Langsmith-Project", project);
        using var response = await _server.Client.SendAsync(
            request,
            TestContext.Current.CancellationToken
        );
        Assert.True(
            response.IsSuccessStatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>The traces of a project, by start time.</summary>
    public async Task<GoldenTrace[]> TracesAsync(string project)
    {
        var sessions = await _server.JsonAsync(
            HttpMethod.Get,
            $"/sessions?name={Uri.EscapeDataString(project)}"
        );
        var id = Assert.Single(sessions.EnumerateArray()).GetProperty("id").GetGuid();
        var answer = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/query",
            new
            {
                session = new[] { id },
                limit = 100,
                select = new[]
                {
                    "inputs",
                    "outputs",
                    "extra",
                    "events",
                    "error",
                    "feedback_stats",
                    "child_run_ids",
                },
            }
        );
        return GoldenTrace.Of(answer.GetProperty("runs").EnumerateArray());
    }
}
