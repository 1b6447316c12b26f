using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Server.Auth;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Assay.Server.Tests.Access;

/// <summary>Two workspaces on one server: whatever a full key of A does, B neither shows nor changes.</summary>
public sealed class TenancyTests : IAsyncLifetime
{
    private const string Marker = "only-for-b-4711";
    private InProcessServer _server = null!;
    private HttpClient _a = null!;
    private HttpClient _b = null!;
    private Guid _run;
    private Guid _project;
    private Guid _feedback;
    private Guid _workspace;
    private Guid _key;
    private Guid _member;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _workspace = await _server.NewWorkspaceAsync(Marker + " workspace");
        _a = _server.Client(
            // Not the first workspace: that is where both were made, so its audit log rightly names them.
            await _server.KeyAsync(await _server.NewWorkspaceAsync("a's workspace"), KeyScope.Full)
        );
        _b = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
        _member = (await _server.MemberAsync($"{Marker}@b.test", _workspace, Role.Owner)).Id;
        var owner = new Caller(_workspace, Grants.Of(Role.Owner), Name: Marker);
        _key = (
            await _server
                .Get<ApiKeys>()
                .CreateAsync(owner, Marker, KeyScope.Read, null, false, Cancel)
        )
            .Key
            .Id;
        await _server
            .Get<WorkspaceSecrets>()
            .WriteAsync(owner, new Dictionary<string, string?> { [Marker] = Marker }, Cancel);
        _run = Guid.CreateVersion7();
        _feedback = Guid.CreateVersion7();
        var project = await SendAsync(_b, HttpMethod.Post, "/sessions", new { name = Marker });
        _project = project.GetProperty("id").GetGuid();
        await SendAsync(_b, HttpMethod.Post, "/runs", Run(Marker));
        await SendAsync(
            _b,
            HttpMethod.Post,
            "/feedback",
            new
            {
                id = _feedback,
                run_id = _run,
                key = "quality",
                score = 0.25,
                comment = Marker,
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        _a.Dispose();
        _b.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task One_run_id_in_two_workspaces_is_two_runs()
    {
        await SendAsync(_a, HttpMethod.Post, "/runs", Run("a's"));
        Assert.Equal("a's", await NameAsync(_a));
        Assert.Equal(Marker, await NameAsync(_b));

        // Feedback goes to the run of its own workspace, and deleting A's run leaves B's with its feedback.
        await SendAsync(
            _a,
            HttpMethod.Post,
            "/feedback",
            new
            {
                run_id = _run,
                key = "quality",
                score = 1,
            }
        );
        Assert.Equal(0.25, await AverageAsync(_b));
        Assert.Equal(1, await AverageAsync(_a));
        var mine = await SendAsync(_a, HttpMethod.Get, $"/runs/{_run}");
        await SendAsync(
            _a,
            HttpMethod.Post,
            "/runs/delete/traces",
            new
            {
                session_id = mine.GetProperty("session_id").GetGuid(),
                trace_ids = new[] { _run },
            }
        );
        using var gone = await _a.GetAsync($"/runs/{_run}", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.Equal(Marker, await NameAsync(_b));
        Assert.Equal(0.25, await AverageAsync(_b));
        using var feedback = await _b.GetAsync($"/feedback/{_feedback}", Cancel);
        Assert.Equal(HttpStatusCode.OK, feedback.StatusCode);
    }

    [Fact]
    public async Task No_endpoint_shows_or_changes_what_belongs_to_another_workspace()
    {
        var before = await StateAsync();
        var wrong = new List<string>();
        Guid[] ids = [_run, _project, _feedback, _workspace, _key, _member];
        foreach (
            var endpoint in _server
                .Get<EndpointDataSource>()
                .Endpoints.OfType<RouteEndpoint>()
                .Where(e =>
                    e.Metadata.GetMetadata<RequiredPermission>() is { Permission: not null }
                )
        )
        {
            var methods =
                endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"];
            var hasParameters = endpoint.RoutePattern.Parameters.Count > 0;
            foreach (var method in methods)
            {
                foreach (var id in hasParameters ? ids : [Guid.Empty])
                {
                    foreach (var body in Bodies(method))
                    {
                        using var request = new HttpRequestMessage(
                            new HttpMethod(method),
                            Path(endpoint, id) + Query()
                        );
                        request.Content = body is null
                            ? null
                            : new StringContent(body, Encoding.UTF8, "application/json");
                        using var response = await _a.SendAsync(
                            request,
                            HttpCompletionOption.ResponseHeadersRead,
                            Cancel
                        );
                        var isStream =
                            response.Content.Headers.ContentType?.MediaType == "text/event-stream";
                        var text = isStream
                            ? ""
                            // A page may repeat the address it was asked by; that is no leak.
                            : (await response.Content.ReadAsStringAsync(Cancel)).Replace(
                                "name=" + Marker,
                                "",
                                StringComparison.Ordinal
                            );
                        if (
                            text.Contains(Marker, StringComparison.Ordinal)
                            || (int)response.StatusCode >= 500
                        )
                        {
                            wrong.Add(
                                $"{method} {request.RequestUri} {body}: {(int)response.StatusCode} {Around(text)}"
                            );
                        }
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(before, await StateAsync());
    }

    private static string Around(string text)
    {
        var at = Math.Max(0, text.IndexOf(Marker, StringComparison.Ordinal) - 100);
        return text[at..Math.Min(at + 250, text.Length)];
    }

    private object Run(string name) =>
        new
        {
            id = _run,
            trace_id = _run,
            dotted_order = $"20260101T000000000000Z{_run}",
            name,
            run_type = "chain",
            start_time = "2026-01-01T00:00:00Z",
            end_time = "2026-01-01T00:00:01Z",
            session_name = name,
            inputs = new { question = name },
            outputs = new { answer = name },
            tags = new[] { name },
        };

    private async Task<string?> NameAsync(HttpClient client) =>
        (await SendAsync(client, HttpMethod.Get, $"/runs/{_run}")).GetProperty("name").GetString();

    private async Task<double> AverageAsync(HttpClient client) =>
        (await SendAsync(client, HttpMethod.Get, $"/runs/{_run}"))
            .GetProperty("feedback_stats")
            .GetProperty("quality")
            .GetProperty("avg")
            .GetDouble();

    /// <summary>What B can see of itself, as text.</summary>
    private async Task<string> StateAsync()
    {
        var state = new StringBuilder();
        foreach (
            var path in (string[])
                [
                    $"/runs/{_run}",
                    $"/sessions?name={Marker}",
                    $"/feedback?run={_run}",
                    "/settings",
                    "/workspaces",
                ]
        )
        {
            state.AppendLine((await SendAsync(_b, HttpMethod.Get, path)).GetRawText());
        }

        var owner = new Caller(_workspace, Grants.Of(Role.Owner));
        var keys = await _server.Get<ApiKeys>().ListAsync(owner, Cancel);
        state.AppendLine(
            string.Join(',', keys.Select(k => $"{k.Id} {k.Label} {k.Scope} {k.RevokedAt}"))
        );
        var members = await _server.Get<Members>().ListAsync(owner, Cancel);
        state.AppendLine(string.Join(',', members));
        state.AppendLine(
            await _server.Get<WorkspaceSecrets>().FindAsync(_workspace, Marker, Cancel)
        );
        state.AppendLine(
            (await _server.Get<Invitations>().ListAsync(owner, Cancel)).Count.ToString()
        );
        return state.ToString();
    }

    /// <summary>Bodies that name everything of B in every spelling the wire knows.</summary>
    private IEnumerable<string?> Bodies(string method)
    {
        if (method is "GET" or "HEAD")
        {
            return [null];
        }

        object ids = new[] { _run };
        return
        [
            JsonSerializer.Serialize(
                new
                {
                    session = new[] { _project },
                    id = ids,
                    run_ids = ids,
                    trace_ids = ids,
                    feedback_ids = new[] { _feedback },
                    project_id = _project,
                    session_id = _project,
                    key = "quality",
                    score = 1,
                }
            ),
            JsonSerializer.Serialize(
                new
                {
                    session_id = _project,
                    run_id = _run,
                    trace_id = _run,
                    trace = _run,
                    parent_run = _run,
                    workspace_id = _workspace,
                    identity_id = _member,
                    user_id = _member,
                    key = "quality",
                    score = 1,
                    name = "renamed by A",
                    display_name = "renamed by A",
                }
            ),
        ];
    }

    private string Query() =>
        $"?session={_project}&session_id={_project}&run={_run}&run_id={_run}&id={_run}&project_id={_project}&workspace_id={_workspace}&name={Marker}";

    private static string Path(RouteEndpoint endpoint, Guid id) =>
        "/"
        + string.Join(
            '/',
            endpoint.RoutePattern.PathSegments.Select(s =>
                string.Concat(
                    s.Parts.Select(p =>
                        p switch
                        {
                            RoutePatternLiteralPart literal => literal.Content,
                            RoutePatternParameterPart parameter => parameter.ParameterPolicies.Any(
                                c => c.Content is "int" or "long"
                            )
                                ? "0"
                                : id.ToString(),
                            _ => "",
                        }
                    )
                )
            )
        );

    private static async Task<JsonElement> SendAsync(
        HttpClient client,
        HttpMethod method,
        string path,
        object? body = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await client.SendAsync(request, Cancel);
        Assert.True(
            response.IsSuccessStatusCode,
            $"{method} {path}: {response.StatusCode} {await response.Content.ReadAsStringAsync(Cancel)}"
        );
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }
}
