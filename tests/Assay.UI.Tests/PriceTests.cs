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
    public async Task A_running_recosting_is_cancelled_and_calls_it_had_not_reached_keep_their_cost()
    {
        const int Calls = 20_000;
        const string Slow = "house-model-slow";
        var cancel = TestContext.Current.CancellationToken;
        var seed = new Seed("prices-cancel");
        for (var i = 0; i < Calls; i++)
        {
            seed.AddCall(Slow, "?", "!", null, i, 5, 1_000_000, 0);
        }

        await seed.SendAsync(screens.Server);
        var price = await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/model-price-map",
            new
            {
                name = Slow,
                match_pattern = $"^{Slow}$",
                prompt_cost = 0.000001,
                completion_cost = 0.000002,
            }
        );
        await using (var screen = await screens.OpenAsync("/settings/prices"))
        {
            var page = screen.Page;
            await Button(page, "Preview a re-cost").ClickAsync();
            await Expect(page.Locator(".rct .sum")).ToContainTextAsync("$20,000.00");
            await Button(page, "Re-cost 20,000 calls").ClickAsync();
            await Button(page, "Cancel").ClickAsync();
            await page.Locator("dialog")
                .GetByRole(AriaRole.Button, new() { Name = "Stop it" })
                .ClickAsync();
            await Expect(page.Locator(".rcj")).ToContainTextAsync("Re-costing was cancelled");
            // It stays so, and some calls were not reached.
            await page.ReloadAsync();
            await Expect(page.Locator(".rcj")).ToContainTextAsync("Re-costing was cancelled");
            await Button(page, "Preview a re-cost").ClickAsync();
            await Expect(page.Locator(".rct .sum")).ToBeVisibleAsync();
        }

        // Nothing of it may meet the other re-costings of this class.
        var project = await ListTests.ProjectAsync(screens, "prices-cancel");
        foreach (
            var address in new[]
            {
                $"/api/v1/sessions/{project.Split('/')[^1]}",
                $"/api/v1/model-price-map/{price.GetProperty("id").GetString()}",
            }
        )
        {
            using var gone = await screens.Server.Client.DeleteAsync(address, cancel);
            Assert.True(gone.IsSuccessStatusCode);
        }
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
