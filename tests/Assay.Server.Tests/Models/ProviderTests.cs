using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Models;

/// <summary>The real client libraries against providers' dialects, through the playground's door, with the recorded run read back.</summary>
public sealed class ProviderTests(ProviderTests.Servers servers)
    : ProviderScene(servers),
        IClassFixture<ProviderTests.Servers>
{
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

        var run = await Client.GetFromJsonAsync<JsonElement>(
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
    public async Task Private_addresses_are_refused_unless_allowed()
    {
        await using var strict = new InProcessServer();
        var workspace = await strict.FirstWorkspaceAsync();
        using var client = strict.Client(await strict.KeyAsync(workspace, KeyScope.Full));
        foreach (
            var address in (string[])
                [
                    Fake.Address,
                    Fake.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
                    Fake.Address.Replace(
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
        await Server.Get<ModelProviders>().LimitAsync(Owner, 0, Cancel);
        var (_, done) = await RunAsync(provider, "ok");
        Assert.Contains("limit", done.GetProperty("error").GetString());
        Assert.Equal(0, Calls);
    }

    [Fact]
    public async Task A_key_goes_to_the_provider_and_nowhere_else()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        var (_, done) = await RunAsync(provider, "ok");
        Assert.Equal($"Bearer {Secret}", Fake.LastAuthorization);
        var run = await Client.GetStringAsync(
            $"/api/v1/runs/{done.GetProperty("run").GetGuid()}",
            Cancel
        );
        Assert.DoesNotContain(Secret, run);
        var page = await Client.GetStringAsync("/settings/providers", Cancel);
        Assert.Contains("_API_KEY", page);
        Assert.DoesNotContain(Secret, page);
    }

    [Fact]
    public async Task A_key_is_kept_under_a_name_of_its_own_and_a_makers_name_is_only_for_the_maker()
    {
        async Task<string?> SecretOf(string name, string? address) =>
            (
                await Server
                    .Get<ModelProviders>()
                    .PutAsync(
                        Owner,
                        null,
                        new ProviderDraft
                        {
                            Name = name,
                            BaseUrl = address,
                            Key = Secret,
                        },
                        Cancel
                    )
            )!.SecretName;
        Assert.Equal("HOUSE_MODEL_7_API_KEY", await SecretOf("House model, 7", Fake.Address));
        Assert.Equal("OPENAI_2_API_KEY", await SecretOf("OpenAI", Fake.Address));
        Assert.Equal("OPENAI_API_KEY", await SecretOf("The maker", null));
        Assert.Equal("OPENAI_3_API_KEY", await SecretOf("openai!", Fake.Address));
        Assert.Equal("MODEL_API_KEY", await SecretOf("模型", Fake.Address));
    }

    [Fact]
    public async Task Another_workspace_cannot_use_a_provider()
    {
        var provider = await AddAsync(ProviderKind.OpenAI, "/v1");
        var other = await Server.NewWorkspaceAsync("other");
        using var client = Server.Client(await Server.KeyAsync(other, KeyScope.Full));
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
            var answer = await Client.GetFromJsonAsync<JsonElement>(
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
        using var response = await Client.PostAsync(
            "/ui/playground/run",
            new StringContent(body),
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(reason, await response.Content.ReadAsStringAsync(Cancel));
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
