using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Projects;

namespace Assay.Server.Tests;

/// <summary>Retention as a person sets it and as clients notice it.</summary>
public sealed class RetentionTests : IAsyncLifetime
{
    private InProcessServer _server = null!;
    private Guid _workspace;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _workspace = await _server.FirstWorkspaceAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_rule_is_set_on_the_page_asked_for_twice_where_it_deletes_and_swept()
    {
        using var client = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
        var now = TimeProvider.System.GetUtcNow();
        var old = await SendAsync(client, now.AddDays(-40), null);
        var failed = await SendAsync(client, now.AddDays(-40), "broken");
        var young = await SendAsync(client, now.AddDays(-3), null);
        var project = (await ReadAsync(client, young))!.Value.GetProperty("session_id").GetGuid();

        using var browser = await SignedInAsync(Role.Owner);
        var page = $"/manage/retention?project={project}";
        Assert.Contains(
            "for ever",
            await browser.PageAsync("/manage/retention"),
            StringComparison.Ordinal
        );
        using (
            var wrong = await browser.SubmitNamedAsync(
                page,
                "rule",
                ("Days", "30"),
                ("ErrorDays", "7")
            )
        )
        {
            Assert.Contains(
                "not shorter",
                await wrong.Content.ReadAsStringAsync(Cancel),
                StringComparison.Ordinal
            );
        }

        using var asked = await browser.SubmitNamedAsync(
            page,
            "rule",
            ("Days", "30"),
            ("ErrorDays", "60")
        );
        var html = await asked.Content.ReadAsStringAsync(Cancel);
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        Assert.Contains("About 2 traces are older than 30 days", html, StringComparison.Ordinal);
        await _server.Get<RetentionSweep>().SweepAsync(Cancel);
        Assert.NotNull(await ReadAsync(client, old));

        using var saved = await browser.PostAsync(
            page,
            Form(html),
            ("Days", "30"),
            ("ErrorDays", "60")
        );
        Assert.Equal(HttpStatusCode.Redirect, saved.StatusCode);
        Assert.Equal(1, await _server.Get<RetentionSweep>().SweepAsync(Cancel));
        Assert.Null(await ReadAsync(client, old));
        Assert.NotNull(await ReadAsync(client, failed));
        Assert.NotNull(await ReadAsync(client, young));

        _server.Time.Ahead = TimeSpan.FromDays(25);
        Assert.Equal(1, await _server.Get<RetentionSweep>().SweepAsync(Cancel));
        Assert.Null(await ReadAsync(client, failed));
        var audit = await _server
            .Get<AuditLog>()
            .ListAsync(
                new Caller(_workspace, Grants.Of(Role.Owner)),
                new AuditQuery { Actions = ["project.retention"] },
                Cancel
            );
        Assert.Equal(
            "default: 30 days, errors 60 days, with feedback 30 days",
            Assert.Single(audit.Entries).Subject
        );
    }

    [Fact]
    public async Task Viewers_see_no_rules_and_set_none()
    {
        using var browser = await SignedInAsync(Role.Viewer);
        Assert.Contains(
            "Admins only",
            await browser.PageAsync("/manage/retention"),
            StringComparison.Ordinal
        );
        await Assert.ThrowsAsync<AccessDeniedException>(() =>
            _server
                .Get<Retention>()
                .SetAsync(
                    new Caller(_workspace, Grants.Of(Role.Viewer)),
                    Guid.CreateVersion7(),
                    new RetentionRule(1, null, null),
                    Cancel
                )
        );
    }

    private static string Form(string html)
    {
        var handler = html.IndexOf("value=\"rule\"", StringComparison.Ordinal);
        var start = html.LastIndexOf("<form", handler, StringComparison.Ordinal);
        return html[start..html.IndexOf("</form>", handler, StringComparison.Ordinal)];
    }

    private async Task<Browser> SignedInAsync(Role role)
    {
        var member = await _server.MemberAsync($"{role}@a.test", _workspace, role);
        var browser = new Browser(_server.Address);
        browser.Cookies.SetCookies(_server.Address, _server.Cookie(member, _workspace));
        return browser;
    }

    private static async Task<Guid> SendAsync(
        HttpClient client,
        DateTimeOffset start,
        string? error
    )
    {
        var id = Guid.CreateVersion7();
        using var response = await client.PostAsJsonAsync(
            "/runs",
            new
            {
                id,
                name = "x",
                run_type = "chain",
                start_time = start,
                end_time = start.AddSeconds(1),
                error,
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return id;
    }

    private static async Task<JsonElement?> ReadAsync(HttpClient client, Guid id)
    {
        using var response = await client.GetAsync($"/runs/{id}", Cancel);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }
}
