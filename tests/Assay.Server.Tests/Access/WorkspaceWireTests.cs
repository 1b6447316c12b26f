using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.Tests.Access;

/// <summary>What a workspace holds, how its resources are tagged, and that nothing of it is left when it is deleted.</summary>
public sealed class WorkspaceWireTests : IAsyncLifetime
{
    private InProcessServer _server = null!;
    private HttpClient _client = null!;
    private Guid _workspace;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _workspace = await _server.NewWorkspaceAsync("ours");
        _client = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Resources_are_tagged_and_projects_found_by_their_tags()
    {
        var project = Id(await SendAsync("POST", "/sessions", new { name = "tagged" }));
        await SendAsync("POST", "/sessions", new { name = "plain" });
        var key = Id(
            await SendAsync(
                "POST",
                "/workspaces/current/tag-keys",
                new { key = "team", description = "who owns it" }
            )
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync("POST", "/workspaces/current/tag-keys", new { key = "team" })
        );
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync("POST", "/workspaces/current/tag-keys", new { key = "" })
        );
        var values = $"/workspaces/current/tag-keys/{key}/tag-values";
        var red = Id(await SendAsync("POST", values, new { value = "red" }));
        var blue = Id(await SendAsync("POST", values, new { value = "blue" }));
        Assert.Equal(
            "crimson",
            (await SendAsync("PATCH", $"{values}/{red}", new { value = "crimson" }))
                .GetProperty("value")
                .GetString()
        );
        var tagging = Tag(red, project);
        var id = Id(await SendAsync("POST", "/workspaces/current/taggings", tagging));
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync("POST", "/workspaces/current/taggings", tagging)
        );
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync(
                "POST",
                "/workspaces/current/taggings",
                Tag(red, Guid.CreateVersion7())
            )
        );

        Assert.Equal(["tagged"], await NamesAsync($"/sessions?tag_value_id={red}"));
        Assert.Empty(await NamesAsync($"/sessions?tag_value_id={red}&tag_value_id={blue}"));
        var listed = (await SendAsync("GET", "/workspaces/current/taggings"))[0];
        Assert.Equal(
            "tagged",
            listed
                .GetProperty("resources")
                .GetProperty("projects")[0]
                .GetProperty("resource_name")
                .GetString()
        );
        Assert.Equal(
            2,
            (await SendAsync("GET", "/workspaces/current/tags"))[0]
                .GetProperty("values")
                .GetArrayLength()
        );
        var of = await SendAsync(
            "GET",
            $"/workspaces/current/tags/resource?resource_type=project&resource_id={project}"
        );
        Assert.Equal(id, Id(of[0].GetProperty("values")[0].GetProperty("taggings")[0]));
        var many = await SendAsync(
            "POST",
            "/workspaces/current/tags/resources",
            new[] { new { resource_id = project, resource_type = "project" } }
        );
        Assert.Equal(1, many.GetProperty($"{project}").GetArrayLength());

        await SendAsync("DELETE", $"/workspaces/current/taggings/{id}");
        Assert.Empty(await NamesAsync($"/sessions?tag_value_id={red}"));
        await SendAsync("DELETE", $"/workspaces/current/tag-keys/{key}");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("GET", $"{values}/{blue}"));

        static object Tag(Guid value, Guid resource) =>
            new
            {
                tag_value_id = value,
                resource_type = "project",
                resource_id = resource,
            };
    }

    [Fact]
    public async Task A_workspace_tells_what_it_holds_and_shares()
    {
        var run = await RunAsync("counted", new Dictionary<string, string> { ["tier"] = "gold" });
        var stats = await SendAsync("GET", "/workspaces/current/stats");
        Assert.Equal(2, stats.GetProperty("tracer_session_count").GetInt32());
        var session = (await SendAsync("GET", "/sessions?name=counted"))[0];
        var metadata = await SendAsync("GET", $"/sessions/{Id(session)}/metadata?k=5");
        Assert.Equal("gold", metadata.GetProperty("tier")[0].GetString());

        var share = await SendAsync("PUT", $"/runs/{run}/share", new { run_id = run });
        var shared = await SendAsync("GET", "/workspaces/current/shared");
        var entity = Assert.Single(shared.GetProperty("entities").EnumerateArray());
        Assert.Equal(run, entity.GetProperty("run_id").GetGuid());
        await SendAsync(
            "DELETE",
            "/workspaces/current/shared",
            new { share_tokens = new[] { share.GetProperty("share_token").GetGuid() } }
        );
        Assert.Equal(
            0,
            (await SendAsync("GET", "/workspaces/current/shared"))
                .GetProperty("entities")
                .GetArrayLength()
        );

        Assert.False(
            (await SendAsync("GET", "/workspaces/current/usage_limits"))
                .GetProperty("in_reject_set")
                .GetBoolean()
        );
        Assert.Equal(0, (await SendAsync("GET", "/usage-limits")).GetArrayLength());
        Assert.Equal(
            "longlived",
            (await SendAsync("GET", "/ttl-settings"))[0]
                .GetProperty("default_trace_tier")
                .GetString()
        );
    }

    [Fact]
    public async Task How_long_new_projects_keep_their_traces_is_set_for_the_workspace()
    {
        await RunAsync("before", []);
        var set = await SendAsync(
            "PUT",
            "/ttl-settings",
            new { default_trace_tier = "shortlived" }
        );
        Assert.Equal("shortlived", set.GetProperty("default_trace_tier").GetString());
        await RunAsync("after", []);
        await SendAsync("POST", "/sessions", new { name = "made" });
        Assert.Equal(
            [("after", 14), ("before", null), ("default", null), ("made", 14)],
            await DaysAsync()
        );

        await SendAsync(
            "PUT",
            "/orgs/ttl-settings",
            new { default_trace_tier = "longlived", apply_to_all_projects = true }
        );
        Assert.All(await DaysAsync(), p => Assert.Null(p.Days));
        var days = await SendAsync(
            "PUT",
            "/workspaces/current/ttl-settings",
            new { longlived_ttl_days = 400 }
        );
        Assert.True(days.GetProperty("is_custom").GetBoolean());
        await SendAsync("POST", "/sessions", new { name = "kept" });
        Assert.Contains(("kept", 400), await DaysAsync());
        Assert.Equal(
            400,
            (await SendAsync("GET", "/ttl-settings"))[0]
                .GetProperty("longlived_ttl_days")
                .GetInt32()
        );
        foreach (
            var (path, body) in new (string, object)[]
            {
                ("/ttl-settings", new { default_trace_tier = "for a while" }),
                ("/workspaces/current/ttl-settings", new { longlived_ttl_days = 0 }),
                ("/workspaces/current/ttl-settings", new { }),
            }
        )
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, await StatusAsync("PUT", path, body));
        }
    }

    [Fact]
    public async Task Members_of_the_organization_are_listed_with_their_workspaces()
    {
        await _server.MemberAsync("ada@ours.test", _workspace, Role.Owner);
        await _server.MemberAsync("bob@ours.test", _workspace, Role.Viewer);
        await SendAsync(
            "POST",
            "/workspaces/current/members/batch",
            new[] { new { email = "cyd@ours.test" } }
        );
        var all = await SendAsync("GET", "/v1/platform/orgs/current/members");
        Assert.Equal(3, all.GetArrayLength());
        var pending = await SendAsync("GET", "/v1/platform/orgs/current/members?pending_is=true");
        Assert.Equal(
            "cyd@ours.test",
            Assert.Single(pending.EnumerateArray()).GetProperty("email").GetString()
        );
        var found = await SendAsync(
            "GET",
            "/v1/platform/orgs/current/members?active_is=true&email_like=*b*@ours*&email_like=nobody"
        );
        var bob = Assert.Single(found.EnumerateArray());
        Assert.Equal(
            "WORKSPACE_VIEWER",
            bob.GetProperty("workspace_memberships")[0].GetProperty("role_name").GetString()
        );
    }

    [Fact]
    public async Task A_thread_is_previewed_by_what_was_asked_and_answered()
    {
        var start = TimeProvider.System.GetUtcNow().AddMinutes(-5);
        foreach (var i in (int[])[0, 1])
        {
            await SendAsync(
                "POST",
                "/runs",
                new
                {
                    id = Guid.CreateVersion7(),
                    name = "turn",
                    run_type = "chain",
                    session_name = "chats",
                    start_time = start.AddSeconds(i).ToString("O"),
                    end_time = start.AddSeconds(i + 1).ToString("O"),
                    inputs = new { question = $"question {i}" },
                    outputs = new { answer = $"answer {i}" },
                    extra = new { metadata = new { thread_id = "t-1" } },
                }
            );
        }

        var project = Id((await SendAsync("GET", "/sessions?name=chats"))[0]);
        var preview = await SendAsync(
            "GET",
            $"/runs/threads/t-1?session_id={project}&select=first_human_last_ai&select=human_ai_pairs"
        );
        Assert.Equal("t-1", preview.GetProperty("thread_id").GetString());
        var previews = preview.GetProperty("previews");
        Assert.Equal(
            "human: question 0\n\nai: answer 1",
            previews.GetProperty("first_human_last_ai").GetString()
        );
        Assert.Equal(
            "human: question 0\n\nai: answer 0\n\nhuman: question 1\n\nai: answer 1",
            previews.GetProperty("human_ai_pairs").GetString()
        );
        Assert.False(previews.TryGetProperty("all_messages", out _));
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync("GET", $"/runs/threads/t-2?session_id={project}")
        );
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync("GET", "/runs/threads/t-1")
        );
    }

    [Fact]
    public async Task A_deleted_workspace_leaves_nothing_but_its_audit_log()
    {
        var run = await RunAsync("going", []);
        await SendAsync("POST", "/datasets", new { name = "going" });
        var project = Id(await SendAsync("POST", "/sessions?upsert=true", new { name = "going" }));
        using (var file = new ByteArrayContent(new byte[50_000]))
        {
            using var kept = await _client.PutAsync(
                $"/api/v1/sessions/{project}/artifacts/weights.bin",
                file,
                Cancel
            );
            Assert.True(kept.IsSuccessStatusCode, $"{kept.StatusCode}");
        }

        var blobs = _server.Get<IBlobStore>();
        var before = await blobs.UsedBytesAsync(Cancel);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync("DELETE", $"/workspaces/{_workspace}")
        );
        var member = await _server.MemberAsync("owner@ours.test", _workspace, Role.Owner);
        using (var owner = _server.Client())
        {
            owner.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, _workspace));
            owner.DefaultRequestHeaders.Add(
                "Origin",
                _server.Address.GetLeftPart(UriPartial.Authority)
            );
            using var gone = await owner.DeleteAsync($"/api/v1/workspaces/{_workspace}", Cancel);
            Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        }

        Assert.Equal(before - 50_000, await blobs.UsedBytesAsync(Cancel));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("GET", $"/runs/{run}"));
        await using (
            var db = await _server
                .Get<IDbContextFactory<MetadataContext>>()
                .CreateDbContextAsync(Cancel)
        )
        {
            Assert.False(await db.Workspaces.AnyAsync(w => w.Id == _workspace, Cancel));
            Assert.False(await db.Projects.AnyAsync(p => p.WorkspaceId == _workspace, Cancel));
            Assert.False(await db.Datasets.AnyAsync(d => d.WorkspaceId == _workspace, Cancel));
            Assert.True(
                await db.AuditEntries.AnyAsync(
                    e => e.WorkspaceId != _workspace && e.Action == "workspace.delete",
                    Cancel
                )
            );
        }

        var page = await _server
            .Get<Core.Traces.IRunStore>()
            .QueryAsync(new Core.Traces.RunQuery { WorkspaceId = _workspace }, Cancel);
        Assert.Empty(page.Runs);
    }

    private async Task<IReadOnlyList<(string Name, int? Days)>> DaysAsync()
    {
        await using var db = await _server
            .Get<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(Cancel);
        return
        [
            .. (
                await db
                    .Projects.Where(p => p.WorkspaceId == _workspace)
                    .OrderBy(p => p.Name)
                    .ToListAsync(Cancel)
            ).Select(p => (p.Name, p.RetentionDays)),
        ];
    }

    private async Task<Guid> RunAsync(string project, Dictionary<string, string> metadata)
    {
        var id = Guid.CreateVersion7();
        await SendAsync(
            "POST",
            "/runs",
            new
            {
                id,
                name = "run",
                run_type = "chain",
                session_name = project,
                extra = new { metadata },
            }
        );
        return id;
    }

    private async Task<IReadOnlyList<string?>> NamesAsync(string path) =>
        [
            .. (await SendAsync("GET", path))
                .EnumerateArray()
                .Select(p => p.GetProperty("name").GetString()),
        ];

    private static Guid Id(JsonElement item) => item.GetProperty("id").GetGuid();

    private async Task<HttpStatusCode> StatusAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await _client.SendAsync(request, Cancel);
        return response.StatusCode;
    }

    private async Task<JsonElement> SendAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await _client.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }
}
