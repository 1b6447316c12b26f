using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>A report about a project: asked for with its estimate, followed, read, renamed and deleted.</summary>
public sealed class InsightsTests(Screens screens)
{
    [Fact]
    public async Task A_report_is_asked_for_followed_and_read_down_to_its_runs()
    {
        var seed = new Seed("insights on screen");
        for (var i = 0; i < 12; i++)
        {
            seed.Add(
                "assistant",
                at: 1_000 * i,
                took: 500,
                inputs: new { question = i % 3 == 0 ? $"weather {i}" : $"football {i}" },
                outputs: new { answer = "sunny" },
                error: i == 3 ? "the forecast is down" : null
            );
        }

        await seed.SendAsync(screens.Server);
        var project = (
            await screens.Server.JsonAsync(
                HttpMethod.Get,
                "/api/v1/sessions?name=insights%20on%20screen"
            )
        )[0]
            .GetProperty("id")
            .GetGuid();
        await using var screen = await screens.OpenAsync($"/projects/{project}");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Insights", Exact = true }).ClickAsync();
        await Expect(page.GetByText("No reports yet")).ToBeVisibleAsync();
        await Expect(page.Locator("html[data-insights]")).ToBeAttachedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "New report" }).First.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByLabel("Model", new() { Exact = true }))
            .ToHaveValueAsync("sim-chat");
        await Expect(dialog.GetByText("Costs nothing")).ToBeVisibleAsync();
        await dialog.GetByLabel("At most so many").FillAsync("10");
        await Expect(dialog.GetByText("10 of 12 traces")).ToBeVisibleAsync();
        await dialog.GetByLabel("Filter").FillAsync("eq(name");
        await Expect(dialog.GetByText("filter:")).ToBeVisibleAsync();
        await dialog.GetByLabel("Filter").FillAsync("");
        await dialog.GetByLabel("At most so many").FillAsync("100");
        await Expect(dialog.GetByText("12 of 12 traces")).ToBeVisibleAsync();
        await dialog.GetByLabel("What to look for").FillAsync("what people ask");
        await dialog.GetByLabel("Name").FillAsync("first look");
        await Accessible.AssertAsync(page);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();

        await page.WaitForURLAsync("**/insights/*");
        await Expect(page.Locator("insights-view [data-state=Done]")).ToBeVisibleAsync();
        await Expect(page.GetByText("No real model read these traces")).ToBeVisibleAsync();
        await Expect(page.GetByText("Simulated report")).ToBeVisibleAsync();
        await Expect(
                page.GetByRole(
                    AriaRole.Link,
                    new() { Name = "Failed: the forecast is down", Exact = true }
                )
            )
            .ToBeVisibleAsync();
        var weather = page.Locator(".clusters tr", new() { HasText = "Weather" });
        await Expect(weather).ToContainTextAsync("33.3%");
        await Accessible.AssertAsync(page);
        await weather.GetByRole(AriaRole.Link, new() { Name = "Weather" }).ClickAsync();
        await Expect(page.Locator(".iruns tbody tr")).ToHaveCountAsync(4);
        await Expect(page.Locator(".iruns")).ToContainTextAsync("weather 9");
        await Accessible.AssertAsync(page);

        await Expect(page.Locator("html[data-insights]")).ToBeAttachedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "More", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Name").FillAsync("second look");
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Save" })
            .ClickAsync();
        await Expect(page.Locator("[data-name]")).ToHaveTextAsync("second look");

        await page.GetByRole(AriaRole.Link, new() { Name = "Insights", Exact = true })
            .First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("second look");
        await Accessible.AssertAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "second look" }).ClickAsync();
        await Expect(page.Locator("html[data-insights] insights-view")).ToBeAttachedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "More", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(page.GetByText("No reports yet")).ToBeVisibleAsync();
    }
}
