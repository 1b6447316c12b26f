using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;
using Assay.Core.Access;

namespace Assay.Server.Tests;

/// <summary>Every page that can be reached by links answers: in an empty workspace and with data, to the owner and to somebody who may only look.</summary>
public sealed partial class CrawlTests : IAsyncDisposable
{
    // Sorting, filters and tabs multiply; breadth first, this many pages hold every kind of page.
    private const int MaxPages = 200;
    private readonly InProcessServer _server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Role.Owner)]
    [InlineData(Role.Viewer)]
    public async Task Every_link_of_every_page_answers(Role role)
    {
        var workspace = await _server.FirstWorkspaceAsync();
        using var reader = await SignedInAsync(workspace, role);
        using var owner = await SignedInAsync(workspace, Role.Owner, "maker");
        var empty = await CrawlAsync(reader, []);
        var full = await CrawlAsync(reader, await FillAsync(owner));
        Assert.True(empty.Count > 15, $"only {string.Join(' ', empty)}");
        Assert.True(full.Count > empty.Count + 30, $"only {string.Join(' ', full)}");
    }

    [Theory]
    [InlineData("/jobs?page=x", 400)]
    [InlineData("/queues?delete=everything", 400)]
    [InlineData("/settings/keys?revoke=%F0%9F%94%91", 400)]
    [InlineData("/prompts?page=99999999999999999999", 400)]
    [InlineData("/settings/members?edit=<b>", 400)]
    [InlineData("/projects/nobody/of/that/name", 404)]
    public async Task A_person_at_a_wrong_address_reads_a_page(string address, int status)
    {
        using var owner = await SignedInAsync(await _server.FirstWorkspaceAsync(), Role.Owner);
        using var answer = await owner.GetAsync(address, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("<h1>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<HttpClient> SignedInAsync(Guid workspace, Role role, string name = "reader")
    {
        var member = await _server.MemberAsync($"{name}@crawl.test", workspace, role);
        var client = _server.Client();
        client.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, workspace));
        client.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        client.DefaultRequestHeaders.Add("Accept", "text/html");
        return client;
    }

    /// <summary>Sample traces, a dataset without examples and one with, a queue; the pages that only scripts link to.</summary>
    private static async Task<string[]> FillAsync(HttpClient owner)
    {
        using var samples = await owner.PostAsync("/ui/samples", null, Cancel);
        samples.EnsureSuccessStatusCode();
        var project = (await samples.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("project")
            .GetString();
        await MakeAsync("/api/v1/datasets", new { name = "empty" });
        var dataset = await MakeAsync("/api/v1/datasets", new { name = "filled" });
        await MakeAsync(
            "/api/v1/examples",
            new
            {
                dataset_id = dataset,
                inputs = new { question = "Which?" },
                outputs = new { answer = "This." },
            }
        );
        await MakeAsync("/api/v1/annotation-queues", new { name = "queue" });
        await PromptAsync(owner);
        await MakeAsync(
            "/api/v1/sessions",
            new { name = "experiment", reference_dataset_id = dataset }
        );
        await MakeAsync(
            "/ui/evaluators",
            new
            {
                name = "Names a day",
                key = "names_a_day",
                kind = "BuiltIn",
                settings = new { type = "regex_match", pattern = "Friday" },
            }
        );
        using var asked = await owner.PostAsJsonAsync(
            "/api/v1/runs/query",
            new
            {
                session = new[] { project },
                is_root = true,
                limit = 2,
            },
            Cancel
        );
        var traces = (await asked.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("runs")
            .EnumerateArray()
            .ToList();
        var (a, b) = (traces[0].GetProperty("id"), traces[1].GetProperty("id"));
        return
        [
            $"/t/{a}",
            $"/r/{a}",
            $"/compare?a={a}&b={b}",
            $"/ui/compare/pair?a={a}",
            $"/ui/compare/pair?a={a}&b={b}",
            $"/projects/{project}?tab=threads",
        ];

        async Task<string> MakeAsync(string path, object body)
        {
            using var made = await owner.PostAsJsonAsync(path, body, Cancel);
            Assert.True(
                made.IsSuccessStatusCode,
                $"{path}: {await made.Content.ReadAsStringAsync(Cancel)}"
            );
            return (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("id")
                .GetString()!;
        }
    }

    /// <summary>A prompt with commits, an environment, another tag, a roll-out and a webhook that has something to tell.</summary>
    private static async Task PromptAsync(HttpClient owner)
    {
        await SendAsync(HttpMethod.Post, "repos", new { repo_handle = "bare", is_public = false });
        await SendAsync(HttpMethod.Post, "repos", new { repo_handle = "filled", is_public = true });
        await SendAsync(
            HttpMethod.Post,
            "prompt-webhooks",
            new { url = "http://10.0.0.1/hook", triggers = new[] { "commit", "tag:create" } }
        );
        JsonElement commit = default;
        foreach (var text in new[] { "one {x}", "two {x}" })
        {
            commit = await SendAsync(
                HttpMethod.Post,
                "commits/-/filled",
                new
                {
                    manifest = new
                    {
                        id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                        kwargs = new { template = text },
                    },
                }
            );
        }

        var id = commit.GetProperty("commit").GetProperty("id").GetGuid();
        foreach (var tag in new[] { "staging", "other" })
        {
            await SendAsync(
                HttpMethod.Post,
                "repos/-/filled/tags",
                new { tag_name = tag, commit_id = id }
            );
        }

        await SendAsync(
            HttpMethod.Put,
            "repos/-/filled/tags/other/rollout",
            new { commit_id = id, percent = 5 }
        );
        await SendAsync(HttpMethod.Post, "comments/-/filled", new { content = "Hm." });

        async Task<JsonElement> SendAsync(HttpMethod method, string path, object body)
        {
            using var request = new HttpRequestMessage(method, "/api/v1/" + path);
            request.Content = JsonContent.Create(body);
            using var answer = await owner.SendAsync(request, Cancel);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {text}");
            return JsonElement.Parse(text);
        }
    }

    private async Task<HashSet<string>> CrawlAsync(HttpClient client, string[] more)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var kinds = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Queue<(string From, string Path)>();
        waiting.Enqueue(("", "/"));
        foreach (var path in more)
        {
            waiting.Enqueue(("", path));
        }

        var wrong = new List<string>();
        while (seen.Count < MaxPages && waiting.TryDequeue(out var next))
        {
            if (seen.Contains(next.Path))
            {
                continue;
            }

            var kind = Kind().Match(next.Path);
            if (!kinds.Add(Id().Replace(kind.Groups["path"].Value, "") + kind.Groups["tab"].Value))
            {
                continue;
            }

            seen.Add(next.Path);
            using var answer = await client.GetAsync(
                next.Path,
                HttpCompletionOption.ResponseHeadersRead,
                Cancel
            );
            if ((int)answer.StatusCode is >= 400)
            {
                wrong.Add($"{(int)answer.StatusCode} {next.Path} (on {next.From})");
            }

            if (answer.Headers.Location is { } location)
            {
                waiting.Enqueue((next.Path, new Uri(_server.Address, location).PathAndQuery));
            }

            if (answer.Content.Headers.ContentType?.MediaType == "text/html")
            {
                var html = await answer.Content.ReadAsStringAsync(Cancel);
                foreach (Match link in Link().Matches(html))
                {
                    var target = HttpUtility.HtmlDecode(link.Groups["target"].Value).Split('#')[0];
                    if (
                        target.StartsWith('/') && !target.StartsWith("//", StringComparison.Ordinal)
                    )
                    {
                        waiting.Enqueue((next.Path, target));
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        return seen;
    }

    /// <summary>What tells kinds of pages apart: the path without ids, and the tab.</summary>
    [GeneratedRegex(
        "^(?<path>[^?]*)(.*[?&]tab=(?<tab>[a-z]+))?",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Kind();

    [GeneratedRegex("[0-9a-fA-F-]{32,36}", RegexOptions.None, 1000)]
    private static partial Regex Id();

    [GeneratedRegex(
        "<(a|ui-load|link|script|img|iframe)\\b[^>]*?\\s(href|src)=\"(?<target>[^\"]+)\"",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Link();
}
