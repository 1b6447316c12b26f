using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>
/// Datasets, experiments, prompts, evaluators, jobs and queues whose names are too long, in two directions, or missing: no page is wider than its
/// window, no button of its head leaves it, and they are accessible.
/// </summary>
public sealed class UglyWorkTests(Screens screens)
{
    private const string Simulated = "5173a7ed-0000-4000-8000-000000000001";

    [Fact]
    public async Task Every_page_of_evaluation_and_prompts_holds_ugly_names()
    {
        var mark = Guid.NewGuid().ToString("N")[..8];
        var dataset = await DatasetAsync(mark);
        var experiments = await ExperimentsAsync(mark, dataset);
        var evaluator = await MadeAsync(
            "/ui/evaluators",
            new
            {
                name = Long("evaluator", 180) + mark,
                key = $"{mark}-{Long("key", 80)}",
                kind = "Judge",
                description = Long("why", 400),
                settings = new
                {
                    provider = Simulated,
                    model = "sim-judge",
                    messages = new[] { new { role = "user", content = "{{outputs}}" } },
                    verdict = new { kind = "boolean" },
                },
            }
        );
        var job = await MadeAsync(
            $"/ui/jobs/datasets/{dataset}/run",
            new
            {
                name = Long("job", 190) + mark,
                variant = new
                {
                    provider = Simulated,
                    model = "sim-chat?fail=1&status=500&latency=0",
                    messages = new[] { new { role = "user", content = Long("w", 900) } },
                },
            },
            "job"
        );
        var queue = await MadeAsync(
            "/api/v1/annotation-queues",
            new
            {
                name = Long("queue", 190) + " 🦊",
                description = Long("d", 500),
                rubric_instructions = Long("i", 500),
                rubric_items = new[]
                {
                    new
                    {
                        feedback_key = $"{mark}-{Long("question", 80)}",
                        description = Long("e", 200),
                    },
                },
            }
        );
        var shared = (
            await screens.Server.JsonAsync(HttpMethod.Put, $"/api/v1/datasets/{dataset}/share")
        )
            .GetProperty("share_token")
            .GetString();
        var prompt = await PromptAsync(mark);
        await using var screen = await screens.OpenAsync("/data", width: 390, height: 844);
        var page = screen.Page;
        // What no other test holds against axe is held against it here.
        (string Path, string Ready, bool IsNew)[] pages =
        [
            ("/data", ".vt .tr", false),
            ($"/data/{dataset}", "data-grid .tr", false),
            ($"/data/{dataset}/examples/new", "example-form", true),
            ($"/data/{dataset}?tab=experiments", "experiment-grid .tr", true),
            ($"/data/{dataset}?tab=splits", ".list", true),
            ($"/data/{dataset}?tab=versions", ".list", true),
            ($"/data/{dataset}?tab=settings", ".body .form", true),
            ($"/data/{dataset}?tab=export", ".body .form", true),
            ($"/data/{dataset}?tab=import", ".drop", true),
            ($"/data/{dataset}/experiments/{experiments[0]}", "result-grid .tr", true),
            (
                $"/data/{dataset}/compare?selectedSessions={string.Join(',', experiments)}",
                ".vtab",
                false
            ),
            ("/evaluators", ".list", false),
            ($"/evaluators/{evaluator}", "evaluator-editor .btn.pri", false),
            ($"/evaluators/{evaluator}/calibration", ".cal .btn.pri", false),
            ($"/evaluators/{evaluator}/versions", ".list", true),
            ("/jobs", ".list", false),
            ($"/jobs/{job}", "job-view [data-state]", false),
            ("/queues", ".list", false),
            ($"/queues/{queue}", ".empty", false),
            ($"/queues/{queue}/settings", "rubric-editor .btn", true),
            ($"/queues/{queue}/agreement", ".body", false),
            ($"/queues/{queue}/review", ".empty", false),
            ("/prompts", ".vt .tr", false),
            ($"/prompts/{prompt}", ".msg .ptx", true),
            ($"/prompts/{prompt}?tab=commits", ".pcommits", true),
            ($"/prompts/{prompt}?tab=compare", ".pdiff", true),
            ($"/prompts/{prompt}?tab=tags", ".body .form", true),
            ($"/prompts/{prompt}?tab=use", "pre", true),
            ($"/prompts/{prompt}?tab=edit", ".pe-msg", true),
            ($"/prompts/{prompt}?tab=settings", ".body .form", true),
            ($"/playground?prompt={prompt}", "main textarea", false),
            ($"/public/{shared}/d", "main", true),
            ($"/public/{shared}/d/experiments/{experiments[0]}", "main", true),
        ];
        await Assert.MultipleAsync([.. pages.Select(p => (Func<Task>)(() => LookAsync(p)))]);

        async Task LookAsync((string Path, string Ready, bool IsNew) at)
        {
            await page.SetViewportSizeAsync(390, 844);
            await page.GotoAsync(at.Path);
            await Expect(page.Locator(at.Ready).First).ToBeVisibleAsync();
            await AssertFitsAsync(screen, at.Path);
            if (at.IsNew)
            {
                await Accessible.AssertAsync(page);
            }

            await page.SetViewportSizeAsync(1440, 900);
            await AssertFitsAsync(screen, at.Path);
        }
    }

    private static async Task AssertFitsAsync(ScreenPage screen, string path)
    {
        var outside = await screen.Page.EvaluateAsync<string[]>(
            """
            () => [
              ...(Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) > innerWidth ? [`the page: ${document.documentElement.scrollWidth} in ${innerWidth}`] : []),
              ...[...document.querySelectorAll(".top .btn, .top .omni")].filter((b) => b.getBoundingClientRect().right > innerWidth || b.scrollWidth > b.clientWidth + 1).map((b) => b.textContent),
            ]
            """
        );
        Assert.True(outside.Length == 0, $"{path}: {string.Join(", ", outside)}");
    }

    private static string Long(string word, int length) =>
        string.Concat(Enumerable.Repeat(word, length / word.Length));

    private async Task<Guid> MadeAsync(string path, object body, string id = "id") =>
        (await screens.Server.JsonAsync(HttpMethod.Post, path, body)).GetProperty(id).GetGuid();

    private async Task<Guid> DatasetAsync(string mark)
    {
        var dataset = await MadeAsync(
            "/api/v1/datasets",
            new { name = $"{Long("dataset", 200)} 🦊 بيانات {mark}", description = Long("d", 400) }
        );
        await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/examples/bulk",
            Enumerable
                .Range(0, 3)
                .Select(i => new
                {
                    dataset_id = dataset,
                    inputs = i == 0
                        ? new Dictionary<string, object?>()
                        : new()
                        {
                            [Long("key", 90)] = new string('v', 1_500),
                            ["متن"] = "قيمة",
                            ["nothing"] = null,
                        },
                    outputs = new { answer = $"🦊 {new string('o', 600)}", list = new[] { 1, 2 } },
                    split = new[] { new string('s', 90), "train" },
                })
        );
        return dataset;
    }

    private async Task<Guid[]> ExperimentsAsync(string mark, Guid dataset)
    {
        var examples = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/examples?dataset={dataset}"
        );
        var made = new List<Guid>();
        foreach (var name in new[] { Long("experiment", 180) + mark, $"b {mark}" })
        {
            var session = await MadeAsync(
                "/api/v1/sessions",
                new
                {
                    name,
                    reference_dataset_id = dataset,
                    extra = new
                    {
                        metadata = new Dictionary<string, string>
                        {
                            [Long("model", 90)] = Long("m", 190),
                        },
                    },
                }
            );
            made.Add(session);
            var last = Guid.Empty;
            foreach (var example in examples.EnumerateArray())
            {
                last = Guid.CreateVersion7();
                await screens.Server.JsonAsync(
                    HttpMethod.Post,
                    "/api/v1/runs",
                    new
                    {
                        id = last,
                        name = Long("n", 190),
                        run_type = "chain",
                        session_id = session,
                        reference_example_id = example.GetProperty("id").GetGuid(),
                        start_time = "2026-11-20T10:00:00.000000Z",
                        end_time = "2026-11-20T10:01:30.000000Z",
                        inputs = new { },
                        error = new string('e', 900),
                    }
                );
                await screens.Server.JsonAsync(
                    HttpMethod.Post,
                    "/api/v1/feedback",
                    new
                    {
                        run_id = last,
                        key = $"{mark}-{Long("feedback", 90)}",
                        score = 1234.5678,
                    }
                );
            }

            await screens.Server.JsonAsync(
                HttpMethod.Post,
                $"/api/v1/sessions/{session}/metrics",
                new
                {
                    step = 1,
                    metrics = new Dictionary<string, double> { [Long("series/", 90)] = 5e-6 },
                }
            );
            await Seed.ReadableAsync(screens.Server, last, TestContext.Current.CancellationToken);
        }

        return [.. made];
    }

    /// <summary>A prompt with two commits; its name.</summary>
    private async Task<string> PromptAsync(string mark)
    {
        var handle = $"{Long("prompt", 150)}-{mark}";
        await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/repos",
            new
            {
                repo_handle = handle,
                is_public = false,
                description = Long("d", 400),
                readme = $"# {Long("r", 300)}",
                tags = Enumerable.Range(0, 40).Select(i => $"topic-{i}-{new string('x', i)}"),
            }
        );
        foreach (var text in new[] { Long("k", 900), Long("l", 900) })
        {
            object Made(string[] id, object kwargs) =>
                new
                {
                    lc = 1,
                    type = "constructor",
                    id = (string[])["langchain_core", "prompts", .. id],
                    kwargs,
                };
            var template = Made(
                ["prompt", "PromptTemplate"],
                new { template = $"{text} {{{Long("variable_", 90)}}} 🦊 {{سؤال}}" }
            );
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                $"/api/v1/commits/-/{handle}",
                new
                {
                    description = Long("why ", 190),
                    manifest = Made(
                        ["chat", "ChatPromptTemplate"],
                        new
                        {
                            messages = new[]
                            {
                                Made(
                                    ["chat", "SystemMessagePromptTemplate"],
                                    new { prompt = template }
                                ),
                            },
                        }
                    ),
                }
            );
        }

        return handle;
    }
}
