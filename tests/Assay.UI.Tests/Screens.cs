using Assay.Server.Tests;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Assay.UI.Tests.Screens))]

namespace Assay.UI.Tests;

/// <summary>
/// One server and one Chromium for all tests of the screens; each test opens a page of its own, signed in as the owner.
/// Tests that change what others see take a workspace or project of their own.
/// </summary>
public sealed class Screens : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private string _signedIn = "";

    public RunningServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await RunningServer.StartAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath =
                    Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium",
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            }
        );
        await using var context = await _browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(Server.LoginLink);
        await page.GetByRole(AriaRole.Button).First.ClickAsync();
        await page.WaitForURLAsync(u => !u.Contains("/auth/link", StringComparison.Ordinal));
        _signedIn = await context.StorageStateAsync();
    }

    /// <summary>A new page of a signed-in browser; closing the test's page closes its context.</summary>
    public async Task<ScreenPage> OpenAsync(
        string path,
        bool isDark = false,
        int width = 1440,
        int height = 900
    )
    {
        var context = await _browser!.NewContextAsync(
            new()
            {
                BaseURL = Server.Address,
                StorageState = _signedIn,
                ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
                ViewportSize = new() { Width = width, Height = height },
            }
        );
        var page = new ScreenPage(context, await context.NewPageAsync());
        await page.Page.GotoAsync(path);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        await Server.DisposeAsync();
    }
}
