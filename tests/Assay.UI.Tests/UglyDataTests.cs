using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>Names of 300 characters, emoji, right-to-left text, 40 tags, nothing at all: on a phone and on a desk, nothing leaves the window.</summary>
public sealed class UglyDataTests(Screens screens)
{
    [Theory]
    [InlineData(390, 844)]
    [InlineData(1440, 900)]
    public async Task No_page_is_wider_than_its_window(int width, int height)
    {
        var project = $"ugly-{width}-" + new string('p', 180) + " 🦊 مشروع";
        var (first, second) = await SeedAsync(project);
        var list = await ListTests.ProjectAsync(screens, project);
        var prompt = $"ugly-{width}-" + new string('n', 190);
        await SampleHub.MakeUglyAsync(screens.Server, prompt);
        foreach (
            var (path, ready) in new[]
            {
                ("/", ".vt .tr"),
                (list, "run-grid .tr"),
                ($"{list}?tab=runs", "run-grid .tr"),
                ($"{list}?tab=threads", ".vt .tr"),
                ($"{list}?trace={first}", "dialog.panel trace-view[data-ready] .dh"),
                ($"/t/{first}", "trace-view[data-ready] .detail .dh"),
                ($"/t/{first}?view=chat", "trace-view[data-ready]"),
                ($"/t/{first}?view=raw", "trace-view[data-ready]"),
                ($"/compare?a={first}&b={second}", "trace-compare[data-ready] .cheads"),
                ("/settings/keys", ".list"),
                ("/settings/prices?new=1", ".prf"),
                ("/settings/members", ".list"),
                ("/manage/storage", "main"),
                ("/start", "main"),
                ("/prompts", ".vt .tr"),
                ($"/prompts/{prompt}", ".msg"),
                ($"/prompts/{prompt}?tab=edit", ".pe-msg"),
                ($"/prompts/{prompt}?tab=commits", ".pcommits"),
                ($"/prompts/{prompt}?tab=compare", ".pdiff"),
                ($"/prompts/{prompt}?tab=tags&move=staging", ".penv"),
                ($"/prompts/{prompt}?tab=comments", ".pcomment"),
                ($"/prompts/{prompt}?tab=webhooks", "#webhook"),
                ($"/prompts/{prompt}?tab=use", ".jbox"),
                ($"/prompts/{prompt}?tab=settings&delete=true", ".ask"),
                ("/settings/prompts", "[name=Environments]"),
            }
        )
        {
            await using var screen = await screens.OpenAsync(path, width: width, height: height);
            await Expect(screen.Page.Locator(ready).First).ToBeVisibleAsync();
            var (window, document) = await WidthsAsync(screen);
            Assert.True(document <= window, $"{path}: {document} px in a window of {window}");
        }
    }

    [Fact]
    public async Task Odd_texts_are_shown_as_they_are()
    {
        var project = "ugly-texts";
        var (first, _) = await SeedAsync(project);
        await using var screen = await screens.OpenAsync($"/t/{first}");
        var page = screen.Page;
        await Expect(page.Locator("trace-view[data-ready] .tn").Nth(1))
            .ToContainTextAsync("<script>alert(1)</script>");
        await page.Locator(".tn").Nth(1).ClickAsync();
        await Expect(page.Locator(".detail h2"))
            .ToHaveTextAsync("<script>alert(1)</script> & \"quotes\"");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Tab, new() { Name = "Metadata" })
            .ClickAsync();
        await Expect(page.Locator(".tagrow .tagc")).ToHaveCountAsync(40);
        await Expect(page.Locator(".tn").Nth(2)).ToContainTextAsync("(unnamed)");
        await Accessible.AssertAsync(page);
    }

    private static async Task<(double Window, double Document)> WidthsAsync(ScreenPage screen)
    {
        var widths = await screen.Page.EvaluateAsync<double[]>(
            "() => [innerWidth, Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)]"
        );
        return (widths[0], widths[1]);
    }

    private async Task<(Guid First, Guid Second)> SeedAsync(string project)
    {
        var seed = new Seed(project);
        var first = Trace(seed, 0);
        var second = Trace(seed, 100_000);
        await seed.SendAsync(screens.Server);
        return (first, second);
    }

    private static Guid Trace(Seed seed, double at)
    {
        var name = string.Concat(Enumerable.Repeat("verylongname", 25));
        var root = seed.Add(
            name,
            at: at,
            took: 90_000,
            inputs: new
            {
                question = new string('w', 4_000),
                empty = "",
                nothing = (string?)null,
            },
            error: new string('e', 3_000) + "\n\tat " + new string('f', 400),
            extra: new
            {
                metadata = new { thread_id = "thread-" + new string('t', 200), متن = "قيمة طويلة" },
            }
        );
        seed.Add(
            "<script>alert(1)</script> & \"quotes\"",
            "tool",
            root,
            at + 1,
            0,
            tags: [.. Enumerable.Range(0, 40).Select(i => $"tag-{i}-🏷️-{new string('x', i)}")]
        );
        seed.Add("", "chain", root, at + 2, 1);
        seed.AddCall(
            "model-" + new string('m', 150),
            "كيف حالك؟ 👩‍👩‍👧‍👦 " + new string('ا', 600),
            "| a | b |\n|---|---|\n| "
                + new string('c', 500)
                + " | d |\n\n```\n"
                + new string('k', 900)
                + "\n```",
            root,
            at + 3
        );
        return root;
    }
}
