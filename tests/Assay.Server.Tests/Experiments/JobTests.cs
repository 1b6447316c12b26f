using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Metadata;
using Assay.Core.Models.Providers;
using Assay.Server.Tests.Models;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.Tests.Experiments;

/// <summary>Prompts run on datasets in the background and experiments evaluated, through the screens' door, read back over the wire.</summary>
public sealed class JobTests(ProviderTests.Servers servers)
    : IClassFixture<ProviderTests.Servers>,
        IAsyncLifetime
{
    private readonly InProcessServer _server = servers.Assay;
    private readonly FakeModelServer _fake = servers.Fake;
    private HttpClient _client = null!;
    private Caller _owner = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        _owner = new Caller(workspace, Grants.Of(Role.Owner), Name: "test");
        _client = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_example_is_run_as_often_as_asked_and_scored()
    {
        var dataset = await DatasetAsync(5);
        var exact = await EvaluatorAsync("same", """{"type":"exact_match"}""");
        var limit = await EvaluatorAsync(
            "short",
            """{"type":"limit","limit":"characters","most":2}"""
        );
        var near = await EvaluatorAsync(
            "near",
            $$"""{"type":"embedding_similarity","provider":"{{ModelProvider.Simulated.Id}}","model":"sim-embed"}"""
        );
        var job = await StartAsync(
            dataset,
            "sim-echo?latency=0",
            new { repetitions = 2, evaluators = new[] { exact, limit, near } }
        );
        var done = await FinalAsync(job);
        Assert.Equal((10, 0, 0), (done.Done, done.Failed, done.Unscored));

        var session = await GetAsync($"/api/v1/sessions/{done.ExperimentId}");
        Assert.Equal(dataset, session.GetProperty("reference_dataset_id").GetGuid());
        Assert.NotEqual(JsonValueKind.Null, session.GetProperty("end_time").ValueKind);
        var said = session.GetProperty("extra").GetProperty("metadata");
        Assert.Equal("sim-echo?latency=0", said.GetProperty("model").GetString());
        Assert.Equal(2, said.GetProperty("num_repetitions").GetInt32());
        var stats = session.GetProperty("feedback_stats");
        Assert.Equal(10, stats.GetProperty("same").GetProperty("n").GetInt32());
        Assert.Equal(1, stats.GetProperty("same").GetProperty("avg").GetDouble());
        Assert.Equal(0, stats.GetProperty("short").GetProperty("avg").GetDouble());
        Assert.Equal(1, stats.GetProperty("near").GetProperty("avg").GetDouble(), 5);

        var roots = await RunsAsync(done.ExperimentId, isRoot: true);
        Assert.Equal(10, roots.Count);
        Assert.All(
            roots.GroupBy(r => r.GetProperty("reference_example_id").GetGuid()),
            g => Assert.Equal(2, g.Count())
        );
        Assert.All(
            roots,
            r =>
            {
                Assert.Equal("success", r.GetProperty("status").GetString());
                // The model repeats its question, which is what the example wants to hear.
                Assert.Equal(
                    r.GetProperty("inputs").GetProperty("question").GetString(),
                    r.GetProperty("outputs").GetProperty("output").GetString()
                );
            }
        );
        var calls = await RunsAsync(done.ExperimentId, isRoot: false);
        Assert.Equal(10, calls.Count);
        Assert.All(calls, r => Assert.Equal("llm", r.GetProperty("run_type").GetString()));

        var feedback = await GetAsync(
            $"/api/v1/feedback?run={roots[0].GetProperty("id").GetGuid()}"
        );
        Assert.Equal(3, feedback.GetArrayLength());
        var asked = feedback
            .EnumerateArray()
            .Single(f => f.GetProperty("key").GetString() == "near")
            .GetProperty("feedback_source")
            .GetProperty("metadata")
            .GetProperty("__run")
            .GetProperty("run_id")
            .GetGuid();
        Assert.Equal(
            "embedding",
            (await GetAsync($"/api/v1/runs/{asked}")).GetProperty("run_type").GetString()
        );
        Assert.All(
            feedback.EnumerateArray(),
            f =>
                Assert.Equal(
                    "auto_eval",
                    f.GetProperty("feedback_source").GetProperty("type").GetString()
                )
        );
    }

    [Fact]
    public async Task Nothing_of_a_job_is_left_when_its_workspace_is_deleted()
    {
        var job = await StartAsync(await DatasetAsync(3), "sim-echo?latency=0", new { });
        await FinalAsync(job);
        Assert.Equal(3, await RowsAsync());
        var member = await _server.MemberAsync(
            $"{Guid.NewGuid()}@ours.test",
            _owner.WorkspaceId,
            Role.Owner
        );
        using var owner = _server.Client();
        owner.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, _owner.WorkspaceId));
        owner.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        using var gone = await owner.DeleteAsync(
            $"/api/v1/workspaces/{_owner.WorkspaceId}",
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        Assert.Equal(0, await RowsAsync());

        async Task<int> RowsAsync()
        {
            await using var db = await _server
                .Get<IDbContextFactory<MetadataContext>>()
                .CreateDbContextAsync(Cancel);
            return await db.ExperimentJobRows.CountAsync(r => r.JobId == job, Cancel);
        }
    }

    [Fact]
    public async Task A_mapping_a_split_and_a_limit_choose_what_is_asked()
    {
        var dataset = await DatasetAsync(6);
        var job = await StartAsync(
            dataset,
            "sim-echo?latency=0",
            new
            {
                splits = new[] { "odd" },
                limit = 2,
                mapping = new Dictionary<string, object>
                {
                    ["question"] = new { from = "nested.deep[1]" },
                },
            }
        );
        var done = await FinalAsync(job);
        Assert.Equal(2, done.Done);
        var roots = await RunsAsync(done.ExperimentId, isRoot: true);
        Assert.Equal(2, roots.Count);
        Assert.All(
            roots,
            r =>
            {
                var output = r.GetProperty("outputs").GetProperty("output").GetString();
                Assert.StartsWith("deep ", output);
                Assert.Equal(1, int.Parse(output![5..], null) % 2);
            }
        );
    }

    [Fact]
    public async Task Failed_rows_say_why_and_are_run_again_by_choice()
    {
        var dataset = await DatasetAsync(4);
        var provider = await ProviderAsync();
        var job = await StartAsync(dataset, "second-time", new { }, provider);
        var failed = await FinalAsync(job);
        Assert.Equal((0, 4), (failed.Done, failed.Failed));
        var view = await _client.GetStringAsync($"/ui/jobs/{job}/view", Cancel);
        Assert.Contains("refused with 500", view);
        Assert.All(
            await RunsAsync(failed.ExperimentId, isRoot: true),
            r => Assert.Equal("error", r.GetProperty("status").GetString())
        );

        await ActAsync(job, "retry");
        var done = await FinalAsync(job);
        Assert.Equal((4, 0), (done.Done, done.Failed));
        var roots = await RunsAsync(done.ExperimentId, isRoot: true);
        Assert.Equal(4, roots.Count);
        Assert.All(roots, r => Assert.Equal("success", r.GetProperty("status").GetString()));
        Assert.Equal(4, (await RunsAsync(done.ExperimentId, isRoot: false)).Count);
    }

    [Fact]
    public async Task A_rate_limit_is_waited_out_without_a_trace_in_the_result()
    {
        var dataset = await DatasetAsync(2);
        var provider = await ProviderAsync();
        var done = await FinalAsync(
            await StartAsync(dataset, "busy-then-ok", new { concurrency = 1 }, provider)
        );
        Assert.Equal((2, 0), (done.Done, done.Failed));
        Assert.Equal(2, (await RunsAsync(done.ExperimentId, isRoot: true)).Count);
        Assert.Equal(2, (await RunsAsync(done.ExperimentId, isRoot: false)).Count);
    }

    [Fact]
    public async Task The_spend_limit_stops_a_job_which_goes_on_when_it_is_raised()
    {
        var dataset = await DatasetAsync(3);
        var provider = await ProviderAsync();
        var providers = _server.Get<ModelProviders>();
        await providers.LimitAsync(_owner, 0, Cancel);
        var job = await StartAsync(dataset, "ok", new { }, provider);
        var stopped = await UntilAsync(job, j => j.State == ExperimentJobState.Paused);
        Assert.Contains("limit", stopped.Reason);
        Assert.Empty(await RunsAsync(stopped.ExperimentId, isRoot: true));

        await providers.LimitAsync(_owner, null, Cancel);
        await ActWhenEndedAsync(job, "resume");
        Assert.Equal(3, (await FinalAsync(job)).Done);
        Assert.Equal(3, (await RunsAsync(stopped.ExperimentId, isRoot: true)).Count);
    }

    [Fact]
    public async Task A_job_is_paused_goes_on_and_is_cancelled_without_half_runs()
    {
        var dataset = await DatasetAsync(40);
        var job = await StartAsync(
            dataset,
            "sim-echo?latency=100",
            new { concurrency = 2, repetitions = 5 }
        );
        await UntilAsync(job, j => j.Done > 3);
        await ActAsync(job, "pause");
        await UntilEndedAsync(job);
        var paused = await JobAsync(job);
        Assert.Equal(ExperimentJobState.Paused, paused.State);
        Assert.Equal(paused.Done, (await RunsAsync(paused.ExperimentId, isRoot: true)).Count);

        await ActAsync(job, "resume");
        await UntilAsync(job, j => j.Done > paused.Done + 3);
        await ActAsync(job, "cancel");
        await UntilEndedAsync(job);
        var cancelled = await JobAsync(job);
        Assert.Equal(ExperimentJobState.Cancelled, cancelled.State);
        Assert.InRange(cancelled.Done, paused.Done + 3, 199);
        var roots = await RunsAsync(cancelled.ExperimentId, isRoot: true);
        Assert.Equal(cancelled.Done, roots.Count);
        Assert.All(roots, r => Assert.Equal("success", r.GetProperty("status").GetString()));
        using var again = await _client.PostAsync($"/ui/jobs/{job}/resume", null, Cancel);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task What_it_will_cost_is_said_before_it_starts()
    {
        var dataset = await DatasetAsync(10);
        var provider = await ProviderAsync();
        var estimate = await PostAsync(
            $"/ui/jobs/datasets/{dataset}/estimate",
            Plan("gpt-4o-mini", new { repetitions = 3, answer_tokens = 100 }, provider)
        );
        Assert.Equal(30, estimate.GetProperty("rows").GetInt32());
        Assert.Equal(3_000, estimate.GetProperty("completion_tokens").GetInt64());
        Assert.InRange(estimate.GetProperty("prompt_tokens").GetInt64(), 30 * 5, 30 * 60);
        Assert.InRange(estimate.GetProperty("dollars").GetDecimal(), 0.0001m, 0.1m);
        Assert.Contains("100 tokens", estimate.GetProperty("assumption").GetString());

        var unmapped = await PostAsync(
            $"/ui/jobs/datasets/{dataset}/estimate",
            Plan(
                "sim-chat",
                new
                {
                    mapping = new Dictionary<string, object>
                    {
                        ["question"] = new { from = "nothing" },
                    },
                }
            )
        );
        Assert.True(unmapped.GetProperty("is_simulated").GetBoolean());
        Assert.Contains(
            "have no 'nothing'",
            Assert.Single(unmapped.GetProperty("problems").EnumerateArray()).GetString()
        );
    }

    [Fact]
    public async Task An_experiment_is_evaluated_again_and_scores_are_replaced()
    {
        var dataset = await DatasetAsync(3);
        var run = await FinalAsync(await StartAsync(dataset, "sim-echo?latency=0", new { }));
        var evaluator = await EvaluatorAsync("same", """{"type":"exact_match"}""");
        for (var i = 0; i < 2; i++)
        {
            var started = await PostAsync(
                $"/ui/jobs/experiments/{run.ExperimentId}/evaluate",
                new { evaluators = new[] { evaluator } }
            );
            var done = await FinalAsync(started.GetProperty("job").GetGuid());
            Assert.Equal((3, 0, 0), (done.Done, done.Failed, done.Unscored));
        }

        var stats = (await GetAsync($"/api/v1/sessions/{run.ExperimentId}")).GetProperty(
            "feedback_stats"
        );
        Assert.Equal(3, stats.GetProperty("same").GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Rows_are_scored_on_expected_tool_calls_and_documents_as_a_finished_experiment_is()
    {
        var made = await PostAsync("/api/v1/datasets", new { name = Guid.NewGuid().ToString() });
        var dataset = made.GetProperty("id").GetGuid();
        await PostAsync(
            "/api/v1/examples/bulk",
            new[]
            {
                new
                {
                    dataset_id = dataset,
                    inputs = new
                    {
                        question = "search for shipping",
                        documents = new[]
                        {
                            new { id = "doc-1", page_content = "Shipping takes three days." },
                            new { id = "doc-2", page_content = "Returns are free." },
                        },
                    },
                    outputs = new
                    {
                        expected_tool_calls = new[] { new { name = "search" } },
                        relevant_documents = new[] { "doc-1" },
                    },
                },
            }
        );
        var evaluators = new[]
        {
            await EvaluatorAsync(
                "called",
                """{"type":"tool_calls","measure":"recall","ignore_arguments":true}"""
            ),
            await EvaluatorAsync(
                "retrieved",
                """{"type":"retrieval","measure":"precision","k":2}"""
            ),
        };
        var run = await FinalAsync(
            await StartAsync(
                dataset,
                "sim-chat?latency=0",
                new
                {
                    evaluators,
                    variant = new
                    {
                        provider = ModelProvider.Simulated.Id,
                        model = "sim-chat?latency=0",
                        messages = new[] { new { role = "user", content = "{question}" } },
                        tools = new[]
                        {
                            new
                            {
                                type = "function",
                                function = new
                                {
                                    name = "search",
                                    parameters = new { type = "object" },
                                },
                            },
                        },
                        tool_choice = "required",
                    },
                }
            )
        );
        Assert.Equal((1, 0, 0), (run.Done, run.Failed, run.Unscored));
        var scored = await ScoresAsync();
        Assert.Equal([("called", 1), ("retrieved", 0.5)], scored);
        var again = await PostAsync(
            $"/ui/jobs/experiments/{run.ExperimentId}/evaluate",
            new { evaluators }
        );
        await FinalAsync(again.GetProperty("job").GetGuid());
        Assert.Equal(scored, await ScoresAsync());

        async Task<(string, double)[]> ScoresAsync()
        {
            var root = Assert.Single(await RunsAsync(run.ExperimentId, isRoot: true));
            return
            [
                .. (await GetAsync($"/api/v1/feedback?run={root.GetProperty("id").GetGuid()}"))
                    .EnumerateArray()
                    .Select(f =>
                        (f.GetProperty("key").GetString()!, f.GetProperty("score").GetDouble())
                    )
                    .Order(),
            ];
        }
    }

    [Fact]
    public async Task LangSmiths_wire_has_an_experiment_evaluated_also_by_code()
    {
        var dataset = await DatasetAsync(3);
        var run = await FinalAsync(await StartAsync(dataset, "sim-echo?latency=0", new { }));
        var evaluator = await EvaluatorAsync(
            "coded",
            JsonSerializer.Serialize(
                new
                {
                    code = "(run, example) => ({score: run.outputs.output === example.outputs.answer, comment: 'said ' + run.outputs.output})",
                }
            ),
            EvaluatorKind.Code
        );
        var started = await PostAsync(
            $"/api/v1/runs/experiments/{run.ExperimentId}/evaluate",
            new { rule_id = evaluator }
        );
        await FinalAsync(started.GetProperty("job_id").GetGuid());
        var jobs = await GetAsync($"/api/v1/runs/experiments/{run.ExperimentId}/jobs");
        Assert.Equal(
            ["evaluate", "run"],
            jobs.EnumerateArray().Select(j => j.GetProperty("kind").GetString())
        );
        Assert.Equal("done", jobs[0].GetProperty("status").GetString());
        var stats = (await GetAsync($"/api/v1/sessions/{run.ExperimentId}")).GetProperty(
            "feedback_stats"
        );
        Assert.Equal(1, stats.GetProperty("coded").GetProperty("avg").GetDouble());
        foreach (
            var (body, status) in ((object, HttpStatusCode)[])
                [
                    (new { }, HttpStatusCode.UnprocessableEntity),
                    (new { rule_id = Guid.CreateVersion7() }, HttpStatusCode.UnprocessableEntity),
                    (new { rule_id = "x" }, HttpStatusCode.UnprocessableEntity),
                ]
        )
        {
            using var refused = await _client.PostAsJsonAsync(
                $"/api/v1/runs/experiments/{run.ExperimentId}/evaluate",
                body,
                Cancel
            );
            Assert.Equal(status, refused.StatusCode);
        }

        using var missing = await _client.PostAsJsonAsync(
            $"/api/v1/runs/experiments/{dataset}/evaluate",
            new { rule_id = evaluator },
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Playground_settings_are_kept_changed_and_deleted()
    {
        var made = await PostAsync(
            "/api/v1/playground-settings",
            new
            {
                name = "mine",
                settings = new { model = new { lc = 1, kwargs = new { temperature = 0.2 } } },
                options = new { requests_per_second = 2 },
            }
        );
        var path = $"/api/v1/playground-settings/{made.GetProperty("id").GetGuid()}";
        using var changed = await _client.PatchAsJsonAsync(
            path,
            new { description = "better", available_in_evaluators = false },
            Cancel
        );
        changed.EnsureSuccessStatusCode();
        var read = await GetAsync(path);
        Assert.Equal("mine", read.GetProperty("name").GetString());
        Assert.Equal("better", read.GetProperty("description").GetString());
        Assert.False(read.GetProperty("available_in_evaluators").GetBoolean());
        Assert.Equal(2, read.GetProperty("options").GetProperty("requests_per_second").GetInt32());
        Assert.Equal(
            0.2,
            read.GetProperty("settings")
                .GetProperty("model")
                .GetProperty("kwargs")
                .GetProperty("temperature")
                .GetDouble()
        );
        Assert.Equal(1, (await GetAsync("/api/v1/playground-settings")).GetArrayLength());
        using var secret = await _client.PostAsJsonAsync(
            "/api/v1/playground-settings",
            new { settings = new { }, oauth_client_secret = "s" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, secret.StatusCode);

        var other = await _server.NewWorkspaceAsync("other settings");
        using var client = _server.Client(await _server.KeyAsync(other, KeyScope.Full));
        using var foreign = await client.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
        using var notTheirs = await client.DeleteAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, notTheirs.StatusCode);

        using var deleted = await _client.DeleteAsync(path, Cancel);
        deleted.EnsureSuccessStatusCode();
        Assert.Equal(0, (await GetAsync("/api/v1/playground-settings")).GetArrayLength());
    }

    [Theory]
    [InlineData("""{"repetitions":0}""", "repetitions")]
    [InlineData("""{"concurrency":99}""", "concurrency")]
    [InlineData("""{"splits":["none of that name"]}""", "no example")]
    [InlineData("""{"version":"no-such-tag"}""", "no-such-tag")]
    [InlineData("""{"evaluators":["5173a7ed-0000-4000-8000-00000000dead"]}""", "evaluators")]
    [InlineData("""{"mapping":{"question":3}}""", "mapping")]
    public async Task What_cannot_be_run_is_refused_with_the_reason(string more, string reason)
    {
        var dataset = await DatasetAsync(1);
        var extra = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(more);
        using var response = await _client.PostAsJsonAsync(
            $"/ui/jobs/datasets/{dataset}/run",
            Plan("sim-chat", extra!),
            Cancel
        );
        Assert.InRange((int)response.StatusCode, 400, 422);
        Assert.Contains(reason, await response.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task Another_workspace_sees_nothing_of_a_job()
    {
        var dataset = await DatasetAsync(1);
        var job = await StartAsync(dataset, "sim-echo?latency=0", new { });
        await FinalAsync(job);
        var other = await _server.NewWorkspaceAsync("other jobs");
        using var client = _server.Client(await _server.KeyAsync(other, KeyScope.Full));
        foreach (var path in (string[])[$"/jobs/{job}", $"/ui/jobs/{job}/view"])
        {
            using var answer = await client.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        using var cancelled = await client.PostAsync($"/ui/jobs/{job}/cancel", null, Cancel);
        Assert.Equal(HttpStatusCode.Conflict, cancelled.StatusCode);
        using var run = await client.PostAsJsonAsync(
            $"/ui/jobs/datasets/{dataset}/run",
            Plan("sim-chat", new { }),
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, run.StatusCode);
    }

    private static Dictionary<string, object?> Plan(
        string model,
        object more,
        Guid? provider = null
    )
    {
        var plan = new Dictionary<string, object?>
        {
            ["variant"] = new
            {
                provider = provider ?? ModelProvider.Simulated.Id,
                model,
                messages = new[] { new { role = "user", content = "{question}" } },
            },
        };
        foreach (var entry in JsonSerializer.SerializeToElement(more).EnumerateObject())
        {
            plan[entry.Name] = entry.Value;
        }

        return plan;
    }

    private async Task<Guid> StartAsync(
        Guid dataset,
        string model,
        object more,
        Guid? provider = null
    ) =>
        (await PostAsync($"/ui/jobs/datasets/{dataset}/run", Plan(model, more, provider)))
            .GetProperty("job")
            .GetGuid();

    private async Task<Guid> DatasetAsync(int examples)
    {
        var made = await PostAsync("/api/v1/datasets", new { name = Guid.NewGuid().ToString() });
        var id = made.GetProperty("id").GetGuid();
        await PostAsync(
            "/api/v1/examples/bulk",
            Enumerable
                .Range(0, examples)
                .Select(i => new
                {
                    dataset_id = id,
                    inputs = new
                    {
                        question = $"question {i}",
                        nested = new { deep = new[] { "x", $"deep {i}" } },
                    },
                    outputs = new { answer = $"question {i}" },
                    split = i % 2 == 1 ? "odd" : "even",
                })
        );
        return id;
    }

    private async Task<Guid> EvaluatorAsync(
        string key,
        string settings,
        EvaluatorKind kind = EvaluatorKind.BuiltIn
    ) =>
        (
            await _server
                .Get<EvaluatorCatalog>()
                .CreateAsync(
                    _owner,
                    new EvaluatorDraft
                    {
                        Name = key,
                        FeedbackKey = key,
                        Kind = kind,
                        SettingsJson = settings,
                    },
                    Cancel
                )
        ).Id;

    private async Task<Guid> ProviderAsync() =>
        (
            await _server
                .Get<ModelProviders>()
                .PutAsync(
                    _owner,
                    null,
                    new ProviderDraft
                    {
                        Name = "fake",
                        Kind = ProviderKind.OpenAI,
                        BaseUrl = _fake.Address + "/v1",
                        Key = "k",
                        MaxRetries = 0,
                    },
                    Cancel
                )
        )!.Id;

    private async Task<List<JsonElement>> RunsAsync(Guid experiment, bool isRoot)
    {
        var page = await PostAsync(
            "/api/v1/runs/query",
            new
            {
                session = new[] { experiment },
                is_root = isRoot,
                limit = 100,
                select = new[]
                {
                    "id",
                    "run_type",
                    "status",
                    "inputs",
                    "outputs",
                    "reference_example_id",
                },
            }
        );
        return
        [
            .. page.GetProperty("runs")
                .EnumerateArray()
                .Where(r =>
                    (
                        r.TryGetProperty("parent_run_id", out var parent)
                        && parent.ValueKind == JsonValueKind.String
                    ) != isRoot
                ),
        ];
    }

    private async Task<ExperimentJob> JobAsync(Guid id) =>
        (await _server.Get<ExperimentJobs>().FindAsync(_owner, id, Cancel))!;

    private Task<ExperimentJob> FinalAsync(Guid id) => UntilAsync(id, j => j.IsFinal);

    private async Task<ExperimentJob> UntilAsync(Guid id, Func<ExperimentJob, bool> is_)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await again.WaitForNextTickAsync(Cancel))
        {
            var job = await JobAsync(id);
            if (is_(job))
            {
                return job;
            }

            Assert.True(
                !job.IsFinal && (job.Reason is null || job.State != ExperimentJobState.Paused),
                $"{job.State}: {job.Reason}"
            );
        }

        throw new InvalidOperationException("The test was cancelled.");
    }

    /// <summary>Waits until no row of a stopped job is under way any more.</summary>
    private async Task UntilEndedAsync(Guid id)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (_server.Get<JobSignals>().IsRunning(id) && await again.WaitForNextTickAsync(Cancel))
        {
            // Still ending.
        }
    }

    private async Task ActWhenEndedAsync(Guid id, string action)
    {
        await UntilEndedAsync(id);
        await ActAsync(id, action);
    }

    private async Task ActAsync(Guid id, string action)
    {
        await UntilEndedIfFinalAsync(id);
        using var response = await _client.PostAsync($"/ui/jobs/{id}/{action}", null, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task UntilEndedIfFinalAsync(Guid id)
    {
        if ((await JobAsync(id)).IsFinal)
        {
            await UntilEndedAsync(id);
        }
    }

    private async Task<JsonElement> PostAsync(string path, object body)
    {
        using var response = await _client.PostAsJsonAsync(path, body, Cancel);
        Assert.True(
            response.IsSuccessStatusCode,
            $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync(Cancel)}"
        );
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    private Task<JsonElement> GetAsync(string path) =>
        _client.GetFromJsonAsync<JsonElement>(path, Cancel);
}
