using System.Text.Json.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>A judge of the library: looked at on real rows, saved, compared with people, and its badge wherever its scores are.</summary>
public sealed class JudgeTests(Screens screens)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_judge_of_the_library_is_previewed_saved_calibrated_and_its_badge_is_seen()
    {
        var mark = Guid.NewGuid().ToString("N")[..8];
        var (project, runs) = await RunsAsync($"judged {mark}", 34);
        await using var screen = await screens.OpenAsync("/evaluators/new");
        var page = screen.Page;
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Library of evaluators" }))
            .ToBeVisibleAsync();
        await Accessible.AssertAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "Toxicity", Exact = true }).ClickAsync();
        var editor = page.Locator("evaluator-editor");
        await Expect(editor.GetByLabel("Feedback key")).ToHaveValueAsync("toxicity");
        await editor.GetByLabel("Name", new() { Exact = true }).FillAsync($"Toxicity {mark}");
        await editor.GetByLabel("Feedback key").FillAsync($"tox_{mark}");
        await editor.GetByLabel("Provider").SelectOptionAsync("Simulated");
        await editor.GetByLabel("Rows of").SelectOptionAsync([project.ToString()]);
        var row = editor.Locator(".ev-row").First;
        await Expect(row.Locator("dd").First).ToContainTextAsync("question");
        await row.GetByText("What the judge is sent").ClickAsync();
        await Expect(row.Locator("pre").First).ToContainTextAsync("Criterion: toxicity");
        await row.GetByRole(AriaRole.Button, new() { Name = "Try" }).ClickAsync();
        await Expect(row.Locator(".ev-out .v")).ToBeVisibleAsync();
        await Expect(row.GetByText("Raw replies")).ToBeVisibleAsync();
        await Accessible.AssertAsync(page);

        // A variable that comes from nowhere is told before anything is asked.
        var message = editor.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" });
        var text = await message.InputValueAsync();
        await message.FillAsync(text + "{{reference}}");
        await Expect(editor.Locator(".ev-row").First.Locator(".ev-miss"))
            .ToContainTextAsync("reference (reference) has no value here");
        await message.FillAsync(text);
        await Expect(editor.Locator(".ev-miss")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Create evaluator" }).ClickAsync();
        await Expect(page.Locator(".crumb .trust")).ToHaveTextAsync("not calibrated");
        var id = new Uri(page.Url).Segments[^1];

        // People agree with the judge on all runs but two.
        await LabelAsync(editor, project, runs, $"human_{mark}");
        await page.GotoAsync($"/evaluators/{id}/calibration");
        await page.GetByLabel("What people answered").SelectOptionAsync([$"human_{mark}"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Expect(page.GetByText("Cohen’s κ")).ToBeVisibleAsync();
        await Expect(page.Locator(".crumb .trust")).ToHaveTextAsync("trusted");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Disagreements 2 of 34" }))
            .ToBeVisibleAsync();
        await Accessible.AssertAsync(page);

        var (experiment, scored) = await ScoredExperimentAsync(mark, id);
        await BadgedAsync(page, scored, runs[0]);
        await page.GotoAsync(experiment);
        await Expect(page.Locator(".xsum .trust")).ToHaveTextAsync("trusted");
        await page.Locator("result-grid .tr").First.ClickAsync();
        await Expect(page.Locator(".rowd .trust")).ToHaveTextAsync("trusted");

        await page.GotoAsync($"/evaluators/{id}/calibration");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add as example" }).First.ClickAsync();
        await Expect(page.GetByText("example since version 2")).ToBeVisibleAsync();
        await CorrectedAsync(page, scored);
        await page.GotoAsync($"/evaluators?q={mark}");
        await Expect(page.Locator(".list .trust")).ToHaveTextAsync("not calibrated");
        await page.GotoAsync($"/evaluators/{id}/versions");
        await page.GetByRole(AriaRole.Button, new() { Name = "Restore version 1" }).ClickAsync();
        await Expect(page.GetByText("Version 1 restored")).ToBeVisibleAsync();

        await page.GotoAsync($"/evaluators?delete={id}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete evaluator" }).ClickAsync();
        await Expect(page.GetByText("The evaluator is gone.")).ToBeVisibleAsync();
    }

    /// <summary>A verdict is corrected where it is read, and the judge has it as an example.</summary>
    private static async Task CorrectedAsync(IPage page, Guid run)
    {
        await page.GotoAsync($"/t/{run}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Feedback" }).ClickAsync();
        await page.GetByText("Correct", new() { Exact = true }).ClickAsync();
        var form = page.Locator("form[data-correct]");
        await form.GetByRole(AriaRole.Radio, new() { Name = "no" }).CheckAsync();
        await form.GetByLabel("Why").FillAsync("Nothing toxic in it");
        await Accessible.AssertAsync(page);
        await form.GetByRole(AriaRole.Button, new() { Name = "Save correction" }).ClickAsync();
        await Expect(page.GetByText("the judge sees it from version 3 on")).ToBeVisibleAsync();
        await Expect(page.Locator(".fbl")).ToContainTextAsync("Nothing toxic in it");
    }

    private async Task<(Guid Project, IReadOnlyList<Guid> Runs)> RunsAsync(string name, int count)
    {
        var seed = new Seed(name);
        var runs = Enumerable
            .Range(0, count)
            .Select(i =>
                seed.Add(
                    "app",
                    at: i,
                    inputs: new { question = $"question {i}" },
                    outputs: new { answer = $"answer {i}" }
                )
            )
            .ToList();
        await seed.SendAsync(screens.Server);
        await Seed.ReadableAsync(screens.Server, runs[^1], Cancel);
        var sessions = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?name={Uri.EscapeDataString(name)}"
        );
        return (sessions[0].GetProperty("id").GetGuid(), runs);
    }

    /// <summary>Asks the judge about each run and lets people say the same, but for two.</summary>
    private async Task LabelAsync(
        ILocator editor,
        Guid project,
        IReadOnlyList<Guid> runs,
        string key
    )
    {
        var draft = JsonNode.Parse((await editor.GetAttributeAsync("data-draft"))!);
        for (var i = 0; i < runs.Count; i++)
        {
            var said = await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/ui/evaluators/try",
                new
                {
                    draft,
                    run = runs[i],
                    project,
                }
            );
            var number = said.GetProperty("number").GetDouble();
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                $"/ui/runs/{runs[i]}/feedback",
                new
                {
                    key,
                    score = i < 2 ? 1 - number : number,
                    comment = "a person said so",
                }
            );
        }
    }

    /// <summary>The badge beside the judge's score in the trace, in its list, in two traces compared, among the project's scores and on the public page.</summary>
    private async Task BadgedAsync(IPage page, Guid run, Guid other)
    {
        await page.GotoAsync($"/t/{run}");
        await Expect(page.Locator(".tsum .fb .trust")).ToHaveTextAsync("trusted");
        await Expect(page.Locator(".tn .fb .trust")).ToHaveTextAsync("trusted");
        await page.GotoAsync($"/compare?a={run}&b={other}");
        await Expect(page.Locator(".cfig th .trust")).ToHaveTextAsync("trusted");
        var project = (
            await screens.Server.JsonAsync(HttpMethod.Get, $"/api/v1/runs/{run}")
        ).GetProperty("session_id");
        await page.GotoAsync($"/projects/{project}?chart=scores");
        await Expect(page.Locator(".tr .fb .trust")).ToHaveTextAsync("trusted");
        var row = page.Locator(".scores tbody tr");
        await Expect(row.Locator(".trust")).ToHaveTextAsync("trusted");
        await Expect(row.Locator("td").First).ToContainTextAsync("–");
        await Expect(row.Locator("td").Nth(1)).ToContainTextAsync("1 of 1");
        await Accessible.AssertAsync(page);
        var shared = await screens.Server.JsonAsync(HttpMethod.Post, $"/ui/traces/{run}/share");
        await page.GotoAsync(new Uri(shared.GetProperty("url").GetString()!).PathAndQuery);
        await Expect(page.Locator(".fb span.trust")).ToHaveTextAsync("trusted");
    }

    /// <summary>An experiment of one run with a score of the judge: its address and the run.</summary>
    private async Task<(string Address, Guid Run)> ScoredExperimentAsync(string mark, string judge)
    {
        var server = screens.Server;
        var dataset = (
            await server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/datasets",
                new { name = $"judged {mark}" }
            )
        )
            .GetProperty("id")
            .GetGuid();
        var example = (
            await server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/examples",
                new
                {
                    dataset_id = dataset,
                    inputs = new { question = "q" },
                    outputs = new { answer = "a" },
                }
            )
        ).GetProperty("id").GetGuid();
        var session = (
            await server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/sessions",
                new { name = $"experiment {mark}", reference_dataset_id = dataset }
            )
        )
            .GetProperty("id")
            .GetGuid();
        var run = Guid.CreateVersion7();
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs",
            new
            {
                id = run,
                trace_id = run,
                name = "app",
                run_type = "chain",
                session_id = session,
                reference_example_id = example,
                start_time = TimeProvider.System.GetUtcNow().AddMinutes(-2),
                end_time = TimeProvider.System.GetUtcNow().AddMinutes(-1),
                inputs = new { question = "q" },
                outputs = new { answer = "a" },
            }
        );
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/feedback",
            new
            {
                id = Guid.NewGuid(),
                run_id = run,
                trace_id = run,
                session_id = session,
                key = $"tox_{mark}",
                score = 1,
                feedback_source = new
                {
                    type = "auto_eval",
                    metadata = new { evaluator_id = judge },
                },
            }
        );
        await Seed.ReadableAsync(server, run, Cancel);
        return ($"/data/{dataset}/experiments/{session}", run);
    }
}
