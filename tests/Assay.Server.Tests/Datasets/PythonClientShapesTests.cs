using System.Net;
using System.Text.Json;

namespace Assay.Server.Tests.Datasets;

/// <summary>The calls of the Python SDK's <c>evaluate</c>, <c>evaluate_comparative</c> and pytest plugin, in their order and exact shapes, and the fields it reads from each answer.</summary>
public sealed class PythonClientShapesTests(PythonShapes.Server server) : PythonShapes(server)
{
    [Fact]
    public async Task Evaluate_makes_an_experiment_and_its_results_are_read_back()
    {
        var name = $"capitals é🌍 {Guid.NewGuid()}";
        var dataset = await DatasetAsync(name, 3);
        var byName = await Py.GoodAsync("GET", $"datasets?limit=1&name={PythonClient.Query(name)}");
        Assert.Equal(dataset, Id(byName[0]));
        Assert.Empty((await Py.GoodAsync("GET", "datasets?limit=1&name=nobody")).EnumerateArray());
        var version = await Py.GoodAsync("GET", $"datasets/{dataset}/version?tag=latest");
        var asOf = version.GetProperty("as_of").GetString()!;
        var examples = await Py.AllAsync(
            $"examples?dataset={dataset}&as_of={PythonClient.Query(asOf)}&inline_s3_urls=True&splits=base&select=attachment_urls&select=outputs&select=metadata"
        );
        Assert.Equal(3, examples.Count);
        Assert.All(
            examples,
            e =>
            {
                Assert.Equal(JsonValueKind.Object, e.GetProperty("inputs").ValueKind);
                Assert.Equal(
                    "base",
                    e.GetProperty("metadata").GetProperty("dataset_split")[0].GetString()
                );
                Assert.True(e.TryGetProperty("attachment_urls", out _));
                _ = e.GetProperty("modified_at").GetDateTimeOffset();
                Assert.True(e.TryGetProperty("source_run_id", out _));
            }
        );

        // The project: the same name again is a conflict, which makes the SDK draw another suffix.
        var session = new
        {
            id = Guid.NewGuid(),
            name = $"py-{Guid.NewGuid():N}",
            start_time = Iso(TimeProvider.System.GetUtcNow()),
            description = (string?)null,
            extra = new { metadata = new { revision = 7, num_repetitions = 1 } },
            reference_dataset_id = dataset,
            num_examples = 3,
            num_repetitions = 1,
            evaluator_keys = new[] { "correct" },
        };
        var project = await Py.GoodAsync("POST", "sessions", session);
        Assert.Equal(dataset, project.GetProperty("reference_dataset_id").GetGuid());
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await Py.CallAsync("POST", "sessions", session)).Status
        );
        _ = (await Py.GoodAsync("GET", "sessions?limit=1"))[0].GetProperty("tenant_id").GetGuid();

        // Runs with a child each; the patch of the last comes before its post, in a frame of its own.
        var runs = examples.Select((e, i) => new PythonRun(Id(e), session.name, i)).ToList();
        await Py.IngestAsync([.. runs[2].Patch()]);
        await Py.IngestAsync([
            .. runs.SelectMany(r => r.Post()),
            .. runs.Take(2).SelectMany(r => r.Patch()),
        ]);
        await Py.IngestAsync([
            .. runs.Select(r =>
                (
                    $"feedback.{Guid.NewGuid()}",
                    (object)
                        new
                        {
                            run_id = r.Id,
                            trace_id = r.Id,
                            session_id = session.id,
                            key = "correct",
                            score = r.Index == 1 ? 0.0 : 1.0,
                            value = (string?)null,
                            comment = "checked",
                            correction = (string?)null,
                            feedback_source = new
                            {
                                type = "model",
                                metadata = new { __run = new { run_id = Guid.NewGuid() } },
                            },
                        }
                )
            ),
        ]);
        await Py.GoodAsync(
            "POST",
            "feedback",
            new
            {
                id = Guid.NewGuid(),
                session_id = session.id,
                run_id = (Guid?)null,
                key = "accuracy",
                score = 0.6667,
                feedback_source = new { type = "model", metadata = new { } },
            }
        );
        await Py.GoodAsync(
            "PATCH",
            $"sessions/{session.id}",
            new
            {
                name = (string?)null,
                description = (string?)null,
                end_time = Iso(TimeProvider.System.GetUtcNow()),
                extra = new
                {
                    metadata = new
                    {
                        revision = 7,
                        dataset_version = asOf,
                        dataset_splits = new[] { "base" },
                    },
                },
            }
        );

        // get_experiment_results, get_test_results, evaluate_existing.
        var read = await Py.GoodAsync("GET", $"sessions/{session.id}?include_stats=True");
        Assert.Equal(session.name, read.GetProperty("name").GetString());
        Assert.Equal(3, read.GetProperty("run_count").GetInt32());
        Assert.True(read.GetProperty("latency_p50").GetDouble() > 0);
        Assert.Equal(2.0 / 3, Average(read, "feedback_stats", "correct"), 3);
        Assert.Equal(0.6667, Average(read, "session_feedback_stats", "accuracy"), 4);
        Assert.Equal(
            asOf,
            read.GetProperty("extra")
                .GetProperty("metadata")
                .GetProperty("dataset_version")
                .GetString()
        );
        var rows = await Py.GoodAsync(
            "POST",
            $"datasets/{dataset}/runs",
            new
            {
                session_ids = new[] { session.id },
                offset = 0,
                limit = 100,
                preview = false,
                comparative_experiment_id = (Guid?)null,
                filters = (object?)null,
            }
        );
        Assert.Equal(examples.Select(Id), rows.EnumerateArray().Select(Id));
        foreach (var row in rows.EnumerateArray())
        {
            var run = row.GetProperty("runs")[0];
            Assert.Equal(session.id, run.GetProperty("session_id").GetGuid());
            Assert.Equal(Id(row), run.GetProperty("reference_example_id").GetGuid());
            Assert.Equal("success", run.GetProperty("status").GetString());
            Assert.Equal(JsonValueKind.Null, run.GetProperty("parent_run_id").ValueKind);
            Assert.NotEmpty(run.GetProperty("outputs").EnumerateObject());
            Assert.Equal(
                1,
                run.GetProperty("feedback_stats").GetProperty("correct").GetProperty("n").GetInt32()
            );
        }

        var found = await Py.GoodAsync(
            "POST",
            "runs/query",
            new
            {
                session = new[] { session.id },
                is_root = true,
                select = new[]
                {
                    "id",
                    "reference_example_id",
                    "inputs",
                    "outputs",
                    "feedback_stats",
                },
                limit = 100,
                cursor = (string?)null,
            }
        );
        Assert.Equal(3, found.GetProperty("runs").GetArrayLength());
        Assert.Equal(
            JsonValueKind.Null,
            found.GetProperty("cursors").GetProperty("next").ValueKind
        );
        var asked = string.Join('&', examples.Select(e => $"id={Id(e)}"));
        Assert.Equal(
            3,
            (await Py.AllAsync($"examples?{asked}&as_of={PythonClient.Query(asOf)}")).Count
        );
    }

    [Fact]
    public async Task Two_experiments_are_compared_pairwise()
    {
        var dataset = await DatasetAsync($"pairs {Guid.NewGuid()}", 2);
        var examples = await Py.AllAsync($"examples?dataset={dataset}");
        var experiments = new List<(Guid Id, List<PythonRun> Runs)>();
        foreach (var letter in (string[])["a", "b"])
        {
            var name = $"{letter}-{Guid.NewGuid():N}";
            var made = await Py.GoodAsync(
                "POST",
                "sessions",
                new { name, reference_dataset_id = dataset }
            );
            var runs = examples.Select((e, i) => new PythonRun(Id(e), name, i)).ToList();
            await Py.IngestAsync([
                .. runs.SelectMany(r => r.Post()),
                .. runs.SelectMany(r => r.Patch()),
            ]);
            experiments.Add((Id(made), runs));
        }

        var comparison = await Py.GoodAsync(
            "POST",
            "datasets/comparative",
            new
            {
                id = Guid.NewGuid(),
                name = $"a vs b {Guid.NewGuid()}",
                experiment_ids = experiments.Select(e => e.Id),
                reference_dataset_id = dataset,
                description = (string?)null,
                created_at = Iso(TimeProvider.System.GetUtcNow()),
                extra = new { metadata = new { judge = "me" } },
            }
        );
        _ = comparison.GetProperty("tenant_id").GetGuid();
        _ = comparison.GetProperty("modified_at").GetDateTimeOffset();
        for (var i = 0; i < 2; i++)
        {
            var group = Guid.NewGuid();
            foreach (var (experiment, side) in experiments.Select((e, side) => (e, side)))
            {
                await Py.GoodAsync(
                    "POST",
                    "feedback",
                    new
                    {
                        id = Guid.NewGuid(),
                        run_id = experiment.Runs[i].Id,
                        key = "preferred",
                        score = side,
                        comparative_experiment_id = Id(comparison),
                        feedback_group_id = group,
                        feedback_source = new { type = "model", metadata = new { } },
                    }
                );
            }
        }

        var listed = (
            await Py.GoodAsync("GET", $"datasets/{dataset}/comparative?limit=100&offset=0")
        )[0];
        Assert.Equal(
            experiments.Select(e => e.Id),
            listed.GetProperty("experiments_info").EnumerateArray().Select(Id)
        );
        var rows = await Py.GoodAsync(
            "POST",
            $"datasets/{dataset}/runs",
            new
            {
                session_ids = experiments.Select(e => e.Id),
                offset = 0,
                limit = 20,
                preview = true,
                comparative_experiment_id = Id(comparison),
            }
        );
        var feedback = rows[0].GetProperty("runs")[1].GetProperty("feedbacks")[0];
        Assert.Equal("preferred", feedback.GetProperty("key").GetString());
        Assert.Equal(1, feedback.GetProperty("score").GetDouble());
        Assert.Equal(Id(comparison), feedback.GetProperty("comparative_experiment_id").GetGuid());
        Assert.NotEqual(Guid.Empty, feedback.GetProperty("feedback_group_id").GetGuid());
    }

    [Fact]
    public async Task The_pytest_plugin_keeps_a_suite_as_a_dataset()
    {
        var name = $"tests/test_capitals.py {Guid.NewGuid()}";
        Assert.Empty(
            (
                await Py.GoodAsync("GET", $"datasets?limit=1&name={PythonClient.Query(name)}")
            ).EnumerateArray()
        );
        var dataset = Id(
            await Py.GoodAsync(
                "POST",
                "datasets",
                new
                {
                    name,
                    data_type = "kv",
                    description = "Test suite",
                    extra = new { metadata = new { __ls_runner = "pytest" }, source = "sdk" },
                    created_at = Iso(TimeProvider.System.GetUtcNow()),
                }
            )
        );
        var session = await Py.GoodAsync(
            "POST",
            "sessions",
            new
            {
                name = $"suite-{Guid.NewGuid():N}",
                reference_dataset_id = dataset,
                extra = new { metadata = new { __ls_runner = "pytest" } },
            }
        );
        var example = Guid.NewGuid();
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await Py.CallAsync("GET", $"examples/{example}")).Status
        );
        (string, object)[] parts =
        [
            (
                $"{example}",
                new
                {
                    metadata = new { module = "é" },
                    split = new[] { "base" },
                    created_at = Iso(TimeProvider.System.GetUtcNow()),
                    use_source_run_io = false,
                }
            ),
            ($"{example}.inputs", new { country = "France" }),
            ($"{example}.outputs", new { capital = "Paris" }),
        ];
        var (status, made) = await Py.ExamplesAsync(
            "POST",
            $"platform/datasets/{dataset}/examples",
            parts
        );
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(
            (1, example),
            (made.GetProperty("count").GetInt32(), made.GetProperty("example_ids")[0].GetGuid())
        );
        // Two workers of xdist meet: exactly a conflict.
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await Py.ExamplesAsync("POST", $"platform/datasets/{dataset}/examples", parts)).Status
        );
        // An update that says nothing of the split keeps it, and the answer has it.
        var (_, changed) = await Py.ExamplesAsync(
            "PATCH",
            $"platform/datasets/{dataset}/examples",
            ($"{example}", new { metadata = new { module = "è" } }),
            ($"{example}.outputs", new { capital = "PARIS" })
        );
        var asOf = changed.GetProperty("as_of").GetString()!;
        var now = await Py.GoodAsync("GET", $"examples/{example}?as_of={PythonClient.Query(asOf)}");
        Assert.Equal(
            ("France", "PARIS"),
            (
                now.GetProperty("inputs").GetProperty("country").GetString(),
                now.GetProperty("outputs").GetProperty("capital").GetString()
            )
        );
        Assert.Equal(
            "base",
            now.GetProperty("metadata").GetProperty("dataset_split")[0].GetString()
        );
        var run = new PythonRun(example, session.GetProperty("name").GetString()!, 0);
        await Py.IngestAsync([.. run.Post(), .. run.Patch()]);
        await Py.GoodAsync(
            "POST",
            "feedback",
            new
            {
                run_id = run.Id,
                trace_id = run.Id,
                key = "pass",
                score = true,
            }
        );
        foreach (var tag in (string[])["git:commit:0a1b2c", "git:branch:main/é"])
        {
            await Py.GoodAsync("PUT", $"datasets/{dataset}/tags", new { as_of = asOf, tag });
        }

        await Py.GoodAsync(
            "PATCH",
            $"sessions/{Id(session)}",
            new
            {
                end_time = Iso(TimeProvider.System.GetUtcNow()),
                extra = new { metadata = new { dataset_version = asOf } },
            }
        );
        var tagged = await Py.GoodAsync(
            "GET",
            $"datasets/{dataset}/version?tag={PythonClient.Query("git:branch:main/é")}"
        );
        Assert.Equal(asOf, tagged.GetProperty("as_of").GetString());
        Assert.Equal(
            1,
            Average(
                await Py.GoodAsync("GET", $"sessions/{Id(session)}?include_stats=True"),
                "feedback_stats",
                "pass"
            )
        );
    }
}
