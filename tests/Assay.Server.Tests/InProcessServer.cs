using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Assay.Server.Tests;

/// <summary>The real host in this process, on a real socket with a free port: for tests that also need to look inside (routes, services).</summary>
public sealed class InProcessServer : WebApplicationFactory<Program>
{
    public const string Password = "correct horse battery";
    private readonly string _data = Directory.CreateTempSubdirectory("assay-test").FullName;

    /// <summary>Its data directory.</summary>
    public string Data => _data;
    private readonly Dictionary<string, string> _settings = [];

    public InProcessServer(params (string Key, string Value)[] settings)
    {
        foreach (var (key, value) in settings)
        {
            _settings[key] = value;
        }

        UseKestrel(0);
        StartServer();
        Address = ClientOptions.BaseAddress;
    }

    public Uri Address { get; }

    public MovableTime Time { get; } = new();

    public Guid First { get; private set; }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Production");
        builder.UseSetting("data", _data);
        builder.ConfigureServices(services => services.AddSingleton<TimeProvider>(Time));
        foreach (var (key, value) in _settings)
        {
            builder.UseSetting(key, value);
        }
    }

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A client that keeps no cookies and follows no redirects.</summary>
    public HttpClient Client(string? key = null)
    {
        var client = new HttpClient(
            new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }
        )
        {
            BaseAddress = Address,
        };
        if (key is not null)
        {
            client.DefaultRequestHeaders.Add("x-api-key", key);
        }

        return client;
    }

    public Task<string> KeyAsync(Guid workspace, KeyScope scope) =>
        KeyAsync(new Caller(workspace, Grants.Of(Role.Owner), Name: "test"), scope);

    public async Task<string> KeyAsync(Caller caller, KeyScope scope) =>
        (
            await Get<ApiKeys>()
                .CreateAsync(
                    caller,
                    "test",
                    scope,
                    null,
                    isPersonal: false,
                    TestContext.Current.CancellationToken
                )
        ).Secret;

    public async Task<Guid> FirstWorkspaceAsync() =>
        First =
            First != Guid.Empty
                ? First
                : (
                    await Get<Bootstrap>()
                        .EnsureWorkspaceAsync(TestContext.Current.CancellationToken)
                )
                    .Workspace
                    .Id;

    public async Task<Guid> NewWorkspaceAsync(string name)
    {
        var (outcome, workspace) = await Get<Workspaces>()
            .CreateAsync(
                new Caller(await FirstWorkspaceAsync(), Grants.Of(Role.Owner), Name: "test"),
                name,
                null,
                null,
                TestContext.Current.CancellationToken
            );
        Assert.Equal(WorkspaceChange.Done, outcome);
        return workspace!.Id;
    }

    /// <summary>A member with <see cref="Password"/>.</summary>
    public async Task<Member> MemberAsync(string email, Guid workspace, Role role)
    {
        using var scope = Services.CreateScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Member>>();
        var member = new Member
        {
            Id = Guid.CreateVersion7(),
            UserName = email,
            Email = email,
            CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        Assert.True((await users.CreateAsync(member, Password)).Succeeded);
        await using var db = await Get<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(TestContext.Current.CancellationToken);
        db.WorkspaceMembers.Add(
            new WorkspaceMember
            {
                WorkspaceId = workspace,
                MemberId = member.Id,
                Role = role,
                JoinedAt = member.CreatedAt,
            }
        );
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return member;
    }

    /// <summary>The cookie of a signed-in member, made as sign-in makes it.</summary>
    public string Cookie(Member member, Guid workspace)
    {
        var format = Get<IOptionsMonitor<CookieAuthenticationOptions>>()
            .Get(CookieAuthenticationDefaults.AuthenticationScheme)
            .TicketDataFormat;
        var principal = new MemberTicket(
            member.Id,
            workspace,
            member.SecurityStamp ?? "",
            ByLink: false
        ).Principal();
        return "assay="
            + format.Protect(
                new AuthenticationTicket(
                    principal,
                    CookieAuthenticationDefaults.AuthenticationScheme
                )
            );
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        try
        {
            Directory.Delete(_data, recursive: true);
        }
        catch (IOException)
        {
            // SQLite's pooled connections may still hold files; the system's temporary directory is cleaned by the system.
        }
    }
}
