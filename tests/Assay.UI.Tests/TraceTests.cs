using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

public sealed class TraceTests(Screens screens)
{
    [Fact]
    public async Task A_running_trace_grows_in_place_and_ends()
    {
        var cancel = TestContext.Current.CancellationToken;
        var seed = new Seed("live-trace") { Start = TimeProvider.System.GetUtcNow() };
        var root = seed.Add("long-agent", "chain", took: null);
        seed.Add("first-step", "tool", root, 1, 5);
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/t/{root}", through: screens.Far);
        var page = screen.Page;
        await Expect(page.Locator("trace-view[data-ready] .tn")).ToHaveCountAsync(2);
        await Expect(page.Locator(".tsum .pill")).ToHaveTextAsync("Running");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator(".detail h2")).ToHaveTextAsync("first-step");

        seed.Add("second-step", "tool", root, 10, 5, error: "It broke");
        await seed.SendAsync(screens.Server);
        await Expect(page.Locator(".tn")).ToHaveCountAsync(3);
        await Expect(page.Locator(".tn[aria-selected=true]")).ToContainTextAsync("first-step");
        await page.Keyboard.PressAsync("e");
        await Expect(page.Locator(".detail .errb")).ToContainTextAsync("It broke");

        await screens.Server.JsonAsync(
            HttpMethod.Patch,
            $"/runs/{root}",
            new
            {
                end_time = TimeProvider.System.GetUtcNow().AddSeconds(1),
                outputs = new { answer = "done" },
            }
        );
        await Seed.ReadableAsync(screens.Server, root, cancel);
        await Expect(page.Locator(".tsum .pill")).ToHaveTextAsync("Success");
    }

    [Fact]
    public async Task Feedback_and_notes_are_given_and_taken_back()
    {
        var seed = new Seed("feedback");
        var root = seed.Add("judged");
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/t/{root}");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Tab, new() { Name = "Feedback" }).ClickAsync();
        // Another test may have given settings to other keys, which are offered first then.
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("quality");
        await page.GetByLabel("Score").FillAsync("0.25");
        await page.GetByLabel("Comment").FillAsync("Too long");
        await Button(page, "Add feedback").ClickAsync();
        await Expect(page.Locator(".fbl li")).ToContainTextAsync("Too long");
        await Expect(page.Locator(".tn .fb")).ToContainTextAsync("0.25");

        await page.GetByLabel("Comment").FillAsync("Ask Ina about this one");
        await Button(page, "Add as note").ClickAsync();
        await Expect(page.Locator(".fbl li")).ToHaveCountAsync(2);

        await Button(page, "Remove feedback quality").ClickAsync();
        await page.Locator("dialog")
            .GetByRole(AriaRole.Button, new() { Name = "Remove" })
            .ClickAsync();
        await Expect(page.Locator(".fbl li")).ToHaveCountAsync(1);
        await Expect(page.Locator(".fbl li")).ToContainTextAsync("Ask Ina");
    }

    [Fact]
    public async Task Tokens_and_cost_explain_themselves()
    {
        var seed = new Seed("figures");
        var call = seed.AddCall("gpt-4.1", "Why?", "Because.", prompt: 1_000, completion: 200);
        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync($"/t/{call}");
        var page = screen.Page;
        var cost = page.Locator("[aria-describedby=tip-cost]");
        await cost.FocusAsync();
        // 1,000 × $2 and 200 × $8 a million.
        await Expect(page.Locator("#tip-cost")).ToBeVisibleAsync();
        await Expect(page.Locator("#tip-cost")).ToContainTextAsync("1,000 × $2.00/M");
        await Expect(page.Locator("#tip-cost")).ToContainTextAsync("$0.0036");
        await Expect(page.Locator("#tip-cost")).ToContainTextAsync("Computed from the price");
    }

    [Fact]
    public async Task The_theme_stays_chosen()
    {
        await using var screen = await screens.OpenAsync("/");
        var page = screen.Page;
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("theme: dark");
        await Expect(page.Locator("dialog.pal [aria-selected=true]"))
            .ToHaveTextAsync("Theme: dark");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await page.GotoAsync("/start");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await Expect(page.Locator("body")).ToHaveCSSAsync("background-color", "rgb(14, 15, 18)");
    }

    [Fact]
    public async Task Get_started_fills_in_a_key_that_works()
    {
        await using var screen = await screens.OpenAsync("/start");
        var page = screen.Page;
        await Button(page, "Create a key").ClickAsync();
        await Expect(page.Locator("#code-python")).Not.ToContainTextAsync("YOUR_KEY");
        var key = await page.Locator("[data-key]").TextContentAsync();
        using var client = new HttpClient { BaseAddress = new Uri(screens.Server.Address) };
        client.DefaultRequestHeaders.Add("x-api-key", key);
        using var answer = await client.PostAsync(
            "/runs",
            new StringContent(
                $$"""{"id":"{{Guid.NewGuid()}}","name":"hello","run_type":"chain","start_time":"2026-01-01T00:00:00Z","session_name":"first-steps"}""",
                System.Text.Encoding.UTF8,
                "application/json"
            ),
            TestContext.Current.CancellationToken
        );
        Assert.True(answer.IsSuccessStatusCode);
        await Expect(page.Locator("start-wait")).ToContainTextAsync("Your first trace is here");
    }

    private static ILocator Button(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
