using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

public sealed class PriceTests(Screens screens)
{
    private const string Model = "house-model-7b";

    [Fact]
    public async Task A_model_without_a_price_gets_one_and_its_past_calls_are_costed()
    {
        var seed = new Seed("prices");
        var root = seed.Add("priced");
        for (var i = 0; i < 3; i++)
        {
            seed.AddCall(Model, "How much?", "Nobody knows.", root, 10 + i, 5, 1_000_000, 500_000);
        }

        await seed.SendAsync(screens.Server);
        await using var screen = await screens.OpenAsync("/settings/prices", through: screens.Far);
        var page = screen.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = $"Add a price for {Model}" })
            .ClickAsync();
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync(Model);
        await page.GetByLabel("Input, $ per million").FillAsync("2");
        await page.GetByLabel("Output, $ per million").FillAsync("4");
        await Button(page, "Preview what changes").ClickAsync();
        // Three calls of one million in and half a million out: 3 × (2 + 2) dollars.
        await Expect(page.Locator(".prv .sum")).ToContainTextAsync("$12.00");
        await Button(page, "Save and re-cost 3 calls").ClickAsync();
        await Expect(page.Locator(".rcj")).ToContainTextAsync("3 calls have their new cost");
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"Add a price for {Model}" }))
            .ToHaveCountAsync(0);

        await using (var trace = await screens.OpenAsync($"/t/{root}"))
        {
            await Expect(trace.Page.Locator(".tsum")).ToContainTextAsync("$12.00");
        }

        await page.GetByRole(AriaRole.Link, new() { Name = $"Edit {Model}" }).ClickAsync();
        await page.GetByLabel("Output, $ per million").FillAsync("6");
        await Button(page, "Preview what changes").ClickAsync();
        await Expect(page.Locator(".prv .sum")).ToContainTextAsync("+$3.00");
        await Button(page, "Save for new calls").ClickAsync();
        await Expect(page.Locator(".notice.ok").First).ToContainTextAsync("from now on");

        await Button(page, "Preview a re-cost").ClickAsync();
        await Expect(page.Locator(".rct .sum")).ToContainTextAsync("$15.00");
        await Button(page, "Re-cost 3 calls").ClickAsync();
        await Expect(page.Locator(".rcj")).ToContainTextAsync("$12.00 became $15.00");

        await page.GetByRole(AriaRole.Link, new() { Name = $"Delete {Model}" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alertdialog)).ToContainTextAsync("−$15.00");
        await Button(page, "Delete and re-cost 3 calls").ClickAsync();
        await Expect(page.Locator(".rcj")).ToContainTextAsync("$15.00 became");
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"Add a price for {Model}" }))
            .ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_expression_that_cannot_be_used_is_refused_with_the_reason()
    {
        await using var screen = await screens.OpenAsync("/settings/prices?new=1");
        var page = screen.Page;
        await page.GetByLabel("Name").FillAsync("broken");
        await page.GetByLabel("Matches models").FillAsync("gpt-(4");
        await page.GetByLabel("Input, $ per million").FillAsync("1");
        await page.GetByLabel("Output, $ per million").FillAsync("1");
        await Button(page, "Save for new calls").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The expression");
        await Expect(page.GetByLabel("Matches models")).ToHaveValueAsync("gpt-(4");
    }

    private static ILocator Button(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
