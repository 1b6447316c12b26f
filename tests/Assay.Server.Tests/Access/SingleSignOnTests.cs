using System.Net;
using Assay.Core.Access;

namespace Assay.Server.Tests.Access;

public sealed class SingleSignOnTests : IAsyncLifetime
{
    private FakeIdentityProvider _provider = null!;
    private InProcessServer _server = null!;
    private Guid _workspace;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeIdentityProvider.StartAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task A_stranger_and_an_unverified_address_are_refused()
    {
        Assert.Equal("/login?problem=member", await SignInAsync());
        _provider.IsVerified = false;
        _provider.Subject = "subject-2";
        Assert.Equal("/login?problem=unverified", await SignInAsync());
    }

    [Fact]
    public async Task An_invited_person_comes_in_and_is_known_by_the_subject_afterwards()
    {
        await _server
            .Get<Invitations>()
            .CreateAsync(
                new Caller(_workspace, Grants.Of(Role.Owner), Name: "owner"),
                "Person@sso.test",
                Role.Editor,
                Cancel
            );
        Assert.Equal("/", await SignInAsync());
        var member = (await MembersAsync()).Single(m => m.Email == "person@sso.test");
        Assert.Equal(Role.Editor, member.Role);

        // Another address of the same subject is the same person; the same address of another subject is the account's owner too, but no second account.
        _provider.Email = "renamed@sso.test";
        Assert.Equal("/", await SignInAsync());
        Assert.Single(await MembersAsync(), m => m.Id == member.Id);
        Assert.DoesNotContain(await MembersAsync(), m => m.Email == "renamed@sso.test");
    }

    [Fact]
    public async Task A_password_that_somebody_else_set_for_an_unproven_address_ends_with_its_proof()
    {
        await _server.MemberAsync("person@sso.test", _workspace, Role.Viewer);
        Assert.Equal("/", await SignInAsync());
        using var browser = new Browser(_server.Address);
        using var response = await browser.SubmitAsync(
            "/login",
            "/auth/login",
            ("email", "person@sso.test"),
            ("password", InProcessServer.Password)
        );
        Assert.Equal("/login?problem=password", response.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task With_a_role_to_join_as_everybody_of_the_allowed_domains_comes_in()
    {
        await _server.DisposeAsync();
        await StartAsync(("Oidc:AutoJoinRole", "Viewer"), ("Oidc:AllowedDomains", "sso.test"));
        Assert.Equal("/", await SignInAsync());
        Assert.Equal(
            Role.Viewer,
            (await MembersAsync()).Single(m => m.Email == "person@sso.test").Role
        );
        _provider.Email = "person@notsso.test";
        _provider.Subject = "subject-2";
        Assert.Equal("/login?problem=unverified", await SignInAsync());
    }

    [Fact]
    public async Task An_answer_that_nobody_asked_for_signs_nobody_in()
    {
        using var browser = new Browser(_server.Address);
        using var response = await browser.GetAsync("/auth/oidc/callback?code=x&state=y");
        Assert.Equal("/login?problem=sso", response.Headers.Location?.OriginalString);
    }

    private async Task StartAsync(params (string, string)[] more)
    {
        _server = new InProcessServer([
            ("Oidc:Authority", _provider.Address),
            ("Oidc:ClientId", "assay"),
            ("Oidc:ClientSecret", "secret"),
            .. more,
        ]);
        _workspace = await _server.FirstWorkspaceAsync();
    }

    private Task<IReadOnlyList<MemberView>> MembersAsync() =>
        _server.Get<Members>().ListAsync(new Caller(_workspace, Permission.Read), Cancel);

    /// <summary>Goes the whole round in a fresh browser; where it ends, and when that is a page, it opens.</summary>
    private async Task<string> SignInAsync()
    {
        using var browser = new Browser(_server.Address);
        Assert.Contains("/auth/oidc", await browser.PageAsync("/login"), StringComparison.Ordinal);
        using var asked = await browser.GetAsync("/auth/oidc?return=/");
        Assert.Equal(HttpStatusCode.Redirect, asked.StatusCode);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answered = await client.GetAsync(asked.Headers.Location, Cancel);
        using var back = await browser.GetAsync(answered.Headers.Location!.PathAndQuery);
        Assert.Equal(HttpStatusCode.Redirect, back.StatusCode);
        var end = back.Headers.Location!.OriginalString;
        if (end == "/")
        {
            await browser.PageAsync("/");
        }

        return end;
    }
}
