using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;

namespace Assay.Server.Tests.Evaluators;

/// <summary>Judges against people: runs over the wire, feedback by the screens' door, the judge a provider on a real socket.</summary>
public sealed class CalibrationTests(JudgeTests.Servers servers)
    : IClassFixture<JudgeTests.Servers>,
        IAsyncLifetime
{
    private readonly InProcessServer _server = servers.Assay;
    private readonly FakeJudge _fake = servers.Fake;
    private Caller _owner = null!;
    private HttpClient _client = null!;
    private Guid _judge;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        _owner = new Caller(workspace, Grants.Of(Role.Owner), Name: "test");
        _client = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        var provider = await _server
            .Get<ModelProviders>()
            .PutAsync(
                _owner,
                null,
                new ProviderDraft
                {
                    Name = "fake",
                    BaseUrl = _fake.Address + "/v1",
                    Models = ["gpt-4o"],
                    MaxRetries = 0,
                },
                Cancel
            );
        // The judge says yes to answers that contain the word "good".
        _fake.Answer = asked => new FakeReply(
            FakeJudge.TextOf(asked).Contains("Answer: good", StringComparison.Ordinal)
                ? """{"reason":"it is good","verdict":true}"""
                : """{"reason":"it is not","verdict":false}"""
        );
        _fake.Forget();
        var made = await _client.PostAsJsonAsync(
            "/ui/evaluators",
            new
            {
                name = "Quality",
                key = "quality",
                kind = "Judge",
                settings = new
                {
                    provider = provider!.Id,
                    model = "gpt-4o",
                    messages = new[]
                    {
                        new
                        {
                            role = "user",
                            content = "Question: {{question}} Answer: {{answer}}",
                        },
                    },
                    verdict = new { kind = "boolean" },
                },
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        _judge = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("id")
            .GetGuid();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Kappa_is_that_of_the_textbook_table_and_disagreements_become_examples()
    {
        // 20 + 15 agreed, 5 + 10 not: kappa 0.4 (Cohen 1960's form of table).
        Assert.Equal(TrustState.NotCalibrated, (await BadgeAsync()).State);
        await SeedAsync(("good", 1, 20), ("good", 0, 10), ("poor", 1, 5), ("poor", 0, 15));
        var id = await CompareAsync();
        var (calibration, items) = (
            await _server.Get<Calibrations>().FindAsync(_owner, _judge, id, Cancel)
        )!.Value;
        Assert.Equal(50, calibration.Compared);
        Assert.Equal(0.4, calibration.Kappa!.Value, 9);
        Assert.InRange(calibration.KappaLow!.Value, 0, 0.39);
        Assert.Equal(0.7, calibration.Agreement!.Value, 9);
        var report = CalibrationReport.Of(items, new VerdictForm { Kind = VerdictKind.Boolean });
        Assert.Equal(0.5, report.BaseRate!.Estimate, 9);
        Assert.Equal([15, 5], [report.Matrix!.Counts[0][0], report.Matrix.Counts[1][0]]);
        Assert.Equal(50, _fake.Calls);
        var badge = await BadgeAsync();
        Assert.Equal(TrustState.NotTrusted, badge.State);
        Assert.Contains("0.40", badge.Why);

        // Again: every verdict is kept, nothing is asked.
        await CompareAsync();
        Assert.Equal(50, _fake.Calls);

        var wrong = items.First(i => i.Human != i.Judge);
        var taught = await _client.PostAsJsonAsync(
            $"/ui/evaluators/{_judge}/example",
            new { calibration = id, run = wrong.Run },
            Cancel
        );
        Assert.Equal(
            2,
            (await taught.Content.ReadFromJsonAsync<JsonElement>(Cancel))
                .GetProperty("version")
                .GetInt32()
        );
        Assert.Contains("Version 2", (await BadgeAsync()).Why);
        Assert.Equal(TrustState.NotCalibrated, (await BadgeAsync()).State);

        // The next comparison leaves out what the judge was told, and shows it everywhere else.
        var second = await CompareAsync();
        var next = (
            await _server.Get<Calibrations>().FindAsync(_owner, _judge, second, Cancel)
        )!.Value;
        Assert.Equal(2, next.Calibration.Version);
        Assert.Equal(49, next.Calibration.Compared);
        Assert.DoesNotContain(next.Items, i => i.Run == wrong.Run);
        Assert.Contains("people said", FakeJudge.TextOf(_fake.Asked[^1]));
        var twice = await _client.PostAsJsonAsync(
            $"/ui/evaluators/{_judge}/example",
            new { calibration = id, run = wrong.Run },
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, twice.StatusCode);
    }

    [Fact]
    public async Task A_verdict_that_a_person_corrects_is_shown_to_the_judge_in_its_next_call()
    {
        var runs = await RunsAsync([("good", 0), ("poor", 0)]);
        var (judged, other) = (runs[0].Id, runs[1].Id);
        var verdict = Guid.NewGuid();
        var given = await _client.PostAsJsonAsync(
            "/api/v1/feedback",
            new
            {
                id = verdict,
                run_id = judged,
                key = "quality",
                score = true,
                feedback_source = new
                {
                    type = "auto_eval",
                    metadata = new { evaluator_id = _judge, evaluator_version = 1 },
                },
            },
            Cancel
        );
        Assert.True(given.IsSuccessStatusCode);
        Assert.Equal(2, await CorrectAsync(false, "It promises too much."));
        var kept = await _client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/feedback/{verdict}",
            Cancel
        );
        Assert.True(kept.GetProperty("score").GetBoolean());
        Assert.False(kept.GetProperty("correction").GetProperty("score").GetBoolean());

        // Another run is judged: the judge is told of the first one, and of what was right about it.
        var text = await AskedAsync(other);
        Assert.Contains($"good {judged}", text);
        Assert.Contains("It promises too much.", text);
        // The run itself is judged without the answer to it.
        Assert.DoesNotContain("It promises too much.", await AskedAsync(judged));

        // Corrected again, it is one example still; without teaching it is none.
        Assert.Equal(3, await CorrectAsync(true, "It does keep it."));
        text = await AskedAsync(other);
        Assert.Contains("It does keep it.", text);
        Assert.DoesNotContain("It promises too much.", text);
        Assert.Null(await CorrectAsync(true, "Quietly.", teach: false));
        return;

        async Task<int?> CorrectAsync(bool right, string reason, bool teach = true)
        {
            var answer = await _client.PostAsJsonAsync(
                $"/ui/feedback/{verdict}/correct",
                new
                {
                    verdict = right,
                    reason,
                    teach,
                },
                Cancel
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
            var version = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty(
                "version"
            );
            return version.ValueKind == JsonValueKind.Null ? null : version.GetInt32();
        }

        async Task<string> AskedAsync(Guid run)
        {
            _fake.Forget();
            var opened = await _server
                .Get<EvaluatorFactory>()
                .OpenAsync(_owner, _judge, null, Cancel);
            var found = await _server
                .Get<TraceQueries>()
                .FindAsync(
                    _owner,
                    run,
                    null,
                    RunParts.Details | RunParts.Inputs | RunParts.Outputs,
                    Cancel
                );
            await opened!.EvaluateAsync(
                await _server
                    .Get<EvaluationInputs>()
                    .OfAsync(_owner, found!, null, opened.Needs, Cancel),
                Cancel
            );
            return FakeJudge.TextOf(Assert.Single(_fake.Asked));
        }
    }

    [Fact]
    public async Task A_judge_that_agrees_is_trusted_until_it_is_old_or_does_not_agree_any_more()
    {
        await SeedAsync(("good", 1, 20), ("poor", 0, 20));
        await CompareAsync();
        Assert.Equal(TrustState.Trusted, (await BadgeAsync()).State);
        // Later than the age of a comparison.
        var old = JudgeTrust.Of(
            (await _server.Get<EvaluatorCatalog>().FindAsync(_owner, _judge, null, Cancel))!
                .Value
                .Definition,
            await _server.Get<Calibrations>().ListAsync(_owner, _judge, Cancel),
            _server.Time.GetUtcNow().AddDays(91)
        );
        Assert.Equal(TrustState.Drifting, old.State);
        // Same agreement, and stricter rules that it does not reach.
        await _server
            .Get<Calibrations>()
            .SetRulesAsync(_owner, _judge, new TrustRules { MinItems = 100 }, Cancel);
        Assert.Equal(TrustState.NotCalibrated, (await BadgeAsync()).State);
        await _server.Get<Calibrations>().SetRulesAsync(_owner, _judge, null, Cancel);
        // People begin to say otherwise.
        await SeedAsync(("good", 0, 20), ("poor", 1, 10));
        await CompareAsync();
        var badge = await BadgeAsync();
        Assert.Equal(TrustState.Drifting, badge.State);
        Assert.Contains("does not any more", badge.Why);
    }

    [Fact]
    public async Task A_judge_whose_prompt_changed_in_the_hub_is_drifting_until_it_is_compared_again()
    {
        await SeedAsync(("good", 1, 20), ("poor", 0, 20));
        var handle = $"judge-{Guid.NewGuid():N}";
        var first = await CommitAsync(handle, "Question: {question} Answer: {answer}");
        var (definition, version) = (
            await _server.Get<EvaluatorCatalog>().FindAsync(_owner, _judge, null, Cancel)
        )!.Value;
        var settings = JudgeSettings.Read(version.SettingsJson) with
        {
            Messages = null,
            Hub = new HubPrompt(handle),
        };
        await _server
            .Get<EvaluatorCatalog>()
            .SaveAsync(
                _owner,
                _judge,
                new EvaluatorDraft
                {
                    Name = definition.Name,
                    FeedbackKey = definition.FeedbackKey,
                    Kind = definition.Kind,
                    SettingsJson = settings.ToJson(),
                },
                version.Number,
                Cancel
            );
        await CompareAsync();
        Assert.Equal(TrustState.Trusted, (await BadgeAsync()).State);
        await CommitAsync(handle, "Be strict. Question: {question} Answer: {answer}", first);
        var badge = await BadgeAsync();
        Assert.Equal(TrustState.Drifting, badge.State);
        Assert.Contains("The prompt it follows changed", badge.Why);
        await CompareAsync();
        Assert.Equal(TrustState.Trusted, (await BadgeAsync()).State);
    }

    [Fact]
    public async Task A_pairwise_judge_is_compared_with_what_people_preferred_and_its_place_bias_is_told()
    {
        // It prefers the good answer wherever it stands, and of two good ones the one it is shown first.
        _fake.Answer = asked => new FakeReply(
            FakeJudge.TextOf(asked).Contains("First: good", StringComparison.Ordinal)
                ? """{"reason":"the first is good","label":"A"}"""
                : """{"reason":"the second is","label":"B"}"""
        );
        var made = await _client.PostAsJsonAsync(
            "/ui/evaluators",
            new
            {
                name = "Better",
                key = "better",
                kind = "Judge",
                settings = new
                {
                    provider = (await _server.Get<ModelProviders>().ListAsync(_owner, Cancel))
                        .First(p => p.Name == "fake")
                        .Id,
                    model = "gpt-4o",
                    messages = new[]
                    {
                        new { role = "user", content = "First: {{first}} Second: {{second}}" },
                    },
                    verdict = new { kind = "boolean" },
                    pairwise = true,
                },
            },
            Cancel
        );
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Cancel));
        var judge = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("id")
            .GetGuid();
        for (var i = 0; i < 15; i++)
        {
            var isTie = i >= 10;
            var runs = await RunsAsync([("good", 1), (isTie ? "good" : "poor", 0)]);
            var group = Guid.NewGuid();
            foreach (var (id, score) in runs)
            {
                var given = await _client.PostAsJsonAsync(
                    "/api/v1/feedback",
                    new
                    {
                        run_id = id,
                        key = "preferred",
                        score = isTie ? 0.5 : score,
                        feedback_group_id = group,
                        feedback_source = new { type = "app" },
                    },
                    Cancel
                );
                Assert.True(given.IsSuccessStatusCode);
            }
        }

        var compared = await CompareAsync(judge, "preferred");
        var (calibration, items) = (
            await _server.Get<Calibrations>().FindAsync(_owner, judge, compared, Cancel)
        )!.Value;
        Assert.Equal((15, 1.0), (calibration.Compared, calibration.Agreement));
        Assert.Equal(1, calibration.Kappa!.Value, 9);
        Assert.Equal(5, items.Count(i => i.Human == "tie"));
        Assert.All(items, i => Assert.NotNull(i.OtherRun));
        var report = CalibrationReport.Of(items, VerdictForm.Preference);
        // 10 pairs have the good answer once in each place; 5 went to the first place both times.
        Assert.Equal(20.0 / 30, report.FirstShare!.Estimate, 9);
        Assert.Equal(5.0 / 15, report.OrderChanged!.Estimate, 9);
        Assert.Contains(
            "Chose the answer shown first",
            await _client.GetStringAsync($"/evaluators/{judge}/calibration", Cancel)
        );
        // What people prefer is no verdict about one answer.
        Assert.Contains("nobody judged", await ProblemAsync());
    }

    [Fact]
    public async Task Few_runs_say_nothing_and_no_judgements_are_a_clear_problem()
    {
        Assert.Contains("nobody judged", await ProblemAsync());
        await SeedAsync(("good", 1, 3), ("poor", 0, 3));
        await CompareAsync();
        var badge = await BadgeAsync();
        Assert.Equal(TrustState.NotCalibrated, badge.State);
        Assert.Contains("6 runs; 30 are needed", badge.Why);
    }

    [Fact]
    public async Task Runs_without_a_verdict_are_counted_apart_with_the_reason()
    {
        await SeedAsync(("good", 1, 2), ("poor", 0, 2));
        _fake.Answer = asked =>
            FakeJudge.TextOf(asked).Contains("Answer: good", StringComparison.Ordinal)
                ? new FakeReply("""{"reason":"r","verdict":true}""")
                : new FakeReply("I will not judge that.", IsRefusal: true);
        var id = await CompareAsync();
        var (calibration, items) = (
            await _server.Get<Calibrations>().FindAsync(_owner, _judge, id, Cancel)
        )!.Value;
        Assert.Equal(2, calibration.Compared);
        Assert.Equal(2, calibration.Unjudged);
        Assert.All(items.Where(i => i.Judge is null), i => Assert.Contains("refused", i.Reason));
        Assert.Null(calibration.Kappa);
    }

    [Fact]
    public async Task A_stranger_sees_and_changes_nothing()
    {
        await SeedAsync(("good", 1, 2));
        var id = await CompareAsync();
        var workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        using var stranger = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        foreach (
            var path in (string[])
                [
                    $"/evaluators/{_judge}",
                    $"/evaluators/{_judge}/calibration?at={id}",
                    $"/evaluators/{_judge}/versions",
                ]
        )
        {
            Assert.Equal(
                HttpStatusCode.NotFound,
                (await stranger.GetAsync(path, Cancel)).StatusCode
            );
        }

        Assert.DoesNotContain("Quality", await stranger.GetStringAsync("/evaluators", Cancel));
        Assert.Contains("not there", await ProblemAsync(stranger));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (
                await stranger.PostAsJsonAsync(
                    $"/ui/evaluators/{_judge}/example",
                    new { calibration = id, run = Guid.NewGuid() },
                    Cancel
                )
            ).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.NotFound,
            (
                await stranger.PutAsJsonAsync(
                    $"/ui/evaluators/{_judge}",
                    new
                    {
                        name = "mine",
                        key = "quality",
                        kind = "BuiltIn",
                        settings = new { type = "exact_match" },
                    },
                    Cancel
                )
            ).StatusCode
        );
    }

    private async Task<string?> CommitAsync(string handle, string text, string? parent = null)
    {
        var answer = await _client.PostAsJsonAsync(
            "/ui/playground/commit",
            new
            {
                handle,
                parent,
                format = "f-string",
                messages = new[] { new { role = "user", content = text } },
            },
            Cancel
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("commit")
            .GetString();
    }

    private async Task<TrustBadge> BadgeAsync() =>
        (await _server.Get<JudgeTrust>().BadgesAsync(_owner, Cancel))["quality"];

    private async Task<IReadOnlyList<(Guid Id, int Score)>> RunsAsync(
        IReadOnlyList<(string Answer, int Score)> kinds
    )
    {
        var start = _server.Time.GetUtcNow().AddMinutes(-1);
        var runs = kinds.Select(k => (Id: Guid.CreateVersion7(start), k.Answer, k.Score)).ToList();
        var batch = await _client.PostAsJsonAsync(
            "/api/v1/runs/batch",
            new
            {
                post = runs.Select(r => new
                {
                    id = r.Id,
                    trace_id = r.Id,
                    dotted_order = start.UtcDateTime.ToString(
                        "yyyyMMdd'T'HHmmssffffff'Z'",
                        CultureInfo.InvariantCulture
                    ) + r.Id,
                    name = "app",
                    run_type = "chain",
                    session_name = "calibrated",
                    start_time = start.UtcDateTime.ToString("O"),
                    end_time = start.UtcDateTime.AddSeconds(1).ToString("O"),
                    inputs = new { question = $"q {r.Id}" },
                    outputs = new { answer = $"{r.Answer} {r.Id}" },
                }),
            },
            Cancel
        );
        Assert.True(batch.IsSuccessStatusCode);
        return [.. runs.Select(r => (r.Id, r.Score))];
    }

    /// <summary>Runs with an answer, each judged by a person under the key <c>human</c>.</summary>
    private async Task SeedAsync(params (string Answer, int Score, int Times)[] kinds)
    {
        var runs = await RunsAsync([
            .. kinds.SelectMany(k => Enumerable.Repeat((k.Answer, k.Score), k.Times)),
        ]);
        foreach (var run in runs)
        {
            var given = await _client.PostAsJsonAsync(
                $"/ui/runs/{run.Id}/feedback",
                new
                {
                    key = "human",
                    score = run.Score,
                    comment = "people said",
                },
                Cancel
            );
            Assert.True(given.IsSuccessStatusCode, await given.Content.ReadAsStringAsync(Cancel));
        }
    }

    /// <summary>Has a judge compared, and waits; the comparison has the job's id.</summary>
    private async Task<Guid> CompareAsync(Guid? judge = null, string key = "human")
    {
        var answer = await StartAsync(_client, judge ?? _judge, key);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("job")
            .GetGuid();
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await again.WaitForNextTickAsync(Cancel))
        {
            var job = await _server.Get<ExperimentJobs>().FindAsync(_owner, id, Cancel);
            Assert.Null(job!.Reason);
            if (job.State == ExperimentJobState.Done)
            {
                return id;
            }
        }

        throw new InvalidOperationException("The test was cancelled.");
    }

    private async Task<string> ProblemAsync(HttpClient? client = null)
    {
        var answer = await StartAsync(client ?? _client, _judge, "human");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    private static Task<HttpResponseMessage> StartAsync(
        HttpClient client,
        Guid judge,
        string key
    ) =>
        client.PostAsJsonAsync(
            $"/ui/evaluators/{judge}/calibrate",
            new { key, most = 200 },
            Cancel
        );
}
