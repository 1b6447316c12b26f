using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Models;

/// <summary>The real client libraries against providers' dialects, through the playground's door, with the recorded run read back.</summary>
public sealed class ProviderTests(ProviderTests.Servers servers)
    : IClassFixture<ProviderTests.Servers>,
        IAsyncLifetime
{
    private const string Secret = "sk-the-secret-of-this-test-0123456789";
    private readonly InProcessServer _server = servers.Assay;
    private readonly FakeModelServer _fake = servers.Fake;
    private HttpClient _client = null!;
    private Caller _owner = null!;
    private int _calls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int Calls => _fake.Calls - _calls;

    public async ValueTask InitializeAsync()
    {
        var workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        _owner = new Caller(workspace, Grants.Of(Role.Owner), Name: "test");
        _client = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        _calls = _fake.Calls;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(ProviderKind.OpenAI, "/v1")]
    [InlineData(ProviderKind.OpenAIResponses, "/v1")]
    [InlineData(ProviderKind.Anthropic, "")]
    [InlineData(ProviderKind.Ollama, "")]
    public async Task Every_dialect_streams_its_answer_and_is_recorded_as_a_run(
        ProviderKind kind,
        string path
    )
    {
        var provider = await AddAsync(kind, path);
        var (text, done) = await RunAsync(provider, "ok");
        Assert.Equal("Shipping.", text);
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        Assert.Equal(24, done.GetProperty("prompt_tokens").GetInt64());
        Assert.Equal(9, done.GetProperty("completion_tokens").GetInt64());
        Assert.False(done.GetProperty("is_estimate").GetBoolean());

        var run = await _client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/runs/{done.GetProperty("run").GetGuid()}",
            Cancel
        );
        Assert.Equal("llm", run.GetProperty("run_type").GetString());
        Assert.Equal("success", run.GetProperty("status").GetString());
        Assert.Equal(24, run.GetProperty("prompt_tokens").GetInt64());
        Assert.Equal(33, run.GetProperty("total_tokens").GetInt64());
        Assert.Contains("to Peru", run.GetProperty("inputs").GetRawText());
        Assert.Contains("Shipping.", run.GetProperty("outputs").GetRawText());
        Assert.NotEqual(JsonValueKind.Null, run.GetProperty("first_token_time").ValueKind);
    }

    [Fact]
    public async Task A_tool_call_comes_whole_however_it_was_cut()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        var (_, done, tools) = await RunWholeAsync(provider, "tools", Tools());
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        var tool = Assert.Single(tools);
        Assert.Equal("lookup", tool.GetProperty("name").GetString());
        Assert.Equal("Lima", tool.GetProperty("arguments").GetProperty("city").GetString());
        Assert.Equal(
            "lookup",
            _fake
                .LastBody.GetProperty("tools")[0]
                .GetProperty("function")
                .GetProperty("name")
                .GetString()
        );
    }

    [Theory]
    [InlineData(400, "refused with 400")]
    [InlineData(401, "refused with 401")]
    [InlineData(429, "refused with 429")]
    [InlineData(500, "refused with 500")]
    public async Task A_refusal_is_told_in_the_providers_words_and_recorded(
        int status,
        string words
    )
    {
        foreach (
            var (kind, path) in ((ProviderKind, string)[])
                [
                    (ProviderKind.OpenAI, "/v1"),
                    (ProviderKind.Anthropic, ""),
                    (ProviderKind.Ollama, ""),
                ]
        )
        {
            var provider = await AddAsync(kind, path, retries: 0);
            var (_, done) = await RunAsync(provider, $"status-{status}");
            Assert.Contains(words, done.GetProperty("error").GetString());
            var run = await _client.GetFromJsonAsync<JsonElement>(
                $"/api/v1/runs/{done.GetProperty("run").GetGuid()}",
                Cancel
            );
            Assert.Equal("error", run.GetProperty("status").GetString());
            Assert.Contains(words, run.GetProperty("error").GetString());
        }
    }

    [Fact]
    public async Task A_rate_limit_is_waited_out_and_tried_again()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1", retries: 2);
        var (text, done) = await RunAsync(provider, "busy-then-ok");
        Assert.Equal("Shipping.", text);
        Assert.Equal(JsonValueKind.Null, done.GetProperty("error").ValueKind);
        Assert.Equal(2, Calls);
    }

    [Theory]
    [InlineData("broken")]
    [InlineData("garbage")]
    public async Task An_answer_that_breaks_off_is_an_error_of_the_run(string model)
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1", retries: 0);
        var (_, done) = await RunAsync(provider, model);
        Assert.NotEqual(JsonValueKind.Null, done.GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task Silence_ends_a_call_and_a_slow_answer_does_not()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1", retries: 0, seconds: 2);
        var (_, silent) = await RunAsync(provider, "silent");
        Assert.Matches("in time|said nothing", silent.GetProperty("error").GetString());
        // Six pieces 400 ms apart last longer than the limit of silence.
        var (text, slow) = await RunAsync(provider, "drip");
        Assert.Equal("Shipping.", text);
        Assert.Equal(JsonValueKind.Null, slow.GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task Private_addresses_are_refused_unless_allowed()
    {
        await using var strict = new InProcessServer();
        var workspace = await strict.FirstWorkspaceAsync();
        using var client = strict.Client(await strict.KeyAsync(workspace, KeyScope.Full));
        foreach (
            var address in (string[])
                [
                    _fake.Address,
                    _fake.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
                    _fake.Address.Replace(
                        "127.0.0.1",
                        "[::ffff:127.0.0.1]",
                        StringComparison.Ordinal
                    ),
                    "http://169.254.169.254/latest",
                    "http://10.0.0.1",
                ]
        )
        {
            var provider = await strict
                .Get<ModelProviders>()
                .PutAsync(
                    new Caller(workspace, Grants.Of(Role.Owner), Name: "test"),
                    null,
                    new ProviderDraft
                    {
                        Name = address,
                        BaseUrl = address,
                        Models = ["ok"],
                        MaxRetries = 0,
                    },
                    Cancel
                );
            var (_, done, _) = await RunWholeAsync(client, provider!.Id, "ok", new());
            Assert.Contains("private address", done.GetProperty("error").GetString());
        }

        Assert.Equal(0, Calls);
    }

    [Fact]
    public async Task A_limit_that_is_reached_stops_calls_before_they_are_made()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        await _server.Get<ModelProviders>().LimitAsync(_owner, 0, Cancel);
        var (_, done) = await RunAsync(provider, "ok");
        Assert.Contains("limit", done.GetProperty("error").GetString());
        Assert.Equal(0, Calls);
    }

    [Fact]
    public async Task A_key_goes_to_the_provider_and_nowhere_else()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        var (_, done) = await RunAsync(provider, "ok");
        Assert.Equal($"Bearer {Secret}", _fake.LastAuthorization);
        var run = await _client.GetStringAsync(
            $"/api/v1/runs/{done.GetProperty("run").GetGuid()}",
            Cancel
        );
        Assert.DoesNotContain(Secret, run);
        var page = await _client.GetStringAsync("/settings/providers", Cancel);
        Assert.Contains("MODEL_PROVIDER_", page);
        Assert.DoesNotContain(Secret, page);
    }

    [Fact]
    public async Task Another_workspace_cannot_use_a_provider()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        var other = await _server.NewWorkspaceAsync("other");
        using var client = _server.Client(await _server.KeyAsync(other, KeyScope.Full));
        var (_, done, _) = await RunWholeAsync(client, provider, "ok", new());
        Assert.Contains("no such model provider", done.GetProperty("error").GetString());
        Assert.Equal(0, Calls);
    }

    [Fact]
    public async Task Models_are_listed_from_the_provider()
    {
        foreach (
            var (kind, path, expected) in ((ProviderKind, string, string)[])
                [
                    (ProviderKind.OpenAI, "/v1", "fake-a"),
                    (ProviderKind.Anthropic, "", "fake-b"),
                    (ProviderKind.Ollama, "", "fake-ollama"),
                ]
        )
        {
            var provider = await AddAsync(kind, path);
            var answer = await _client.GetFromJsonAsync<JsonElement>(
                $"/ui/playground/models/{provider}",
                Cancel
            );
            Assert.Contains(
                expected,
                answer.GetProperty("models").EnumerateArray().Select(m => m.GetString())
            );
        }
    }

    [Fact]
    public async Task The_simulated_model_answers_the_same_to_the_same_and_fills_in_schemas()
    {
        var settings = new Dictionary<string, object?>
        {
            ["schema"] = new
            {
                type = "object",
                properties = new
                {
                    score = new
                    {
                        type = "integer",
                        minimum = 1,
                        maximum = 5,
                    },
                    reason = new { type = "string" },
                },
            },
        };
        var (first, done, _) = await RunWholeAsync(
            ModelProvider.Simulated.Id,
            "sim-chat?latency=0",
            settings
        );
        var (second, _, _) = await RunWholeAsync(
            ModelProvider.Simulated.Id,
            "sim-chat?latency=0",
            settings
        );
        Assert.Equal(first, second);
        using var answer = JsonDocument.Parse(first);
        Assert.InRange(answer.RootElement.GetProperty("score").GetInt32(), 1, 5);
        Assert.True(done.GetProperty("is_simulated").GetBoolean());
        var (_, failed) = await RunAsync(
            ModelProvider.Simulated.Id,
            "sim-chat?fail=1&status=429&latency=0"
        );
        Assert.Contains("429", failed.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("""{"provider":"x"}""", "provider")]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"sim-chat","messages":[]}""",
        "messages"
    )]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"sim-chat","messages":[{"role":"user","content":"{a"}]}""",
        "never closed"
    )]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"sim-chat","messages":[{"role":"user","content":"{a}"}]}""",
        "'a' has no value"
    )]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"","messages":[{"role":"user","content":"a"}]}""",
        "model"
    )]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"sim-chat","messages":[{"content":"a"}]}""",
        "role"
    )]
    [InlineData(
        """{"provider":"5173a7ed-0000-4000-8000-000000000001","model":"sim-chat","messages":[{"role":"user","content":"a"}],"parameters":{"temperature":9}}""",
        "temperature"
    )]
    [InlineData("not json", "JSON")]
    public async Task What_cannot_be_asked_is_refused_with_the_reason(string body, string reason)
    {
        using var response = await _client.PostAsync(
            "/ui/playground/run",
            new StringContent(body),
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(reason, await response.Content.ReadAsStringAsync(Cancel));
    }

    private static Dictionary<string, object?> Tools() =>
        new()
        {
            ["tools"] = new[]
            {
                new
                {
                    type = "function",
                    function = new
                    {
                        name = "lookup",
                        parameters = new
                        {
                            type = "object",
                            properties = new { city = new { type = "string" } },
                        },
                    },
                },
            },
        };

    private async Task<Guid> AddAsync(
        ProviderKind kind,
        string path,
        int retries = 1,
        int seconds = 30
    ) =>
        (
            await _server
                .Get<ModelProviders>()
                .PutAsync(
                    _owner,
                    null,
                    new ProviderDraft
                    {
                        Name = Guid.NewGuid().ToString(),
                        Kind = kind,
                        BaseUrl = _fake.Address + path,
                        Key = Secret,
                        MaxRetries = retries,
                        TimeoutSeconds = seconds,
                    },
                    Cancel
                )
        )!.Id;

    private async Task<(string Text, JsonElement Done)> RunAsync(Guid provider, string model)
    {
        var (text, done, _) = await RunWholeAsync(provider, model, new());
        return (text, done);
    }

    private Task<(string Text, JsonElement Done, List<JsonElement> Tools)> RunWholeAsync(
        Guid provider,
        string model,
        Dictionary<string, object?> more
    ) => RunWholeAsync(_client, provider, model, more);

    private static async Task<(
        string Text,
        JsonElement Done,
        List<JsonElement> Tools
    )> RunWholeAsync(
        HttpClient client,
        Guid provider,
        string model,
        Dictionary<string, object?> more
    )
    {
        var body = new Dictionary<string, object?>(more)
        {
            ["provider"] = provider,
            ["model"] = model,
            ["messages"] = new[]
            {
                new { role = "system", content = "You answer briefly." },
                new { role = "user", content = "How long does {what} take?" },
            },
            ["variables"] = new { what = "shipping to Peru" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ui/playground/run");
        request.Content = JsonContent.Create(body);
        using var response = await client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var text = "";
        var tools = new List<JsonElement>();
        await using var stream = await response.Content.ReadAsStreamAsync(Cancel);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(Cancel))
        {
            using var data = JsonDocument.Parse(item.Data);
            if (item.EventType == "done")
            {
                return (text, data.RootElement.Clone(), tools);
            }

            if (data.RootElement.TryGetProperty("text", out var piece))
            {
                text += piece.GetString();
            }

            if (data.RootElement.TryGetProperty("tool", out var tool))
            {
                tools.Add(tool.Clone());
            }
        }

        throw new InvalidOperationException("The stream ended without a reply.");
    }

    /// <summary>One server and one provider for all tests; each test has a workspace of its own.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        public InProcessServer Assay { get; private set; } = null!;

        public FakeModelServer Fake { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Fake = await FakeModelServer.StartAsync();
            Assay = new InProcessServer(("ASSAY_OUTBOUND_ALLOW", "127.0.0.1"));
        }

        public async ValueTask DisposeAsync()
        {
            await Assay.DisposeAsync();
            await Fake.DisposeAsync();
        }
    }
}
