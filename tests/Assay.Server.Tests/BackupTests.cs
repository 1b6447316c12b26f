using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests;

/// <summary>The commands of the real binary beside the running server.</summary>
public sealed class BackupTests : IAsyncLifetime
{
    private readonly string _place = Directory.CreateTempSubdirectory("assay-backup").FullName;
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_place, recursive: true);
    }

    [Fact]
    public async Task A_backup_made_under_load_holds_all_that_was_acknowledged_before_it()
    {
        var acknowledged = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            acknowledged.AddRange(await SendAsync(_server.Client, 20));
        }

        var file = await SendFileAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var load = LoadAsync(stop.Token);
        var backup = Path.Combine(_place, "backup");
        var (code, output) = await RunningServer.RunAsync("backup", backup, "--data", _server.Data);
        await stop.CancelAsync();
        await load;
        Assert.True(code == 0, output);
        (code, output) = await RunningServer.RunAsync("check", "--data", backup);
        Assert.True(code == 0, output);
        Assert.Contains("All is well", output, StringComparison.Ordinal);

        // A place that is taken is left alone.
        (code, _) = await RunningServer.RunAsync("backup", backup, "--data", _server.Data);
        Assert.Equal(1, code);
        (code, _) = await RunningServer.RunAsync("restore", backup, "--data", _server.Data);
        Assert.Equal(1, code);

        var data = Path.Combine(_place, "restored");
        (code, output) = await RunningServer.RunAsync("restore", backup, "--data", data);
        Assert.True(code == 0, output);
        await using var restored = await RunningServer.StartAsync(data);
        var project = (
            await restored.JsonAsync(HttpMethod.Get, $"/runs/{acknowledged[0]}")
        ).GetProperty("session_id");
        foreach (var id in acknowledged)
        {
            var run = await restored.JsonAsync(HttpMethod.Get, $"/runs/{id}");
            Assert.Equal(
                $"text of {id}",
                run.GetProperty("inputs").GetProperty("text").GetString()
            );
        }

        var found = await restored.JsonAsync(
            HttpMethod.Post,
            "/runs/query",
            new
            {
                session = new[] { project },
                filter = $"search(\"{acknowledged[7]:N}\")",
                limit = 5,
            }
        );
        Assert.Equal(acknowledged[7], found.GetProperty("runs")[0].GetProperty("id").GetGuid());
        var urls = (await restored.JsonAsync(HttpMethod.Get, $"/runs/{file}")).GetProperty(
            "s3_urls"
        );
        using var attachment = await restored.Client.GetAsync(
            urls.GetProperty("attachment.note").GetProperty("presigned_url").GetString(),
            Cancel
        );
        Assert.Equal("hello", await attachment.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task Damage_is_named_and_the_exit_code_says_so()
    {
        var sent = await SendAsync(_server.Client, 50);
        // A read waits until all of them are in the index.
        await _server.JsonAsync(HttpMethod.Get, $"/runs/{sent[^1]}");
        var (code, output) = await RunningServer.RunAsync("check", "--data", _server.Data);
        Assert.True(code == 0, output);
        await _server.KillAsync();
        var journal = Path.Combine(_server.Data, "journal", "00000001.log");
        var bytes = await File.ReadAllBytesAsync(journal, Cancel);
        bytes[^100] ^= 0x10;
        await File.WriteAllBytesAsync(journal, bytes, Cancel);
        (code, output) = await RunningServer.RunAsync("check", "--data", _server.Data);
        Assert.Equal(1, code);
        Assert.Contains("WRONG journal", output, StringComparison.Ordinal);
        Assert.Contains("WRONG payloads", output, StringComparison.Ordinal);

        (code, output) = await RunningServer.RunAsync(
            "check",
            "--data",
            Path.Combine(_place, "none")
        );
        Assert.Equal(1, code);
        (code, _) = await RunningServer.RunAsync("backup");
        Assert.Equal(2, code);
        await _server.StartAgainAsync();
    }

    private async Task LoadAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await SendAsync(_server.Client, 20);
        }
    }

    private static async Task<List<Guid>> SendAsync(HttpClient client, int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToList();
        using var response = await client.PostAsJsonAsync(
            "/runs/batch",
            new
            {
                post = ids.Select(id => new
                {
                    id,
                    name = "x",
                    run_type = "llm",
                    start_time = TimeProvider.System.GetUtcNow(),
                    inputs = new { text = $"text of {id}", word = id.ToString("N") },
                    outputs = new { answer = "yes" },
                }),
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return ids;
    }

    private async Task<Guid> SendFileAsync()
    {
        var id = Guid.CreateVersion7();
        using var form = new MultipartFormDataContent();
        void Add(string name, string type, string text)
        {
            var part = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
            part.Headers.TryAddWithoutValidation("Content-Type", type);
            form.Add(part, name);
        }

        Add(
            $"post.{id}",
            "application/json",
            JsonSerializer.Serialize(
                new
                {
                    id,
                    name = "x",
                    run_type = "llm",
                    start_time = TimeProvider.System.GetUtcNow(),
                    trace_id = id,
                }
            )
        );
        Add($"attachment.{id}.note", "text/plain; length=5", "hello");
        using var response = await _server.Client.PostAsync("/runs/multipart", form, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return id;
    }
}
