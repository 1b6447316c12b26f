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
    /// <summary>Milliseconds that a page may take on a machine that does much else: long enough to be no reason to fail.</summary>
    private const int Patience = 90_000;
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private LagProxy? _far;
    private string _signedIn = "";

    public RunningServer Server { get; private set; } = null!;

    /// <summary>The address of the server behind a network that takes 40 ms each way.</summary>
    public string Far => _far!.Address;

    /// <summary>The sample project; tests read it and leave it alone.</summary>
    public Sample Sample { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // Receivers of webhooks stand on this machine.
        Server = await RunningServer.StartAsync(("ASSAY_OUTBOUND_ALLOW", "127.0.0.1"));
        _far = new LagProxy(new Uri(Server.Address), TimeSpan.FromMilliseconds(40));
        // Expectations are retried until they hold; a busy machine needs longer than five seconds.
        Assertions.SetDefaultExpectTimeout(30_000);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new()
            {
                Timeout = 120_000,
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
        context.SetDefaultTimeout(Patience);
        var page = await context.NewPageAsync();
        await page.GotoAsync(Server.LoginLink);
        await page.GetByRole(AriaRole.Button).First.ClickAsync();
        await page.WaitForURLAsync(u => !u.Contains("/auth/link", StringComparison.Ordinal));
        _signedIn = await context.StorageStateAsync();
        Sample = await LoadSampleAsync();
    }

    /// <summary>A new page of a signed-in browser; closing the test's page closes its context.</summary>
    /// <param name="path">Where to go.</param>
    /// <param name="isDark">The theme of the system.</param>
    /// <param name="width">Of the window.</param>
    /// <param name="height">Of the window.</param>
    /// <param name="through">The address of a proxy to the server.</param>
    /// <param name="isSignedIn">False for a stranger.</param>
    /// <param name="mayMeetNotFound">The page asked for does not exist, and the browser may say so.</param>
    public async Task<ScreenPage> OpenAsync(
        string path,
        bool isDark = false,
        int width = 1440,
        int height = 900,
        string? through = null,
        bool isSignedIn = true,
        bool mayMeetNotFound = false
    )
    {
        var context = await _browser!.NewContextAsync(
            new()
            {
                BaseURL = through ?? Server.Address,
                StorageState = isSignedIn ? _signedIn : null,
                ReducedMotion = ReducedMotion.Reduce,
                AcceptDownloads = true,
                ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
                ViewportSize = new() { Width = width, Height = height },
            }
        );
        context.SetDefaultTimeout(Patience);
        var page = new ScreenPage(Server, context, await context.NewPageAsync(), mayMeetNotFound);
        await page.Page.GotoAsync(path);
        return page;
    }

    /// <summary>A page of another server, signed in there; for tests that kill it.</summary>
    public async Task<ScreenPage> OpenOnAsync(RunningServer server)
    {
        var context = await _browser!.NewContextAsync(
            new()
            {
                ReducedMotion = ReducedMotion.Reduce,
                ViewportSize = new() { Width = 1440, Height = 900 },
            }
        );
        context.SetDefaultTimeout(Patience);
        var page = new ScreenPage(server, context, await context.NewPageAsync());
        await page.Page.GotoAsync(server.LoginLink);
        await page.Page.GetByRole(AriaRole.Button).First.ClickAsync();
        await page.Page.WaitForURLAsync(u => !u.Contains("/auth/link", StringComparison.Ordinal));
        return page;
    }

    private async Task<Sample> LoadSampleAsync()
    {
        await using var screen = await OpenAsync("/");
        var project = await screen.Page.EvaluateAsync<string>(
            "async () => (await (await fetch('/ui/samples', { method: 'POST' })).json()).project"
        );
        var found = await Server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new
            {
                session = new[] { project },
                is_root = true,
                limit = 100,
            }
        );
        return new Sample(
            Guid.Parse(project),
            await SampleHub.MakeAsync(Server),
            found
                .GetProperty("runs")
                .EnumerateArray()
                .GroupBy(r => r.GetProperty("name").GetString()!)
                .ToDictionary(
                    g => g.Key,
                    IReadOnlyList<Guid> (g) =>
                        [
                            .. g.Where(r => r.GetProperty("status").GetString() == "success")
                                .Select(r => r.GetProperty("id").GetGuid()),
                        ]
                )
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_far is not null)
        {
            await _far.DisposeAsync();
        }

        await Server.DisposeAsync();
    }
}

/// <summary>The sample project and its finished traces by name, and the webhook of the sample prompt (<see cref="SampleHub"/>).</summary>
public sealed record Sample(
    Guid Project,
    Guid Webhook,
    IReadOnlyDictionary<string, IReadOnlyList<Guid>> Traces
)
{
    public Guid Agent => Traces["support-agent"][0];

    public Guid OtherAgent => Traces["support-agent"][1];
}
