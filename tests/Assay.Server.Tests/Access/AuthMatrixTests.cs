using System.Net;
using System.Text;
using Assay.Core.Access;
using Assay.Server.Auth;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Assay.Server.Tests.Access;

/// <summary>Every endpoint of the router × every kind of caller; what is expected follows from the permission that the endpoint declares.</summary>
public sealed class AuthMatrixTests : IAsyncLifetime
{
    private InProcessServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void Every_endpoint_declares_what_it_needs_or_that_it_is_open()
    {
        var endpoints = Endpoints();
        Assert.True(endpoints.Count > 30, $"only {endpoints.Count} endpoints were found");
        Assert.Empty(
            endpoints
                .Where(e => e.Metadata.GetMetadata<RequiredPermission>() is null)
                .Select(e => e.DisplayName)
        );
    }

    [Fact]
    public async Task Every_endpoint_lets_in_exactly_who_holds_its_permission()
    {
        var a = await _server.FirstWorkspaceAsync();
        var b = await _server.NewWorkspaceAsync("B");
        var callers = new List<(string Name, Permission? Held, Action<HttpRequestMessage> Sign)>
        {
            ("no key", null, _ => { }),
            ("bad key", null, r => r.Headers.Add("x-api-key", "lsv2_as_" + new string('0', 64))),
            ("bad Basic", null, r => r.Headers.TryAddWithoutValidation("Authorization", "Basic !")),
            (
                "key of B that asks for A",
                Permission.None,
                Both(await _server.KeyAsync(b, KeyScope.Full), a)
            ),
        };
        foreach (var scope in Enum.GetValues<KeyScope>())
        {
            var key = await _server.KeyAsync(a, scope);
            callers.Add(($"{scope} key", Grants.Of(scope), r => r.Headers.Add("x-api-key", key)));
        }

        var basic = await _server.KeyAsync(a, KeyScope.Read);
        callers.Add(
            (
                "Read key as Basic",
                Grants.Of(KeyScope.Read),
                r =>
                    r.Headers.Add(
                        "Authorization",
                        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"public:{basic}"))
                    )
            )
        );
        foreach (var role in Enum.GetValues<Role>())
        {
            var member = await _server.MemberAsync($"{role}@a.test", a, role);
            var cookie = _server.Cookie(member, a);
            callers.Add(
                (
                    $"{role} cookie",
                    Grants.Of(role),
                    r =>
                    {
                        r.Headers.Add("Cookie", cookie);
                        r.Headers.Add("Origin", _server.Address.GetLeftPart(UriPartial.Authority));
                    }
                )
            );
            callers.Add(($"{role} cookie for B", null, r => Foreign(r, member, b)));
        }

        var wrong = new List<string>();
        foreach (var endpoint in Endpoints())
        {
            var needed = endpoint.Metadata.GetMetadata<RequiredPermission>()!.Permission;
            foreach (var method in Methods(endpoint))
            {
                foreach (var (name, held, sign) in callers)
                {
                    var answer = await AskAsync(endpoint, method, sign);
                    var expected =
                        needed is not { } permission ? Answer.LetIn
                        : held is not { } own ? Answer.WhoAreYou
                        : (own & permission) == permission && own != Permission.None ? Answer.LetIn
                        : Answer.NotYou;
                    if (answer != expected)
                    {
                        wrong.Add(
                            $"{method} {endpoint.RoutePattern.RawText} ({needed?.ToString() ?? "open"}) by {name}: {answer}, not {expected}"
                        );
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        void Foreign(HttpRequestMessage request, Member member, Guid workspace)
        {
            request.Headers.Add("Cookie", _server.Cookie(member, workspace));
            request.Headers.Add("Origin", _server.Address.GetLeftPart(UriPartial.Authority));
        }

        static Action<HttpRequestMessage> Both(string key, Guid workspace) =>
            request =>
            {
                request.Headers.Add("x-api-key", key);
                request.Headers.Add("X-Tenant-Id", workspace.ToString());
            };
    }

    [Fact]
    public async Task A_cookie_changes_nothing_when_another_site_or_no_site_asks()
    {
        var a = await _server.FirstWorkspaceAsync();
        var cookie = _server.Cookie(await _server.MemberAsync("o@a.test", a, Role.Owner), a);
        var wrong = new List<string>();
        foreach (
            var endpoint in Endpoints()
                .Where(e =>
                    e.Metadata.GetMetadata<RequiredPermission>() is { Permission: not null }
                )
        )
        {
            foreach (var method in Methods(endpoint).Where(m => m is not ("GET" or "HEAD")))
            {
                foreach (var origin in (string?[])[null, "null", "https://evil.test"])
                {
                    var answer = await AskAsync(
                        endpoint,
                        method,
                        r =>
                        {
                            r.Headers.Add("Cookie", cookie);
                            if (origin is not null)
                            {
                                r.Headers.Add("Origin", origin);
                            }
                        }
                    );
                    if (answer != Answer.WhoAreYou)
                    {
                        wrong.Add(
                            $"{method} {endpoint.RoutePattern.RawText} from {origin}: {answer}"
                        );
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private enum Answer
    {
        LetIn,
        WhoAreYou,
        NotYou,
    }

    private async Task<Answer> AskAsync(
        RouteEndpoint endpoint,
        string method,
        Action<HttpRequestMessage> sign
    )
    {
        using var client = _server.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), Path(endpoint));
        if (method is not ("GET" or "HEAD"))
        {
            // Routing answers 415 before anybody is asked who they are, so the body has a type that the endpoint takes.
            request.Content =
                endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes is { } types
                && !types.Contains("application/json")
                    ? new FormUrlEncodedContent([])
                    : new StringContent("{}", Encoding.UTF8, "application/json");
        }

        sign(request);
        using var response = await client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Cancel
        );
        return response.StatusCode switch
        {
            // Endpoints may say 401 or 403 for reasons of their own; the middleware names a scheme, the permission or the workspace.
            HttpStatusCode.Unauthorized when response.Headers.WwwAuthenticate.Count > 0 =>
                Answer.WhoAreYou,
            HttpStatusCode.Forbidden
                when await response.Content.ReadAsStringAsync(Cancel) is { } text
                    && (text.Contains("needs the permission") || text.Contains("X-Tenant-Id")) =>
                Answer.NotYou,
            _ => Answer.LetIn,
        };
    }

    private List<RouteEndpoint> Endpoints() =>
        [.. _server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static IEnumerable<string> Methods(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods.Count: > 0 } known
            ? known.HttpMethods
            : ["GET", "POST"];

    /// <summary>A path that the pattern matches.</summary>
    private static string Path(RouteEndpoint endpoint) =>
        "/"
        + string.Join(
            '/',
            endpoint.RoutePattern.PathSegments.Select(s =>
                string.Concat(
                    s.Parts.Select(p =>
                        p switch
                        {
                            RoutePatternLiteralPart literal => literal.Content,
                            RoutePatternSeparatorPart separator => separator.Content,
                            RoutePatternParameterPart parameter => Value(parameter),
                            _ => "",
                        }
                    )
                )
            )
        );

    private static string Value(RoutePatternParameterPart parameter) =>
        parameter.ParameterPolicies.Any(p => p.Content is "int" or "long")
            ? "0"
            : "018f0000-0000-7000-8000-00000000dead";
}
