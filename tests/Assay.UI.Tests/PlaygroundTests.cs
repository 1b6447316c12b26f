using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The playground in a browser, with the simulated model.</summary>
public sealed class PlaygroundTests(Screens screens)
{
    [Fact]
    public async Task Variants_run_side_by_side_by_keyboard_are_saved_and_survive_a_reload()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        await page.GetByLabel("question").FillAsync("How long does shipping take?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Variant", Exact = true })
            .ClickAsync();
        var second = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant B" });
        await second.GetByLabel("Model").FillAsync("sim-echo");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(second.GetByText("How long does shipping take?")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Trace" })).ToHaveCountAsync(2);

        await second.GetByRole(AriaRole.Button, new() { Name = "Save as commit" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Prompt").FillAsync("playground-test");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        await Expect(page.GetByText("From prompt playground-test")).ToBeVisibleAsync();

        await page.ReloadAsync();
        await Expect(page.GetByLabel("question")).ToHaveValueAsync("How long does shipping take?");
        await Expect(second.GetByLabel("Model")).ToHaveValueAsync("sim-echo");

        await page.GotoAsync("/playground?prompt=playground-test");
        await Expect(page.GetByText("From prompt playground-test")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" }))
            .ToHaveValueAsync("{question}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Projects" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "playground" }).First.ClickAsync();
        await Expect(page.GetByText("playground").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_template_that_is_wrong_says_where_and_a_failure_is_shown_at_its_variant()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        await Expect(page.GetByLabel("question")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" }).FillAsync("{oops");
        await Expect(page.GetByText("never closed")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" })
            .FillAsync("{question}");
        await Expect(page.GetByText("never closed")).ToBeHiddenAsync();
        await page.GetByLabel("Model").FillAsync("sim-chat?fail=1&status=429");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run all" }).ClickAsync();
        await Expect(page.GetByText("answered 429")).ToBeVisibleAsync();
    }
}
