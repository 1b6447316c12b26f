using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;

namespace Assay.Server.Tests.Hostile;

/// <summary>One server for all tests of bad input; each test has a project of its own.</summary>
public sealed class HostileServer : IAsyncLifetime
{
    private InProcessServer _server = null!;

    public HttpClient Client { get; private set; } = null!;

    public Uri Address => _server.Address;

    public string Key { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer(("Limits:SlowBodySeconds", "2"));
        Key = await _server.KeyAsync(await _server.FirstWorkspaceAsync(), KeyScope.Full);
        Client = _server.Client(Key);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }

    /// <summary>A client of another workspace.</summary>
    public async Task<HttpClient> StrangerAsync() =>
        _server.Client(
            await _server.KeyAsync(
                await _server.NewWorkspaceAsync($"stranger {Guid.NewGuid()}"),
                KeyScope.Full
            )
        );

    public Task<(HttpStatusCode Status, string Body)> SendAsync(
        string path,
        string body,
        HttpMethod? method = null
    ) => SendAsync(path, new ByteArrayContent(Encoding.UTF8.GetBytes(body)), method);

    public async Task<(HttpStatusCode Status, string Body)> SendAsync(
        string path,
        HttpContent content,
        HttpMethod? method = null,
        HttpClient? client = null
    )
    {
        content.Headers.ContentType ??= new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(method ?? HttpMethod.Post, "/api/v1" + path)
        {
            Content = content,
        };
        using var response = await (client ?? Client).SendAsync(
            request,
            TestContext.Current.CancellationToken
        );
        return (
            response.StatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>The files in the blob store.</summary>
    public IReadOnlyList<string> Blobs() =>
        Directory.Exists(Path.Combine(_server.Data, "blobs"))
            ?
            [
                .. Directory
                    .EnumerateFiles(
                        Path.Combine(_server.Data, "blobs"),
                        "*",
                        SearchOption.AllDirectories
                    )
                    .Order(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>The run as it is read back; null when there is none.</summary>
    public async Task<JsonElement?> RunAsync(Guid id)
    {
        using var response = await Client.GetAsync(
            $"/api/v1/runs/{id}",
            TestContext.Current.CancellationToken
        );
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var bytes = await response.Content.ReadAsByteArrayAsync(
            TestContext.Current.CancellationToken
        );
        using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 512 });
        return document.RootElement.Clone();
    }

    /// <summary>The server still takes a run and gives it back.</summary>
    public async Task AnswersAsync()
    {
        var id = Guid.CreateVersion7();
        var (status, body) = await SendAsync("/runs", Bodies.Run(id));
        Assert.True(status == HttpStatusCode.Accepted, body);
        Assert.NotNull(await RunAsync(id));
    }
}
