using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>A file into a dataset, experiments on it, their comparison, its runs into another dataset, and the link for everybody.</summary>
public sealed class DatasetTests(Screens screens)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_becomes_a_dataset_and_a_bad_row_is_named()
    {
        await using var screen = await screens.OpenAsync("/data");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "New dataset" }).First.ClickAsync();
        await page.Locator("#new-dataset input[name=Name]")
            .FillAsync($"from a file {Guid.NewGuid()}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Versions", Exact = true }).ClickAsync();
        await Expect(page.GetByText("No version yet")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Import", Exact = true }).ClickAsync();
        var csv = new StringBuilder("question,answer,split\n");
        for (var i = 0; i < 120; i++)
        {
            csv.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"What is {i} plus 1?,{i + 1},train\n"
            );
        }

        csv.Append("too,many,columns,here\n");
        await page.GetByLabel("File to import")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "cases.csv",
                    MimeType = "text/csv",
                    Buffer = Encoding.UTF8.GetBytes(csv.ToString()),
                }
            );
        await Expect(page.Locator("[data-sample]"))
            .ToContainTextAsync("\"question\": \"What is 0 plus 1?\"");
        await page.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        // One bad row refuses the file, by its line; nothing is half there.
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "122" })).ToBeVisibleAsync();
        await page.Locator("[data-skip]").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await Expect(page.GetByText("120 examples imported.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "See them" }).ClickAsync();
        await Expect(page.Locator("data-grid .tr").First).ToBeVisibleAsync();
        await Expect(page.Locator("[data-count]")).ToContainTextAsync("of 120");

        // A schema, and an example that it refuses at the failing field.
        await page.GetByRole(AriaRole.Link, new() { Name = "Schema" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Infer from the examples" })
            .ClickAsync();
        await Expect(page.GetByLabel("Schema of inputs")).Not.ToHaveValueAsync("");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Examples" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Add example" }).ClickAsync();
        var inputs = page.Locator("[data-side=inputs]");
        await inputs.GetByRole(AriaRole.Button, new() { Name = "JSON" }).ClickAsync();
        await page.GetByLabel("Inputs as JSON").FillAsync("""{"question": 5}""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add example", Exact = true })
            .ClickAsync();
        await Expect(inputs.Locator(".faults")).ToContainTextAsync("inputs/question");
        await page.GetByLabel("Inputs as JSON").FillAsync("""{"question": "What is 5 plus 5?"}""");
        await page.Locator("[data-side=outputs]")
            .GetByRole(AriaRole.Button, new() { Name = "JSON" })
            .ClickAsync();
        await page.GetByLabel("Reference outputs as JSON").FillAsync("""{"answer": "10"}""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add example", Exact = true })
            .ClickAsync();
        await Expect(page.Locator("[data-count]")).ToContainTextAsync("of 121");
    }

    [Fact]
    public async Task Experiments_are_compared_and_their_runs_become_examples()
    {
        var (dataset, experiments) = await SeedAsync(40);
        await using var screen = await screens.OpenAsync($"/data/{dataset}?tab=experiments");
        var page = screen.Page;
        await Expect(page.Locator("experiment-grid .tr")).ToHaveCountAsync(2);
        await page.Locator("button[aria-label^='Make weak']").ClickAsync();
        await Expect(page.Locator(".tagc.base")).ToHaveTextAsync("baseline");
        await page.GetByLabel("Select all shown").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        // 40 pairs, 20 better and none worse: whoever computes it, that is better.
        await Expect(page.Locator("tr:has(a:text-is('correct')) .vd")).ToHaveTextAsync("better");
        await Expect(page.Locator("tr:has(a:text-is('correct'))"))
            .ToContainTextAsync("20 / 20 / 0");
        await page.GetByLabel("Rows").SelectOptionAsync("improved");
        await Expect(page.Locator("result-grid .tr")).ToHaveCountAsync(20);
        await page.Locator("result-grid .tr").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Compare the traces" }))
            .ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Against baseline" }).ClickAsync();
        await Expect(page.Locator("[data-is=base] ins").First).ToHaveTextAsync("right");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("dialog.panel")).ToHaveCountAsync(0);

        // Runs into a dataset of their own.
        await page.GotoAsync($"/projects/{experiments[1]}?range=all");
        await page.Locator("run-grid .tr .ck input").First.CheckAsync();
        await page.Locator("run-grid .tr .ck input").Nth(1).CheckAsync();
        await page.Locator(".bulk [data-add-dataset]").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Add to a dataset" });
        await dialog.Locator("select[name=dataset]").SelectOptionAsync("");
        await dialog
            .GetByLabel("Name of the new dataset")
            .FillAsync($"from traces {Guid.NewGuid()}");
        await Expect(dialog.Locator("[data-sample]")).ToContainTextAsync("\"question\"");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add to dataset" }).ClickAsync();
        await Expect(dialog.GetByText("2 examples added")).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Link, new() { Name = "Open the dataset" }).ClickAsync();
        await Expect(page.Locator("data-grid .tr")).ToHaveCountAsync(2);
        await Expect(page.GetByLabel("The run it was made from").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_was_tracked_is_a_column_a_chart_and_a_file_and_clusters_count_once()
    {
        var (dataset, experiments) = await SeedAsync(40);
        for (var e = 0; e < 2; e++)
        {
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                $"/sessions/{experiments[e]}/metrics",
                new
                {
                    points = Enumerable
                        .Range(0, 50)
                        .Select(i => new
                        {
                            key = "train/loss",
                            step = i,
                            value = (2.0 - e) / (1 + i),
                        }),
                }
            );
        }

        using var content = new StringContent("weights");
        using var kept = await screens.Server.Client.PutAsync(
            $"/sessions/{experiments[1]}/artifacts/models/best.bin",
            content,
            Cancel
        );
        kept.EnsureSuccessStatusCode();

        await using var screen = await screens.OpenAsync($"/data/{dataset}?tab=experiments");
        var page = screen.Page;
        var grid = page.Locator("experiment-grid");
        await Expect(grid.Locator(".tr").First).ToContainTextAsync("aaaaaaaa* (trunk)");
        await grid.GetByRole(AriaRole.Link, new() { Name = "Sort by train/loss" }).ClickAsync();
        await Expect(grid.Locator(".tr").First).ToContainTextAsync("weak");
        await grid.GetByRole(AriaRole.Link, new() { Name = "Sort by train/loss" }).ClickAsync();
        await Expect(grid.Locator(".tr").First).ToContainTextAsync("strong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Columns" }).ClickAsync();
        await page.Locator("#xcols")
            .GetByRole(AriaRole.Checkbox, new() { Name = "git commit" })
            .UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show these" }).ClickAsync();
        await Expect(grid).Not.ToContainTextAsync("aaaaaaaa");
        await Expect(grid).ToContainTextAsync("temperature");
        await page.GetByLabel("Chart of").SelectOptionAsync("train/loss");
        await Expect(page.Locator(".xchart .yt")).ToHaveTextAsync("train/loss");

        var table = await screens.Server.Client.GetStringAsync(
            new Uri($"{screens.Server.Address}/ui/data/{dataset}/experiments/export"),
            Cancel
        );
        var lines = table.TrimEnd().Split("\r\n");
        Assert.Equal(3, lines.Length);
        Assert.Contains("train/loss", lines[0], StringComparison.Ordinal);
        Assert.Contains("aaaaaaaa* (trunk)", lines[1], StringComparison.Ordinal);

        // People say something about an example itself.
        await page.GotoAsync($"/data/{dataset}");
        await page.Locator("data-grid .tr a[data-row]").First.ClickAsync();
        var said = page.Locator(".exfb");
        await said.GetByLabel("Comment").FillAsync("The reference is out of date");
        await said.GetByRole(AriaRole.Button, new() { Name = "Add as note" }).ClickAsync();
        await Expect(said.Locator(".fbl li")).ToContainTextAsync("The reference is out of date");
        await Accessible.AssertAsync(page);

        await page.GotoAsync($"/data/{dataset}/experiments/{experiments[1]}");
        await Expect(page.Locator(".trk figcaption")).ToContainTextAsync("train/loss");
        await Expect(page.Locator(".trk .ln path")).ToHaveCountAsync(1);
        var file = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "models/best.bin" }).ClickAsync()
        );
        Assert.Equal("weights", await File.ReadAllTextAsync(await file.PathAsync(), Cancel));

        // Half of weak's answers are wrong: a click on the score finds them.
        await page.GotoAsync($"/data/{dataset}/experiments/{experiments[0]}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Scores" }).ClickAsync();
        await page.Locator("#rfacets a", new() { HasText = "=0" }).ClickAsync();
        await Expect(page.Locator("result-grid .tr")).ToHaveCountAsync(20);

        await page.GotoAsync(
            $"/data/{dataset}/compare?selectedSessions={experiments[0]},{experiments[1]}"
        );
        await Expect(page.Locator(".trk .ln path")).ToHaveCountAsync(2);
        var correct = page.Locator("tr:has(a:text-is('correct'))");
        await Expect(correct).ToContainTextAsync("n 40");
        // Ten documents of four questions each are ten observations; each is half right for one and whole for the other.
        await page.GetByLabel("Clusters").SelectOptionAsync("document");
        await Expect(correct).ToContainTextAsync("n 10");
        await Expect(correct).ToContainTextAsync("10 / 0 / 0");
        await Accessible.AssertAsync(page);
    }

    [Fact]
    public async Task The_pages_of_a_dataset_are_accessible_in_both_themes()
    {
        var (dataset, experiments) = await SeedAsync(12);
        await using var screen = await screens.OpenAsync("/data");
        foreach (
            var path in (string[])
                [
                    "/data",
                    $"/data/{dataset}",
                    $"/data/{dataset}/examples/new",
                    $"/data/{dataset}?tab=experiments",
                    $"/data/{dataset}?tab=versions",
                    $"/data/{dataset}?tab=splits",
                    $"/data/{dataset}?tab=schema",
                    $"/data/{dataset}?tab=import",
                    $"/data/{dataset}?tab=export",
                    $"/data/{dataset}?tab=settings",
                    $"/data/{dataset}/experiments/{experiments[0]}",
                    $"/data/{dataset}/compare?selectedSessions={experiments[0]},{experiments[1]}",
                ]
        )
        {
            await screen.Page.GotoAsync(path);
            await Accessible.AssertAsync(screen.Page);
        }

        var shared = await screens.Server.JsonAsync(HttpMethod.Put, $"/datasets/{dataset}/share");
        var open = $"/public/{shared.GetProperty("share_token").GetString()}/d";
        await using var stranger = await screens.OpenAsync(open, isSignedIn: false);
        foreach (
            var (path, mark) in new (string, string)[]
            {
                (open, ".jbox"),
                ($"{open}?tab=experiments", ".list tbody tr"),
                ($"{open}/experiments/{experiments[0]}", "result-grid .tr"),
                ($"{open}/compare?selectedSessions={experiments[0]},{experiments[1]}", ".vtab"),
            }
        )
        {
            await stranger.Page.GotoAsync(path);
            await Expect(stranger.Page.Locator(mark).First).ToBeVisibleAsync();
            await Accessible.AssertAsync(stranger.Page);
        }
    }

    [Fact]
    public async Task A_model_proposes_examples_and_only_those_chosen_are_written()
    {
        var (dataset, _) = await SeedAsync(2);
        await using var screen = await screens.OpenAsync($"/data/{dataset}?tab=import");
        var page = screen.Page;
        await page.GetByLabel("How many").FillAsync("3");
        await page.GetByLabel("What they should be like").FillAsync("Short ones");
        await page.GetByRole(AriaRole.Button, new() { Name = "Propose examples" }).ClickAsync();
        await Expect(page.GetByText("3 examples by")).ToBeVisibleAsync();
        await Accessible.AssertAsync(page);
        Assert.Equal(2, await CountAsync());
        await page.GetByLabel("Take example 2 over").UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add the chosen ones" }).ClickAsync();
        await Expect(page.Locator("data-grid .tr")).ToHaveCountAsync(4);
        Assert.Equal(4, await CountAsync());

        async Task<int> CountAsync() =>
            (
                await screens.Server.JsonAsync(HttpMethod.Get, $"/examples/count?dataset={dataset}")
            ).GetInt32();
    }

    [Fact]
    public async Task Labels_without_scores_are_columns_and_conditions_and_have_the_colours_a_client_chose()
    {
        var (dataset, experiments) = await SeedAsync(6);
        for (var e = 0; e < 2; e++)
        {
            var runs = await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/runs/query",
                new { session = new[] { experiments[e] }, select = new[] { "id" } }
            );
            var place = 0;
            foreach (var run in runs.GetProperty("runs").EnumerateArray())
            {
                await screens.Server.JsonAsync(
                    HttpMethod.Post,
                    "/feedback",
                    new
                    {
                        run_id = run.GetProperty("id").GetGuid(),
                        key = "tone",
                        value = e == 0 && place++ < 4 ? "very formal" : "casual",
                    }
                );
            }
        }

        // A person corrects an evaluator under its own key.
        var judged = await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/runs/query",
            new { session = new[] { experiments[0] }, limit = 1 }
        );
        foreach (var type in (string[])["app", "model"])
        {
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/feedback",
                new
                {
                    run_id = judged.GetProperty("runs")[0].GetProperty("id").GetGuid(),
                    key = "helpful",
                    score = 1,
                    feedback_source = new { type },
                }
            );
        }

        await screens.Server.JsonAsync(
            HttpMethod.Post,
            $"/datasets/{dataset}/experiment-view-overrides",
            new
            {
                column_overrides = new object[]
                {
                    new
                    {
                        column = "tone",
                        color_map = new Dictionary<string, string>
                        {
                            ["casual"] = "#00aa00",
                            ["very formal"] = "red;position:fixed",
                        },
                    },
                    new
                    {
                        column = "correct",
                        precision = 2,
                        color_gradient = new object[]
                        {
                            new object[] { 0, "#ff0000" },
                            new object[] { 1, "#0000ff" },
                        },
                    },
                },
            }
        );

        await using var screen = await screens.OpenAsync(
            $"/data/{dataset}/experiments/{experiments[0]}"
        );
        var page = screen.Page;
        var rows = page.Locator("result-grid .tr");
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "tone" }))
            .ToBeVisibleAsync();
        await Expect(page.Locator(".lab", new() { HasText = "casual" }).First)
            .ToHaveAttributeAsync("style", "--c:#00aa00");
        await Expect(page.Locator(".kpi", new() { HasText = "helpful" }).Locator(".pill"))
            .ToHaveTextAsync("people + evaluators");
        await Expect(page.Locator(".kpi .pill")).ToHaveCountAsync(1);
        // What is no colour does not get into a style.
        Assert.Null(
            await page.Locator(".lab", new() { HasText = "very formal" })
                .First.GetAttributeAsync("style")
        );
        await Expect(page.Locator(".heat", new() { HasText = "1.00" }).First)
            .ToHaveAttributeAsync("style", "--c:#0000ff");
        await Accessible.AssertAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Scores" }).ClickAsync();
        await page.Locator("#rfacets a", new() { HasText = "very formal" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(4);
        await Expect(page.GetByLabel("Search and conditions"))
            .ToHaveValueAsync("tone=\"very formal\"");

        await page.GotoAsync(
            $"/data/{dataset}/compare?selectedSessions={experiments[0]},{experiments[1]}&q=tone%3Dcasual%20correct%3D1"
        );
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(rows.First).ToContainTextAsync("tone");
        await Accessible.AssertAsync(page);
        var csv = await screens.Server.Client.GetStringAsync(
            new Uri(
                $"{screens.Server.Address}/ui/data/{dataset}/results/export?selectedSessions={experiments[0]}&q=tone%3Dcasual&format=csv"
            ),
            Cancel
        );
        var lines = csv.TrimEnd().Split("\r\n");
        Assert.EndsWith(",tone label", lines[0], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
        Assert.All(lines[1..], l => Assert.EndsWith(",casual", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_has_the_link_sees_the_dataset_and_its_experiments_and_nothing_after_it_is_taken_back()
    {
        var (dataset, experiments) = await SeedAsync(12);
        var shared = await screens.Server.JsonAsync(HttpMethod.Put, $"/datasets/{dataset}/share");
        var token = shared.GetProperty("share_token").GetString();
        using var stranger = new HttpClient { BaseAddress = new Uri(screens.Server.Address) };
        string[] open =
        [
            $"/public/{token}/d",
            $"/public/{token}/d?tab=experiments",
            $"/public/{token}/d/experiments/{experiments[0]}",
            $"/public/{token}/d/compare?selectedSessions={experiments[0]},{experiments[1]}",
            $"/ui/public/{token}/results/export?selectedSessions={experiments[0]}&format=csv",
            $"/ui/public/{token}/export?format=jsonl",
        ];
        foreach (var path in open)
        {
            using var answer = await stranger.GetAsync(path, Cancel);
            Assert.True(answer.IsSuccessStatusCode, path);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            Assert.DoesNotContain("ada@example.com", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Ada Lovelace", text, StringComparison.Ordinal);
            Assert.DoesNotContain("trunk", text, StringComparison.Ordinal);
        }

        var page = await stranger.GetStringAsync(new Uri(open[2], UriKind.Relative), Cancel);
        Assert.Contains("aaaaaaaa*", page, StringComparison.Ordinal);
        Assert.Contains("temperature", page, StringComparison.Ordinal);

        // A link opens its own dataset's experiments, not another's.
        var (_, others) = await SeedAsync(3);
        using var foreign = await stranger.GetAsync(
            $"/public/{token}/d/experiments/{others[0]}",
            Cancel
        );
        Assert.Equal(System.Net.HttpStatusCode.NotFound, foreign.StatusCode);
        using var gone = await screens.Server.Client.DeleteAsync(
            $"/datasets/{dataset}/share",
            Cancel
        );
        gone.EnsureSuccessStatusCode();
        foreach (var path in open)
        {
            using var answer = await stranger.GetAsync(path, Cancel);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    /// <summary>A dataset with two experiments: "weak" is right on every other example, "strong" on all.</summary>
    private async Task<(Guid Dataset, Guid[] Experiments)> SeedAsync(int count)
    {
        var server = screens.Server;
        var made = await server.JsonAsync(
            HttpMethod.Post,
            "/datasets",
            new { name = $"questions {Guid.NewGuid()}" }
        );
        var dataset = made.GetProperty("id").GetGuid();
        var ids = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToList();
        await server.JsonAsync(
            HttpMethod.Post,
            "/examples/bulk",
            ids.Select(
                (id, i) =>
                    new
                    {
                        id,
                        dataset_id = dataset,
                        inputs = new { question = $"Question {i}?" },
                        outputs = new { answer = $"the right answer {i}" },
                        metadata = new { document = $"document {i / 4}" },
                    }
            )
        );
        var experiments = new[] { Guid.NewGuid(), Guid.NewGuid() };
        string[] names = ["weak", "strong"];
        for (var e = 0; e < 2; e++)
        {
            await server.JsonAsync(
                HttpMethod.Post,
                "/sessions",
                new
                {
                    id = experiments[e],
                    name = $"{names[e]} {experiments[e]}",
                    reference_dataset_id = dataset,
                    extra = new
                    {
                        metadata = new
                        {
                            model = names[e],
                            temperature = e / 10.0,
                            owner = "Ada Lovelace <ada@example.com>",
                            git = new
                            {
                                commit = new string('a', 39) + e,
                                branch = "trunk",
                                dirty = true,
                                authorName = "Ada Lovelace",
                                author_email = "ada@example.com",
                            },
                        },
                    },
                }
            );
            var start = TimeProvider.System.GetUtcNow();
            var runs = ids.Select(id => (Example: id, Run: Guid.NewGuid())).ToList();
            await server.JsonAsync(
                HttpMethod.Post,
                "/runs/batch",
                new
                {
                    post = runs.Select(
                        (r, i) =>
                            new
                            {
                                id = r.Run,
                                trace_id = r.Run,
                                dotted_order = $"{start:yyyyMMdd'T'HHmmssffffff}Z{r.Run}",
                                name = "app",
                                run_type = "chain",
                                session_id = experiments[e],
                                reference_example_id = r.Example,
                                start_time = start,
                                end_time = start.AddMilliseconds(100 + i),
                                inputs = new { question = $"Question {i}?" },
                                outputs = new
                                {
                                    answer = $"the {(e == 1 || i % 2 == 0 ? "right" : "wrong")} answer {i}",
                                },
                            }
                    ),
                }
            );
            for (var i = 0; i < runs.Count; i++)
            {
                await server.JsonAsync(
                    HttpMethod.Post,
                    "/feedback",
                    new
                    {
                        run_id = runs[i].Run,
                        key = "correct",
                        score = e == 1 || i % 2 == 0 ? 1 : 0,
                    }
                );
            }
        }

        return (dataset, experiments);
    }
}
