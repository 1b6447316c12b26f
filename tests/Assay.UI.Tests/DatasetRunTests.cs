using System.Text.RegularExpressions;
using Assay.Server.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>A prompt of the playground run on a dataset, followed, paused, and looked at as an experiment.</summary>
public sealed class DatasetRunTests(Screens screens)
{
    [Fact]
    public async Task A_variant_runs_on_a_dataset_and_becomes_an_experiment()
    {
        var dataset = await DatasetAsync("dataset run", 12);
        await using var screen = await screens.OpenAsync($"/playground?dataset={dataset}");
        var page = screen.Page;
        var variant = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant A" });
        await variant.GetByLabel("Model").FillAsync("sim-echo?latency=200");
        await variant.GetByRole(AriaRole.Button, new() { Name = "Run on a dataset" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByText("Costs nothing")).ToBeVisibleAsync();
        await Expect(dialog.GetByText("12 calls (12 examples)")).ToBeVisibleAsync();
        // The variable is called question, the input text: the only one there is, so it is meant.
        await Expect(dialog.GetByLabel("Source of question")).ToHaveValueAsync("text");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        // Two variables have to be told apart; one of them is the same for all.
        await variant
            .GetByRole(AriaRole.Textbox, new() { Name = "Message 2", Exact = true })
            .FillAsync("{question} in {language}");
        await Expect(page.GetByLabel("language")).ToBeVisibleAsync();
        await variant.GetByRole(AriaRole.Button, new() { Name = "Run on a dataset" }).ClickAsync();
        await dialog.GetByLabel("Source of question").SelectOptionAsync("text");
        await dialog
            .GetByLabel("Source of language")
            .SelectOptionAsync(new SelectOptionValue { Label = "the same for all…" });
        await dialog.GetByLabel("Value of language").FillAsync("Finnish");
        await dialog.GetByLabel("Concurrency").FillAsync("1");
        await dialog.GetByLabel("Experiment's name").FillAsync("from the playground");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();

        await page.WaitForURLAsync("**/jobs/*");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resume" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(page.GetByText("12 of 12 rows")).ToBeVisibleAsync();
        await Expect(page.Locator("job-view [data-state=Done]")).ToBeVisibleAsync();
        await Accessible.AssertAsync(page);

        await page.GetByRole(AriaRole.Link, new() { Name = "Jobs", Exact = true })
            .First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("from the playground");
        await Accessible.AssertAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "from the playground" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Experiment", Exact = true })
            .ClickAsync();
        await Expect(page.Locator("result-grid")).ToContainTextAsync("question 11 in Finnish");
    }

    [Fact]
    public async Task Failed_rows_are_told_with_their_reason_and_can_be_run_again()
    {
        var dataset = await DatasetAsync("dataset run that fails", 3);
        var started = await screens.Server.JsonAsync(
            HttpMethod.Post,
            $"/ui/jobs/datasets/{dataset}/run",
            new
            {
                variant = new
                {
                    provider = "5173a7ed-0000-4000-8000-000000000001",
                    model = "sim-chat?fail=1&status=500&latency=0",
                    messages = new[] { new { role = "user", content = "{text}" } },
                },
            }
        );
        await using var screen = await screens.OpenAsync(
            $"/jobs/{started.GetProperty("job").GetString()}"
        );
        var page = screen.Page;
        await Expect(page.GetByText("answered 500").First).ToBeVisibleAsync();
        await Expect(page.Locator("job-view [data-state=Done]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Run the failed ones again" })
            .ClickAsync();
        await Expect(page.Locator("job-view [data-state=Done]")).ToBeVisibleAsync();
        await Expect(page.GetByText("3 of 3 rows")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_run_started_in_the_browser_survives_a_kill_and_is_seen_to_its_end()
    {
        await using var server = await RunningServer.StartAsync();
        var dataset = await DatasetAsync("killed in the middle", 40, server);
        await using var screen = await screens.OpenOnAsync(server);
        var page = screen.Page;
        await page.GotoAsync($"{server.Address}/playground?dataset={dataset}");
        var variant = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant A" });
        await variant.GetByLabel("Model").FillAsync("sim-echo?latency=400");
        await variant.GetByRole(AriaRole.Button, new() { Name = "Run on a dataset" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByText("40 calls (40 examples)")).ToBeVisibleAsync();
        await dialog.GetByLabel("Concurrency").FillAsync("2");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await page.WaitForURLAsync("**/jobs/*");
        var path = new Uri(page.Url).AbsolutePath;
        await Expect(
                page.GetByText(
                    new Regex("^[1-9]\\d* of 40 rows$", RegexOptions.None, TimeSpan.FromSeconds(5))
                )
            )
            .ToBeVisibleAsync();
        await page.GotoAsync("about:blank");
        await server.KillAsync();
        await server.StartAgainAsync();

        await page.GotoAsync(server.Address + path);
        await Expect(page.Locator("job-view [data-state=Running]")).ToBeVisibleAsync();
        await Expect(page.Locator("job-view [data-state=Done]"))
            .ToBeVisibleAsync(new() { Timeout = 90_000 });
        await Expect(page.GetByText("40 of 40 rows")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Experiment", Exact = true })
            .ClickAsync();
        await Expect(page.Locator("result-grid")).ToContainTextAsync("question 7");
        var experiment = new Uri(page.Url).Segments[^1];
        var runs = await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new
            {
                session = new[] { experiment },
                is_root = true,
                limit = 100,
                select = new[] { "reference_example_id" },
            }
        );
        var examples = runs.GetProperty("runs")
            .EnumerateArray()
            .Select(r => r.GetProperty("reference_example_id").GetGuid())
            .ToList();
        Assert.Equal((40, 40), (examples.Count, examples.Distinct().Count()));
    }

    private Task<Guid> DatasetAsync(string name, int examples) =>
        DatasetAsync(name, examples, screens.Server);

    private static async Task<Guid> DatasetAsync(string name, int examples, RunningServer server)
    {
        var made = await server.JsonAsync(HttpMethod.Post, "/api/v1/datasets", new { name });
        var id = made.GetProperty("id").GetGuid();
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/examples/bulk",
            Enumerable
                .Range(0, examples)
                .Select(i => new { dataset_id = id, inputs = new { text = $"question {i}" } })
        );
        return id;
    }
}
