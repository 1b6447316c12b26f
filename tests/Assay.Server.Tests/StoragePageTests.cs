using System.Net;
using System.Net.Http.Json;
using Assay.Core.Access;

namespace Assay.Server.Tests;

/// <summary>What the storage page tells an admin: shapes and reasons of the own workspace, never anybody's texts.</summary>
public sealed class StoragePageTests
{
    private const string Secret = "wanda-4711";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slow_questions_and_refused_items_are_shown_without_what_was_written()
    {
        await using var server = new InProcessServer();
        var workspace = await server.NewWorkspaceAsync("ours");
        using var client = server.Client(await server.KeyAsync(workspace, KeyScope.Full));
        await AskAsync(
            client,
            "/runs/query",
            new
            {
                trace = Guid.CreateVersion7(),
                is_root = true,
                filter = $"and(eq(name, \"{Secret}\"), has(tags, \"{Secret}\"), eq(metadata_value, \"{Secret}\"))",
            }
        );
        var id = Guid.CreateVersion7();
        await AskAsync(
            client,
            "/runs/batch",
            new
            {
                post = new object[]
                {
                    new
                    {
                        id,
                        name = Secret,
                        run_type = Secret,
                    },
                    new
                    {
                        id,
                        name = Secret,
                        run_type = "chain",
                        parent_run_id = id,
                    },
                },
            }
        );

        // A span without ids: refused by the adapter, before it is a run.
        await AskAsync(
            client,
            "/otel/v1/traces",
            new
            {
                resourceSpans = new[]
                {
                    new { scopeSpans = new[] { new { spans = new[] { new { name = Secret } } } } },
                },
            }
        );

        var page = await PageAsync(server, workspace, "owner@ours.test");
        Assert.Contains("list: roots, every project, trace, and(", page, StringComparison.Ordinal);
        Assert.Contains("name =", page, StringComparison.Ordinal);
        Assert.Contains("a run cannot be its own parent", page, StringComparison.Ordinal);
        Assert.Contains("run_type: … is not one of", page, StringComparison.Ordinal);
        Assert.Contains("span: the trace id must be", page, StringComparison.Ordinal);
        Assert.Contains("blobs", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, page, StringComparison.Ordinal);

        var other = await PageAsync(
            server,
            await server.NewWorkspaceAsync("theirs"),
            "owner@theirs.test"
        );
        Assert.DoesNotContain("list: roots, every project, trace", other, StringComparison.Ordinal);
        Assert.DoesNotContain("its own parent", other, StringComparison.Ordinal);
    }

    private static async Task AskAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync("/api/v1" + path, body, Cancel);
        Assert.True((int)response.StatusCode < 500, $"{response.StatusCode}");
    }

    private static async Task<string> PageAsync(
        InProcessServer server,
        Guid workspace,
        string email
    )
    {
        var member = await server.MemberAsync(email, workspace, Role.Owner);
        using var browser = server.Client();
        browser.DefaultRequestHeaders.Add("Cookie", server.Cookie(member, workspace));
        return WebUtility.HtmlDecode(await browser.GetStringAsync("/manage/storage", Cancel));
    }
}
