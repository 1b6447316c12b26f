using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;

namespace Assay.Server.Tests.Prompts;

/// <summary>The hub's repositories, comments and directories on LangSmith's wire, as the API's description has them.</summary>
public sealed class PromptWireTests : IAsyncLifetime
{
    private readonly InProcessServer _server = new();
    private Guid _workspace;
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _workspace = await _server.FirstWorkspaceAsync();
        _client = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Several_prompts_are_deleted_at_once_and_what_cannot_be_is_named()
    {
        var first = await MakeAsync("first");
        var second = await MakeAsync("second");
        var kept = await MakeAsync("kept", new { restricted_mode = true });
        using var editor = await EditorAsync();
        using var some = await editor.DeleteAsync(
            $"/api/v1/repos?repo_ids={first}&repo_ids={kept}&repo_ids={Guid.Empty}",
            Cancel
        );
        Assert.Equal(HttpStatusCode.MultiStatus, some.StatusCode);
        var outcome = await some.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal([first.ToString()], Texts(outcome.GetProperty("deleted")));
        Assert.Equal(
            [kept.ToString(), Guid.Empty.ToString()],
            outcome
                .GetProperty("failed")
                .EnumerateArray()
                .Select(f => f.GetProperty("id").GetString())
        );
        using var all = await _client.DeleteAsync(
            $"/api/v1/repos?repo_ids={second}&repo_ids={kept}",
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, all.StatusCode);
        Assert.Equal(0, (await SendAsync(HttpMethod.Get, "repos")).GetProperty("total").GetInt32());
        foreach (var bad in new[] { "", "?repo_ids=", "?repo_ids=one" })
        {
            using var refused = await _client.DeleteAsync("/api/v1/repos" + bad, Cancel);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Lists_are_narrowed_as_asked_and_carry_the_newest_manifest_when_asked()
    {
        await MakeAsync("plain", new { tags = new[] { "qa", "support" } });
        await MakeAsync("explained", new { description = "like plain, but longer" });
        await CommitAsync("plain", "Hello {who}");
        await SendAsync(HttpMethod.Post, "repos/-/plain/fork", new { repo_handle = "copy" });
        Assert.Equal(["copy", "explained", "plain"], await NamesAsync("?limit=100"));
        Assert.Equal(["copy", "plain"], await NamesAsync("?has_commits=true"));
        Assert.Equal(["explained", "plain"], await NamesAsync("?query=plain"));
        Assert.Equal(["plain"], await NamesAsync("?query=pla&match_prefix=true"));
        Assert.Equal(["copy", "plain"], await NamesAsync("?tags=qa&tags=support"));
        Assert.Equal(["copy"], await NamesAsync("?upstream_repo_handle=plain"));
        Assert.Equal(
            [],
            await NamesAsync("?upstream_repo_owner=nobody&upstream_repo_handle=plain")
        );
        Assert.Equal([], await NamesAsync($"?tenant_id={Guid.NewGuid()}"));
        Assert.Equal(3, (await NamesAsync($"?tenant_id={_workspace}")).Count);
        Assert.Equal([], await NamesAsync("?source=external"));
        Assert.Equal([], await NamesAsync("?repo_type=skill"));
        var listed = (
            await SendAsync(
                HttpMethod.Get,
                "repos?query=plain&has_commits=true&with_latest_manifest=true"
            )
        ).GetProperty("repos");
        Assert.Equal(
            "Hello {who}",
            listed[0]
                .GetProperty("latest_commit_manifest")
                .GetProperty("manifest")
                .GetProperty("kwargs")
                .GetProperty("template")
                .GetString()
        );
        var topics = (await SendAsync(HttpMethod.Get, "repos/tags")).GetProperty("tags");
        Assert.Equal(
            ["qa", "support"],
            topics.EnumerateArray().Select(t => t.GetProperty("tag").GetString())
        );
        Assert.Equal(2, topics[0].GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Remarks_are_answered_and_liked_and_forks_know_where_they_come_from()
    {
        await MakeAsync("talked");
        await CommitAsync("talked", "Hello");
        await SendAsync(HttpMethod.Post, "comments/-/talked", new { content = "Why so short?" });
        var first = (await SendAsync(HttpMethod.Get, "comments/-/talked"))
            .GetProperty("comments")[0]
            .GetProperty("id")
            .GetGuid();
        var answer = await SendAsync(
            HttpMethod.Post,
            $"comments/-/talked/{first}",
            new { content = "It is enough." }
        );
        Assert.Equal(first, answer.GetProperty("parent_id").GetGuid());
        await SendAsync(HttpMethod.Post, $"comments/-/talked/{first}/like");
        await SendAsync(HttpMethod.Post, $"comments/-/talked/{first}/like");
        var seen = (await SendAsync(HttpMethod.Get, "comments/-/talked")).GetProperty("comments")[
            0
        ];
        Assert.Equal(1, seen.GetProperty("num_likes").GetInt32());
        Assert.Equal(1, seen.GetProperty("num_sub_comments").GetInt32());
        Assert.True(seen.GetProperty("liked_by_auth_user").GetBoolean());
        await SendAsync(HttpMethod.Delete, $"comments/-/talked/{first}/like");
        var answers = await SendAsync(HttpMethod.Get, $"comments/-/talked/{first}");
        Assert.Equal(1, answers.GetProperty("total").GetInt32());
        using var empty = await _client.PostAsJsonAsync(
            "/api/v1/comments/-/talked",
            new { content = " " },
            Cancel
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, empty.StatusCode);

        Assert.Equal(
            1,
            (await SendAsync(HttpMethod.Post, "likes/-/talked", new { like = true }))
                .GetProperty("likes")
                .GetInt32()
        );
        var fork = (
            await SendAsync(
                HttpMethod.Post,
                "repos/-/talked/fork",
                new
                {
                    repo_handle = "talked-2",
                    readme = "Of my own",
                    tags = new[] { "mine" },
                }
            )
        ).GetProperty("repo");
        var settings = await SendAsync(HttpMethod.Get, "settings");
        var owner = settings.GetProperty("tenant_handle").GetString();
        Assert.Equal($"{owner}/talked", fork.GetProperty("upstream_repo_full_name").GetString());
        Assert.Equal("Of my own", fork.GetProperty("readme").GetString());
        Assert.Equal(1, fork.GetProperty("num_commits").GetInt32());
        var renamed = await SendAsync(
            HttpMethod.Post,
            "settings/handle",
            new { tenant_handle = "other-name" }
        );
        Assert.Equal("other-name", renamed.GetProperty("tenant_handle").GetString());
        Assert.Equal(
            "other-name/talked",
            (await SendAsync(HttpMethod.Get, "repos/other-name/talked"))
                .GetProperty("repo")
                .GetProperty("full_name")
                .GetString()
        );
    }

    [Fact]
    public async Task A_tag_is_made_moved_read_with_its_history_and_taken_away()
    {
        await MakeAsync("tagged");
        var one = await CommitAsync("tagged", "one");
        var two = await CommitAsync("tagged", "two");
        await SendAsync(
            HttpMethod.Post,
            "repos/-/tagged/tags",
            new { tag_name = "live", commit_id = one.GetProperty("id").GetGuid() }
        );
        await SendAsync(
            HttpMethod.Patch,
            "repos/-/tagged/tags/live",
            new { commit_id = two.GetProperty("id").GetGuid() }
        );
        var tag = await SendAsync(HttpMethod.Get, "repos/-/tagged/tags/live");
        Assert.Equal(Hash(two), tag.GetProperty("commit_hash").GetString());
        var history = await SendAsync(HttpMethod.Get, "repos/-/tagged/tags/live/history");
        Assert.Equal(2, history.GetProperty("total").GetInt32());
        var last = history.GetProperty("transitions")[0];
        Assert.Equal(Hash(one), last.GetProperty("from_commit_hash").GetString());
        Assert.Equal(Hash(two), last.GetProperty("to_commit_hash").GetString());
        var commits = await SendAsync(HttpMethod.Get, "commits/-/tagged?tag=live");
        Assert.Equal(1, commits.GetProperty("total").GetInt32());
        Assert.Equal(
            Hash(one),
            commits.GetProperty("commits")[0].GetProperty("parent_commit_hash").GetString()
        );
        await SendAsync(HttpMethod.Delete, "repos/-/tagged/tags/live");
        using var gone = await _client.GetAsync("/api/v1/repos/-/tagged/tags/live", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task A_prompt_is_no_directory_and_a_directory_no_prompt()
    {
        await MakeAsync("words");
        await MakeAsync("tools", new { repo_type = "skill" });
        const string Words = "platform/hub/repos/-/words/directories";
        const string Tools = "platform/hub/repos/-/tools/directories";
        await CommitAsync("words", "one");
        var files = new
        {
            files = new Dictionary<string, object?>
            {
                ["a.md"] = new { type = "file", content = "A" },
            },
        };
        var made = (await SendAsync(HttpMethod.Post, Tools + "/commits", files)).GetProperty(
            "commit"
        );
        var read = await SendAsync(HttpMethod.Get, Tools + "?repo_type=skill");
        Assert.Equal(Hash(made), Hash(read));
        Assert.Equal(
            "A",
            read.GetProperty("files").GetProperty("a.md").GetProperty("content").GetString()
        );
        foreach (
            var (method, path, body) in new (HttpMethod, string, object?)[]
            {
                (HttpMethod.Get, Words, null),
                (HttpMethod.Delete, Words, null),
                (HttpMethod.Post, Words + "/commits", files),
                (HttpMethod.Post, Tools + "/commits", new { files = "a.md" }),
                (
                    HttpMethod.Post,
                    Tools + "/commits",
                    new { files = new Dictionary<string, object> { ["../a"] = new { } } }
                ),
                (
                    HttpMethod.Post,
                    "commits/-/tools",
                    new { manifest = new { id = new[] { "one" } } }
                ),
            }
        )
        {
            using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
            request.Content = body is null ? null : JsonContent.Create(body);
            using var refused = await _client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }

        using var stale = await _client.PostAsJsonAsync(
            "/api/v1/" + Tools + "/commits",
            new
            {
                files = new { b = new { type = "file", content = "B" } },
                parent_commit = new string('0', 8),
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
        await SendAsync(HttpMethod.Delete, Tools);
        Assert.Equal(["words"], await NamesAsync("?repo_types=skill&repo_types=prompt"));
    }

    [Fact]
    public async Task A_link_to_another_directory_leads_to_its_files_and_keeps_following_it()
    {
        await MakeAsync("agent", new { repo_type = "agent" });
        await MakeAsync("search", new { repo_type = "skill" });
        await MakeAsync("stem", new { repo_type = "skill" });
        const string Agent = "platform/hub/repos/-/agent/directories";
        await PushAsync("stem", new() { ["S.md"] = File("stem") });
        await PushAsync(
            "search",
            new()
            {
                ["SKILL.md"] = File("one"),
                ["stem"] = new { type = "skill", repo_handle = "stem" },
            }
        );
        var pinned = (await SendAsync(HttpMethod.Get, Agent.Replace("agent", "search")))
            .GetProperty("commit_hash")
            .GetString();
        await PushAsync(
            "agent",
            new()
            {
                ["AGENTS.md"] = File("do"),
                ["skills/search"] = new { type = "skill", repo_handle = "search" },
                ["skills/old"] = new
                {
                    type = "skill",
                    repo_handle = "search",
                    commit_hash = pinned![..8],
                },
            }
        );
        await PushAsync("search", new() { ["SKILL.md"] = File("two") });
        var read = await SendAsync(HttpMethod.Get, Agent);
        var files = read.GetProperty("files");
        Assert.Equal(
            [
                "AGENTS.md",
                "skills/old",
                "skills/old/SKILL.md",
                "skills/old/stem",
                "skills/old/stem/S.md",
                "skills/search",
                "skills/search/SKILL.md",
                "skills/search/stem",
                "skills/search/stem/S.md",
            ],
            files.EnumerateObject().Select(f => f.Name)
        );
        Assert.Equal("two", Text(files, "skills/search/SKILL.md"));
        Assert.Equal("one", Text(files, "skills/old/SKILL.md"));
        Assert.Equal(
            pinned,
            files.GetProperty("skills/old").GetProperty("commit_hash").GetString()
        );
        Assert.NotEqual(
            pinned,
            files.GetProperty("skills/search").GetProperty("commit_hash").GetString()
        );

        // Sent back as it was read, with one change of its own: the link goes on following.
        var back = files.EnumerateObject().ToDictionary(f => f.Name, f => (object?)f.Value);
        back["AGENTS.md"] = File("do it");
        await PushAsync("agent", back);
        await PushAsync("search", new() { ["SKILL.md"] = File("three") });
        var later = (await SendAsync(HttpMethod.Get, Agent)).GetProperty("files");
        Assert.Equal("three", Text(later, "skills/search/SKILL.md"));
        Assert.Equal("do it", Text(later, "AGENTS.md"));

        foreach (
            var bad in new Dictionary<string, object?>
            {
                ["skills/search/SKILL.md"] = File("not from here"),
                ["b"] = new { type = "skill", repo_handle = "nobody" },
                ["c"] = new { type = "agent", repo_handle = "search" },
                ["d"] = new { type = "skill" },
                ["e"] = new { type = "file" },
                ["f"] = new { type = "agent", repo_handle = "agent" },
            }
        )
        {
            using var refused = await _client.PostAsJsonAsync(
                $"/api/v1/{Agent}/commits",
                new { files = new Dictionary<string, object?> { [bad.Key] = bad.Value } },
                Cancel
            );
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains(
                bad.Key,
                (await refused.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                    .GetProperty("error")
                    .GetString()
            );
        }

        // What is linked to may go; the link stays named, and leads nowhere.
        await SendAsync(HttpMethod.Delete, "platform/hub/repos/-/search/directories");
        var without = (await SendAsync(HttpMethod.Get, Agent)).GetProperty("files");
        Assert.Equal(
            ["AGENTS.md", "skills/old", "skills/search"],
            without.EnumerateObject().Select(f => f.Name)
        );

        static object File(string content) => new { type = "file", content };
        static string? Text(JsonElement files, string path) =>
            files.GetProperty(path).GetProperty("content").GetString();

        Task<JsonElement> PushAsync(string name, Dictionary<string, object?> changes) =>
            SendAsync(
                HttpMethod.Post,
                $"platform/hub/repos/-/{name}/directories/commits",
                new { files = changes }
            );
    }

    [Fact]
    public async Task Commits_have_the_fields_of_the_description_and_what_is_asked_for_with_them()
    {
        await MakeAsync("field");
        using var posted = await _client.PostAsJsonAsync(
            "/api/v1/commits/-/field",
            new
            {
                manifest = new
                {
                    lc = 1,
                    type = "constructor",
                    id = new[] { "langchain", "schema", "runnable", "RunnableSequence" },
                    kwargs = new
                    {
                        first = new
                        {
                            id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                            kwargs = new { template = "Hello {who}" },
                        },
                        last = new
                        {
                            id = new[] { "langchain", "chat_models", "anthropic", "ChatAnthropic" },
                            kwargs = new { model = "claude-sonnet-4-5", temperature = 0.2 },
                        },
                    },
                },
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
        var commit = (await posted.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty(
            "commit"
        );
        Assert.Equal(32, commit.GetProperty("manifest_sha").GetArrayLength());
        Assert.Equal("test", commit.GetProperty("full_name").GetString());
        var hash = Hash(commit);
        await SendAsync(
            HttpMethod.Post,
            "runs",
            new
            {
                id = Guid.NewGuid(),
                name = "asked",
                run_type = "llm",
                session_name = "hub-examples",
                start_time = DateTimeOffset.UtcNow,
                end_time = DateTimeOffset.UtcNow,
                inputs = new { who = "Ada" },
                outputs = new { answer = "Hi" },
                extra = new { metadata = new { lc_hub_commit_hash = hash } },
            }
        );

        var plain = await SendAsync(HttpMethod.Get, "commits/-/field/latest");
        Assert.Equal(0, plain.GetProperty("examples").GetArrayLength());
        Assert.False(plain.TryGetProperty("model_config", out _));
        Assert.Equal(
            "PromptTemplate",
            plain.GetProperty("manifest").GetProperty("id")[3].GetString()
        );
        var whole = await SendAsync(
            HttpMethod.Get,
            "commits/-/field/latest?get_examples=true&include=model,is_draft&is_view=true"
        );
        Assert.Equal("anthropic", whole.GetProperty("model_provider").GetString());
        Assert.Equal(
            """{"model":"claude-sonnet-4-5","temperature":0.2}""",
            whole.GetProperty("model_config").GetRawText()
        );
        Assert.Equal(
            "RunnableSequence",
            whole.GetProperty("manifest").GetProperty("id")[3].GetString()
        );
        var example = whole.GetProperty("examples")[0];
        Assert.Equal("Ada", example.GetProperty("inputs").GetProperty("who").GetString());
        Assert.Equal("Hi", example.GetProperty("outputs").GetProperty("answer").GetString());
        Assert.NotEqual(Guid.Empty, example.GetProperty("session_id").GetGuid());

        var listed = (await SendAsync(HttpMethod.Get, "commits/-/field")).GetProperty("commits")[0];
        Assert.Equal(1, listed.GetProperty("num_downloads").GetInt32());
        Assert.Equal(1, listed.GetProperty("num_views").GetInt32());
        var uncounted = await SendAsync(HttpMethod.Get, "commits/-/field?include_stats=false");
        Assert.Equal(
            0,
            uncounted.GetProperty("commits")[0].GetProperty("num_downloads").GetInt32()
        );
        foreach (
            var (path, status) in new[]
            {
                ("commits/-/nothing", HttpStatusCode.NotFound),
                ("commits/-/field/nothing", HttpStatusCode.NotFound),
                ("repos/-/nothing/tags/live/history", HttpStatusCode.NotFound),
                ("repos/-/nothing", HttpStatusCode.NotFound),
                ("repos?limit=many", HttpStatusCode.UnprocessableEntity),
                ("repos?tag_value_id=one", HttpStatusCode.UnprocessableEntity),
                ("repos?sort_field=beauty", HttpStatusCode.UnprocessableEntity),
                ("repos?repo_type=song", HttpStatusCode.UnprocessableEntity),
                ("repos?is_archived=perhaps", HttpStatusCode.UnprocessableEntity),
            }
        )
        {
            using var refused = await _client.GetAsync("/api/v1/" + path, Cancel);
            Assert.Equal(status, refused.StatusCode);
            var body = await refused.Content.ReadFromJsonAsync<JsonElement>(Cancel);
            Assert.NotEmpty(body.GetProperty("detail").GetString()!);
            Assert.Equal(
                path.StartsWith("commits", StringComparison.Ordinal)
                    || path.EndsWith("history", StringComparison.Ordinal),
                body.TryGetProperty("error", out _)
            );
        }

        using var unknown = await _client.PatchAsJsonAsync(
            "/api/v1/repos/-/field/tags/unknown",
            new { commit_id = commit.GetProperty("id").GetGuid() },
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Lists_know_the_tags_of_the_workspace_and_what_fits_best()
    {
        var marked = await MakeAsync("a-greeting", new { tags = new[] { "b", "a" } });
        await MakeAsync("greeting", new { tags = new[] { "a" } });
        await MakeAsync("greeting-old");
        var key = await SendAsync(
            HttpMethod.Post,
            "workspaces/current/tag-keys",
            new { key = "team" }
        );
        var value = await SendAsync(
            HttpMethod.Post,
            $"workspaces/current/tag-keys/{key.GetProperty("id").GetGuid()}/tag-values",
            new { value = "support" }
        );
        await SendAsync(
            HttpMethod.Post,
            "workspaces/current/taggings",
            new
            {
                tag_value_id = value.GetProperty("id").GetGuid(),
                resource_type = "prompt",
                resource_id = marked,
            }
        );
        Assert.Equal(
            ["a-greeting"],
            await NamesAsync($"?tag_value_id={value.GetProperty("id").GetGuid()}")
        );
        var fitting = await SendAsync(HttpMethod.Get, "repos?query=greeting&sort_field=relevance");
        Assert.Equal(
            ["greeting", "greeting-old", "a-greeting"],
            fitting
                .GetProperty("repos")
                .EnumerateArray()
                .Select(r => r.GetProperty("repo_handle").GetString())
        );
        var topics = await SendAsync(HttpMethod.Get, "repos/tags?limit=1");
        Assert.Equal("""[{"tag":"a","count":2}]""", topics.GetProperty("tags").GetRawText());
        topics = await SendAsync(HttpMethod.Get, "repos/tags?limit=1&offset=1");
        Assert.Equal("""[{"tag":"b","count":1}]""", topics.GetProperty("tags").GetRawText());
    }

    [Fact]
    public async Task Remarks_on_a_public_prompt_have_names_and_no_addresses()
    {
        await MakeAsync("remarked");
        using var editor = await EditorAsync();
        using var said = await editor.PostAsJsonAsync(
            "/api/v1/comments/-/remarked",
            new { content = "Hello" },
            Cancel
        );
        Assert.Contains("editor@wire.test", await said.Content.ReadAsStringAsync(Cancel));
        await SendAsync(HttpMethod.Patch, "repos/-/remarked", new { is_public = true });
        foreach (
            var path in new[] { "/api/v1/comments/-/remarked", "/prompts/remarked?tab=comments" }
        )
        {
            var text = await _client.GetStringAsync(path, Cancel);
            Assert.Contains("Hello", text);
            Assert.DoesNotContain("@wire.test", text);
            Assert.Contains("a member", text);
        }
    }

    [Fact]
    public async Task Of_a_public_prompt_other_workspaces_see_everything_but_who()
    {
        await MakeAsync("shown");
        var commit = await CommitAsync("shown", "one");
        await SendAsync(
            HttpMethod.Post,
            "repos/-/shown/tags",
            new { tag_name = "live", commit_id = commit.GetProperty("id").GetGuid() }
        );
        await SendAsync(
            HttpMethod.Put,
            "repos/-/shown/tags/live/rollout",
            new { commit_id = commit.GetProperty("id").GetGuid(), percent = 5 }
        );
        await SendAsync(HttpMethod.Patch, "repos/-/shown", new { is_public = true });
        var owner = (await SendAsync(HttpMethod.Get, "settings"))
            .GetProperty("tenant_handle")
            .GetString();
        var other = await _server.NewWorkspaceAsync("other");
        using var stranger = _server.Client(await _server.KeyAsync(other, KeyScope.Full));
        foreach (
            var path in new[]
            {
                $"/api/v1/repos/{owner}/shown",
                $"/api/v1/repos/{owner}/shown/tags",
                $"/api/v1/repos/{owner}/shown/tags/live/history",
                $"/api/v1/repos/{owner}/shown/rollouts",
                $"/api/v1/commits/{owner}/shown",
                $"/hub/{owner}/shown",
                $"/hub/{owner}/shown?tab=commits",
                $"/hub/{owner}/shown?tab=tags",
            }
        )
        {
            // The key's name is the author's; the workspace is called otherwise.
            var text = await stranger.GetStringAsync(path, Cancel);
            Assert.DoesNotMatch("(\"|>)test(\"|<)", text);
            using var own = await _client.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        }

        Assert.Contains(
            "\"test\"",
            await _client.GetStringAsync("/api/v1/repos/-/shown/tags/live/history", Cancel)
        );
    }

    private async Task<HttpClient> EditorAsync()
    {
        var member = await _server.MemberAsync("editor@wire.test", _workspace, Role.Editor);
        var client = _server.Client();
        client.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, _workspace));
        client.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        return client;
    }

    private async Task<Guid> MakeAsync(string name, object? more = null)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        (body["repo_handle"], body["is_public"]) = (name, false);
        return (await SendAsync(HttpMethod.Post, "repos", body))
            .GetProperty("repo")
            .GetProperty("id")
            .GetGuid();
    }

    private async Task<JsonElement> CommitAsync(string name, string text) =>
        (
            await SendAsync(
                HttpMethod.Post,
                $"commits/-/{name}",
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

    private async Task<IReadOnlyList<string?>> NamesAsync(string query) =>
        [
            .. (await SendAsync(HttpMethod.Get, "repos" + query))
                .GetProperty("repos")
                .EnumerateArray()
                .Select(r => r.GetProperty("repo_handle").GetString())
                .Order(StringComparer.Ordinal),
        ];

    private static IEnumerable<string?> Texts(JsonElement array) =>
        array.EnumerateArray().Select(t => t.GetString());

    private static string Hash(JsonElement commit) =>
        commit.GetProperty("commit_hash").GetString()!;

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        request.Content = body is null ? null : JsonContent.Create(body);
        using var answer = await _client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }
}
