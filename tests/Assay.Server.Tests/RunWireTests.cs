using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests;

public sealed class RunWireTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Info_answers_without_a_key_and_with_all_six_batch_keys()
    {
        using var anonymous = new HttpClient();
        foreach (var prefix in (string[])["", "/api", "/api/v1"])
        {
            var info = await anonymous.GetFromJsonAsync<JsonElement>(
                $"{_server.Address}{prefix}/info/",
                Cancel
            );
            Assert.Equal(6, info.GetProperty("batch_ingest_config").EnumerateObject().Count());
        }
    }

    [Fact]
    public async Task A_change_that_comes_before_its_run_is_kept()
    {
        var id = Guid.CreateVersion7();
        await _server.JsonAsync(
            HttpMethod.Patch,
            $"/runs/{id}",
            new
            {
                outputs = new { a = 1 },
                end_time = "2026-01-01T00:00:02Z",
                name = (string?)null,
            }
        );
        await _server.JsonAsync(
            HttpMethod.Post,
            "/runs",
            new
            {
                id,
                name = "late",
                run_type = "chain",
                start_time = 1767225600000,
                inputs = new { q = 1 },
                outputs = new { a = 0 },
            }
        );
        var run = await _server.JsonAsync(HttpMethod.Get, $"/runs/{id}");
        Assert.Equal("late", run.GetProperty("name").GetString());
        Assert.Equal(1, run.GetProperty("outputs").GetProperty("a").GetInt32());
        Assert.Equal("success", run.GetProperty("status").GetString());
        Assert.Equal("2026-01-01T00:00:00.000000", run.GetProperty("start_time").GetString());
    }

    [Fact]
    public async Task A_bad_run_is_refused_with_its_field_and_its_neighbour_is_kept()
    {
        var good = Guid.CreateVersion7();
        using var response = await _server.Client.PostAsJsonAsync(
            "/runs/batch",
            new
            {
                post = new object[]
                {
                    new
                    {
                        id = Guid.CreateVersion7(),
                        name = "bad",
                        run_type = "nonsense",
                        inputs = new { },
                    },
                    new
                    {
                        id = good,
                        name = "good",
                        run_type = "chain",
                        inputs = new { },
                    },
                },
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Contains(
            "run_type",
            await response.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "good",
            (await _server.JsonAsync(HttpMethod.Get, $"/runs/{good}"))
                .GetProperty("name")
                .GetString()
        );
    }

    [Theory]
    [InlineData("POST", "/runs", "{")]
    [InlineData("POST", "/runs", "[]")]
    [InlineData("POST", "/runs", "{\"id\":\"not a uuid\"}")]
    [InlineData(
        "POST",
        "/runs",
        "{\"id\":\"018f0000-0000-7000-8000-000000000001\",\"start_time\":\"yesterday\"}"
    )]
    [InlineData("POST", "/runs/batch", "\"text\"")]
    [InlineData("POST", "/runs/query", "{}")]
    [InlineData("POST", "/runs/query", "{\"session\":[\"x\"]}")]
    [InlineData(
        "POST",
        "/runs/query",
        "{\"trace\":\"018f0000-0000-7000-8000-000000000001\",\"filter\":\"eq(\"}"
    )]
    [InlineData(
        "POST",
        "/runs/query",
        "{\"trace\":\"018f0000-0000-7000-8000-000000000001\",\"cursor\":\"???\"}"
    )]
    [InlineData("POST", "/feedback", "{}")]
    [InlineData("POST", "/sessions", "{\"name\":\"\"}")]
    public async Task Bad_input_is_the_clients_error_and_says_why(
        string method,
        string path,
        string body
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = await _server.Client.SendAsync(request, Cancel);
        Assert.InRange((int)response.StatusCode, 400, 499);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.True(answer.TryGetProperty("detail", out _));
    }

    [Fact]
    public async Task A_truncated_or_unknown_compression_is_a_client_error()
    {
        foreach (
            var (encoding, expected) in ((string, HttpStatusCode)[])
                [
                    ("gzip", HttpStatusCode.BadRequest),
                    ("zstd", HttpStatusCode.BadRequest),
                    ("lzma", HttpStatusCode.UnsupportedMediaType),
                ]
        )
        {
            using var packed = new MemoryStream();
            await using (
                var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)
            )
            {
                await gzip.WriteAsync(Encoding.UTF8.GetBytes(new string('x', 10_000)), Cancel);
            }

            using var content = new ByteArrayContent(packed.ToArray()[..20]);
            content.Headers.ContentEncoding.Add(encoding);
            using var response = await _server.Client.PostAsync("/runs/batch", content, Cancel);
            Assert.Equal(expected, response.StatusCode);
        }
    }

    [Fact]
    public async Task The_same_id_in_two_projects_is_two_runs()
    {
        var id = Guid.CreateVersion7();
        foreach (var project in (string[])["left", "right"])
        {
            await _server.JsonAsync(
                HttpMethod.Post,
                "/runs",
                new
                {
                    id,
                    name = project,
                    run_type = "chain",
                    inputs = new { },
                    session_name = project,
                }
            );
        }

        foreach (var project in (string[])["left", "right"])
        {
            var session = (await _server.JsonAsync(HttpMethod.Get, $"/sessions?name={project}"))[0]
                .GetProperty("id")
                .GetString();
            var found = await _server.JsonAsync(
                HttpMethod.Post,
                "/runs/query",
                new { session = new[] { session } }
            );
            Assert.Equal(
                project,
                Assert
                    .Single(found.GetProperty("runs").EnumerateArray())
                    .GetProperty("name")
                    .GetString()
            );
        }
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition()
    {
        var ids = Enumerable.Range(0, 25).Select(_ => Guid.CreateVersion7()).ToList();
        await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/batch",
            new
            {
                post = ids.Select(id => new
                {
                    id,
                    name = "n",
                    run_type = "chain",
                    inputs = new { },
                    session_name = "paged",
                    start_time = "2026-01-01T00:00:00Z",
                }),
            }
        );
        var session = (await _server.JsonAsync(HttpMethod.Get, "/sessions?name=paged"))[0]
            .GetProperty("id")
            .GetString();
        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = await _server.JsonAsync(
                HttpMethod.Post,
                "/runs/query",
                new
                {
                    session,
                    limit = 10,
                    cursor,
                }
            );
            seen.AddRange(
                page.GetProperty("runs").EnumerateArray().Select(r => r.GetProperty("id").GetGuid())
            );
            cursor = page.GetProperty("cursors").GetProperty("next").GetString();
        } while (cursor is not null);
        Assert.Equal(ids.Order(), seen.Order());
    }

    [Fact]
    public async Task Deleted_runs_leave_the_list_and_the_figures()
    {
        var id = Guid.CreateVersion7();
        await _server.JsonAsync(
            HttpMethod.Post,
            "/runs",
            new
            {
                id,
                name = "gone",
                run_type = "chain",
                inputs = new { },
                session_name = "deletion",
            }
        );
        Assert.Equal(
            1,
            (
                await _server.JsonAsync(
                    HttpMethod.Post,
                    "/runs/delete",
                    new { run_ids = new[] { id } }
                )
            )
                .GetProperty("deleted")
                .GetInt32()
        );
        using var response = await _server.Client.GetAsync($"/runs/{id}", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(
            0,
            (await _server.JsonAsync(HttpMethod.Get, "/sessions?name=deletion"))[0]
                .GetProperty("run_count")
                .GetInt32()
        );
    }

    [Fact]
    public async Task Nothing_opens_without_a_key_and_the_login_link_opens_the_screens_once()
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler) { BaseAddress = new Uri(_server.Address) };
        foreach (
            var path in (string[])
                ["/sessions", "/api/v1/runs/018f0000-0000-7000-8000-000000000001", "/"]
        )
        {
            using var refused = await browser.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        using var owner = new Browser(new Uri(_server.Address));
        var link = new Uri(_server.LoginLink).AbsolutePath;
        using var signIn = await owner.SubmitAsync(link, "/auth/link");
        Assert.Equal("/auth/setup", signIn.Headers.Location?.ToString());
        Assert.Contains("Projects", await owner.PageAsync("/"), StringComparison.Ordinal);
        foreach (
            var (origin, expected) in ((string, HttpStatusCode)[])
                [
                    ("https://elsewhere.example", HttpStatusCode.Redirect),
                    (_server.Address, HttpStatusCode.OK),
                ]
        )
        {
            using var change = new HttpRequestMessage(HttpMethod.Post, "/sessions")
            {
                Content = JsonContent.Create(new { name = "from the browser" }),
            };
            change.Headers.Add("Origin", origin);
            using var answer = await owner.Client.SendAsync(change, Cancel);
            Assert.Equal(expected, answer.StatusCode);
        }

        using var second = new Browser(new Uri(_server.Address));
        using var again = await second.SubmitAsync(link, "/auth/link");
        Assert.StartsWith("/login", again.Headers.Location?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledged_runs_survive_kill_minus_nine()
    {
        var acknowledged = new List<Guid>();
        for (var round = 0; round < 3; round++)
        {
            using var stop = new CancellationTokenSource();
            var load = SendUntilAsync(acknowledged, stop.Token);
            while (Count(acknowledged) < 40 * (round + 1))
            {
                await Task.Yield();
            }

            await _server.KillAsync();
            await stop.CancelAsync();
            await load;
            await _server.StartAgainAsync();
        }

        foreach (var id in acknowledged)
        {
            Assert.Equal(
                "survivor",
                (await _server.JsonAsync(HttpMethod.Get, $"/runs/{id}"))
                    .GetProperty("name")
                    .GetString()
            );
        }

        var session = (await _server.JsonAsync(HttpMethod.Get, "/sessions?name=crash"))[0];
        Assert.True(session.GetProperty("run_count").GetInt32() >= acknowledged.Count);
    }

    private static int Count(List<Guid> ids)
    {
        lock (ids)
        {
            return ids.Count;
        }
    }

    private async Task SendUntilAsync(List<Guid> acknowledged, CancellationToken stop)
    {
        var client = _server.Client;
        while (!stop.IsCancellationRequested)
        {
            var id = Guid.CreateVersion7();
            try
            {
                using var response = await client.PostAsJsonAsync(
                    "/runs",
                    new
                    {
                        id,
                        name = "survivor",
                        run_type = "chain",
                        inputs = new { id },
                        session_name = "crash",
                    },
                    stop
                );
                if (response.IsSuccessStatusCode)
                {
                    lock (acknowledged)
                    {
                        acknowledged.Add(id);
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return;
            }
        }
    }
}
