using Assay.Server.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The pages of settings behind a network that takes 40 ms each way: what is changed there is there afterwards.</summary>
public sealed class SettingsTests(Screens screens)
{
    [Fact]
    public async Task Keys_are_made_shown_once_and_revoked()
    {
        await using var screen = await OpenAsync("/settings/keys");
        var page = screen.Page;
        await page.GetByLabel("What it is for").FillAsync("far away");
        await page.GetByLabel("Scope").SelectOptionAsync("Read");
        await Button(page, "Create key").ClickAsync();
        var key = await page.Locator("#new-key").TextContentAsync();
        Assert.True(await IsAcceptedAsync(key!));

        await page.GotoAsync("/settings/keys");
        var row = page.GetByRole(AriaRole.Row, new() { Name = "far away" });
        await Expect(row).ToContainTextAsync("only read");
        await Expect(page.Locator("main")).Not.ToContainTextAsync(key!);
        await row.GetByRole(AriaRole.Link, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alertdialog)).ToContainTextAsync("far away");
        await page.GetByRole(AriaRole.Alertdialog)
            .GetByRole(AriaRole.Button, new() { Name = "Revoke" })
            .ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The key is revoked");
        Assert.False(await IsAcceptedAsync(key!));
    }

    [Fact]
    public async Task A_secret_is_written_used_by_a_provider_replaced_and_deleted_and_never_shown()
    {
        // A server of its own: the workspace's providers are what other tests' pages begin with.
        await using var server = await RunningServer.StartAsync();
        await using var screen = await screens.OpenOnAsync(server);
        var page = screen.Page;
        await page.GotoAsync($"{server.Address}/settings/secrets");
        await page.GetByLabel("Name").FillAsync("FAR_KEY");
        await page.GetByLabel("Value").FillAsync("sk-far-0123456789");
        await Button(page, "Save secret").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("never shown again");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "FAR_KEY" }))
            .ToContainTextAsync("no provider");

        await page.GotoAsync($"{server.Address}/settings/providers");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Far away");
        await page.GetByLabel("Kept as").SelectOptionAsync("FAR_KEY");
        await Button(page, "Add provider").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "Far away" }))
            .ToContainTextAsync("FAR_KEY");

        await page.GotoAsync($"{server.Address}/settings/secrets");
        var row = page.GetByRole(AriaRole.Row, new() { Name = "FAR_KEY" });
        await Expect(row).ToContainTextAsync("Far away");
        await row.GetByRole(AriaRole.Link, new() { Name = "Replace" }).ClickAsync();
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync("FAR_KEY");
        await page.GetByLabel("Value").FillAsync("sk-far-9876543210");
        await Button(page, "Replace").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Saved");
        Assert.DoesNotContain("sk-far", await page.ContentAsync(), StringComparison.Ordinal);

        await row.GetByRole(AriaRole.Link, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alertdialog))
            .ToContainTextAsync("Calls to Far away fail");
        await page.GetByRole(AriaRole.Alertdialog)
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The secret is gone");
        await Expect(row).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task People_are_invited_and_feedback_keys_get_their_answers()
    {
        await using var screen = await OpenAsync("/settings/members");
        var page = screen.Page;
        await page.GetByLabel("E-mail").FillAsync("far@example.test");
        await Button(page, "Make a link").ClickAsync();
        await Expect(page.Locator("#new-link")).ToContainTextAsync("/invite/");

        await page.GotoAsync("/settings/feedback");
        await page.GetByLabel("Key", new() { Exact = true }).First.FillAsync("far-tone");
        await page.GetByLabel("Smallest score").FillAsync("1");
        await page.GetByLabel("Largest score").FillAsync("5");
        await Button(page, "Save").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Saved");
        var row = page.GetByRole(AriaRole.Row, new() { Name = "far-tone" });
        await Expect(row).ToContainTextAsync("score");
        await row.GetByRole(AriaRole.Link, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Alertdialog)
            .GetByRole(AriaRole.Button, new() { Name = "Delete" })
            .ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Retention_asks_before_it_deletes_and_what_was_done_is_in_the_audit_log()
    {
        var seed = new Seed("far-retention")
        {
            Start = TimeProvider.System.GetUtcNow().AddDays(-40),
        };
        seed.Add("old");
        await seed.SendAsync(screens.Server);
        await using var screen = await OpenAsync("/manage/retention?q=far-retention");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Change far-retention" }).ClickAsync();
        await page.GetByLabel("Keep traces").FillAsync("30");
        await Button(page, "Save").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alertdialog))
            .ToContainTextAsync("1 trace is older than 30 days");
        await page.GetByRole(AriaRole.Link, new() { Name = "Cancel" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "far-retention" }))
            .ToContainTextAsync("for ever");

        await page.GetByRole(AriaRole.Link, new() { Name = "Change far-retention" }).ClickAsync();
        await page.GetByLabel("Keep traces").FillAsync("90");
        await Button(page, "Save").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Saved");

        await page.GotoAsync("/settings/audit");
        await Expect(page.Locator(".list").First)
            .ToContainTextAsync("retention", new() { IgnoreCase = true });
        await page.GotoAsync("/manage/storage");
        await Expect(page.Locator(".kpis").First).ToBeVisibleAsync();
    }

    private Task<ScreenPage> OpenAsync(string path) =>
        screens.OpenAsync(path, through: screens.Far);

    private async Task<bool> IsAcceptedAsync(string key)
    {
        using var client = new HttpClient { BaseAddress = new Uri(screens.Server.Address) };
        client.DefaultRequestHeaders.Add("x-api-key", key);
        using var answer = await client.GetAsync(
            "/api/v1/sessions?limit=1",
            TestContext.Current.CancellationToken
        );
        return answer.IsSuccessStatusCode;
    }

    private static ILocator Button(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
