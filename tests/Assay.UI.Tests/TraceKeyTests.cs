using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>What a reader does to a trace by keys, wheel and mouse: jump, zoom, drag over the strip, read the timeline.</summary>
public sealed class TraceKeyTests(Screens screens)
{
    [Fact]
    public async Task Keys_jump_to_what_matters_and_copy_the_link_to_it()
    {
        var (root, dear) = await SeedAsync("trace-keys");
        await using var screen = await screens.OpenAsync($"/t/{root}", through: screens.Far);
        var page = screen.Page;
        var keys = page.Keyboard;
        await ReadyAsync(page);
        var selected = page.Locator(".tn[aria-selected=true] .n");
        var axis = page.Locator(".axis span");

        await keys.PressAsync("$");
        await Expect(selected).ToHaveTextAsync("dear call");
        await keys.PressAsync("$");
        await Expect(selected).ToHaveTextAsync("cheap call");
        await keys.PressAsync("$");
        await Expect(selected).ToHaveTextAsync("dear call");

        await keys.PressAsync("c");
        await Expect(page.Locator("#toasts")).ToContainTextAsync("Copied");
        Assert.Equal(
            $"{screens.Far}/t/{root}?run={dear}",
            await page.EvaluateAsync<string>("() => navigator.clipboard.readText()")
        );

        // The axis is that of the run: 4 to 6 seconds of ten.
        await keys.PressAsync("z");
        await Expect(axis).ToHaveTextAsync(["4.00s", "5.00s", "6.00s"]);
        await Expect(page.Locator(".mini em")).ToBeVisibleAsync();
        await keys.PressAsync("z");
        await Expect(axis).ToHaveTextAsync(["0", "5.00s", "10.00s"]);

        await keys.PressAsync("e");
        await Expect(selected).ToHaveTextAsync("broken tool");
        await Expect(page.Locator(".detail .errb")).ToContainTextAsync("It broke");

        // What decided the end; the tool ran beside the dear call.
        await keys.PressAsync("p");
        await Expect(page.Locator(".tn:not(.off) .n"))
            .ToHaveTextAsync(["agent", "first step", "dear call", "last step", "cheap call"]);
        await keys.PressAsync("p");
        await Expect(page.Locator(".tn.off")).ToHaveCountAsync(0);

        await keys.PressAsync("Home");
        await keys.PressAsync("ArrowLeft");
        await Expect(page.Locator(".tn")).ToHaveCountAsync(1);
        await keys.PressAsync("ArrowRight");
        await Expect(page.Locator(".tn")).ToHaveCountAsync(6);
        foreach (
            var (key, pane) in new[] { ("2", "chat"), ("3", "time"), ("4", "raw"), ("1", "tree") }
        )
        {
            await keys.PressAsync(key);
            await Expect(page.Locator($".left > [data-pane={pane}]")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task The_strip_is_dragged_over_and_the_wheel_zooms_and_moves_the_time()
    {
        var (root, _) = await SeedAsync("trace-strip");
        await using var screen = await screens.OpenAsync($"/t/{root}");
        var page = screen.Page;
        await ReadyAsync(page);
        var axis = page.Locator(".axis span");
        var strip = page.Locator(".mini > div");
        var box = (await strip.BoundingBoxAsync())!;
        var y = box.Y + (box.Height / 2);

        await page.Mouse.MoveAsync(box.X + (box.Width * 0.4f), y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.5f), y);
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.6f), y);
        await page.Mouse.UpAsync();
        await Expect(page.Locator("[data-do=zoom]")).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(axis.First).ToContainTextAsync("4.0");
        await Expect(axis.Last).ToContainTextAsync("6.0");
        // A run outside of the window says how long it took and on which side it is.
        await Expect(page.Locator(".tn", new() { HasText = "last step" }).Locator("u.af"))
            .ToHaveTextAsync("3.50s");
        await strip.DblClickAsync();
        await Expect(axis).ToHaveTextAsync(["0", "5.00s", "10.00s"]);

        var bars = (await page.Locator(".tn .wf").First.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(bars.X + (bars.Width / 2), bars.Y + 10);
        await page.Keyboard.DownAsync("Control");
        await page.Mouse.WheelAsync(0, -300);
        await page.Keyboard.UpAsync("Control");
        await Expect(axis.First).Not.ToHaveTextAsync("0");
        await Expect(axis.Last).Not.ToHaveTextAsync("10.00s");
        var near = await axis.First.TextContentAsync();
        await page.Keyboard.DownAsync("Shift");
        await page.Mouse.WheelAsync(0, 200);
        await page.Keyboard.UpAsync("Shift");
        await Expect(axis.First).Not.ToHaveTextAsync(near!);
    }

    [Fact]
    public async Task The_timeline_shows_lanes_and_a_click_selects()
    {
        var (root, _) = await SeedAsync("trace-lanes");
        await using var screen = await screens.OpenAsync($"/t/{root}?view=time");
        var page = screen.Page;
        await ReadyAsync(page);
        var box = (await page.Locator(".fbox").BoundingBoxAsync())!;

        // Lanes are 22 pixels high: the root, the steps, their children; "dear call" goes from 40 to 60 % of the time.
        await page.Mouse.ClickAsync(box.X + (box.Width * 0.5f), box.Y + 4 + (2 * 22) + 10);
        await Expect(page.Locator(".detail h2")).ToHaveTextAsync("dear call");
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.9f), box.Y + 4 + 22 + 10);
        await Expect(page.Locator(".tip")).ToContainTextAsync("last step");
        await page.Mouse.DblClickAsync(box.X + (box.Width * 0.5f), box.Y + 4 + (2 * 22) + 10);
        await Expect(page.Locator(".faxis span").First).ToHaveTextAsync("4.00s");
        await Expect(page.Locator(".faxis span").Last).ToHaveTextAsync("6.00s");
    }

    private static async Task ReadyAsync(IPage page)
    {
        await page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await Expect(page.Locator("trace-view[data-ready] .detail .dh")).ToBeVisibleAsync();
    }

    /// <summary>Ten seconds: a first step with a dear call and a failing tool beside it, then a last step with a cheap call.</summary>
    private async Task<(Guid Root, Guid Dear)> SeedAsync(string project)
    {
        var seed = new Seed(project);
        var root = seed.Add("agent", took: 10_000);
        var first = seed.Add("first step", "chain", root, 500, 5_500);
        var dear = seed.AddCall("gpt-4.1", "?", "!", first, 4_000, 2_000, 9_000, 900, "dear call");
        seed.Add("broken tool", "tool", first, 4_500, 1_000, error: "It broke");
        var last = seed.Add("last step", "chain", root, 6_500, 3_500);
        seed.AddCall("gpt-4.1", "?", "!", last, 7_000, 3_000, 900, 90, "cheap call");
        await seed.SendAsync(screens.Server);
        return (root, dear);
    }
}
