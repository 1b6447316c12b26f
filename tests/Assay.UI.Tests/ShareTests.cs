using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

public sealed class ShareTests(Screens screens)
{
    [Fact]
    public async Task A_shared_trace_is_open_to_strangers_until_sharing_stops()
    {
        var seed = new Seed("share");
        var root = seed.Add("shared-agent", inputs: new { question = "Who reads this?" });
        seed.AddCall("gpt-4.1", "Who reads this?", "Everybody with the link.", root, at: 10);
        await seed.SendAsync(screens.Server);
        await using var owner = await screens.OpenAsync($"/t/{root}");
        await Expect(owner.Page.Locator("trace-view[data-ready]")).ToBeVisibleAsync();

        await owner.Page.Keyboard.PressAsync("s");
        await owner
            .Page.GetByRole(AriaRole.Button, new() { Name = "Create the link" })
            .ClickAsync();
        var link = await owner.Page.GetByLabel("Public link").InputValueAsync();

        await using (var stranger = await screens.OpenAsync(link, isSignedIn: false))
        {
            await Expect(stranger.Page.Locator(".crumb")).ToContainTextAsync("Shared, read only");
            await stranger.Page.Locator(".tn", new() { HasText = "ChatOpenAI" }).ClickAsync();
            await Expect(stranger.Page.Locator("body"))
                .ToContainTextAsync("Everybody with the link.");
            await Accessible.AssertAsync(stranger.Page);
        }

        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Stop sharing" }).ClickAsync();
        await Expect(owner.Page.GetByRole(AriaRole.Button, new() { Name = "Create the link" }))
            .ToBeVisibleAsync();
        await owner.Page.Keyboard.PressAsync("Escape");
        await Expect(owner.Page.GetByRole(AriaRole.Button, new() { Name = "Share", Exact = true }))
            .ToHaveAttributeAsync("aria-pressed", "false");

        await using var late = await screens.OpenAsync(
            link,
            isSignedIn: false,
            mayMeetNotFound: true
        );
        await Expect(late.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Nothing here");
    }
}
