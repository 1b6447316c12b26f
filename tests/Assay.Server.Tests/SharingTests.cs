using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Assay.Server.Tests;

public sealed class SharingTests : IAsyncLifetime
{
    private readonly HttpClient _stranger = new();
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync();
        _stranger.BaseAddress = new Uri(_server.Address);
    }

    public ValueTask DisposeAsync()
    {
        _stranger.Dispose();
        return _server.DisposeAsync();
    }

    [Fact]
    public async Task A_shared_trace_is_readable_without_a_key_and_nothing_else_is()
    {
        var (root, child) = await TraceAsync("shared");
        var (other, _) = await TraceAsync("private");
        var token = await ShareAsync(root);

        var run = await OpenAsync($"/public/{token}/run");
        Assert.Equal("shared", run.GetProperty("name").GetString());
        Assert.Equal("secret of shared", run.GetProperty("inputs").GetProperty("q").GetString());
        Assert.Equal(
            child,
            Assert.Single(run.GetProperty("child_run_ids").EnumerateArray()).GetGuid()
        );
        Assert.False(run.TryGetProperty("session_id", out _));
        Assert.False(run.TryGetProperty("app_path", out _));
        Assert.Equal(
            child,
            (await OpenAsync($"/api/v1/public/{token}/run/{child}")).GetProperty("id").GetGuid()
        );

        using var query = await _stranger.PostAsJsonAsync(
            $"/public/{token}/runs/query",
            new { },
            Cancel
        );
        Assert.Equal(
            [root, child],
            (await query.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("runs")
                .EnumerateArray()
                .Select(r => r.GetProperty("id").GetGuid())
        );
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/run/{other}"));
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync($"/public/{Guid.CreateVersion7()}/run")
        );
        using var ids = await _stranger.PostAsJsonAsync(
            $"/public/{token}/runs/query",
            new { id = new[] { other } },
            Cancel
        );
        Assert.Empty(
            (await ids.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("runs")
                .EnumerateArray()
        );
        Assert.Empty((await OpenAsync($"/public/{token}/runs?id={other}")).EnumerateArray());
        Assert.Empty((await OpenAsync($"/public/{token}/feedbacks?run={other}")).EnumerateArray());
    }

    [Fact]
    public async Task A_shared_step_opens_its_descendants_and_not_its_parent()
    {
        var (root, child) = await TraceAsync("inner");
        var token = await ShareAsync(child);
        Assert.Equal(child, (await OpenAsync($"/public/{token}/run")).GetProperty("id").GetGuid());
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/run/{root}"));
    }

    [Fact]
    public async Task An_unshared_run_answers_null_and_a_revoked_link_opens_nothing()
    {
        var (root, _) = await TraceAsync("revoked");
        Assert.Equal(
            JsonValueKind.Null,
            (await _server.JsonAsync(HttpMethod.Get, $"/runs/{root}/share")).ValueKind
        );
        var token = await ShareAsync(root);
        Assert.Equal(token, await ShareAsync(root));
        Assert.Equal(
            token,
            (await _server.JsonAsync(HttpMethod.Get, $"/runs/{root}/share"))
                .GetProperty("share_token")
                .GetGuid()
        );
        Assert.Equal(
            token,
            (await _server.JsonAsync(HttpMethod.Get, $"/runs/{root}"))
                .GetProperty("share_token")
                .GetGuid()
        );
        await _server.JsonAsync(HttpMethod.Delete, $"/runs/{root}/share");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/run"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/r"));
        Assert.NotEqual(token, await ShareAsync(root));
    }

    [Fact]
    public async Task A_clients_token_is_taken_only_when_it_is_random()
    {
        var (root, child) = await TraceAsync("tokens");
        var guessable = new Guid("00000000-0000-0000-0000-000000000001");
        Assert.NotEqual(guessable, await ShareAsync(root, guessable));
        var random = new Guid("8f14e45f-ceea-467f-a0e6-8b2a1c9d7e31");
        Assert.Equal(random, await ShareAsync(child, random));
        var (another, _) = await TraceAsync("taken");
        Assert.NotEqual(random, await ShareAsync(another, random));
    }

    [Fact]
    public async Task The_public_page_shows_the_trace_to_everybody_and_to_no_crawler()
    {
        var (root, _) = await TraceAsync("page");
        var (other, _) = await TraceAsync("hidden");
        var token = await ShareAsync(root);
        using var page = await _stranger.GetAsync($"/public/{token}/r?run={other}", Cancel);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains(
            "noindex",
            page.Headers.GetValues("X-Robots-Tag").Single(),
            StringComparison.Ordinal
        );
        var html = await page.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("secret of page", html, StringComparison.Ordinal);
        Assert.DoesNotContain("secret of hidden", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_a_run_takes_its_link_away_for_good()
    {
        var (root, _) = await TraceAsync("deleted");
        var token = await ShareAsync(root);
        await _server.JsonAsync(HttpMethod.Delete, $"/runs/{root}");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/run"));
        await SendAsync(root, null, root, "deleted");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/public/{token}/run"));
    }

    [Fact]
    public async Task Traces_are_deleted_by_project_and_id_or_by_metadata()
    {
        var (root, child) = await TraceAsync("by id");
        var elsewhere = await _server.JsonAsync(
            HttpMethod.Post,
            "/sessions",
            new { name = "elsewhere" }
        );
        await DeleteAsync(
            new { session_id = elsewhere.GetProperty("id").GetGuid(), trace_ids = new[] { root } },
            0
        );
        await DeleteAsync(new { trace_ids = new[] { root } }, 2);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/runs/{child}", _server.Client));

        var (marked, _) = await TraceAsync("by metadata");
        var (kept, _) = await TraceAsync("kept");
        await DeleteAsync(new { metadata = new { name = "by metadata" } }, 2);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/runs/{marked}", _server.Client));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync($"/runs/{kept}", _server.Client));
        using var empty = await _server.Client.PostAsJsonAsync("/runs/delete", new { }, Cancel);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, empty.StatusCode);
    }

    private async Task DeleteAsync(object body, int expected) =>
        Assert.Equal(
            expected,
            (await _server.JsonAsync(HttpMethod.Post, "/runs/delete", body))
                .GetProperty("deleted")
                .GetInt32()
        );

    private async Task<(Guid Root, Guid Child)> TraceAsync(string name)
    {
        var (root, child) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await SendAsync(root, null, root, name);
        await SendAsync(child, root, root, name + " child");
        return (root, child);
    }

    private Task<JsonElement> SendAsync(Guid id, Guid? parent, Guid trace, string name) =>
        _server.JsonAsync(
            HttpMethod.Post,
            "/runs",
            new
            {
                id,
                trace_id = trace,
                parent_run_id = parent,
                name,
                run_type = "chain",
                inputs = new { q = "secret of " + name },
                extra = new { metadata = new { name } },
                session_name = "sharing",
            }
        );

    private async Task<Guid> ShareAsync(Guid run, Guid? token = null) =>
        (
            await _server.JsonAsync(
                HttpMethod.Put,
                $"/runs/{run}/share",
                new { run_id = run, share_token = token }
            )
        )
            .GetProperty("share_token")
            .GetGuid();

    private Task<JsonElement> OpenAsync(string path) =>
        _stranger.GetFromJsonAsync<JsonElement>(path, Cancel);

    private async Task<HttpStatusCode> StatusAsync(string path, HttpClient? client = null)
    {
        using var response = await (client ?? _stranger).GetAsync(path, Cancel);
        return response.StatusCode;
    }
}
