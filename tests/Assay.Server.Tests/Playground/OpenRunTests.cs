using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Assay.Server.Tests.Playground;

/// <summary>
/// Every model call that the sample data and the captured exports of real clients hold, opened in the playground: messages, tools, parameters and model
/// are filled in, and what is filled in can be asked again.
/// </summary>
public sealed partial class OpenRunTests(OpenRunTests.Recorded recorded)
    : IClassFixture<OpenRunTests.Recorded>
{
    private const string Simulated = "5173a7ed-0000-4000-8000-000000000001";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A server with the sample data and every capture in it, a project each.</summary>
    public sealed class Recorded : IAsyncLifetime
    {
        public RunningServer Server { get; private set; } = null!;

        public IReadOnlyList<string> Captures { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            Server = await RunningServer.StartAsync();
            await Server.JsonAsync(HttpMethod.Post, "/ui/samples", new { });
            var folders = Directory
                .EnumerateDirectories(Path.Combine(AppContext.BaseDirectory, "fixtures", "otel"))
                .Order(StringComparer.Ordinal)
                .ToList();
            foreach (var folder in folders)
            {
                await PlayAsync(folder);
            }

            Captures = [.. folders.Select(f => Path.GetFileName(f))];
        }

        private async Task PlayAsync(string folder)
        {
            foreach (
                var file in Directory
                    .EnumerateFiles(folder)
                    .Where(f => f.EndsWith(".pb", StringComparison.Ordinal) || IsJson(f))
                    .Order(StringComparer.Ordinal)
            )
            {
                var bytes = await File.ReadAllBytesAsync(file, Cancel);
                if (IsJson(file))
                {
                    // The hand-written requests share a trace id.
                    bytes = Encoding.UTF8.GetBytes(
                        Encoding
                            .UTF8.GetString(bytes)
                            .Replace(
                                "5b8efff798038103d269b633813fc60c",
                                Guid.NewGuid().ToString("N"),
                                StringComparison.OrdinalIgnoreCase
                            )
                    );
                }

                using var request = new HttpRequestMessage(
                    HttpMethod.Post,
                    file.Contains(".logs.", StringComparison.Ordinal)
                    || file.Contains("-log", StringComparison.Ordinal)
                        ? "/v1/logs"
                        : "/v1/traces"
                )
                {
                    Content = new ByteArrayContent(bytes),
                };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(
                    IsJson(file) ? "application/json" : "application/x-protobuf"
                );
                request.Headers.Add("Langsmith-Project", Path.GetFileName(folder));
                using var answer = await Server.Client.SendAsync(request, Cancel);
                Assert.True(
                    answer.IsSuccessStatusCode
                        || folder.EndsWith("synthetic", StringComparison.Ordinal),
                    $"{file}: {answer.StatusCode}"
                );
            }
        }

        private static bool IsJson(string file) =>
            file.EndsWith(".json", StringComparison.Ordinal)
            && !file.Contains(".other.", StringComparison.Ordinal);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    [Fact]
    public async Task Every_model_call_of_the_sample_data_is_filled_in()
    {
        var runs = await CallsAsync("Sample: Nordwind support");
        Assert.True(runs.Count > 20, $"{runs.Count} calls");
        // One of each kind says as much as hundreds alike.
        foreach (
            var run in runs.GroupBy(r =>
                    (
                        r.GetProperty("name").GetString(),
                        r.GetProperty("inputs").GetRawText().Length / 200
                    )
                )
                .SelectMany(g => g.Take(2))
        )
        {
            await OpenAsync(run);
        }
    }

    [Fact]
    public async Task Every_model_call_of_every_captured_client_is_filled_in()
    {
        var faults = new List<string>();
        var opened = 0;
        foreach (var capture in recorded.Captures)
        {
            var calls = await CallsAsync(capture);
            foreach (var run in calls)
            {
                try
                {
                    await OpenAsync(run);
                    opened++;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    faults.Add(
                        $"{capture} {run.GetProperty("name").GetString()} {run.GetProperty("inputs").GetRawText()[..Math.Min(400, run.GetProperty("inputs").GetRawText().Length)]}: {e.Message}"
                    );
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        Assert.True(opened > 40, $"{opened} calls");
    }

    private async Task OpenAsync(JsonElement run)
    {
        using var page = await recorded.Server.Client.GetAsync(
            $"/playground?run={run.GetProperty("id").GetString()}",
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = await page.Content.ReadAsStringAsync(Cancel);
        var seed = JsonElement.Parse(
            WebUtility.HtmlDecode(Seed().Match(html).Groups["seed"].Value)
        );
        Assert.False(string.IsNullOrEmpty(seed.GetProperty("model").GetString()), "no model");
        var messages = seed.GetProperty("messages");
        var inputs = run.GetProperty("inputs");
        if (messages.GetArrayLength() == 0)
        {
            // The official SDK's own spans, failed calls: nothing there is nothing to fill in, and said so.
            Assert.Equal("{}", inputs.GetRawText());
            Assert.Contains("recorded nothing of what it asked", html, StringComparison.Ordinal);
            return;
        }

        // Read as a conversation, not merely shown.
        Assert.DoesNotContain(
            messages.EnumerateArray(),
            m =>
                m.GetProperty("content") is { ValueKind: JsonValueKind.String } text
                && text.GetString()!.StartsWith('{')
                && m.GetProperty("role").GetString() == "user"
        );
        var asked = run.GetProperty("extra").TryGetProperty("invocation_params", out var parameters)
            ? parameters
            : default;
        foreach (var holder in (JsonElement[])[inputs, asked])
        {
            if (holder.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            if (
                holder.TryGetProperty("temperature", out var warm)
                && warm.ValueKind == JsonValueKind.Number
            )
            {
                Assert.Equal(
                    warm.GetDouble(),
                    seed.GetProperty("parameters").GetProperty("temperature").GetDouble()
                );
            }

            if (
                holder.TryGetProperty("tools", out var offered)
                && offered.ValueKind == JsonValueKind.Array
                && offered.GetArrayLength() > 0
            )
            {
                Assert.Equal(
                    offered.GetArrayLength(),
                    JsonElement.Parse(seed.GetProperty("tools").GetString()!).GetArrayLength()
                );
            }
        }

        await AskAgainAsync(seed);
    }

    /// <summary>What the screen would send, to a model that answers at once: a part that no model takes would be refused.</summary>
    private async Task AskAgainAsync(JsonElement seed)
    {
        var body = JsonSerializer.Deserialize<Dictionary<string, JsonElement?>>(seed)!;
        body["provider"] = JsonSerializer.SerializeToElement(Simulated);
        body["model"] = JsonSerializer.SerializeToElement("sim-echo?latency=0");
        foreach (var name in (string[])["tools", "schema"])
        {
            body[name] = seed.GetProperty(name).GetString() is { Length: > 0 } text
                ? JsonElement.Parse(text)
                : null;
        }

        using var answer = await recorded.Server.Client.PostAsJsonAsync(
            "/ui/playground/run",
            body,
            Cancel
        );
        var said = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, said);
        Assert.Contains("\"error\":null", said, StringComparison.Ordinal);
    }

    private async Task<List<JsonElement>> CallsAsync(string project)
    {
        var found = await recorded.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?name={Uri.EscapeDataString(project)}"
        );
        var calls = new List<JsonElement>();
        foreach (var session in found.EnumerateArray())
        {
            var answer = await recorded.Server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/runs/query",
                new
                {
                    session = new[] { session.GetProperty("id").GetGuid() },
                    run_type = "llm",
                    limit = 100,
                    select = new[] { "name", "inputs", "extra" },
                }
            );
            calls.AddRange(answer.GetProperty("runs").EnumerateArray());
        }

        return calls;
    }

    [GeneratedRegex("data-seed=\"(?<seed>[^\"]*)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Seed();
}
