using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>Two traces side by side: alignment, differences, and the way there by keyboard alone.</summary>
public sealed class CompareTests(Screens screens)
{
    [Fact]
    public async Task Trees_are_aligned_by_name_and_structure_and_differences_are_marked()
    {
        var (left, right) = await SeedPairAsync("compare-aligned");
        await using var screen = await screens.OpenAsync($"/compare?a={left}&b={right}");
        var page = screen.Page;
        await Expect(page.Locator("trace-compare[data-ready]")).ToBeVisibleAsync();
        var rows = page.Locator(".cr");

        // plan, search, [rerank only left], ChatOpenAI, [verify only right]; the root above them.
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(Row(page, "rerank")).ToContainTextAsync("only in A");
        await Expect(Row(page, "verify")).ToContainTextAsync("only in B");
        await Expect(Row(page, "ChatOpenAI")).ToContainTextAsync("output");
        await Expect(Row(page, "ChatOpenAI")).ToContainTextAsync("name or model");
        await Expect(Row(page, "plan").Locator(".cm")).ToHaveTextAsync("");
        await Expect(page.Locator(".csum")).ToContainTextAsync("1 only in A");
        await Expect(page.Locator(".csum")).ToContainTextAsync("1 only in B");

        // What is missing on a side is hatched to that side's edge.
        Assert.Equal(
            await RightAsync(Row(page, "rerank")),
            await RightAsync(Row(page, "rerank").Locator(".gone")),
            1f
        );
        Assert.Equal(
            (await Row(page, "verify").Locator(".cm").BoundingBoxAsync())!.X,
            await RightAsync(Row(page, "verify").Locator(".gone")),
            1f
        );

        await Row(page, "ChatOpenAI").ClickAsync();
        await Expect(page.Locator(".detail .cheads h2").First).ToHaveTextAsync("ChatOpenAI");
        var output = page.Locator(".detail .diff[aria-label=Output]");
        await Expect(output.Locator("del")).ToHaveTextAsync("Monday");
        await Expect(output.Locator("ins")).ToHaveTextAsync("Friday");
        var figures = page.Locator(".cfig");
        await Expect(figures.GetByRole(AriaRole.Row, new() { Name = "Difference" }))
            .ToContainTextAsync("+1.20s (+300 %)");
        await Expect(figures.GetByRole(AriaRole.Row, new() { Name = "Difference" }))
            .ToContainTextAsync("+60 (+200 %)");

        await Row(page, "verify").ClickAsync();
        await Expect(page.Locator(".detail .notice")).ToContainTextAsync("Only the right trace");
        await Row(page, "ChatOpenAI").ClickAsync();
        await Expect(page.Locator(".detail .cfig")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("o");
        await Expect(Row(page, "plan")).ToHaveCountAsync(0);
        await page.ReloadAsync();
        await Expect(Row(page, "ChatOpenAI")).ToHaveAttributeAsync("aria-selected", "true");

        await Row(page, "rerank").ClickAsync();
        await Expect(page.Locator(".detail .notice")).ToContainTextAsync("Only the left trace");
        await page.GetByRole(AriaRole.Button, new() { Name = "Swap" }).ClickAsync();
        await Expect(page).ToHaveURLAsync($"/compare?a={right}&b={left}");
        await Expect(Row(page, "rerank")).ToContainTextAsync("only in B");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_keyboard_alone_leads_from_the_list_through_a_trace_to_a_comparison(
        bool isFar
    )
    {
        var project = isFar ? "compare-keys-far" : "compare-keys";
        var (left, right) = await SeedPairAsync(project);
        var address = isFar ? screens.Far : screens.Server.Address;
        await using var screen = await screens.OpenAsync("/", through: address);
        var page = screen.Page;
        var keys = page.Keyboard;

        await keys.PressAsync("Control+k");
        await Expect(page.Locator("dialog.pal")).ToBeVisibleAsync();
        await keys.TypeAsync(project);
        await Expect(page.Locator("dialog.pal [aria-selected=true]")).ToHaveTextAsync(project);
        await keys.PressAsync("Enter");
        await Expect(page.Locator("run-grid[data-ready] .tr")).ToHaveCountAsync(2);

        await keys.PressAsync("ArrowDown");
        await Expect(page.Locator("run-grid a[data-row]").First).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        var panel = page.Locator("dialog.panel trace-view[data-ready]");
        await Expect(panel).ToBeVisibleAsync();
        await Expect(panel.Locator(".detail h2")).ToHaveTextAsync("answer-question");
        for (var i = 0; i < 3; i++)
        {
            await keys.PressAsync("ArrowDown");
        }

        await Expect(panel.Locator(".tn[aria-selected=true] .n")).ToHaveTextAsync("ChatOpenAI");
        await Expect(panel.Locator(".detail h2")).ToHaveTextAsync("ChatOpenAI");
        await keys.PressAsync("j");
        await Expect(page.Locator("run-grid .tr.open"))
            .ToHaveAttributeAsync("data-trace", left.ToString("N"));
        await Expect(panel).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await Expect(page.Locator("dialog.panel")).ToHaveCountAsync(0);
        await Expect(page.Locator("run-grid a[data-row]").Nth(1)).ToBeFocusedAsync();

        await keys.PressAsync("x");
        await keys.PressAsync("k");
        await keys.PressAsync("x");
        await Expect(page.Locator(".bulk")).ToContainTextAsync("2 selected");
        await keys.PressAsync("c");
        await Expect(page.Locator("trace-compare[data-ready]")).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync($"{address}/compare?a={left:N}&b={right:N}");
        await keys.PressAsync("n");
        await keys.PressAsync("n");
        await Expect(page.Locator(".detail .cheads")).ToBeVisibleAsync();

        await keys.PressAsync("b");
        await Expect(page.Locator("trace-view[data-ready]")).ToBeVisibleAsync();
        await keys.PressAsync("v");
        await Expect(page.Locator("dialog.pal [role=option]:not(.none)")).ToHaveCountAsync(1);
        await keys.PressAsync("Enter");
        await Expect(page.Locator("trace-compare[data-ready]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Steps_that_ran_in_another_order_meet()
    {
        var seed = new Seed("compare-order");
        var left = seed.Add("parallel");
        seed.Add("lookup", "tool", left, 1);
        seed.Add("track", "tool", left, 2);
        var right = seed.Add("parallel", at: 10_000);
        seed.Add("track", "tool", right, 10_001);
        seed.Add("lookup", "tool", right, 10_002);
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/compare?a={left}&b={right}");
        await Expect(screen.Page.Locator("trace-compare[data-ready] .cr")).ToHaveCountAsync(3);
        await Expect(screen.Page.Locator(".csum")).ToHaveTextAsync("No run differs");
    }

    [Fact]
    public async Task What_is_not_there_is_said_and_other_ids_can_be_pasted()
    {
        var (left, right) = await SeedPairAsync("compare-missing");
        await using var screen = await screens.OpenAsync($"/compare?a={left}&b={Guid.NewGuid()}");
        var page = screen.Page;
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("right trace");
        await page.GetByLabel("Right").FillAsync($"{screens.Server.Address}/t/{right}?run={right}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Expect(page.Locator("trace-compare[data-ready]")).ToBeVisibleAsync();
    }

    private static async Task<float> RightAsync(ILocator box) =>
        await box.BoundingBoxAsync() is { } at ? at.X + at.Width : 0;

    private static ILocator Row(IPage page, string name) =>
        page.Locator(".cr", new() { HasText = name });

    /// <summary>The left one is older; the right one has another step, another model and another answer.</summary>
    private async Task<(Guid Left, Guid Right)> SeedPairAsync(string project)
    {
        var seed = new Seed(project);
        var left = Trace(seed, 0, isRight: false);
        var right = Trace(seed, 60_000, isRight: true);
        await seed.SendAsync(screens.Server);
        return (left, right);
    }

    private static Guid Trace(Seed seed, double at, bool isRight)
    {
        var root = seed.Add(
            "answer-question",
            at: at,
            took: isRight ? 3_000 : 2_000,
            inputs: new { question = "When will it arrive?" },
            outputs: new { answer = isRight ? "On Friday." : "On Monday." }
        );
        seed.Add("plan", "chain", root, at + 1, 20, outputs: new { plan = "search" });
        seed.Add("search", "retriever", root, at + 30, 200, outputs: new { found = 3 });
        if (!isRight)
        {
            seed.Add("rerank", "tool", root, at + 240, 100);
        }

        seed.AddCall(
            isRight ? "gpt-4.1-mini" : "gpt-4.1",
            "When will it arrive?",
            $"Your parcel will arrive on {(isRight ? "Friday" : "Monday")} in the afternoon.",
            root,
            at + 400,
            isRight ? 1_600 : 400,
            completion: isRight ? 90 : 30
        );
        if (isRight)
        {
            seed.Add("verify", "tool", root, at + 2_200, 100);
        }

        return root;
    }
}
