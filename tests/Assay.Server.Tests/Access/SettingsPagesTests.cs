using System.Net;
using System.Text.RegularExpressions;
using Assay.Core.Access;

namespace Assay.Server.Tests.Access;

/// <summary>The settings screens by their forms, as a browser without scripts uses them.</summary>
public sealed partial class SettingsPagesTests : IAsyncLifetime
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
    public async Task A_key_is_made_shown_once_and_revoked_after_a_question()
    {
        using var owner = await SignedInAsync("o@a.test", Role.Owner);
        using var made = await owner.SubmitNamedAsync(
            "/settings/keys",
            "create",
            ("Label", "from the page"),
            ("Scope", "Read"),
            ("Days", "30"),
            ("Owner", "workspace")
        );
        var html = await made.Content.ReadAsStringAsync(Cancel);
        var secret = Secret().Match(html).Value;
        Assert.NotEqual("", secret);
        Assert.DoesNotContain(
            secret,
            await owner.PageAsync("/settings/keys"),
            StringComparison.Ordinal
        );
        using var client = _server.Client(secret);
        using (var works = await client.GetAsync("/sessions", Cancel))
        {
            Assert.Equal(HttpStatusCode.OK, works.StatusCode);
        }

        var key = (
            await _server
                .Get<ApiKeys>()
                .ListAsync(new Caller(_workspace, Permission.Manage), Cancel)
        ).Single(k => k.Label == "from the page");
        Assert.NotNull(key.ExpiresAt);
        using var revoked = await owner.SubmitNamedAsync(
            $"/settings/keys?revoke={key.Id}",
            "revoke"
        );
        Assert.Equal(HttpStatusCode.Redirect, revoked.StatusCode);
        using var refused = await client.GetAsync("/sessions", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task A_viewer_makes_only_personal_keys_and_sees_no_audit_log()
    {
        using var viewer = await SignedInAsync("v@a.test", Role.Viewer);
        using var made = await viewer.SubmitNamedAsync(
            "/settings/keys",
            "create",
            ("Label", "mine"),
            ("Scope", "Full"),
            ("Days", ""),
            ("Owner", "workspace")
        );
        var secret = Secret().Match(await made.Content.ReadAsStringAsync(Cancel)).Value;
        using var client = _server.Client(secret);
        using var read = await client.GetAsync("/sessions", Cancel);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var write = await client.DeleteAsync($"/sessions/{Guid.CreateVersion7()}", Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, write.StatusCode);
        using var audit = await viewer.GetAsync("/settings/audit");
        Assert.Equal("/denied", audit.Headers.Location?.OriginalString);
        Assert.DoesNotContain(
            "Make a link",
            await viewer.PageAsync("/settings/members"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_admin_invites_by_link_changes_a_role_and_removes_but_no_owner()
    {
        using var admin = await SignedInAsync("a@a.test", Role.Admin);
        using var invited = await admin.SubmitNamedAsync(
            "/settings/members",
            "invite",
            ("Email", "n@a.test"),
            ("InviteRole", "Viewer")
        );
        var link = Link().Match(await invited.Content.ReadAsStringAsync(Cancel)).Value;
        using var guest = new Browser(_server.Address);
        using var joined = await guest.SubmitAsync(
            link,
            "/auth/invite",
            ("name", "N"),
            ("password", InProcessServer.Password)
        );
        Assert.Equal("/", joined.Headers.Location?.OriginalString);
        using var tooMuch = await admin.SubmitNamedAsync(
            "/settings/members",
            "invite",
            ("Email", "boss@a.test"),
            ("InviteRole", "Owner")
        );
        Assert.Contains(
            "Only owners",
            await tooMuch.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
        var members = await MembersAsync();
        var guestId = members.Single(m => m.Email == "n@a.test").Id;
        using var changed = await admin.SubmitNamedAsync(
            $"/settings/members?edit={guestId}",
            "role",
            ("NewRole", "Editor")
        );
        Assert.Equal(HttpStatusCode.Redirect, changed.StatusCode);
        Assert.Equal(Role.Editor, (await MembersAsync()).Single(m => m.Id == guestId).Role);
        using var removed = await admin.SubmitNamedAsync(
            $"/settings/members?edit={guestId}",
            "remove"
        );
        Assert.Equal(HttpStatusCode.Redirect, removed.StatusCode);
        var owner = members.Single(m => m.Role == Role.Owner);
        using var refused = await admin.SubmitNamedAsync(
            $"/settings/members?edit={owner.Id}",
            "remove"
        );
        Assert.Contains(
            "Only owners",
            await refused.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
        Assert.Contains(await MembersAsync(), m => m.Id == owner.Id);
    }

    [Fact]
    public async Task An_owner_makes_a_workspace_opens_it_and_exports_the_audit_log()
    {
        using var owner = await SignedInAsync("o@a.test", Role.Owner);
        using var made = await owner.SubmitNamedAsync(
            "/settings/workspaces",
            "create",
            ("NewName", "=Research \"2\"")
        );
        Assert.Equal("/settings/workspaces?done=created", Local(made));
        var html = await owner.PageAsync("/settings/workspaces");
        var form = OpenForm().Match(html).Value;
        using var opened = await owner.PostAsync("/auth/workspace", form);
        Assert.Equal("/settings/workspaces", opened.Headers.Location?.OriginalString);
        using var renamed = await owner.SubmitNamedAsync(
            "/settings/workspaces",
            "rename",
            ("Name", "Lab"),
            ("Handle", "the-lab")
        );
        Assert.Equal("/settings/workspaces?done=saved", Local(renamed));
        var log = await owner.PageAsync("/settings/audit?action=workspace.update");
        Assert.Contains("the-lab", log, StringComparison.Ordinal);
        var csv = await owner.PageAsync("/ui/audit?format=csv&action=workspace.create");
        Assert.Equal(2, csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        // What a spreadsheet would run as a formula is text.
        Assert.Contains("\"'=Research \"\"2\"\"\"", csv, StringComparison.Ordinal);

        // Deleted only by its name, typed; then another workspace is open.
        const string asked = "/settings/workspaces?delete=1";
        using var wrong = await owner.SubmitAsync(asked, "/auth/workspace/delete", ("name", "lab"));
        Assert.Equal(asked + "&problem=name", Local(wrong));
        using var gone = await owner.SubmitAsync(asked, "/auth/workspace/delete", ("name", "Lab"));
        Assert.Equal("/settings/workspaces?done=deleted", Local(gone));
        var left = await owner.PageAsync("/settings/workspaces?done=deleted");
        Assert.Contains("The workspace is gone", left, StringComparison.Ordinal);
        Assert.DoesNotContain("the-lab", left, StringComparison.Ordinal);
        Assert.Contains("It is the only one you are in", left, StringComparison.Ordinal);
    }

    private static string? Local(HttpResponseMessage response) =>
        response.Headers.Location is { IsAbsoluteUri: true } absolute ? absolute.PathAndQuery
        : response.Headers.Location?.OriginalString is ['/', ..] path ? path
        : "/" + response.Headers.Location?.OriginalString;

    private Task<IReadOnlyList<MemberView>> MembersAsync() =>
        _server.Get<Members>().ListAsync(new Caller(_workspace, Permission.Read), Cancel);

    private async Task<Browser> SignedInAsync(string email, Role role)
    {
        await _server.MemberAsync(email, _workspace, role);
        var browser = new Browser(_server.Address);
        using var response = await browser.SubmitAsync(
            "/login",
            "/auth/login",
            ("email", email),
            ("password", InProcessServer.Password)
        );
        Assert.Equal("/", response.Headers.Location?.OriginalString);
        return browser;
    }

    [GeneratedRegex("lsv2_as_[0-9a-f]{64}", RegexOptions.None, 5_000)]
    private static partial Regex Secret();

    [GeneratedRegex("/invite/[0-9a-f]{48}", RegexOptions.None, 5_000)]
    private static partial Regex Link();

    [GeneratedRegex(
        "<form method=\"post\" action=\"/auth/workspace\">(?:(?!</form>).)*name=\"return\".*?</form>",
        RegexOptions.Singleline,
        5_000
    )]
    private static partial Regex OpenForm();
}
