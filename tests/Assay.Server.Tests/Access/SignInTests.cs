using System.Net;
using Assay.Core.Access;
using Assay.Server.Auth;

namespace Assay.Server.Tests.Access;

public sealed class SignInTests : IAsyncLifetime
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
    public async Task Opening_the_login_link_changes_nothing_and_its_button_works_once()
    {
        var token = _server.Get<LoginLinks>().Create(_workspace);
        var link = $"/auth/link/{token}";
        using (var previewer = new Browser(_server.Address))
        {
            await previewer.PageAsync(link);
            await previewer.PageAsync(link);
        }

        using var owner = new Browser(_server.Address);
        Assert.Equal("/auth/setup", await SubmitAsync(owner, link, "/auth/link"));
        await owner.PageAsync("/");
        using var second = new Browser(_server.Address);
        Assert.Equal("/login?problem=link", await SubmitAsync(second, link, "/auth/link"));
        Assert.StartsWith("/login", await LocationAsync(second, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_owner_sets_a_password_once_and_signs_in_with_it()
    {
        using var owner = await FirstOwnerAsync();
        Assert.Equal(
            "/auth/setup?problem=weak",
            await SubmitAsync(
                owner,
                "/auth/setup",
                "/auth/owner",
                ("email", "first@a.test"),
                ("password", "short")
            )
        );
        Assert.Equal(
            "/",
            await SubmitAsync(
                owner,
                "/auth/setup",
                "/auth/owner",
                ("email", "first@a.test"),
                ("password", InProcessServer.Password)
            )
        );
        await owner.PageAsync("/");
        // The page is no way to change a password that is set.
        Assert.Equal(
            "/account",
            await SubmitAsync(
                owner,
                "/auth/setup",
                "/auth/owner",
                ("email", "other@a.test"),
                ("password", "another password")
            )
        );
        using var later = new Browser(_server.Address);
        Assert.Equal("/", await LoginAsync(later, "FIRST@a.test", InProcessServer.Password));
        await later.PageAsync("/");
    }

    [Fact]
    public async Task Wrong_passwords_and_unknown_addresses_get_one_answer_and_many_lock_the_account()
    {
        await _server.MemberAsync("m@a.test", _workspace, Role.Editor);
        using var browser = new Browser(_server.Address);
        Assert.Equal(
            "/login?problem=password",
            await LoginAsync(browser, "nobody@a.test", "a wrong password")
        );
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(
                "/login?problem=password",
                await LoginAsync(browser, "m@a.test", "a wrong password")
            );
        }

        Assert.Equal(
            "/login?problem=password",
            await LoginAsync(browser, "m@a.test", InProcessServer.Password)
        );
        var log = await _server
            .Get<AuditLog>()
            .ListAsync(
                new Caller(_workspace, Permission.Manage),
                new AuditQuery { Actions = ["member.lock"] },
                Cancel
            );
        Assert.Single(log.Entries);
    }

    [Fact]
    public async Task A_new_password_ends_every_other_sign_in_of_the_person()
    {
        await _server.MemberAsync("m@a.test", _workspace, Role.Viewer);
        using var here = new Browser(_server.Address);
        using var elsewhere = new Browser(_server.Address);
        await LoginAsync(here, "m@a.test", InProcessServer.Password);
        await LoginAsync(elsewhere, "m@a.test", InProcessServer.Password);
        await elsewhere.PageAsync("/");
        Assert.Equal(
            "/account?problem=current",
            await SubmitAsync(
                here,
                "/account",
                "/auth/password",
                ("current", "not the password"),
                ("password", "a brand new password")
            )
        );
        Assert.Equal(
            "/account?done=password",
            await SubmitAsync(
                here,
                "/account",
                "/auth/password",
                ("current", InProcessServer.Password),
                ("password", "a brand new password")
            )
        );
        await here.PageAsync("/");
        Assert.StartsWith("/login", await LocationAsync(elsewhere, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_ends_the_sign_in()
    {
        await _server.MemberAsync("m@a.test", _workspace, Role.Viewer);
        using var browser = new Browser(_server.Address);
        await LoginAsync(browser, "m@a.test", InProcessServer.Password);
        await browser.PageAsync("/");
        Assert.Equal("/login", await SubmitAsync(browser, "/account", "/auth/logout"));
        Assert.StartsWith("/login", await LocationAsync(browser, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_without_its_antiforgery_token_is_refused()
    {
        await _server.MemberAsync("m@a.test", _workspace, Role.Owner);
        using var browser = new Browser(_server.Address);
        using var response = await browser.PostAsync(
            "/auth/login",
            "",
            ("email", "m@a.test"),
            ("password", InProcessServer.Password)
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task After_sign_in_the_browser_goes_back_only_to_this_server()
    {
        await _server.MemberAsync("m@a.test", _workspace, Role.Viewer);
        foreach (
            var (back, expected) in ((string, string)[])
                [
                    ("/account", "/account"),
                    ("https://evil.test/", "/"),
                    ("//evil.test", "/"),
                    ("/\\evil.test", "/"),
                ]
        )
        {
            using var browser = new Browser(_server.Address);
            Assert.Equal(
                expected,
                await SubmitAsync(
                    browser,
                    $"/login?return={Uri.EscapeDataString(back)}",
                    "/auth/login",
                    ("email", "m@a.test"),
                    ("password", InProcessServer.Password)
                )
            );
        }
    }

    [Fact]
    public async Task An_invitation_makes_an_account_once_with_the_role_it_names()
    {
        var owner = new Caller(_workspace, Grants.Of(Role.Owner), Name: "owner");
        var (outcome, _, token) = await _server
            .Get<Invitations>()
            .CreateAsync(owner, "new@a.test", Role.Editor, Cancel);
        Assert.Equal(MemberChange.Done, outcome);
        using var browser = new Browser(_server.Address);
        Assert.Equal(
            "/",
            await SubmitAsync(
                browser,
                $"/invite/{token}",
                "/auth/invite",
                ("name", "New Person"),
                ("password", InProcessServer.Password)
            )
        );
        await browser.PageAsync("/");
        var members = await _server.Get<Members>().ListAsync(owner, Cancel);
        Assert.Equal(Role.Editor, members.Single(m => m.Email == "new@a.test").Role);
        using var second = new Browser(_server.Address);
        Assert.Contains(
            "not open",
            await second.PageAsync($"/invite/{token}"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_invitation_link_does_not_open_an_account_that_exists_without_its_password()
    {
        var b = await _server.NewWorkspaceAsync("B");
        await _server.MemberAsync("m@a.test", b, Role.Viewer);
        var owner = new Caller(_workspace, Grants.Of(Role.Owner), Name: "owner");
        var (_, _, token) = await _server
            .Get<Invitations>()
            .CreateAsync(owner, "M@a.test", Role.Viewer, Cancel);
        using var browser = new Browser(_server.Address);
        Assert.EndsWith(
            "?problem=password",
            await SubmitAsync(
                browser,
                $"/invite/{token}",
                "/auth/invite",
                ("password", "some other password")
            ),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "/",
            await SubmitAsync(
                browser,
                $"/invite/{token}",
                "/auth/invite",
                ("password", InProcessServer.Password)
            )
        );
    }

    [Fact]
    public async Task Every_page_and_answer_carries_the_security_headers()
    {
        using var client = _server.Client();
        foreach (var path in (string[])["/login", "/info", "/nowhere", "/runs/x", "/"])
        {
            using var response = await client.GetAsync(path, Cancel);
            Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
            Assert.Contains(
                "frame-ancestors 'none'",
                Header(response, "Content-Security-Policy"),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "script-src 'self';",
                Header(response, "Content-Security-Policy"),
                StringComparison.Ordinal
            );
            Assert.Equal("same-origin", Header(response, "Referrer-Policy"));
        }

        using var browser = new Browser(_server.Address);
        await _server.MemberAsync("m@a.test", _workspace, Role.Viewer);
        using var signedIn = await browser.SubmitAsync(
            "/login",
            "/auth/login",
            ("email", "m@a.test"),
            ("password", InProcessServer.Password)
        );
        var cookie = signedIn
            .Headers.GetValues("Set-Cookie")
            .Single(c => c.StartsWith("assay=", StringComparison.Ordinal));
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    private async Task<Browser> FirstOwnerAsync()
    {
        var browser = new Browser(_server.Address);
        await SubmitAsync(
            browser,
            $"/auth/link/{_server.Get<LoginLinks>().Create(_workspace)}",
            "/auth/link"
        );
        return browser;
    }

    private static Task<string> LoginAsync(Browser browser, string email, string password) =>
        SubmitAsync(browser, "/login", "/auth/login", ("email", email), ("password", password));

    private static async Task<string> SubmitAsync(
        Browser browser,
        string page,
        string action,
        params (string Name, string Value)[] fields
    )
    {
        using var response = await browser.SubmitAsync(page, action, fields);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return response.Headers.Location!.OriginalString;
    }

    private static async Task<string> LocationAsync(Browser browser, string path)
    {
        using var response = await browser.GetAsync(path);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return response.Headers.Location!.OriginalString;
    }
}
