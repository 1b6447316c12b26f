using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.Tests.Access;

/// <summary>Workspaces, members, keys, secrets and the audit log on LangSmith's wire.</summary>
public sealed class AccessWireTests : IAsyncLifetime
{
    private InProcessServer _server = null!;
    private HttpClient _admin = null!;
    private HttpClient _owner = null!;
    private Guid _workspace;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _workspace = await _server.FirstWorkspaceAsync();
        _admin = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
        _owner = await SignedInAsync("owner@a.test", Role.Owner);
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        _owner.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_key_is_shown_once_works_until_revoked_and_is_gone_at_once()
    {
        var made = await SendAsync(
            _admin,
            "POST",
            "/api-key",
            new { description = "ci", read_only = true }
        );
        var secret = made.GetProperty("key").GetString()!;
        var id = made.GetProperty("id").GetGuid();
        using var client = _server.Client(secret);
        await SendAsync(client, "GET", "/sessions");
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync(client, "POST", "/sessions", new { name = "x" })
        );
        var listed = (await SendAsync(_admin, "GET", "/api-key"))
            .EnumerateArray()
            .Single(k => k.GetProperty("id").GetGuid() == id);
        Assert.False(listed.TryGetProperty("key", out _));
        Assert.NotEqual(JsonValueKind.Null, listed.GetProperty("last_used_at").ValueKind);
        Assert.DoesNotContain(secret, listed.GetRawText(), StringComparison.Ordinal);
        await SendAsync(_admin, "DELETE", $"/api-key/{id}");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "GET", "/sessions"));
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync(_admin, "DELETE", $"/api-key/{Guid.CreateVersion7()}")
        );
    }

    [Fact]
    public async Task A_key_is_refused_from_its_expiry_on()
    {
        var expires = TimeProvider.System.GetUtcNow().AddMinutes(10);
        var made = await SendAsync(
            _admin,
            "POST",
            "/api-key",
            new { description = "short", expires_at = expires }
        );
        using var client = _server.Client(made.GetProperty("key").GetString());
        await SendAsync(client, "GET", "/sessions");
        _server.Time.Ahead = TimeSpan.FromMinutes(10.5);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "GET", "/sessions"));
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync(
                _admin,
                "POST",
                "/api-key",
                new { expires_at = "2020-01-01T00:00:00Z" }
            )
        );
    }

    [Fact]
    public async Task A_personal_key_never_may_more_than_its_member_and_dies_with_the_membership()
    {
        var editor = await _server.MemberAsync("e@a.test", _workspace, Role.Editor);
        using var signedIn = Cookie(editor);
        var made = await SendAsync(
            signedIn,
            "POST",
            "/api-key/current",
            new { description = "mine" }
        );
        using var key = _server.Client(made.GetProperty("key").GetString());
        await SendAsync(key, "POST", "/sessions", new { name = "made by the editor" });
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(key, "GET", "/api-key"));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await StatusAsync(key, "POST", "/api-key/current", new { })
        );
        var viewer = new { role_id = await RoleIdAsync("Viewer") };
        await SendAsync(_admin, "PATCH", $"/workspaces/current/members/{editor.Id}", viewer);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync(key, "POST", "/sessions", new { name = "not any more" })
        );
        await SendAsync(key, "GET", "/sessions");
        await SendAsync(_admin, "DELETE", $"/workspaces/current/members/{editor.Id}");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(key, "GET", "/sessions"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(signedIn, "GET", "/sessions"));
    }

    [Fact]
    public async Task Members_are_invited_changed_and_removed_and_owners_only_by_owners()
    {
        var invited = await SendAsync(
            _admin,
            "POST",
            "/orgs/current/members",
            new { email = "new@a.test", role_id = await RoleIdAsync("Editor") }
        );
        Assert.Contains(
            "/invite/",
            invited.GetProperty("invite_url").GetString(),
            StringComparison.Ordinal
        );
        var members = await SendAsync(_admin, "GET", "/workspaces/current/members");
        Assert.Single(members.GetProperty("pending").EnumerateArray());
        Assert.DoesNotContain("/invite/", members.GetRawText(), StringComparison.Ordinal);
        await SendAsync(
            _admin,
            "DELETE",
            $"/workspaces/current/members/{invited.GetProperty("id").GetGuid()}/pending"
        );
        var owner = await RoleIdAsync("Owner");
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync(
                _admin,
                "POST",
                "/orgs/current/members",
                new { email = "boss@a.test", role_id = owner }
            )
        );
        var editor = await _server.MemberAsync("e@a.test", _workspace, Role.Editor);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync(
                _admin,
                "PATCH",
                $"/workspaces/current/members/{editor.Id}",
                new { role_id = owner }
            )
        );
        var changed = await SendAsync(
            _owner,
            "PATCH",
            $"/workspaces/current/members/{editor.Id}",
            new { role_id = owner }
        );
        Assert.Equal("ORGANIZATION_ADMIN", changed.GetProperty("role_name").GetString());
    }

    [Fact]
    public async Task The_last_owner_can_neither_leave_nor_be_made_less()
    {
        var b = await _server.NewWorkspaceAsync("B");
        var only = await _server.MemberAsync("only@b.test", b, Role.Owner);
        using var client = Cookie(only, b);
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync(client, "DELETE", $"/workspaces/current/members/{only.Id}")
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync(
                client,
                "PATCH",
                $"/workspaces/current/members/{only.Id}",
                new { role_id = await RoleIdAsync("Viewer") }
            )
        );
        var second = await _server.MemberAsync("second@b.test", b, Role.Owner);
        using var other = Cookie(second, b);
        // Both owners leave at the same moment: one of them stays.
        var left = await Task.WhenAll(
            StatusAsync(client, "DELETE", $"/workspaces/current/members/{only.Id}"),
            StatusAsync(other, "DELETE", $"/workspaces/current/members/{second.Id}")
        );
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Conflict], left.Order());
    }

    [Fact]
    public async Task Workspaces_are_made_and_renamed_by_owners_and_their_handles_are_unique()
    {
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await StatusAsync(_admin, "POST", "/workspaces", new { display_name = "No" })
        );
        var made = await SendAsync(
            _owner,
            "POST",
            "/workspaces",
            new { display_name = "Größe & Co", tenant_handle = "groesse" }
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync(
                _owner,
                "POST",
                "/workspaces",
                new { display_name = "Other", tenant_handle = "groesse" }
            )
        );
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync(
                _owner,
                "POST",
                "/workspaces",
                new { display_name = "Other", tenant_handle = "Not a handle" }
            )
        );
        var mine = await SendAsync(_owner, "GET", "/workspaces");
        Assert.Equal(2, mine.GetArrayLength());
        Assert.Single((await SendAsync(_admin, "GET", "/workspaces")).EnumerateArray());
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync(
                _admin,
                "PATCH",
                $"/workspaces/{made.GetProperty("id").GetGuid()}",
                new { display_name = "taken over" }
            )
        );
        await SendAsync(
            _admin,
            "PATCH",
            $"/workspaces/{_workspace}",
            new { display_name = "Ours" }
        );
        await SendAsync(_admin, "POST", "/settings/handle", new { tenant_handle = "ours" });
        var settings = await SendAsync(_admin, "GET", "/settings");
        Assert.Equal("Ours", settings.GetProperty("display_name").GetString());
        Assert.Equal("ours", settings.GetProperty("tenant_handle").GetString());
    }

    [Fact]
    public async Task Secrets_are_written_never_read_and_encrypted_for_their_workspace()
    {
        await SendAsync(
            _admin,
            "POST",
            "/workspaces/current/secrets",
            new[]
            {
                new { key = "OPENAI_API_KEY", value = "sk-very-secret-value" },
                new { key = "OTHER", value = "x" },
            }
        );
        await SendAsync(
            _admin,
            "POST",
            "/workspaces/current/secrets",
            new[] { new { key = "OTHER", value = (string?)null } }
        );
        var listed = await SendAsync(_admin, "GET", "/workspaces/current/secrets");
        Assert.Equal("[{\"key\":\"OPENAI_API_KEY\"}]", listed.GetRawText());
        var secrets = _server.Get<WorkspaceSecrets>();
        Assert.Equal(
            "sk-very-secret-value",
            await secrets.FindAsync(_workspace, "OPENAI_API_KEY", Cancel)
        );
        await using var db = await _server
            .Get<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(Cancel);
        var row = await db.WorkspaceSecrets.AsNoTracking().SingleAsync(Cancel);
        Assert.DoesNotContain("very-secret", row.Ciphertext, StringComparison.Ordinal);

        // A row copied into another workspace does not open there.
        var b = await _server.NewWorkspaceAsync("B");
        db.WorkspaceSecrets.Add(
            new WorkspaceSecret
            {
                WorkspaceId = b,
                Key = row.Key,
                Ciphertext = row.Ciphertext,
            }
        );
        await db.SaveChangesAsync(Cancel);
        await Assert.ThrowsAnyAsync<System.Security.Cryptography.CryptographicException>(() =>
            secrets.FindAsync(b, row.Key, Cancel)
        );
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync(
                _admin,
                "POST",
                "/workspaces/current/secrets",
                new[] { new { key = "A", value = 7 } }
            )
        );
    }

    [Fact]
    public async Task Every_administrative_change_is_in_the_audit_log_page_by_page()
    {
        var key = await SendAsync(_admin, "POST", "/api-key", new { description = "audited" });
        await SendAsync(_admin, "DELETE", $"/api-key/{key.GetProperty("id").GetGuid()}");
        await SendAsync(
            _admin,
            "POST",
            "/workspaces/current/secrets",
            new[] { new { key = "K", value = "v" } }
        );
        var invited = await SendAsync(
            _admin,
            "POST",
            "/orgs/current/members",
            new { email = "n@a.test" }
        );
        await SendAsync(
            _admin,
            "DELETE",
            $"/orgs/current/members/{invited.GetProperty("id").GetGuid()}/pending"
        );
        var member = await _server.MemberAsync("m@a.test", _workspace, Role.Editor);
        await SendAsync(
            _admin,
            "PATCH",
            $"/workspaces/current/members/{member.Id}",
            new { role_id = await RoleIdAsync("Viewer") }
        );
        await SendAsync(_admin, "DELETE", $"/workspaces/current/members/{member.Id}");
        await SendAsync(_admin, "PATCH", $"/workspaces/{_workspace}", new { display_name = "N" });
        await SendAsync(_owner, "PATCH", "/orgs/current/info", new { display_name = "O" });
        await SendAsync(_owner, "POST", "/workspaces", new { display_name = "W" });
        var project = await SendAsync(_admin, "POST", "/sessions", new { name = "P" });
        await SendAsync(_admin, "DELETE", $"/sessions/{project.GetProperty("id").GetGuid()}");
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync(_admin, "DELETE", $"/sessions/{Guid.CreateVersion7()}")
        );

        var operations = new List<string?>();
        string? cursor = null;
        do
        {
            var page = await SendAsync(
                _admin,
                "GET",
                "/audit-logs?limit=3" + (cursor is null ? "" : $"&cursor={cursor}")
            );
            var items = page.GetProperty("items");
            Assert.True(items.GetArrayLength() <= 3);
            operations.AddRange(
                items
                    .EnumerateArray()
                    .Select(i => i.GetProperty("api").GetProperty("operation").GetString())
            );
            cursor = page.GetProperty("cursor").GetString();
        } while (cursor is not null);

        Assert.Equal(
            [
                "delete_tracer_session",
                "create_workspace",
                "update_organization_info",
                "update_workspace",
                "delete_workspace_member",
                "update_workspace_member",
                "delete_workspace_pending_member",
                "invite_user_to_org",
                "update_workspace_secrets",
                "delete_api_key",
                "create_api_key",
            ],
            operations.Take(11)
        );
        var filtered = await SendAsync(_admin, "GET", "/audit-logs?operations=delete_api_key");
        Assert.Single(filtered.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_program_signs_in_with_e_mail_and_password_for_some_hours()
    {
        await _server.MemberAsync("p@a.test", _workspace, Role.Viewer);
        foreach (
            var (password, expected) in ((string, HttpStatusCode)[])
                [
                    ("not the password", HttpStatusCode.Unauthorized),
                    (InProcessServer.Password, HttpStatusCode.OK),
                ]
        )
        {
            using var client = _server.Client();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/login");
            request.Headers.Add(
                "Authorization",
                "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"p@a.test:{password}"))
            );
            using var response = await client.SendAsync(request, Cancel);
            Assert.Equal(expected, response.StatusCode);
            if (expected != HttpStatusCode.OK)
            {
                continue;
            }

            var token = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("access_token")
                .GetString();
            client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
            await SendAsync(client, "GET", "/sessions");
            Assert.Equal(
                HttpStatusCode.Forbidden,
                await StatusAsync(client, "POST", "/sessions", new { name = "x" })
            );
        }
    }

    private async Task<string> RoleIdAsync(string name) =>
        (await SendAsync(_admin, "GET", "/orgs/current/roles"))
            .EnumerateArray()
            .Single(r => r.GetProperty("display_name").GetString() == name)
            .GetProperty("id")
            .GetString()!;

    private async Task<HttpClient> SignedInAsync(string email, Role role) =>
        Cookie(await _server.MemberAsync(email, _workspace, role));

    private HttpClient Cookie(Member member, Guid? workspace = null)
    {
        var client = _server.Client();
        client.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, workspace ?? _workspace));
        client.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        return client;
    }

    private static async Task<HttpStatusCode> StatusAsync(
        HttpClient client,
        string method,
        string path,
        object? body = null
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await client.SendAsync(request, Cancel);
        return response.StatusCode;
    }

    private static async Task<JsonElement> SendAsync(
        HttpClient client,
        string method,
        string path,
        object? body = null
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await client.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }
}
