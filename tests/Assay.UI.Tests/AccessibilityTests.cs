using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>Every page in both themes against WCAG 2.2 AA, with no error in the console.</summary>
public sealed class AccessibilityTests(Screens screens)
{
    public static TheoryData<string, string> Pages()
    {
        var pages = new TheoryData<string, string>();
        foreach (
            var (path, ready) in new[]
            {
                ("/", ".vt .tr"),
                ("/start", "[data-snippet-text]"),
                ("/projects/{project}", "run-grid .tr"),
                ("/projects/{project}?tab=runs&q=status:error", "run-grid .tr"),
                ("/projects/{project}?tab=llm&q=latency:soon", ".qp"),
                ("/projects/{project}?tab=threads", ".vt .tr"),
                ("/projects/{project}/threads/chat-7310", ".turn .msg"),
                ("/projects/{project}/insights", "main .empty"),
                ("/projects/00000000-0000-4000-8000-000000000000", ".empty"),
                ("/t/{agent}", "trace-view[data-ready] .detail .dh"),
                ("/t/{agent}?view=chat", "[data-pane=chat] .msg"),
                ("/t/{agent}?view=time", "trace-view[data-ready] .detail .dh"),
                ("/t/{agent}?view=raw", "[data-pane=raw] json-view"),
                ("/t/00000000-0000-4000-8000-000000000000", ".empty"),
                ("/compare?a={agent}&b={other}", "trace-compare[data-ready] .detail .cheads"),
                ("/compare", ".cform"),
                ("/settings/keys", ".list"),
                ("/settings/members", ".list"),
                ("/settings/workspaces", ".list"),
                ("/settings/prices?shipped=1", ".list"),
                ("/settings/prices?new=1", ".prf"),
                ("/settings/audit", ".list"),
                ("/settings/feedback", "[name=Labels]"),
                ("/queues", "main"),
                ("/queues/new", "rubric-editor .btn"),
                ("/queues/00000000-0000-4000-8000-000000000000", "main"),
                ("/evaluators", "main"),
                ("/evaluators/new", ".ev-cards"),
                ("/evaluators/new?judge=tone", ".ev-map input"),
                ("/evaluators/new?builtin=regex_match", "evaluator-editor .btn.pri"),
                ("/evaluators/00000000-0000-4000-8000-000000000000", "main"),
                ("/manage/storage", ".kpis"),
                ("/manage/retention", ".body.settings"),
                ("/settings/providers", "main .body"),
                ("/settings/secrets", "main .body"),
                ("/playground", "main textarea"),
                ("/prompts", ".vt .tr"),
                ("/prompts?q=nothing-like-this", ".empty"),
                ("/prompts/nobody", ".empty"),
                ("/prompts/{prompt}", ".msg"),
                ("/prompts/{prompt}?tab=edit", ".pe-msg"),
                ("/prompts/{prompt}?tab=commits", ".pcommits"),
                ("/prompts/{prompt}?tab=compare", ".pdiff"),
                ("/prompts/{prompt}?tab=compare&view=words", ".wd"),
                ("/prompts/{prompt}?tab=tags", ".psplit"),
                ("/prompts/{prompt}?tab=tags&try=staging", "[data-share]"),
                ("/prompts/{prompt}?tab=tags&remove=staging", ".ask"),
                ("/prompts/{prompt}?tab=comments", ".pcomment"),
                ("/prompts/{prompt}?tab=webhooks&hook={webhook}", "#deliveries tr"),
                ("/prompts/{prompt}?tab=webhooks&edit={webhook}", "#webhook"),
                ("/prompts/{prompt}?tab=use", ".jbox"),
                ("/prompts/{prompt}?tab=settings", ".pown"),
                ("/prompts/{prompt}?tab=settings&delete=true", ".ask"),
                ("/settings/prompts", "[name=Environments]"),
                ("/data", "main"),
                ("/prompts", "main"),
                ("/jobs", "main"),
                ("/jobs/00000000-0000-4000-8000-000000000000", ".empty"),
                ("/invite/nobody-asked", "h1"),
                ("/denied", "h1"),
                ("/nowhere-at-all", "h1"),
                ("/account", "main"),
                ("/login", "main"),
            }
        )
        {
            pages.Add(path, ready);
        }

        return pages;
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_accessible(string path, string ready)
    {
        var sample = screens.Sample;
        var isMissing =
            path.Contains("00000000", StringComparison.Ordinal)
            || path.StartsWith("/nowhere", StringComparison.Ordinal)
            || path.EndsWith("/nobody", StringComparison.Ordinal);
        await using var screen = await screens.OpenAsync(
            path.Replace("{project}", sample.Project.ToString(), StringComparison.Ordinal)
                .Replace("{agent}", sample.Agent.ToString(), StringComparison.Ordinal)
                .Replace("{prompt}", SampleHub.Name, StringComparison.Ordinal)
                .Replace("{webhook}", sample.Webhook.ToString(), StringComparison.Ordinal)
                .Replace("{other}", sample.OtherAgent.ToString(), StringComparison.Ordinal),
            mayMeetNotFound: isMissing
        );
        await Expect(screen.Page.Locator(ready).First).ToBeVisibleAsync();
        await Accessible.AssertAsync(screen.Page);
    }

    [Fact]
    public async Task Palette_help_and_share_are_accessible()
    {
        var sample = screens.Sample;
        await using var screen = await screens.OpenAsync($"/t/{sample.Agent}");
        var page = screen.Page;
        await Expect(page.Locator("trace-view[data-ready] .detail .dh")).ToBeVisibleAsync();
        foreach (
            var (key, dialog) in new[]
            {
                ("Control+k", "dialog.pal [role=option]"),
                ("?", "dialog.keys"),
                ("s", "dialog.share"),
                ("v", "dialog.pal [role=option]"),
            }
        )
        {
            await page.Keyboard.PressAsync(key);
            await Expect(page.Locator(dialog).First).ToBeVisibleAsync();
            await Accessible.AssertAsync(page);
            await page.Keyboard.PressAsync("Escape");
            await Expect(page.Locator("dialog[open]")).ToHaveCountAsync(0);
        }
    }
}
