using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Models.Providers;
using Assay.Evaluation;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Evaluators;

/// <summary>Judges against a provider on a real socket: what they ask, what they make of replies of every kind, what they keep.</summary>
public sealed class JudgeTests(JudgeTests.Servers servers)
    : IClassFixture<JudgeTests.Servers>,
        IAsyncLifetime
{
    private readonly InProcessServer _server = servers.Assay;
    private readonly FakeJudge _fake = servers.Fake;
    private Caller _owner = null!;
    private HttpClient _client = null!;
    private Guid _provider;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var workspace = await _server.NewWorkspaceAsync(Guid.NewGuid().ToString());
        _owner = new Caller(workspace, Grants.Of(Role.Owner), Name: "test");
        _client = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        _provider = (
            await _server
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
                        TimeoutSeconds = 2,
                    },
                    Cancel
                )
        )!.Id;
        _fake.Answer = _ => new FakeReply("""{"reason":"fine","verdict":true}""");
        _fake.Forget();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_judge_asks_with_the_rows_values_and_a_schema_and_its_verdict_is_a_traced_and_priced_score()
    {
        var judge = await OpenAsync(await MakeAsync());
        var result = await judge.EvaluateAsync(Row("Peru?", "Yes, in 3 days."), Cancel);
        var score = Assert.Single(result.Scores);
        Assert.Equal(1, score.Number);
        Assert.True(score.Passed);
        Assert.Equal("fine", score.Reason);
        var asked = Assert.Single(_fake.Asked);
        Assert.Contains("Question: Peru?", FakeJudge.TextOf(asked));
        Assert.Contains("Answer: Yes, in 3 days.", FakeJudge.TextOf(asked));
        Assert.Contains("\"verdict\" (true or false)", FakeJudge.TextOf(asked));
        Assert.Equal(
            "json_schema",
            asked.GetProperty("response_format").GetProperty("type").GetString()
        );
        Assert.Equal(100, result.Cost!.InputTokens);
        Assert.True(result.Cost.UsDollars > 0);

        var run = await _client.GetFromJsonAsync<JsonElement>(
            $"/api/v1/runs/{result.RunId}",
            Cancel
        );
        Assert.Equal("chain", run.GetProperty("run_type").GetString());
        Assert.Equal("fine", run.GetProperty("outputs").GetProperty("reason").GetString());
        Assert.Equal(1, run.GetProperty("child_run_ids").GetArrayLength());
        Assert.Equal(
            judge.Definition!.Id.ToString(),
            run.GetProperty("extra").GetProperty("metadata").GetProperty("evaluator_id").GetString()
        );
    }

    [Fact]
    public async Task Two_who_ask_the_same_at_once_both_get_a_verdict_and_one_is_kept_without_a_failure()
    {
        var id = await MakeAsync();
        // The project of evaluators' runs is there before.
        await (await OpenAsync(id)).EvaluateAsync(Row("another", "question"), Cancel);
        _fake.Forget();
        var failed = new ConcurrentQueue<string>();
        using var log = new FailureLog(failed);
        _server.Get<ILoggerFactory>().AddProvider(log);
        // Each is answered when both have asked, so that neither finds the other's verdict.
        using var both = new Barrier(2);
        _fake.Answer = _ =>
        {
            Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(60)));
            return new FakeReply("""{"reason":"fine","verdict":true}""");
        };
        var scores = await Task.WhenAll(
            Task.Run(() => JudgeAsync(id), Cancel),
            Task.Run(() => JudgeAsync(id), Cancel)
        );
        Assert.All(scores, s => Assert.Equal(1, s.Number));
        Assert.Equal(2, _fake.Calls);
        Assert.Equal(1, (await JudgeAsync(id)).Number);
        Assert.Equal(2, _fake.Calls);
        Assert.Empty(failed);
    }

    [Fact]
    public async Task An_unreadable_reply_is_repaired_once_and_the_raw_replies_are_kept()
    {
        _fake.Answer = asked => new FakeReply(
            FakeJudge.TextOf(asked).Contains("could not be read", StringComparison.Ordinal)
                ? """{"reason":"second thought","verdict":false}"""
                : "I would say it is fine."
        );
        var score = await JudgeAsync(await MakeAsync());
        Assert.Equal(0, score.Number);
        Assert.Equal("second thought", score.Reason);
        Assert.Contains(score.Diagnostics, d => d.Message.Contains("asked once more"));
        var raw = score.Evidence!.Value.GetProperty("replies")[0].GetProperty("raw");
        Assert.Equal("I would say it is fine.", raw[0].GetString());
        Assert.Equal(2, raw.GetArrayLength());
        Assert.Equal(2, _fake.Calls);
    }

    [Theory]
    [InlineData("no json at all", "stop", "not_json", 2)]
    [InlineData("", "stop", "empty", 2)]
    [InlineData("""{"reason":"because it""", "length", "truncated", 2)]
    [InlineData("""{"reason":"x"}""", "stop", "missing_field", 2)]
    [InlineData("""{"reason":"x","verdict":"perhaps"}""", "stop", "wrong_type", 2)]
    [InlineData("I cannot help with that.", "refusal", "refused", 1)]
    [InlineData("blocked", "content_filter", "refused", 1)]
    public async Task A_reply_that_is_no_verdict_is_no_score_and_says_why(
        string reply,
        string finish,
        string fault,
        int calls
    )
    {
        _fake.Answer = _ =>
            finish == "refusal"
                ? new FakeReply(reply, IsRefusal: true)
                : new FakeReply(reply, finish);
        var score = await JudgeAsync(await MakeAsync());
        Assert.Null(score.Number);
        Assert.True(score.IsFailed);
        Assert.StartsWith("Not judged: ", score.Diagnostics[0].Message);
        Assert.Equal(
            fault,
            score.Evidence!.Value.GetProperty("replies")[0].GetProperty("fault").GetString()
        );
        Assert.Equal(calls, _fake.Calls);
    }

    [Theory]
    [InlineData(429, "refused")]
    [InlineData(500, "refused")]
    [InlineData(0, "in time|said nothing")]
    public async Task A_provider_that_fails_is_told_in_its_words(int status, string words)
    {
        _fake.Answer = _ =>
            status == 0
                ? new FakeReply("", IsSilent: true)
                : new FakeReply("refused by the fake", Status: status);
        var score = await JudgeAsync(await MakeAsync());
        Assert.True(score.IsFailed);
        Assert.Matches(words, score.Diagnostics[0].Message);
        Assert.Equal(1, _fake.Calls);
    }

    [Fact]
    public async Task A_server_without_schemas_is_asked_in_words()
    {
        _fake.Answer = asked =>
            asked.TryGetProperty("response_format", out _)
                ? new FakeReply("response_format is not supported", Status: 400)
                : new FakeReply("Sure!\n```json\n{\"reason\":\"ok\",\"verdict\":\"Yes\"}\n```");
        var score = await JudgeAsync(await MakeAsync());
        Assert.Equal(1, score.Number);
        Assert.Contains(score.Diagnostics, d => d.Message.Contains("no answer schema"));
    }

    [Fact]
    public async Task The_same_question_is_asked_once_and_everything_that_matters_makes_another_question()
    {
        var id = await MakeAsync();
        var judge = await OpenAsync(id);
        await judge.EvaluateAsync(Row("a", "b"), Cancel);
        var again = await judge.EvaluateAsync(Row("a", "b"), Cancel);
        Assert.Equal(1, _fake.Calls);
        Assert.Equal(0, again.Cost!.ModelCalls);
        Assert.Equal(0m, again.Cost.UsDollars);
        Assert.Contains(again.Scores[0].Diagnostics, d => d.Message.Contains("given before"));

        await judge.EvaluateAsync(Row("a", "c"), Cancel);
        Assert.Equal(2, _fake.Calls);
        // Each change of the judge is a version of its own, and its verdicts are new.
        foreach (
            var changed in (string[])
                [
                    Settings(temperature: 0.5),
                    Settings(model: "gpt-4o-mini", temperature: 0.5),
                    Settings(prompt: "Other words. {{question}} {{answer}}"),
                ]
        )
        {
            var calls = _fake.Calls;
            await SaveAsync(id, changed);
            var next = await OpenAsync(id);
            await next.EvaluateAsync(Row("a", "b"), Cancel);
            await next.EvaluateAsync(Row("a", "b"), Cancel);
            Assert.Equal(calls + 1, _fake.Calls);
        }

        // A failure is never kept.
        var before = _fake.Calls;
        _fake.Answer = _ => new FakeReply("busy", Status: 429);
        await judge.EvaluateAsync(Row("x", "y"), Cancel);
        _fake.Answer = _ => new FakeReply("""{"reason":"fine","verdict":true}""");
        var healed = await judge.EvaluateAsync(Row("x", "y"), Cancel);
        Assert.Equal(1, healed.Scores[0].Number);
        Assert.Equal(before + 2, _fake.Calls);
    }

    [Fact]
    public async Task Repetitions_are_averaged_and_their_spread_is_told()
    {
        var number = 0;
        _fake.Answer = _ => new FakeReply(
            $$"""{"reason":"try","score":{{(Interlocked.Increment(ref number) % 3) + 2}}}"""
        );
        var score = await JudgeAsync(
            await MakeAsync(
                Settings(
                    verdict: new
                    {
                        kind = "score",
                        min = 1,
                        max = 5,
                        is_integer = true,
                        pass_at = 3,
                    },
                    repeats: 3
                )
            )
        );
        Assert.Equal(3, _fake.Calls);
        Assert.Equal(3, score.Number);
        Assert.True(score.Passed);
        Assert.Equal(1, score.Evidence!.Value.GetProperty("standard_deviation").GetDouble(), 9);
        Assert.Contains(score.Diagnostics, d => d.Message == "3 repetitions differ by up to 2.");
    }

    [Fact]
    public async Task Yes_and_no_in_equal_numbers_are_no_majority()
    {
        var number = 0;
        _fake.Answer = _ => new FakeReply(
            Interlocked.Increment(ref number) % 2 == 0
                ? """{"reason":"good","verdict":true}"""
                : """{"reason":"bad","verdict":false}"""
        );
        var score = await JudgeAsync(await MakeAsync(Settings(repeats: 2)));
        Assert.Equal(0.5, score.Number);
        Assert.Null(score.Passed);
        Assert.Contains(score.Diagnostics, d => d.Message.Contains("no majority"));
    }

    [Theory]
    [InlineData("longer", 1, "A", false)]
    [InlineData("first", 0.5, "tie", true)]
    public async Task A_preference_that_follows_the_place_is_a_tie(
        string rule,
        double number,
        string label,
        bool isWarned
    )
    {
        _fake.Answer = asked =>
        {
            var text = FakeJudge.TextOf(asked);
            var isFirst =
                rule == "first"
                || text.Contains("First: a much longer answer", StringComparison.Ordinal);
            return new FakeReply(
                isFirst ? """{"reason":"r","label":"A"}""" : """{"reason":"r","label":"B"}"""
            );
        };
        var id = await MakeAsync(
            Settings(prompt: "{{question}} First: {{first}} Second: {{second}}", isPairwise: true)
        );
        var judge = await OpenAsync(id);
        var row = Row("q", "a much longer answer") with
        {
            OtherOutputs = JsonSerializer.SerializeToElement("short"),
        };
        var score = (await judge.EvaluateAsync(row, Cancel)).Scores[0];
        Assert.Equal(number, score.Number);
        Assert.Equal(label, score.Label);
        Assert.Equal(isWarned, score.Diagnostics.Any(d => d.Message.Contains("changed places")));
        Assert.Equal(2, _fake.Calls);

        var alone = (await judge.EvaluateAsync(Row("q", "a"), Cancel)).Scores[0];
        Assert.Contains("no second answer", alone.Diagnostics[0].Message);
    }

    [Fact]
    public async Task A_row_without_what_the_prompt_needs_is_not_judged_and_nothing_is_asked()
    {
        var score = await JudgeAsync(
            await MakeAsync(Settings(prompt: "{{question}} {{answer}} {{reference}}"))
        );
        Assert.Equal(
            "Not judged: reference (reference) has no value here.",
            score.Diagnostics[0].Message
        );
        Assert.Equal(0, _fake.Calls);

        var optional = await JudgeAsync(
            await MakeAsync(
                Settings(
                    prompt: "{{question}} {{answer}} {{reference}}",
                    mapping: new { reference = "reference?" }
                )
            )
        );
        Assert.Equal(1, optional.Number);
    }

    [Fact]
    public async Task Examples_of_people_are_shown_except_when_that_very_run_is_judged()
    {
        var run = Guid.NewGuid();
        var id = await MakeAsync(
            Settings(
                examples: new[]
                {
                    new
                    {
                        values = new { question = "old question", answer = "old answer" },
                        verdict = false,
                        reason = "too vague",
                        run,
                    },
                }
            )
        );
        var judge = await OpenAsync(id);
        await judge.EvaluateAsync(Row("q", "a"), Cancel);
        Assert.Contains("old question", FakeJudge.TextOf(_fake.Asked[0]));
        Assert.Contains("too vague", FakeJudge.TextOf(_fake.Asked[0]));
        await judge.EvaluateAsync(Row("q", "a") with { RunId = run }, Cancel);
        Assert.DoesNotContain("old question", FakeJudge.TextOf(_fake.Asked[1]));
    }

    [Fact]
    public async Task A_limit_that_is_reached_stops_judging()
    {
        var id = await MakeAsync();
        await _server.Get<ModelProviders>().LimitAsync(_owner, 0, Cancel);
        var score = await JudgeAsync(id);
        Assert.Contains("limit", score.Diagnostics[0].Message);
        Assert.Equal(0, _fake.Calls);
    }

    [Fact]
    public async Task Evaluators_of_another_workspace_are_not_there()
    {
        var id = await MakeAsync();
        var stranger = new Caller(
            await _server.NewWorkspaceAsync(Guid.NewGuid().ToString()),
            Grants.Of(Role.Owner),
            Name: "stranger"
        );
        Assert.Null(await _server.Get<EvaluatorFactory>().OpenAsync(stranger, id, null, Cancel));
        Assert.False(await _server.Get<EvaluatorCatalog>().DeleteAsync(stranger, id, Cancel));
        Assert.Empty(await _server.Get<EvaluatorCatalog>().ListAsync(stranger, Cancel));
        Assert.Empty(await _server.Get<EvaluatorCatalog>().VersionsAsync(stranger, id, Cancel));
    }

    private static EvaluationInput Row(string question, string answer) =>
        new()
        {
            Inputs = JsonSerializer.SerializeToElement(new { question }),
            Outputs = JsonSerializer.SerializeToElement(new { answer }),
        };

    private string Settings(
        string prompt = "Question: {{question}} Answer: {{answer}}",
        string model = "gpt-4o",
        double temperature = 0,
        object? verdict = null,
        object? mapping = null,
        object? examples = null,
        int repeats = 1,
        bool isPairwise = false
    ) =>
        JsonSerializer.Serialize(
            new
            {
                provider = _provider,
                model,
                parameters = new { temperature },
                messages = new[] { new { role = "user", content = prompt } },
                verdict = verdict ?? new { kind = "boolean" },
                mapping = mapping ?? new { },
                examples = examples ?? Array.Empty<object>(),
                repeats,
                pairwise = isPairwise,
            }
        );

    private async Task<Guid> MakeAsync(string? settings = null) =>
        (
            await _server
                .Get<EvaluatorCatalog>()
                .CreateAsync(_owner, Draft(settings ?? Settings()), Cancel)
        ).Id;

    private async Task SaveAsync(Guid id, string settings)
    {
        var catalog = _server.Get<EvaluatorCatalog>();
        var (known, version) = (await catalog.FindAsync(_owner, id, null, Cancel))!.Value;
        var saved = await catalog.SaveAsync(
            _owner,
            id,
            Draft(settings) with
            {
                Name = known.Name,
                FeedbackKey = known.FeedbackKey,
            },
            version.Number,
            Cancel
        );
        Assert.Equal(version.Number + 1, saved!.Version);
    }

    private static EvaluatorDraft Draft(string settings)
    {
        var name = $"judge {Guid.NewGuid():N}";
        return new EvaluatorDraft
        {
            Name = name,
            FeedbackKey = name.Replace(' ', '_'),
            Kind = EvaluatorKind.Judge,
            SettingsJson = settings,
        };
    }

    private async Task<OpenedEvaluator> OpenAsync(Guid id) =>
        (await _server.Get<EvaluatorFactory>().OpenAsync(_owner, id, null, Cancel))!;

    private async Task<Score> JudgeAsync(Guid id) =>
        (await (await OpenAsync(id)).EvaluateAsync(Row("q", "a"), Cancel)).Scores[0];

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

    /// <summary>What the server logs as failed.</summary>
    private sealed class FailureLog(ConcurrentQueue<string> failed) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                failed.Enqueue(formatter(state, exception));
            }
        }

        public void Dispose() { }
    }
}
