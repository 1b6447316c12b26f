using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>What every page has: the list to begin with, the palette and what it does, toasts, paper.</summary>
public sealed class ShellTests(Screens screens)
{
    [Fact]
    public async Task The_first_page_of_a_signed_in_browser_lists_the_projects()
    {
        await using var screen = await screens.OpenAsync("/");
        await Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "Projects" }).First)
            .ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_palette_acts_on_the_page_and_leads_to_runs_by_their_id()
    {
        var seed = new Seed("palette-actions");
        var root = seed.Add("palette-trace");
        var run = seed.Add("palette-run", "tool", root, 1);
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/t/{root}", through: screens.Far);
        var page = screen.Page;
        await page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await Expect(page.Locator("trace-view[data-ready] .detail .dh")).ToBeVisibleAsync();

        await ChooseAsync(page, "copy the address", "Copy the address of this page");
        await Expect(page.Locator("#toasts[role=status] .toast")).ToHaveTextAsync("Copied");
        Assert.Equal(
            page.Url,
            await page.EvaluateAsync<string>("() => navigator.clipboard.readText()")
        );
        // It goes by itself.
        await Expect(page.Locator("#toasts .toast")).ToHaveCountAsync(0);

        await ChooseAsync(page, "keyboard", "Keyboard help");
        // What this page can do is told before the rest.
        await Expect(page.Locator("dialog.keys h3").Nth(1)).ToHaveTextAsync("Trace");
        await page.Keyboard.PressAsync("Escape");

        await ChooseAsync(page, "share", "Share this trace");
        await Expect(page.Locator("dialog.share")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("dialog.share")).ToHaveCountAsync(0);

        await ChooseAsync(page, "delete this", "Delete this trace");
        await Expect(page.Locator("dialog.dlg")).ToContainTextAsync("All 2 runs");
        await page.Locator("dialog.dlg")
            .GetByRole(AriaRole.Button, new() { Name = "Cancel" })
            .ClickAsync();

        await ChooseAsync(page, run.ToString(), "palette-run");
        await Expect(page).ToHaveURLAsync($"{screens.Far}/t/{root}?run={run}");
        await Expect(page.Locator("trace-view[data-ready] .detail h2"))
            .ToHaveTextAsync("palette-run");

        await ChooseAsync(page, "storage and", "Storage and health");
        await Expect(page).ToHaveURLAsync($"{screens.Far}/manage/storage");
    }

    [Fact]
    public async Task What_fails_is_said_in_a_toast_and_leaves_the_page_as_it_was()
    {
        var seed = new Seed("toast-error");
        seed.Add("stays");
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync(
            await ListTests.ProjectAsync(screens, "toast-error"),
            mayMeetNotFound: true
        );
        var page = screen.Page;
        await Expect(page.Locator("run-grid[data-ready] .tr")).ToHaveCountAsync(1);
        await page.GetByLabel("Select all shown").CheckAsync();
        // Somebody else was faster.
        await page.RouteAsync(
            "**/delete",
            route =>
                route.FulfillAsync(
                    new()
                    {
                        Status = 404,
                        ContentType = "application/json",
                        Body = """{"detail":"There is no such project."}""",
                    }
                )
        );
        await page.Locator(".bulk")
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(page.Locator("#toasts .toast.err"))
            .ToHaveTextAsync("There is no such project.");
        await Expect(page.Locator("run-grid .tr")).ToHaveCountAsync(1);
        await Expect(page.Locator(".bulk")).ToContainTextAsync("1 selected");
    }

    [Fact]
    public async Task On_paper_there_is_no_frame_and_nothing_is_cut_off()
    {
        const int Rows = 120;
        var seed = new Seed("paper");
        var root = seed.Add("printed", took: 5_000, tags: ["on-paper"]);
        for (var i = 1; i < Rows; i++)
        {
            seed.Add($"step-{i}", "tool", root, i, 10);
        }

        for (var i = 0; i < 45; i++)
        {
            seed.Add($"other-{i}", at: 10_000 + i);
        }

        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/t/{root}");
        var page = screen.Page;
        await Expect(page.Locator("trace-view[data-ready] .detail .dh")).ToBeVisibleAsync();
        await Expect(page.Locator("#rail")).ToBeVisibleAsync();
        await Expect(page.Locator($"#tn-{Rows - 1}")).ToHaveCountAsync(0);
        await Expect(page.Locator("[data-panel=metadata]")).ToBeHiddenAsync();

        await page.EmulateMediaAsync(new() { Media = Media.Print });
        // Only a real printer says so by itself.
        await page.EvaluateAsync("() => { dispatchEvent(new Event('beforeprint')); }");
        foreach (var frame in new[] { "#rail", ".tbar", ".omni", ".thead .seg", "ll-split > .bar" })
        {
            await Expect(page.Locator(frame)).ToBeHiddenAsync();
        }

        await Expect(page.Locator(".tsum")).ToBeVisibleAsync();
        await Expect(page.Locator($"#tn-{Rows - 1}")).ToBeVisibleAsync();
        await InFlowAsync(page, $"#tn-{Rows - 1}");
        // All that the tabs hide, one below the other.
        await Expect(page.Locator("[data-panel=metadata]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-panel=metadata]")).ToContainTextAsync("on-paper");

        await page.EmulateMediaAsync(new() { Media = Media.Screen });
        await page.EvaluateAsync("() => { dispatchEvent(new Event('afterprint')); }");
        await Expect(page.Locator("#rail")).ToBeVisibleAsync();
        await Expect(page.Locator($"#tn-{Rows - 1}")).ToHaveCountAsync(0);

        await page.GotoAsync(await ListTests.ProjectAsync(screens, "paper"));
        await Expect(page.Locator("run-grid[data-ready] .tr")).ToHaveCountAsync(46);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.Locator("#rail")).ToBeHiddenAsync();
        await Expect(page.Locator("run-grid .tr").Last).ToBeVisibleAsync();
        await InFlowAsync(page, "run-grid .tr:last-child");
    }

    /// <summary>Fails when something that contains the element cuts it off.</summary>
    private static async Task InFlowAsync(IPage page, string selector) =>
        Assert.Equal(
            "",
            await page.EvaluateAsync<string>(
                """
                (selector) => {
                    const element = [...document.querySelectorAll(selector)].at(-1);
                    const bottom = element.getBoundingClientRect().bottom;
                    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
                        if (getComputedStyle(box).overflowY !== 'visible' && box.getBoundingClientRect().bottom < bottom - 1) return `cut off by ${box.localName}.${box.className}`;
                    return '';
                }
                """,
                selector
            )
        );

    private static async Task ChooseAsync(IPage page, string words, string title)
    {
        await page.Keyboard.PressAsync("Control+k");
        await Expect(page.Locator("dialog.pal")).ToBeVisibleAsync();
        await page.Keyboard.TypeAsync(words);
        await page.Locator("dialog.pal [role=option]", new() { HasText = title })
            .First.ClickAsync();
        await Expect(page.Locator("dialog.pal")).ToHaveCountAsync(0);
    }
}
