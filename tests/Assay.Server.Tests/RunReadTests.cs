using System.Net;
using System.Text.Json;

namespace Assay.Server.Tests;

public sealed class RunReadTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_long_error_comes_back_whole_until_a_shorter_one_replaces_it()
    {
        var id = Guid.CreateVersion7();
        var trace = string.Concat(Enumerable.Range(0, 2_000).Select(i => $"at line {i} 🌍\n"));
        await SendAsync(
            new
            {
                id,
                name = "x",
                run_type = "chain",
                error = trace,
            }
        );
        Assert.Equal(trace, await ErrorAsync(id));
        var listed = await QueryAsync(new { id = new[] { id }, select = new[] { "name" } });
        var cut = listed.GetProperty("runs")[0].GetProperty("error").GetString() ?? "";
        Assert.StartsWith(cut, trace, StringComparison.Ordinal);
        Assert.InRange(cut.Length, 4_000, 4_096);

        await _server.JsonAsync(HttpMethod.Patch, $"/runs/{id}", new { error = "short" });
        Assert.Equal("short", await ErrorAsync(id));
        await SendAsync(
            new
            {
                id,
                name = "x",
                run_type = "chain",
                error = trace,
            }
        );
        Assert.Equal("short", await ErrorAsync(id));
    }

    [Fact]
    public async Task A_question_is_checked_without_being_asked()
    {
        var good = await ValidateAsync(new { filter = "eq(name, \"x\")", limit = 5 });
        Assert.True(good.GetProperty("valid").GetBoolean());
        var bad = await ValidateAsync(
            new
            {
                filter = "eq(name",
                tree_filter = "eq(nam, 1)",
                session = new[] { "no" },
            }
        );
        Assert.False(bad.GetProperty("valid").GetBoolean());
        Assert.Equal(
            ["filter", "session", "tree_filter"],
            bad.GetProperty("errors")
                .EnumerateArray()
                .Select(e => e.GetProperty("field").GetString())
                .Order()
        );
    }

    [Fact]
    public async Task Words_of_a_question_are_searched_for_and_the_answer_says_so()
    {
        var (one, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await SendAsync(Run(one, "weather in Paris"));
        await SendAsync(Run(other, "weather in Rome"));
        var found = await QueryAsync(
            new { session = await ProjectAsync(), query = "paris weather" }
        );
        Assert.Equal("search(\"paris weather\")", found.GetProperty("parsed_query").GetString());
        Assert.Equal(
            one,
            Assert.Single(found.GetProperty("runs").EnumerateArray()).GetProperty("id").GetGuid()
        );
    }

    [Fact]
    public async Task The_place_in_the_trace_can_be_asked_for()
    {
        var root = Guid.CreateVersion7();
        var start = new DateTime(2026, 3, 1, 10, 0, 0);
        await SendAsync(
            new
            {
                id = root,
                name = "first",
                run_type = "chain",
                start_time = start,
            }
        );
        foreach (var name in (string[])["second", "third"])
        {
            start = start.AddSeconds(1);
            var id = Guid.CreateVersion7();
            await SendAsync(
                new
                {
                    id,
                    name,
                    run_type = "tool",
                    parent_run_id = root,
                    trace_id = root,
                    dotted_order = $"20260301T100000000000Z{root}.{start:yyyyMMdd'T'HHmmss}000000Z{id}",
                    start_time = start,
                }
            );
        }

        var found = await QueryAsync(new { trace = root, execution_order = 2 });
        Assert.Equal(
            "second",
            Assert
                .Single(found.GetProperty("runs").EnumerateArray())
                .GetProperty("name")
                .GetString()
        );
        found = await QueryAsync(new { trace = root, filter = "gte(execution_order, 2)" });
        Assert.Equal(2, found.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task Figures_come_by_group_and_by_thread()
    {
        foreach (var (name, thread) in ((string, string?)[])[("a", "t1"), ("a", "t2"), ("b", null)])
        {
            var id = Guid.CreateVersion7();
            await SendAsync(Run(id, name, thread));
        }

        var project = await ProjectAsync();
        var byName = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/stats",
            new { session = new[] { project }, group_by = new { attribute = "name" } }
        );
        Assert.Equal(2, byName.GetProperty("a").GetProperty("run_count").GetInt32());
        Assert.Equal(1, byName.GetProperty("b").GetProperty("run_count").GetInt32());
        var byThread = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/stats",
            new
            {
                session = new[] { project },
                group_by = new { attribute = "metadata", path = "thread_id" },
            }
        );
        Assert.Equal(1, byThread.GetProperty("t1").GetProperty("run_count").GetInt32());
        var threads = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/group/stats",
            new { session_id = project, group_by = "conversation" }
        );
        Assert.Equal(2, threads.GetProperty("group_count").GetInt32());
        Assert.Equal(2, threads.GetProperty("run_count").GetInt32());
        Assert.Equal(JsonValueKind.Number, threads.GetProperty("total_cost").ValueKind);
    }

    [Fact]
    public async Task Figures_come_by_tag_and_a_run_counts_for_each_of_its_tags()
    {
        foreach (
            var tags in (string[][])
                [
                    ["a", "b"],
                    ["b"],
                    [],
                ]
        )
        {
            await SendAsync(
                new
                {
                    id = Guid.CreateVersion7(),
                    name = "tagged",
                    run_type = "chain",
                    session_name = "tags",
                    tags,
                }
            );
        }

        var project = (await _server.JsonAsync(HttpMethod.Get, "/sessions?name=tags"))[0]
            .GetProperty("id")
            .GetGuid();
        var byTag = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/stats",
            new { session = new[] { project }, group_by = new { attribute = "tag" } }
        );
        Assert.Equal(
            [("a", 1), ("b", 2)],
            byTag
                .EnumerateObject()
                .Select(g => (g.Name, g.Value.GetProperty("run_count").GetInt32()))
                .Order()
        );
    }

    [Fact]
    public async Task Projects_are_filtered_in_the_filter_language()
    {
        foreach (
            var (name, team, runs) in ((string, string, int)[])[("a", "red", 1), ("b", "blue", 2)]
        )
        {
            var project = await _server.JsonAsync(
                HttpMethod.Post,
                "/sessions",
                new { name = $"filter-{name}", extra = new { metadata = new { team } } }
            );
            for (var i = 0; i < runs; i++)
            {
                await SendAsync(
                    new
                    {
                        id = Guid.CreateVersion7(),
                        name,
                        run_type = "chain",
                        session_name = $"filter-{name}",
                    }
                );
            }

            await _server.JsonAsync(
                HttpMethod.Post,
                "/feedback",
                new
                {
                    key = "quality",
                    score = name == "a" ? 0.2 : 0.9,
                    session_id = project.GetProperty("id").GetGuid(),
                }
            );
        }

        foreach (
            var (filter, expected) in ((string, string[])[])
                [
                    ("eq(name, \"filter-a\")", ["a"]),
                    ("like(name, \"%-b\")", ["b"]),
                    ("eq(metadata.team, \"red\")", ["a"]),
                    ("and(eq(metadata_key, \"team\"), neq(metadata_value, \"red\"))", ["b"]),
                    ("has(metadata, '{\"team\": \"red\"}')", ["a"]),
                    ("gt(run_count, 1)", ["b"]),
                    ("and(eq(feedback_key, \"quality\"), lt(feedback_score, 0.5))", ["a"]),
                    ("eq(reference_dataset_id, null)", ["a", "b"]),
                    ("or(eq(name, \"filter-a\"), not(lt(run_count, 2)))", ["a", "b"]),
                    ("gt(start_time, \"2100-01-01T00:00:00Z\")", []),
                ]
        )
        {
            var found = await _server.JsonAsync(
                HttpMethod.Get,
                $"/sessions?name_contains=filter-&filter={Uri.EscapeDataString(filter)}"
            );
            Assert.Equal(
                expected,
                found.EnumerateArray().Select(p => p.GetProperty("name").GetString()![7..]).Order()
            );
        }
    }

    [Fact]
    public async Task A_filter_of_projects_that_names_what_they_do_not_have_is_refused()
    {
        using var answer = await _server.Client.GetAsync(
            "/sessions?filter=" + Uri.EscapeDataString("eq(nam, \"x\")"),
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            "name",
            await answer.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Projects_are_ordered_by_their_figures_and_deleted_many_at_once()
    {
        var ids = new List<Guid>();
        foreach (var (name, count) in ((string, int)[])[("few", 1), ("most", 3), ("some", 2)])
        {
            for (var i = 0; i < count; i++)
            {
                var id = Guid.CreateVersion7();
                await SendAsync(
                    new
                    {
                        id,
                        name,
                        run_type = "chain",
                        session_name = "order-" + name,
                    }
                );
            }
        }

        var ordered = await _server.JsonAsync(
            HttpMethod.Get,
            "/sessions?name_contains=order-&sort_by=runs_count&include_stats=True"
        );
        Assert.Equal(
            ["order-most", "order-some", "order-few"],
            ordered.EnumerateArray().Select(p => p.GetProperty("name").GetString())
        );
        ids.AddRange(ordered.EnumerateArray().Take(2).Select(p => p.GetProperty("id").GetGuid()));
        using var deleted = await _server.Client.DeleteAsync(
            $"/sessions?session_ids={ids[0]}&session_ids={ids[1]}",
            Cancel
        );
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.Equal(
            ["order-few"],
            (await _server.JsonAsync(HttpMethod.Get, "/sessions?name_contains=order-"))
                .EnumerateArray()
                .Select(p => p.GetProperty("name").GetString())
        );
    }

    private static object Run(Guid id, string name, string? thread = null) =>
        new
        {
            id,
            name,
            run_type = "chain",
            inputs = new { q = name },
            session_name = "reading",
            extra = new
            {
                metadata = thread is null
                    ? []
                    : new Dictionary<string, string> { ["thread_id"] = thread },
            },
        };

    private async Task<Guid> ProjectAsync() =>
        (await _server.JsonAsync(HttpMethod.Get, "/sessions?name=reading"))[0]
            .GetProperty("id")
            .GetGuid();

    private async Task<string?> ErrorAsync(Guid id) =>
        (await _server.JsonAsync(HttpMethod.Get, $"/runs/{id}")).GetProperty("error").GetString();

    private Task<JsonElement> SendAsync(object run) =>
        _server.JsonAsync(HttpMethod.Post, "/runs", run);

    private Task<JsonElement> QueryAsync(object body) =>
        _server.JsonAsync(HttpMethod.Post, "/runs/query", body);

    private Task<JsonElement> ValidateAsync(object body) =>
        _server.JsonAsync(HttpMethod.Post, "/runs/query/validate", body);
}
