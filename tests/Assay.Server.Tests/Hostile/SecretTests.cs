using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;

namespace Assay.Server.Tests.Hostile;

/// <summary>
/// Keys of providers, tokens in headers of webhooks and the keys of their signatures are stored, used and refused by somebody who repeats them;
/// then everything that the real server logged, recorded, exports and shows is searched for them.
/// </summary>
public sealed partial class SecretTests
{
    private const string ProviderKey = "sk-planted-provider-key-4f1d0c";
    private const string HeaderToken = "planted-webhook-token-9b7e21";
    private const string WorkspaceSecret = "planted-workspace-secret-77ac0e";
    private const int MaxPages = 250;
    private readonly List<string> _secrets = [ProviderKey, HeaderToken, WorkspaceSecret];
    private readonly List<string> _found = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Secrets_are_nowhere_in_logs_runs_exports_answers_pages_or_files()
    {
        await using var other = await EchoServer.StartAsync();
        await using var server = await RunningServer.StartAsync(
            ("ASSAY_OUTBOUND_ALLOW", "127.0.0.1"),
            ("Logging__LogLevel__Default", "Trace")
        );
        using var browser = await SignedInAsync(server);
        await server.JsonAsync(
            HttpMethod.Post,
            "/repos",
            new { repo_handle = "planted", is_public = false }
        );
        using var written = await server.Client.PostAsJsonAsync(
            "/api/v1/workspaces/current/secrets",
            new[] { new { key = "PLANTED", value = WorkspaceSecret } },
            Cancel
        );
        written.EnsureSuccessStatusCode();
        var webhook = await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/prompt-webhooks",
            new
            {
                url = other.Address + "/hook",
                headers = new { Authorization = $"Bearer {HeaderToken}", X_Other = HeaderToken },
            }
        );
        _secrets.Add(webhook.GetProperty("secret").GetString()!);
        var id = webhook.GetProperty("id").GetGuid();
        await UseProvidersAsync(server, browser, other.Address);
        await server.JsonAsync(
            HttpMethod.Post,
            "/commits/-/planted",
            new
            {
                manifest = new
                {
                    id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                    kwargs = new { template = "one" },
                },
            }
        );
        while (true)
        {
            var log = await server.JsonAsync(
                HttpMethod.Get,
                $"/api/v1/prompt-webhooks/{id}/deliveries"
            );
            if (
                log.GetProperty("deliveries")[0].GetProperty("response_status").ValueKind
                != JsonValueKind.Null
            )
            {
                Assert.Contains("Refused. You said", log.GetRawText());
                break;
            }
        }

        // Changing the webhook and its secret shows a new one once, in the answer to that form alone.
        using var rotated = await browser.SubmitNamedAsync(
            $"/prompts/planted?tab=webhooks&rotate={id}",
            "rotate-webhook"
        );
        var shown = await rotated.Content.ReadAsStringAsync(Cancel);
        var secret = NewSecret().Match(shown).Value;
        Assert.NotEqual("", secret);
        Assert.DoesNotContain(secret, _secrets);
        _secrets.Add(secret);

        await SearchAnswersAsync(server, browser, id);
        await SearchPagesAsync(browser);
        Assert.True(other.Calls >= 5, $"only {other.Calls} calls");
        Assert.Contains("Refused. You said", server.Log + string.Join("", await RunsAsync(server)));
        Search("the log", server.Log);
        await server.KillAsync();
        foreach (
            var file in Directory.EnumerateFiles(server.Data, "*", SearchOption.AllDirectories)
        )
        {
            Search(file, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancel)));
        }

        Assert.True(_found.Count == 0, string.Join('\n', _found));
    }

    private static async Task<Browser> SignedInAsync(RunningServer server)
    {
        var browser = new Browser(new Uri(server.Address));
        using var signedIn = await browser.SubmitAsync(
            new Uri(server.LoginLink).PathAndQuery,
            "/auth/link"
        );
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        return browser;
    }

    /// <summary>A provider of each dialect with a key: tested, asked for its models, and called.</summary>
    private static async Task UseProvidersAsync(
        RunningServer server,
        Browser browser,
        string address
    )
    {
        foreach (var kind in new[] { "OpenAI", "OpenAIResponses", "Anthropic", "Ollama" })
        {
            using var saved = await browser.SubmitNamedAsync(
                "/settings/providers",
                "save",
                ("Name", kind),
                ("Kind", kind),
                ("BaseUrl", address + "/v1"),
                ("Key", ProviderKey),
                ("Retries", "0"),
                ("Silence", "20")
            );
            Assert.Equal(
                "/settings/providers?done=saved",
                saved.Headers.Location?.OriginalString.Replace(server.Address, "")
            );
        }

        var page = await browser.PageAsync("/settings/providers");
        var providers = Tested()
            .Matches(page)
            .Select(m => m.Groups["id"].Value)
            .Distinct()
            .ToList();
        Assert.True(providers.Count >= 4, page);
        foreach (var provider in providers)
        {
            await browser.PageAsync($"/settings/providers?test={provider}");
            using var models = await server.Client.GetAsync(
                $"/ui/playground/models/{provider}",
                Cancel
            );
            using var answer = await server.Client.PostAsJsonAsync(
                "/ui/playground/run",
                new
                {
                    provider,
                    model = "sim-echo",
                    messages = new[] { new { role = "user", content = "Hello" } },
                },
                Cancel
            );
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await answer.Content.ReadAsStringAsync(Cancel);
        }
    }

    private static async Task<IReadOnlyList<string>> RunsAsync(RunningServer server)
    {
        var projects = await server.JsonAsync(HttpMethod.Get, "/api/v1/sessions?limit=100");
        var texts = new List<string>();
        foreach (
            var project in projects.EnumerateArray().Select(p => p.GetProperty("id").GetGuid())
        )
        {
            var runs = await server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/runs/query",
                new { session = new[] { project }, limit = 100 }
            );
            texts.Add(runs.GetRawText());
            foreach (var run in runs.GetProperty("runs").EnumerateArray())
            {
                texts.Add(
                    await server.Client.GetStringAsync(
                        $"/ui/traces/{run.GetProperty("trace_id").GetGuid()}/export",
                        Cancel
                    )
                );
            }

            foreach (var format in new[] { "csv", "jsonl" })
            {
                texts.Add(
                    await server.Client.GetStringAsync(
                        $"/ui/projects/{project}/export?format={format}",
                        Cancel
                    )
                );
            }
        }

        Assert.Contains(texts, t => t.Contains("\"error\"", StringComparison.Ordinal));
        return texts;
    }

    private async Task SearchAnswersAsync(RunningServer server, Browser browser, Guid webhook)
    {
        foreach (var text in await RunsAsync(server))
        {
            Search("runs and their exports", text);
        }

        foreach (
            var path in new[]
            {
                "/api/v1/prompt-webhooks",
                $"/api/v1/prompt-webhooks/{webhook}",
                $"/api/v1/prompt-webhooks/{webhook}/deliveries",
                "/api/v1/workspaces/current/secrets",
                "/api/v1/workspaces",
                "/api/v1/settings",
                "/api/v1/info",
                "/api/v1/playground-settings",
                "/api/v1/commits/-/planted",
            }
        )
        {
            Search(path, await server.Client.GetStringAsync(path, Cancel));
        }

        foreach (var format in new[] { "csv", "jsonl" })
        {
            Search($"audit {format}", await browser.PageAsync($"/ui/audit?format={format}"));
        }
    }

    /// <summary>Every page that the owner can reach by links, breadth first.</summary>
    private async Task SearchPagesAsync(Browser browser)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Queue<string>([
            "/",
            "/settings/providers",
            "/prompts/planted?tab=webhooks",
            "/settings/audit",
        ]);
        while (seen.Count < MaxPages && waiting.TryDequeue(out var path))
        {
            if (!seen.Add(path))
            {
                continue;
            }

            using var answer = await browser.GetAsync(path);
            if (answer.Content.Headers.ContentType?.MediaType is not "text/html")
            {
                continue;
            }

            var html = await answer.Content.ReadAsStringAsync(Cancel);
            Search(path, html);
            foreach (Match link in Link().Matches(html))
            {
                waiting.Enqueue(HttpUtility.HtmlDecode(link.Groups["path"].Value));
            }
        }

        Assert.Contains(seen, p => p.Contains("tab=webhooks&hook=", StringComparison.Ordinal));
    }

    private void Search(string where, string text)
    {
        foreach (var secret in _secrets)
        {
            if (text.Contains(secret, StringComparison.Ordinal))
            {
                var at = text.IndexOf(secret, StringComparison.Ordinal);
                _found.Add($"{where}: …{text[Math.Max(0, at - 80)..(at + secret.Length)]}");
            }
        }
    }

    [GeneratedRegex("whsec_[0-9a-f]+", RegexOptions.None, 1000)]
    private static partial Regex NewSecret();

    [GeneratedRegex("providers\\?test=(?<id>[0-9a-f-]{36})", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Tested();

    [GeneratedRegex(
        "<a\\b[^>]*?\\shref=\"(?<path>/(?!/)[^\"#]*)",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Link();
}
