using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models.Providers;

namespace Assay.Server.Tests.Models;

/// <summary>A workspace of its own on a shared server, with providers that speak dialects on a real socket, asked through the playground's door.</summary>
public abstract class ProviderScene(ProviderTests.Servers servers) : IAsyncLifetime
{
    protected const string Secret = "sk-the-secret-of-this-test-0123456789";
    protected InProcessServer Server { get; } = servers.Assay;
    protected FakeModelServer Fake { get; } = servers.Fake;
    protected HttpClient Client { get; private set; } = null!;
    protected Caller Owner { get; private set; } = null!;
    private int _calls;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected int Calls => Fake.Calls - _calls;

    public async ValueTask InitializeAsync()
    {
        var workspace = await Server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        Owner = new Caller(workspace, Grants.Of(Role.Owner), Name: "test");
        Client = Server.Client(await Server.KeyAsync(workspace, KeyScope.Full));
        _calls = Fake.Calls;
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Client.Dispose();
        return ValueTask.CompletedTask;
    }

    protected static Dictionary<string, object?> Tools() =>
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

    protected async Task<Guid> AddAsync(
        ProviderKind kind,
        string path,
        int retries = 1,
        int seconds = 30
    ) =>
        (
            await Server
                .Get<ModelProviders>()
                .PutAsync(
                    Owner,
                    null,
                    new ProviderDraft
                    {
                        Name = Guid.NewGuid().ToString(),
                        Kind = kind,
                        BaseUrl = Fake.Address + path,
                        Key = Secret,
                        MaxRetries = retries,
                        TimeoutSeconds = seconds,
                    },
                    Cancel
                )
        )!.Id;

    protected async Task<(string Text, JsonElement Done)> RunAsync(Guid provider, string model)
    {
        var (text, done, _) = await RunWholeAsync(provider, model, new());
        return (text, done);
    }

    protected Task<(string Text, JsonElement Done, List<JsonElement> Tools)> RunWholeAsync(
        Guid provider,
        string model,
        Dictionary<string, object?> more
    ) => RunWholeAsync(Client, provider, model, more);

    protected static async Task<(
        string Text,
        JsonElement Done,
        List<JsonElement> Tools
    )> RunWholeAsync(
        HttpClient client,
        Guid provider,
        string model,
        Dictionary<string, object?> more,
        List<string>? refusals = null
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

            if (data.RootElement.TryGetProperty("refusal", out var refused))
            {
                refusals?.Add(refused.GetString()!);
            }

            if (data.RootElement.TryGetProperty("tool", out var tool))
            {
                tools.Add(tool.Clone());
            }
        }

        throw new InvalidOperationException("The stream ended without a reply.");
    }
}
