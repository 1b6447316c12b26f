using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The list of a project: selection, deletion, export, views, sorting, live tail.</summary>
public sealed class ListTests(Screens screens)
{
    [Fact]
    public async Task Selected_traces_are_deleted_only_after_a_confirmation()
    {
        await using var screen = await OpenAsync("list-delete", 5);
        var page = screen.Page;
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("x");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Shift+X");
        await Expect(page.Locator(".bulk")).ToContainTextAsync("3 selected");

        await Button(page, "Delete").ClickAsync();
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Cancel" })
            .ClickAsync();
        await Expect(Rows(page)).ToHaveCountAsync(5);

        await Button(page, "Delete").ClickAsync();
        await Expect(page.Locator("dialog")).ToContainTextAsync("Delete 3 traces?");
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(page.Locator("#toasts")).ToContainTextAsync("deleted");
        await Expect(Rows(page)).ToHaveCountAsync(2);
        await page.ReloadAsync();
        await Expect(Rows(page)).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Selected_rows_and_whole_lists_are_exported()
    {
        await using var screen = await OpenAsync("list-export", 4);
        var page = screen.Page;
        await page.GetByLabel("Select all shown").CheckAsync();
        var csv = await DownloadAsync(page, () => Button(page, "CSV").ClickAsync());
        Assert.Equal(5, Lines(csv));
        Assert.Contains("list-export-3", csv, StringComparison.Ordinal);

        await Button(page, "Drop the selection").ClickAsync();
        await Button(page, "Export").ClickAsync();
        var jsonl = await DownloadAsync(
            page,
            () => page.GetByRole(AriaRole.Link, new() { Name = "JSONL" }).ClickAsync()
        );
        Assert.Equal(4, Lines(jsonl));
    }

    [Fact]
    public async Task A_query_is_saved_and_found_again_and_an_error_is_shown_where_it_is()
    {
        await using var screen = await OpenAsync("list-views", 3);
        var page = screen.Page;
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("name:list-views-1");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Rows(page)).ToHaveCountAsync(1);
        await Button(page, "Views").ClickAsync();
        await Button(page, "Save this view…").ClickAsync();
        await page.Locator("dialog input").FillAsync("Only the first 🦊");
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Save" })
            .ClickAsync();
        // It is the server's: another browser, another project, the same workspace.
        await using (var other = await OpenAsync("list-views-2", 2))
        {
            await Button(other.Page, "Views").ClickAsync();
            var view = other.Page.GetByRole(AriaRole.Link, new() { Name = "Only the first 🦊" });
            await view.ClickAsync();
            await Expect(other.Page.Locator("run-grid")).ToContainTextAsync("Nothing matches");
            await Expect(other.Page.GetByLabel("Query")).ToHaveValueAsync("name:list-views-1");

            await Button(other.Page, "Views").ClickAsync();
            await Button(other.Page, "Rename Only the first 🦊").ClickAsync();
            await other.Page.Locator("dialog input").FillAsync("Better name");
            await other.Page.Keyboard.PressAsync("Enter");
            await Expect(other.Page.Locator("#toasts")).ToContainTextAsync("Renamed");
        }

        await page.GotoAsync(page.Url.Split('?')[0]);
        await Expect(Rows(page)).ToHaveCountAsync(3);
        await Button(page, "Views").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Better name" }).ClickAsync();
        await Expect(Rows(page)).ToHaveCountAsync(1);
        await Button(page, "Views").ClickAsync();
        await Expect(page.Locator("[data-views] [data-q]").First)
            .ToHaveTextAsync("name:list-views-1");
        await Button(page, "Delete Better name").ClickAsync();
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(page.Locator("#toasts")).ToContainTextAsync("View deleted");
        await Button(page, "Views").ClickAsync();
        await Expect(page.Locator("[data-views]")).ToContainTextAsync("None yet: a query");
        await page.Keyboard.PressAsync("Escape");

        await page.GotoAsync(page.Url.Split('?')[0] + "?q=status:error+latency>soon");
        await Expect(page.Locator(".qp mark")).ToHaveTextAsync("latency");
    }

    [Fact]
    public async Task Columns_are_chosen_and_the_server_sorts()
    {
        await using var screen = await OpenAsync("list-columns", 3);
        var page = screen.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Latency", Exact = true })
            .Last.ClickAsync();
        await Expect(Rows(page).First).ToContainTextAsync("list-columns-2");
        await page.GetByRole(AriaRole.Columnheader, new() { Name = "Latency" })
            .GetByRole(AriaRole.Link)
            .ClickAsync();
        await Expect(Rows(page).First).ToContainTextAsync("list-columns-0");

        await page.GetByRole(AriaRole.Columnheader, new() { Name = "Input" })
            .GetByRole(AriaRole.Link)
            .ClickAsync();
        await Expect(Rows(page).First).ToContainTextAsync("list-columns-2");
        await page.GetByRole(AriaRole.Columnheader, new() { Name = "Input" })
            .GetByRole(AriaRole.Link)
            .ClickAsync();
        await Expect(Rows(page).First).ToContainTextAsync("list-columns-0");

        await Button(page, "Columns").ClickAsync();
        await page.Locator("[data-columns]").GetByLabel("Model").CheckAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Model" }))
            .ToBeVisibleAsync();
    }

    [Fact]
    public async Task New_traces_come_into_the_list_by_themselves()
    {
        await using var screen = await OpenAsync("list-live", 1);
        var seed = new Seed("list-live");
        seed.Add("arrived-late");
        await seed.SendAsync(screens.Server);
        await Expect(screen.Page.Locator("run-grid")).ToContainTextAsync("arrived-late");
    }

    private async Task<ScreenPage> OpenAsync(string project, int count)
    {
        var seed = new Seed(project);
        for (var i = 0; i < count; i++)
        {
            seed.Add(
                $"{project}-{i}",
                at: i * 1_000,
                took: 100 * (i + 1),
                inputs: new { question = $"Question {i}" },
                outputs: new { answer = $"Answer {i}" }
            );
        }

        await seed.SendAsync(screens.Server);
        var screen = await screens.OpenAsync(
            await ProjectAsync(screens, project),
            through: screens.Far
        );
        await Expect(screen.Page.Locator("run-grid[data-ready]")).ToBeVisibleAsync();
        await Expect(Rows(screen.Page)).ToHaveCountAsync(count);
        return screen;
    }

    /// <summary>The address of a project by its name.</summary>
    internal static async Task<string> ProjectAsync(Screens screens, string name)
    {
        var found = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?name={Uri.EscapeDataString(name)}"
        );
        return $"/projects/{found[0].GetProperty("id").GetString()}";
    }

    private static async Task<string> DownloadAsync(IPage page, Func<Task> act)
    {
        var download = await page.RunAndWaitForDownloadAsync(act);
        return await File.ReadAllTextAsync(
            await download.PathAsync(),
            TestContext.Current.CancellationToken
        );
    }

    private static int Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private static ILocator Rows(IPage page) => page.Locator("run-grid .tr");

    private static ILocator Button(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
