using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Assay.Core.Access;

namespace Assay.Server.Tests.Prompts;

/// <summary>Who sees which forms on the pages of a prompt.</summary>
public sealed partial class PromptPagesTests : IAsyncLifetime
{
    private static readonly string[] s_tabs =
    [
        "prompt",
        "edit",
        "commits",
        "compare",
        "tags",
        "comments",
        "webhooks",
        "use",
        "settings",
    ];

    private readonly InProcessServer _server = new();
    private Guid _workspace;
    private HttpClient _owner = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _workspace = await _server.FirstWorkspaceAsync();
        _owner = await AsAsync(Role.Owner);
        await SendAsync(HttpMethod.Post, "repos", new { repo_handle = "seen", is_public = false });
        await SendAsync(HttpMethod.Post, "prompt-webhooks", new { url = "http://10.0.0.1/secret" });
        JsonElement commit = default;
        foreach (var text in new[] { "one", "two" })
        {
            commit = (
                await SendAsync(
                    HttpMethod.Post,
                    "commits/-/seen",
                    new
                    {
                        manifest = new
                        {
                            id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                            kwargs = new { template = text },
                        },
                    }
                )
            ).GetProperty("commit");
            foreach (var tag in new[] { "staging", "other" })
            {
                await SendAsync(
                    HttpMethod.Post,
                    "repos/-/seen/tags",
                    new { tag_name = tag, commit_id = commit.GetProperty("id").GetGuid() }
                );
            }
        }

        await SendAsync(HttpMethod.Post, "comments/-/seen", new { content = "Hm." });
        await SendAsync(
            HttpMethod.Put,
            "hub/protected-tags",
            new { tags = new[] { "production" } }
        );
        await SendAsync(
            HttpMethod.Post,
            "repos/-/seen/tags",
            new { tag_name = "production", commit_id = commit.GetProperty("id").GetGuid() }
        );
    }

    public async ValueTask DisposeAsync()
    {
        _owner.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_viewer_sees_every_tab_and_changes_nothing_but_what_they_like()
    {
        using var viewer = await AsAsync(Role.Viewer);
        foreach (var tab in s_tabs)
        {
            var html = await viewer.GetStringAsync(
                $"/prompts/seen?tab={tab}&move=staging&remove=staging&try=staging&hook=x&delete=true",
                Cancel
            );
            Assert.Contains("seen", html);
            Assert.All(
                Handler().Matches(html).Select(m => m.Groups["name"].Value),
                name => Assert.StartsWith("like", name, StringComparison.Ordinal)
            );
            Assert.DoesNotContain("10.0.0.1", html);
        }

        var tags = await viewer.GetStringAsync("/prompts/seen?tab=tags", Cancel);
        Assert.Contains("Waiting for approval", tags);
        var settings = await viewer.GetStringAsync("/settings/prompts", Cancel);
        Assert.Contains("production", settings);
        Assert.DoesNotContain("10.0.0.1", settings);
        Assert.Empty(Handler().Matches(settings));
    }

    [Fact]
    public async Task An_editor_moves_tags_and_asks_but_neither_approves_nor_sees_webhooks()
    {
        using var editor = await AsAsync(Role.Editor);
        var tags = await editor.GetStringAsync("/prompts/seen?tab=tags", Cancel);
        var handlers = Handler().Matches(tags).Select(m => m.Groups["name"].Value).ToList();
        Assert.Contains("add", handlers);
        Assert.Contains(handlers, h => h.StartsWith("back-", StringComparison.Ordinal));
        Assert.DoesNotContain(handlers, h => h.StartsWith("approve-", StringComparison.Ordinal));
        Assert.DoesNotContain("tab=webhooks", tags);
        Assert.DoesNotContain(
            "10.0.0.1",
            await editor.GetStringAsync("/prompts/seen?tab=webhooks", Cancel)
        );
        using var admin = await AsAsync(Role.Admin);
        var asAdmin = await admin.GetStringAsync("/prompts/seen?tab=tags", Cancel);
        Assert.Contains("value=\"approve-", asAdmin);
        Assert.Contains(
            "10.0.0.1",
            await admin.GetStringAsync(
                "/prompts/seen?tab=webhooks&hook=x&edit=x&delete=x&rotate=x&payload=x",
                Cancel
            )
        );
        // Who asked sees that it waits, and may only take it back.
        var asOwner = await _owner.GetStringAsync("/prompts/seen?tab=tags", Cancel);
        Assert.DoesNotContain("value=\"approve-", asOwner);
        Assert.Contains("value=\"reject-", asOwner);
    }

    private async Task<HttpClient> AsAsync(Role role)
    {
        var member = await _server.MemberAsync($"{role}@pages.test", _workspace, role);
        var client = _server.Client();
        client.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, _workspace));
        client.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        return client;
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        request.Content = JsonContent.Create(body);
        using var answer = await _owner.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {text}");
        return JsonElement.Parse(text);
    }

    [GeneratedRegex(
        "name=\"_handler\" value=\"(?<name>[^\"]*)\"",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Handler();
}
