using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Prompts;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.Tests.Prompts;

/// <summary>Webhooks, protected tags, roll-outs, owners and environments of prompts, over HTTP.</summary>
public sealed class PromptGovernanceTests : IAsyncLifetime
{
    private readonly InProcessServer _server = new(("ASSAY_OUTBOUND_ALLOW", "127.0.0.1"));
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
    public async Task A_webhook_is_told_of_commits_and_tags_signed_and_again_until_it_takes_them()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await PromptAsync("told");
        await PromptAsync("other");
        var told = (await SendAsync(HttpMethod.Get, "repos/-/told")).GetProperty("repo");
        var webhook = await SendAsync(
            HttpMethod.Post,
            "prompt-webhooks",
            new
            {
                url = receiver.Address,
                headers = new { Authorization = "Bearer of-the-receiver" },
                triggers = new[] { "commit", "tag:create", "tag:update" },
                include_prompts = new[] { told.GetProperty("id").GetGuid() },
            }
        );
        var id = webhook.GetProperty("id").GetGuid();
        var secret = webhook.GetProperty("secret").GetString()!;
        Assert.Equal(
            "••••",
            webhook.GetProperty("headers").GetProperty("authorization").GetString()
        );

        await CommitAsync("other", "not told of");
        receiver.Status = 503;
        var first = await CommitAsync("told", "one");
        var failed = await receiver.NextAsync();
        AssertSigned(failed, secret);
        Assert.Equal("Bearer of-the-receiver", failed.Headers["Authorization"]);
        var body = JsonElement.Parse(failed.Body);
        Assert.Equal("commit", body.GetProperty("event").GetString());
        Assert.Equal("told", body.GetProperty("prompt_name").GetString());
        Assert.Equal(
            first.GetProperty("commit_hash").GetString(),
            body.GetProperty("commit_hash").GetString()
        );
        Assert.Equal(JsonValueKind.Object, body.GetProperty("manifest").ValueKind);

        // It is told again, later, under the same id.
        var waiting = await DeliveryAsync(id, "waiting", attempts: 1);
        Assert.Equal(503, waiting.GetProperty("response_status").GetInt32());
        receiver.Status = 200;
        _server.Time.Ahead = TimeSpan.FromMinutes(1);
        _server.Get<PromptOutbox>().Wake();
        var again = await receiver.NextAsync();
        Assert.Equal(failed.Headers["X-Assay-Delivery"], again.Headers["X-Assay-Delivery"]);
        await DeliveryAsync(id, "delivered", attempts: 2);

        await TagAsync("told", "production", first);
        Assert.Equal("tag:create", (await receiver.NextAsync()).Headers["X-Assay-Event"]);
        var second = await CommitAsync("told", "two");
        Assert.Equal("commit", (await receiver.NextAsync()).Headers["X-Assay-Event"]);
        await TagAsync("told", "production", second);
        var moved = JsonElement.Parse((await receiver.NextAsync()).Body);
        Assert.Equal("tag:update", moved.GetProperty("event").GetString());
        Assert.Equal("production", moved.GetProperty("tag_name").GetString());

        // Who asks for silence is heard, and a deleted webhook is told nothing more.
        await SendAsync(
            HttpMethod.Post,
            "repos/-/told/tags",
            new
            {
                tag_name = "quiet",
                commit_id = second.GetProperty("id").GetGuid(),
                skip_webhooks = true,
            }
        );
        await SendAsync(HttpMethod.Delete, $"prompt-webhooks/{id}");
        await CommitAsync("told", "three");
        Assert.True(receiver.IsQuiet);
    }

    [Fact]
    public async Task A_webhook_to_a_private_address_is_given_up_at_once_and_a_bad_one_is_refused()
    {
        await PromptAsync("guarded");
        var webhook = await SendAsync(
            HttpMethod.Post,
            "prompt-webhooks",
            new { url = "http://169.254.169.254/latest/meta-data" }
        );
        await CommitAsync("guarded", "one");
        var delivery = await DeliveryAsync(
            webhook.GetProperty("id").GetGuid(),
            "failed",
            attempts: 1
        );
        Assert.Contains("private address", delivery.GetProperty("error").GetString());
        foreach (
            var bad in new object[]
            {
                new { url = "file:///etc/passwd" },
                new { url = "http://user:password@example.com" },
                new { url = "https://example.com", triggers = new[] { "everything" } },
                new { url = "https://example.com", headers = new { Host = "other" } },
                new { triggers = new[] { "commit" } },
            }
        )
        {
            using var answer = await _client.PostAsJsonAsync(
                "/api/v1/prompt-webhooks",
                bad,
                Cancel
            );
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_protected_tag_moves_when_another_than_who_asked_approves()
    {
        await PromptAsync("guarded");
        var first = await CommitAsync("guarded", "one");
        await TagAsync("guarded", "production", first);
        await SendAsync(
            HttpMethod.Put,
            "hub/protected-tags",
            new { tags = new[] { "production" } }
        );
        var second = await CommitAsync("guarded", "two");
        using var asked = await _client.PostAsJsonAsync(
            "/api/v1/repos/-/guarded/tags",
            new { tag_name = "production", commit_id = second.GetProperty("id").GetGuid() },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        var request = await asked.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal("pending_approval", request.GetProperty("status").GetString());
        Assert.Equal(Hash(first), await PulledAsync("guarded", "production"));

        // Not by who asked, not twice, and no second one beside it.
        var path = $"/api/v1/repos/-/guarded/tag-requests/{request.GetProperty("id").GetGuid()}";
        using var own = await _client.PostAsync(path + "/approve", null, Cancel);
        Assert.Equal(HttpStatusCode.Conflict, own.StatusCode);
        using var another = await _client.DeleteAsync(
            "/api/v1/repos/-/guarded/tags/production",
            Cancel
        );
        Assert.Equal(HttpStatusCode.Conflict, another.StatusCode);

        var admin = await AsAsync(Role.Admin);
        using var editor = await AsAsync(Role.Editor);
        using var notAllowed = await editor.PostAsync(path + "/approve", null, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, notAllowed.StatusCode);
        using var approved = await admin.PostAsync(path + "/approve", null, Cancel);
        Assert.Equal(HttpStatusCode.OK, approved.StatusCode);
        Assert.Equal(Hash(second), await PulledAsync("guarded", "production"));
        using var twice = await admin.PostAsync(path + "/reject", null, Cancel);
        Assert.Equal(HttpStatusCode.Conflict, twice.StatusCode);
        var log = await SendAsync(HttpMethod.Get, "audit-logs?limit=20");
        Assert.Contains("prompt_tag_approve", log.GetRawText(), StringComparison.Ordinal);

        // Other tags move as ever; whoever asked may take the request back.
        await TagAsync("guarded", "staging", first);
        using var removal = await _client.DeleteAsync(
            "/api/v1/repos/-/guarded/tags/production",
            Cancel
        );
        Assert.Equal(HttpStatusCode.Accepted, removal.StatusCode);
        var waiting = await removal.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        await SendAsync(
            HttpMethod.Post,
            $"repos/-/guarded/tag-requests/{waiting.GetProperty("id").GetGuid()}/reject"
        );
        Assert.Equal(Hash(second), await PulledAsync("guarded", "production"));
        admin.Dispose();
    }

    [Fact]
    public async Task A_share_of_keys_gets_what_is_tried_and_each_always_the_same()
    {
        await PromptAsync("shared");
        var stable = await CommitAsync("shared", "stable");
        await TagAsync("shared", "production", stable);
        var tried = await CommitAsync("shared", "tried");
        await SendAsync(
            HttpMethod.Put,
            "repos/-/shared/tags/production/rollout",
            new { commit_id = tried.GetProperty("id").GetGuid(), percent = 30 }
        );
        var got = new Dictionary<string, string>();
        for (var i = 0; i < 200; i++)
        {
            got[$"user-{i}"] = await PulledAsync("shared", "production", $"user-{i}");
        }

        // 200 keys at 30 %: 60 ± 3.3 standard deviations, and always the same ones since the prompt's name is hashed with them.
        var share = got.Count(g => g.Value == Hash(tried));
        Assert.InRange(share, 38, 82);
        Assert.Equal(got["user-7"], await PulledAsync("shared", "production", "user-7"));
        Assert.Equal(Hash(stable), await PulledAsync("shared", "production"));
        await SendAsync(
            HttpMethod.Put,
            "repos/-/shared/tags/production/rollout",
            new { commit_id = tried.GetProperty("id").GetGuid(), percent = 60 }
        );
        foreach (var (key, _) in got.Where(g => g.Value == Hash(tried)).Take(10))
        {
            Assert.Equal(Hash(tried), await PulledAsync("shared", "production", key));
        }

        // Moving the tag to what was tried ends the trial.
        await TagAsync("shared", "production", tried);
        Assert.Equal(
            "[]",
            (await SendAsync(HttpMethod.Get, "repos/-/shared/rollouts")).GetRawText()
        );
        using var wrong = await _client.PutAsJsonAsync(
            "/api/v1/repos/-/shared/tags/production/rollout",
            new { commit_id = Guid.NewGuid(), percent = 101 },
            Cancel
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task A_restricted_prompt_is_changed_by_its_owners_and_admins_alone()
    {
        await PromptAsync("owned");
        await CommitAsync("owned", "one");
        await SendAsync(HttpMethod.Patch, "repos/-/owned", new { restricted_mode = true });
        using var editor = await AsAsync(Role.Editor, "editor@owners.test");
        using var refused = await editor.PatchAsJsonAsync(
            "/api/v1/repos/-/owned",
            new { description = "mine" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var owner = await SendAsync(
            HttpMethod.Post,
            "repos/-/owned/owners",
            new { email = "Editor@owners.test" }
        );
        using var allowed = await editor.PatchAsJsonAsync(
            "/api/v1/repos/-/owned",
            new { description = "mine" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        var list = await SendAsync(HttpMethod.Get, "repos/-/owned/owners");
        Assert.Equal(
            "editor@owners.test",
            list.GetProperty("owners")[0].GetProperty("email").GetString()
        );
        await SendAsync(
            HttpMethod.Delete,
            "repos/-/owned/owners",
            new { identity_id = owner.GetProperty("identity_id").GetGuid() }
        );
        using var stranger = await _client.PostAsJsonAsync(
            "/api/v1/repos/-/owned/owners",
            new { email = "nobody@owners.test" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
    }

    [Fact]
    public async Task Environments_are_nothing_on_the_wire_until_somebody_decides_then_one_list()
    {
        using var none = await _client.GetAsync("/api/v1/hub/environments", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Contains("environments", await ErrorAsync(none));
        var two = new { environments = new[] { new { name = "dev" }, new { name = "live" } } };
        using var tooEarly = await _client.PatchAsJsonAsync(
            $"/api/v1/hub/environments/{_workspace}",
            two,
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, tooEarly.StatusCode);
        var made = await SendAsync(HttpMethod.Post, "hub/environments", two);
        Assert.Equal(["dev", "live"], Names(made));
        using var twice = await _client.PostAsJsonAsync("/api/v1/hub/environments", two, Cancel);
        Assert.Equal(HttpStatusCode.Conflict, twice.StatusCode);
        var id = made.GetProperty("id").GetGuid();
        var changed = await SendAsync(
            HttpMethod.Patch,
            $"hub/environments/{id}",
            new { environments = new[] { new { name = "test" } } }
        );
        Assert.Equal(["test"], Names(changed));
        Assert.Equal(["test"], Names(await SendAsync(HttpMethod.Get, "hub/environments")));
        foreach (
            var bad in new object[]
            {
                new { environments = Array.Empty<object>() },
                new { environments = new[] { new { name = "" } } },
                new { environments = new[] { new { name = new string('x', 65) } } },
                new { environments = new[] { new { name = "latest" } } },
            }
        )
        {
            using var refused = await _client.PatchAsJsonAsync(
                $"/api/v1/hub/environments/{id}",
                bad,
                Cancel
            );
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.NotEmpty(await ErrorAsync(refused));
        }

        await SendAsync(HttpMethod.Delete, $"hub/environments/{id}");
        using var gone = await _client.GetAsync("/api/v1/hub/environments", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);

        static IEnumerable<string?> Names(JsonElement json) =>
            json.GetProperty("environments")
                .EnumerateArray()
                .Select(e => e.GetProperty("name").GetString());

        static async Task<string> ErrorAsync(HttpResponseMessage answer) =>
            (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("error")
                .GetString()!;
    }

    [Fact]
    public async Task A_secret_is_made_anew_and_a_delivery_sent_again_under_its_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await PromptAsync("rotated");
        var given = Guid.NewGuid();
        var hook = await SendAsync(
            HttpMethod.Post,
            "prompt-webhooks",
            new
            {
                id = given,
                url = receiver.Address,
                headers = new { Authorization = "Bearer one" },
            }
        );
        Assert.Equal(given, hook.GetProperty("id").GetGuid());
        using var taken = await _client.PostAsJsonAsync(
            "/api/v1/prompt-webhooks",
            new { id = given, url = receiver.Address },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);

        await CommitAsync("rotated", "one");
        var first = await receiver.NextAsync();
        AssertSigned(first, hook.GetProperty("secret").GetString()!);
        var rotated = await SendAsync(HttpMethod.Post, $"prompt-webhooks/{given}/secret");
        var secret = rotated.GetProperty("secret").GetString()!;
        Assert.NotEqual(hook.GetProperty("secret").GetString(), secret);
        // What was read and given back leaves the values of headers as they were.
        var read = await SendAsync(HttpMethod.Get, $"prompt-webhooks/{given}");
        await SendAsync(
            HttpMethod.Patch,
            $"prompt-webhooks/{given}",
            new { headers = read.GetProperty("headers") }
        );
        var delivery = await DeliveryAsync(given, "delivered", attempts: 1);
        var log = $"prompt-webhooks/{given}/deliveries/{delivery.GetProperty("id").GetGuid()}";
        Assert.Equal(first.Body, (await SendAsync(HttpMethod.Get, log)).GetRawText());
        await SendAsync(HttpMethod.Post, log + "/send");
        var again = await receiver.NextAsync();
        AssertSigned(again, secret);
        Assert.Equal(first.Headers["X-Assay-Delivery"], again.Headers["X-Assay-Delivery"]);
        Assert.Equal("Bearer one", again.Headers["Authorization"]);
        await SendAsync(HttpMethod.Post, $"prompt-webhooks/{given}/test");
        Assert.Equal("test", (await receiver.NextAsync()).Headers["X-Assay-Event"]);
        using var nothing = await _client.PostAsync(
            $"/api/v1/prompt-webhooks/{given}/deliveries/{Guid.NewGuid()}/send",
            null,
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
    }

    [Fact]
    public async Task A_webhook_whose_secret_cannot_be_decrypted_fails_alone()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await PromptAsync("locked");
        var broken = (
            await SendAsync(HttpMethod.Post, "prompt-webhooks", new { url = receiver.Address })
        )
            .GetProperty("id")
            .GetGuid();
        await SendAsync(HttpMethod.Post, "prompt-webhooks", new { url = receiver.Address });
        await using (
            var db = await _server
                .Get<IDbContextFactory<MetadataContext>>()
                .CreateDbContextAsync(Cancel)
        )
        {
            // As after the key ring was lost.
            await db
                .PromptWebhooks.Where(w => w.Id == broken)
                .ExecuteUpdateAsync(
                    s =>
                        s.SetProperty(w => w.SecretCiphertext, "unreadable")
                            .SetProperty(w => w.HeadersCiphertext, "unreadable"),
                    Cancel
                );
        }

        await CommitAsync("locked", "one");
        Assert.Equal("commit", (await receiver.NextAsync()).Headers["X-Assay-Event"]);
        var failed = await DeliveryAsync(broken, "failed", attempts: 1);
        Assert.Contains("make a new secret", failed.GetProperty("error").GetString());
        Assert.Equal(2, (await SendAsync(HttpMethod.Get, "prompt-webhooks")).GetArrayLength());
        await SendAsync(HttpMethod.Post, $"prompt-webhooks/{broken}/secret");
        await SendAsync(HttpMethod.Patch, $"prompt-webhooks/{broken}", new { headers = new { } });
        await SendAsync(
            HttpMethod.Post,
            $"prompt-webhooks/{broken}/deliveries/{failed.GetProperty("id").GetGuid()}/send"
        );
        Assert.Equal("commit", (await receiver.NextAsync()).Headers["X-Assay-Event"]);
    }

    private static void AssertSigned(Told told, string secret)
    {
        var parts = told.Headers["X-Assay-Signature"].Split(',');
        var (time, given) = (parts[0][2..], parts[1][3..]);
        var expected = HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(secret),
            Encoding.UTF8.GetBytes($"{time}.{told.Body}")
        );
        Assert.Equal(Convert.ToHexStringLower(expected), given);
    }

    /// <summary>The newest delivery of a webhook, once it stands as asked.</summary>
    private async Task<JsonElement> DeliveryAsync(Guid webhook, string status, int attempts)
    {
        while (true)
        {
            Cancel.ThrowIfCancellationRequested();
            var log = await SendAsync(HttpMethod.Get, $"prompt-webhooks/{webhook}/deliveries");
            if (
                log.GetProperty("deliveries").EnumerateArray().FirstOrDefault()
                    is { ValueKind: JsonValueKind.Object } delivery
                && delivery.GetProperty("status").GetString() == status
                && delivery.GetProperty("attempts").GetInt32() == attempts
            )
            {
                return delivery;
            }
        }
    }

    private async Task<HttpClient> AsAsync(Role role, string? email = null)
    {
        var member = await _server.MemberAsync(email ?? $"{role}@prompts.test", _workspace, role);
        var client = _server.Client();
        client.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, _workspace));
        client.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        return client;
    }

    private Task<JsonElement> PromptAsync(string name) =>
        SendAsync(HttpMethod.Post, "repos", new { repo_handle = name, is_public = false });

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

    private Task<JsonElement> TagAsync(string name, string tag, JsonElement commit) =>
        SendAsync(
            HttpMethod.Post,
            $"repos/-/{name}/tags",
            new { tag_name = tag, commit_id = commit.GetProperty("id").GetGuid() }
        );

    private static string Hash(JsonElement commit) =>
        commit.GetProperty("commit_hash").GetString()!;

    private async Task<string> PulledAsync(string name, string reference, string? key = null)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"/api/v1/commits/-/{name}/{reference}"
        );
        if (key is not null)
        {
            request.Headers.Add("X-Assay-Rollout-Key", key);
        }

        using var answer = await _client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("commit_hash")
            .GetString()!;
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        request.Content = body is null ? null : JsonContent.Create(body);
        using var answer = await _client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return JsonElement.Parse(text);
    }
}
