using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Server.Tests.Evaluators;

namespace Assay.Server.Tests.Insights;

/// <summary>Reports about a project over LangSmith's wire, by the simulated model and by a provider on a real socket that answers well and badly.</summary>
public sealed class InsightsWireTests(InsightsWireTests.Servers servers)
    : IClassFixture<InsightsWireTests.Servers>,
        IAsyncLifetime
{
    private const string Simulated = "simulated/sim-chat?latency=0";
    private readonly InProcessServer _server = servers.Assay;
    private readonly FakeJudge _fake = servers.Fake;
    private HttpClient _client = null!;
    private Guid _workspace;
    private Guid _project;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        _client = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Full));
        _project = (await SendAsync("POST", "/sessions", new { name = "shop" }))
            .GetProperty("id")
            .GetGuid();
        _fake.Forget();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_simulated_model_sorts_runs_by_their_words_and_the_figures_are_the_stores()
    {
        await ShopAsync(12);
        var report = await ReportAsync(
            new
            {
                name = "what people want",
                user_context = new Dictionary<string, string>
                {
                    ["What are you trying to learn?"] = "what people ask for",
                },
                last_n_hours = 1,
                summary_model = Simulated,
            }
        );
        Assert.Equal("success", report.GetProperty("status").GetString());
        Assert.Equal("what people want", report.GetProperty("name").GetString());
        var said = report.GetProperty("metadata");
        Assert.True(said.GetProperty("is_simulated").GetBoolean());
        Assert.Equal(12, said.GetProperty("runs_sampled").GetInt32());
        Assert.Equal(12, said.GetProperty("runs_assigned").GetInt32());
        var clusters = report.GetProperty("clusters").EnumerateArray().ToList();
        Assert.Equal(clusters.Count, report.GetProperty("shape").GetProperty("0").GetInt32());
        Assert.All(
            clusters,
            c => Assert.StartsWith("Simulated: ", c.GetProperty("description").GetString())
        );
        var refunds = clusters.Single(c => c.GetProperty("name").GetString() == "Refund");
        Assert.Equal(6, refunds.GetProperty("num_runs").GetInt32());
        var stats = refunds.GetProperty("stats");
        Assert.Equal(2, stats.GetProperty("error_count").GetInt32());
        Assert.Equal(2.0 / 6, stats.GetProperty("error_rate").GetDouble(), 6);
        Assert.Equal(2, stats.GetProperty("latency_p50").GetDouble());
        Assert.Equal(
            0.5,
            stats.GetProperty("feedback_stats").GetProperty("stars").GetProperty("avg").GetDouble()
        );
        var summary = report.GetProperty("report");
        Assert.Equal("Simulated report", summary.GetProperty("title").GetString());
        Assert.NotEqual(0, summary.GetProperty("key_points").GetArrayLength());
        Assert.Contains(
            summary.GetProperty("highlighted_traces").EnumerateArray(),
            h => h.GetProperty("highlight_reason").GetString() == "Failed: no such order"
        );

        // The clicks through: all runs, and those of one cluster, in pages.
        var path = $"{Path}/{report.GetProperty("id").GetString()}";
        var all = await SendAsync("GET", $"{path}/runs?limit=10");
        Assert.Equal(10, all.GetProperty("runs").GetArrayLength());
        Assert.Equal(10, all.GetProperty("offset").GetInt32());
        var rest = await SendAsync("GET", $"{path}/runs?limit=10&offset=10");
        Assert.Equal(2, rest.GetProperty("runs").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("offset").ValueKind);
        var id = refunds.GetProperty("id").GetString();
        var some = (await SendAsync("GET", $"{path}/runs?cluster_id={id}")).GetProperty("runs");
        Assert.Equal(6, some.GetArrayLength());
        Assert.All(
            some.EnumerateArray(),
            r =>
            {
                Assert.Equal(id, r.GetProperty("cluster_id").GetString());
                Assert.Contains("refund", r.GetProperty("summary").GetString());
                Assert.Equal(_project, r.GetProperty("session_id").GetGuid());
                Assert.Contains("refund", r.GetProperty("inputs").GetRawText());
            }
        );
        var one = await SendAsync("GET", $"{path}/clusters/{id}");
        Assert.Equal(0, one.GetProperty("num_children").GetInt32());

        // The calls are a trace of their own, each of them found by the run it is about.
        var trace = await SendAsync("GET", $"/runs/{said.GetProperty("trace_run_id").GetString()}");
        Assert.Equal(26, trace.GetProperty("child_run_ids").GetArrayLength());
        Assert.Equal("done", trace.GetProperty("outputs").GetProperty("status").GetString());

        // The same question gives the same clusters.
        var again = await ReportAsync(new { summary_model = Simulated });
        Assert.Equal(
            clusters.Select(Shape),
            again.GetProperty("clusters").EnumerateArray().Select(Shape)
        );
        static (string?, int) Shape(JsonElement c) =>
            (c.GetProperty("name").GetString(), c.GetProperty("num_runs").GetInt32());
    }

    [Fact]
    public async Task Runs_that_share_nothing_with_others_are_counted_as_fitting_none()
    {
        var start = _server.Time.GetUtcNow().AddMinutes(-20);
        string[] words =
        [
            "zebra",
            "violin",
            "harbor",
            "lantern",
            "pepper",
            "marble",
            "tunnel",
            "walnut",
            "copper",
        ];
        await SendAsync(
            "POST",
            "/runs/batch",
            new
            {
                post = words.Select(
                    (word, i) =>
                        new
                        {
                            id = Guid.CreateVersion7(start),
                            name = "run",
                            run_type = "chain",
                            session_name = "shop",
                            start_time = start.AddSeconds(i).ToString("O"),
                            end_time = start.AddSeconds(i + 1).ToString("O"),
                            inputs = new { text = word },
                        }
                ),
            }
        );
        var report = await ReportAsync(new { summary_model = Simulated });
        Assert.Equal("success", report.GetProperty("status").GetString());
        Assert.Equal(6, report.GetProperty("clusters").GetArrayLength());
        var said = report.GetProperty("metadata");
        Assert.Equal(6, said.GetProperty("runs_assigned").GetInt32());
        Assert.Equal(3, said.GetProperty("runs_in_no_cluster").GetInt32());
        Assert.Equal(0, said.GetProperty("problems").GetArrayLength());
    }

    [Fact]
    public async Task A_report_is_listed_renamed_and_deleted_and_leaves_the_runs_alone()
    {
        await ShopAsync(3);
        var report = await ReportAsync(new { name = "first", summary_model = Simulated });
        var path = $"{Path}/{report.GetProperty("id").GetString()}";
        var renamed = await SendAsync("PATCH", path, new { name = "second" });
        Assert.Equal("second", renamed.GetProperty("name").GetString());
        Assert.Equal("success", renamed.GetProperty("status").GetString());
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity,
            await StatusAsync("PATCH", path, new { name = "" })
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync("PATCH", path, new { status = "cancelled" })
        );
        var listed = (await SendAsync("GET", Path)).GetProperty("clustering_jobs");
        Assert.Equal(
            "second",
            Assert.Single(listed.EnumerateArray()).GetProperty("name").GetString()
        );
        Assert.Equal(
            "Insights job deleted",
            (await SendAsync("DELETE", path)).GetProperty("message").GetString()
        );
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("GET", path));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("GET", path + "/runs"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("DELETE", path));
        Assert.Empty(
            (await SendAsync("GET", Path)).GetProperty("clustering_jobs").EnumerateArray()
        );
        var runs = await SendAsync(
            "POST",
            "/runs/query",
            new { session = new[] { _project }, is_root = true }
        );
        Assert.Equal(3, runs.GetProperty("runs").GetArrayLength());

        // With its project goes every report about it.
        var last = await ReportAsync(new { summary_model = Simulated });
        await SendAsync("DELETE", $"/sessions/{_project}");
        Assert.Equal(
            HttpStatusCode.NotFound,
            await StatusAsync("GET", $"{Path}/{last.GetProperty("id").GetString()}")
        );
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("GET", Path));
    }

    [Theory]
    [InlineData("""{"model":"llama"}""", "model: must be openai or anthropic")]
    [InlineData("""{}""", "this workspace has no provider for openai")]
    [InlineData("""{"summary_model":"simulated/x","sample":0}""", "sample: ")]
    [InlineData("""{"summary_model":"simulated/x","sample":"many"}""", "sample: ")]
    [InlineData("""{"summary_model":"simulated/x","hierarchy":[9,3,1]}""", "at most two levels")]
    [InlineData("""{"summary_model":"simulated/x","hierarchy":[3,9]}""", "hierarchy: ")]
    [InlineData("""{"summary_model":"simulated/x","last_n_hours":-1}""", "last_n_hours: ")]
    [InlineData("""{"summary_model":"simulated/x","user_context":[]}""", "user_context: ")]
    [InlineData("""{"summary_model":"simulated/x","partitions":{"a":"b"}}""", "partitions: ")]
    [InlineData(
        """{"summary_model":"simulated/x","start_time":"2026-02-01T00:00:00Z","end_time":"2026-01-01T00:00:00Z"}""",
        "end_time: "
    )]
    [InlineData("""{"summary_model":"simulated/x","filter":"eq(name"}""", "", 400)]
    [InlineData("""[]""", "", 422)]
    [InlineData(
        """{"summary_model":"simulated/x","filter":"eq(name, \"never\")"}""",
        "the project has no finished trace"
    )]
    public async Task What_cannot_be_asked_is_refused_with_the_reason(
        string body,
        string words,
        int status = 422
    )
    {
        using var content = new StringContent(body, null, "application/json");
        using var answer = await _client.PostAsync("/api/v1" + Path, content, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_client_that_stores_its_makers_key_needs_no_provider()
    {
        await SendAsync(
            "POST",
            "/workspaces/current/secrets",
            new[] { new { key = "OPENAI_API_KEY", value = "sk-of-a-client" } }
        );
        // Without a run nothing is asked; but that is the only thing wrong.
        using var answer = await RequestAsync("POST", Path, new { model = "openai" }, _client);
        Assert.Contains("no finished trace", await answer.Content.ReadAsStringAsync(Cancel));
        var made = (await _server.Get<ModelProviders>().ListAsync(Owner, Cancel))[0];
        Assert.Equal(("OpenAI", "OPENAI_API_KEY"), (made.Name, made.SecretName));
        Assert.Equal(["gpt-4.1-mini"], made.Models);
    }

    [Fact]
    public async Task Bad_answers_cost_their_run_and_never_the_report_and_are_asked_again_later()
    {
        await ProviderAsync();
        await ShopAsync(8);
        var isGood = false;
        _fake.Answer = asked =>
        {
            var text = FakeJudge.TextOf(asked);
            var isRepair = text.Contains("could not be read", StringComparison.Ordinal);
            return Form(asked) switch
            {
                "insights_summary"
                    when text.Contains("order 1 ", StringComparison.Ordinal) && !isGood =>
                    new FakeReply("I would rather not say."),
                "insights_summary"
                    when text.Contains("order 2 ", StringComparison.Ordinal) && !isRepair =>
                    new FakeReply("""{"sum":"mary"}"""),
                "insights_summary" => new FakeReply(
                    JsonSerializer.Serialize(new { summary = Line(text, "order") })
                ),
                "insights_clusters" => new FakeReply(
                    """
                    Gladly: ```json
                    {"clusters":[{"name":"Money","description":"Money back","subclusters":[{"name":"Refund","description":"Wants money back"},{"name":"refund","description":"Twice"}]},
                    {"name":"Parcels","description":"Where they are"}]}
                    ```
                    """
                ),
                "insights_assignment"
                    when text.Contains("order 3 ", StringComparison.Ordinal) && !isGood =>
                    new FakeReply("""{"cluster":"Somewhere else"}"""),
                "insights_assignment" when text.Contains("order 4 ", StringComparison.Ordinal) =>
                    new FakeReply("""{"cluster":"None of these"}"""),
                "insights_assignment" => new FakeReply(
                    text.Contains("refund", StringComparison.Ordinal)
                        ? """{"cluster":"REFUND"}"""
                        : """{"cluster":"Parcels"}"""
                ),
                _ => new FakeReply("no key points today"),
            };
        };
        var report = await ReportAsync(new { model = "openai", hierarchy = new[] { 3, 2 } });
        Assert.Equal("success", report.GetProperty("status").GetString());
        var said = report.GetProperty("metadata");
        Assert.Equal(7, said.GetProperty("runs_summarized").GetInt32());
        Assert.Equal(1, said.GetProperty("runs_not_summarized").GetInt32());
        Assert.Equal(1, said.GetProperty("runs_not_assigned").GetInt32());
        Assert.Equal(1, said.GetProperty("runs_in_no_cluster").GetInt32());
        Assert.Equal(5, said.GetProperty("runs_assigned").GetInt32());
        Assert.Equal(
            [
                "There is no JSON object in the answer. (asked twice)",
                "The cluster \"Somewhere else\" is none of those offered. (asked twice)",
            ],
            said.GetProperty("problems")
                .EnumerateArray()
                .Select(p => p.GetProperty("reason").GetString()!)
                .OrderDescending(StringComparer.Ordinal)
        );
        var clusters = report.GetProperty("clusters").EnumerateArray().ToList();
        Assert.Equal(
            ["Money", "Refund", "Parcels"],
            clusters.Select(c => c.GetProperty("name").GetString())
        );
        Assert.Equal(1, clusters[0].GetProperty("level").GetInt32());
        Assert.Equal("Money", clusters[1].GetProperty("parent_name").GetString());
        Assert.Equal(
            clusters[1].GetProperty("num_runs").GetInt32(),
            clusters[0].GetProperty("num_runs").GetInt32()
        );
        // No key points came: the figures speak for themselves.
        Assert.Contains(
            "of 7 runs",
            report.GetProperty("report").GetProperty("key_points")[0].GetString()
        );

        var path = $"{Path}/{report.GetProperty("id").GetString()}";
        isGood = true;
        await SendAsync("PATCH", path, new { status = "queued" });
        report = await EndAsync(report.GetProperty("id").GetString()!);
        said = report.GetProperty("metadata");
        Assert.Equal(7, said.GetProperty("runs_assigned").GetInt32());
        Assert.Equal(0, said.GetProperty("problems").GetArrayLength());
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusAsync("PATCH", path, new { status = "queued" })
        );

        // Priced, and counted as what the workspace spends on models.
        var (spend, _) = await _server.Get<ModelProviders>().SpendAsync(Owner, Cancel);
        Assert.Equal(_fake.Calls, spend.Calls);
        Assert.True(spend.Dollars > 0);
        var trace = await SendAsync("GET", $"/runs/{said.GetProperty("trace_run_id").GetString()}");
        Assert.Equal(_fake.Calls, trace.GetProperty("child_run_ids").GetArrayLength());
    }

    [Fact]
    public async Task The_spend_limit_stops_a_report_and_it_goes_on_when_the_limit_is_raised()
    {
        var providers = _server.Get<ModelProviders>();
        await ProviderAsync();
        await ShopAsync(4);
        _fake.Answer = asked => new FakeReply(
            Form(asked) switch
            {
                "insights_summary" => """{"summary":"about a parcel"}""",
                "insights_clusters" =>
                    """{"clusters":[{"name":"Parcels","description":"Where"}]}""",
                "insights_assignment" => """{"cluster":"Parcels"}""",
                _ => """{"title":"All about parcels","key_points":["All of them."]}""",
            }
        );
        await providers.LimitAsync(Owner, 0, Cancel);
        var report = await ReportAsync(new { model = "openai", sample = 0.5 });
        Assert.Equal("error", report.GetProperty("status").GetString());
        Assert.Contains("limit of $0 a month", report.GetProperty("error").GetString());
        Assert.Equal(0, _fake.Calls);
        await providers.LimitAsync(Owner, null, Cancel);
        await SendAsync(
            "PATCH",
            $"{Path}/{report.GetProperty("id").GetString()}",
            new { status = "queued" }
        );
        report = await EndAsync(report.GetProperty("id").GetString()!);
        Assert.Equal("success", report.GetProperty("status").GetString());
        Assert.Equal(
            "All about parcels",
            report.GetProperty("report").GetProperty("title").GetString()
        );
        Assert.Equal(2, report.GetProperty("metadata").GetProperty("runs_sampled").GetInt32());
        Assert.Equal(4, report.GetProperty("metadata").GetProperty("runs_matched").GetInt32());
    }

    [Fact]
    public async Task A_report_that_is_cancelled_breaks_its_calls_off()
    {
        await ShopAsync(4);
        var started = await SendAsync(
            "POST",
            Path,
            new { summary_model = "simulated/sim-chat?latency=60000" }
        );
        var id = started.GetProperty("id").GetString()!;
        Assert.Equal(
            "error",
            (await SendAsync("PATCH", $"{Path}/{id}", new { status = "cancelled" }))
                .GetProperty("status")
                .GetString()
        );
        var report = await SendAsync("GET", $"{Path}/{id}");
        Assert.Equal("cancelled", report.GetProperty("metadata").GetProperty("state").GetString());
        Assert.StartsWith("Cancelled by ", report.GetProperty("error").GetString());
        await SendAsync("DELETE", $"{Path}/{id}");
    }

    [Fact]
    public async Task Readers_see_reports_and_make_none_and_other_workspaces_see_nothing()
    {
        await ShopAsync(2);
        var report = await ReportAsync(new { summary_model = Simulated });
        var path = $"{Path}/{report.GetProperty("id").GetString()}";
        var cluster = report.GetProperty("clusters")[0].GetProperty("id").GetString();
        using var viewer = _server.Client(await _server.KeyAsync(_workspace, KeyScope.Read));
        using var stranger = _server.Client(
            await _server.KeyAsync(
                await _server.NewWorkspaceAsync(Guid.NewGuid().ToString()),
                KeyScope.Full
            )
        );
        foreach (
            var (method, at, body, isRead) in new (string, string, object?, bool)[]
            {
                ("GET", Path, null, true),
                ("GET", path, null, true),
                ("GET", path + "/runs", null, true),
                ("GET", $"{path}/clusters/{cluster}", null, true),
                ("POST", Path, new { summary_model = Simulated }, false),
                ("PATCH", path, new { name = "mine" }, false),
                ("PATCH", path, new { status = "queued" }, false),
                ("DELETE", path, null, false),
            }
        )
        {
            Assert.Equal(
                isRead ? HttpStatusCode.OK : HttpStatusCode.Forbidden,
                await StatusAsync(method, at, body, viewer)
            );
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(method, at, body, stranger));
        }

        Assert.Equal(
            report.GetProperty("name").GetString(),
            (await SendAsync("GET", path)).GetProperty("name").GetString()
        );
    }

    private string Path => $"/sessions/{_project}/insights";

    private Caller Owner => new(_workspace, Grants.Of(Role.Owner), Name: "test");

    private static string Form(JsonElement asked) =>
        asked
            .GetProperty("response_format")
            .GetProperty("json_schema")
            .GetProperty("name")
            .GetString()!;

    private static string Line(string text, string word) =>
        text.Split('\n').First(l => l.Contains(word, StringComparison.Ordinal));

    private async Task ProviderAsync() =>
        await _server
            .Get<ModelProviders>()
            .PutAsync(
                Owner,
                null,
                new ProviderDraft
                {
                    Name = "fake",
                    BaseUrl = _fake.Address + "/v1",
                    Models = ["gpt-4o"],
                    MaxRetries = 0,
                    TimeoutSeconds = 10,
                },
                Cancel
            );

    /// <summary>Runs of a shop's assistant: half want a refund (every third of those fails), half ask for a parcel.</summary>
    private async Task ShopAsync(int count)
    {
        var start = _server.Time.GetUtcNow().AddMinutes(-20);
        var posts = Enumerable
            .Range(0, count)
            .Select(i =>
            {
                var isRefund = i % 2 == 0;
                var from = start.AddSeconds(i);
                return new
                {
                    id = Guid.CreateVersion7(from),
                    name = "assistant",
                    run_type = "chain",
                    session_name = "shop",
                    start_time = from.ToString("O"),
                    end_time = from.AddSeconds(isRefund ? 2 : 1).ToString("O"),
                    inputs = (object)
                        new
                        {
                            messages = new[]
                            {
                                new
                                {
                                    role = "user",
                                    content = isRefund
                                        ? $"refund for order {i} please"
                                        : $"tracking of parcel from order {i} please",
                                },
                            },
                        },
                    outputs = new { answer = "done" },
                    error = isRefund && i % 6 == 0 ? "no such order" : null,
                };
            })
            .ToList();
        await SendAsync("POST", "/runs/batch", new { post = posts });
        foreach (var (i, run) in posts.Index().Where(p => p.Index is 0 or 2))
        {
            await SendAsync(
                "POST",
                "/feedback",
                new
                {
                    run_id = run.id,
                    key = "stars",
                    score = i == 0 ? 0 : 1,
                }
            );
        }
    }

    private async Task<JsonElement> ReportAsync(object body)
    {
        var started = await SendAsync("POST", Path, body);
        Assert.Equal("queued", started.GetProperty("status").GetString());
        return await EndAsync(started.GetProperty("id").GetString()!);
    }

    /// <summary>Asks as the Python client does, until the report is there or will not be.</summary>
    private async Task<JsonElement> EndAsync(string id)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await again.WaitForNextTickAsync(Cancel))
        {
            var report = await SendAsync("GET", $"{Path}/{id}");
            if (report.GetProperty("status").GetString() is "success" or "error")
            {
                return report;
            }
        }

        throw new InvalidOperationException("The test was cancelled.");
    }

    private async Task<JsonElement> SendAsync(string method, string path, object? body = null)
    {
        using var answer = await RequestAsync(method, path, body, _client);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }

    private async Task<HttpStatusCode> StatusAsync(
        string method,
        string path,
        object? body = null,
        HttpClient? client = null
    )
    {
        using var answer = await RequestAsync(method, path, body, client ?? _client);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> RequestAsync(
        string method,
        string path,
        object? body,
        HttpClient client
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path);
        request.Content = body is null ? null : JsonContent.Create(body);
        return await client.SendAsync(request, Cancel);
    }

    public sealed class Servers : IAsyncLifetime
    {
        public InProcessServer Assay { get; private set; } = null!;

        public FakeJudge Fake { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Fake = await FakeJudge.StartAsync();
            Assay = new InProcessServer(("ASSAY_OUTBOUND_ALLOW", "127.0.0.1"));
        }

        public async ValueTask DisposeAsync()
        {
            await Assay.DisposeAsync();
            await Fake.DisposeAsync();
        }
    }
}
