using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>Two people with a browser each in one queue.</summary>
public sealed class QueueReviewerTests(Screens screens)
{
    [Fact]
    public async Task Two_people_never_get_the_same_reserved_item()
    {
        var queue = await QueueAsync(new { name = "shared", num_reviewers_per_item = 1 }, 2);
        await using var mine = await screens.OpenAsync($"/queues/{queue}/review");
        var first = mine.Page.Locator("article.rv");
        await Expect(first).ToBeVisibleAsync();
        await using var theirs = await ColleagueAsync(mine.Page, $"/queues/{queue}/review");
        var second = theirs.Page.Locator("article.rv");
        await Expect(second).ToBeVisibleAsync();
        var (a, b) = (
            await first.GetAttributeAsync("data-item"),
            await second.GetAttributeAsync("data-item")
        );
        Assert.NotEqual(a, b);

        // The other's item cannot be opened by its link either; a reload keeps one's own.
        await theirs.Page.GotoAsync($"/queues/{queue}/review?item={b}");
        await Expect(second).ToHaveAttributeAsync("data-item", b!);
        await mine.Page.Keyboard.PressAsync("Control+Enter");
        await Expect(mine.Page.GetByText("Nothing left for you")).ToBeVisibleAsync();
        await theirs.Page.Keyboard.PressAsync("Control+Enter");
        await Expect(theirs.Page.GetByText("Everything is reviewed")).ToBeVisibleAsync();

        // Undone, the item is reserved again for who undid it.
        await mine.Page.Keyboard.PressAsync("u");
        await Expect(first).ToHaveAttributeAsync("data-item", a!);
        await theirs.Page.GetByRole(AriaRole.Button, new() { Name = "Look again" }).ClickAsync();
        await Expect(theirs.Page.GetByText("Nothing left for you")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Disagreement_is_measured_listed_and_decided()
    {
        var key = $"verdict-{Guid.NewGuid():N}";
        await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/feedback-configs",
            new
            {
                feedback_key = key,
                feedback_config = new
                {
                    type = "categorical",
                    categories = new[]
                    {
                        new { value = 1, label = "good" },
                        new { value = 0, label = "bad" },
                    },
                },
            }
        );
        var queue = await QueueAsync(
            new
            {
                name = "judged twice",
                num_reviewers_per_item = 2,
                rubric_items = new[] { new { feedback_key = key, is_required = true } },
            },
            3
        );
        await using var mine = await screens.OpenAsync($"/queues/{queue}/review");
        await AnswerAsync(mine.Page, "1", "1", "2");
        await Expect(mine.Page.GetByText("Nothing left for you")).ToBeVisibleAsync();
        await using var theirs = await ColleagueAsync(mine.Page, $"/queues/{queue}/review");
        await AnswerAsync(theirs.Page, "1", "2", "2");
        await Expect(theirs.Page.GetByText("Everything is reviewed")).ToBeVisibleAsync();

        // Of good good, good bad, bad bad: observed 2/3, by chance 4/9, so kappa is 0.4.
        var page = mine.Page;
        await page.GotoAsync($"/queues/{queue}/agreement");
        var figures = page.GetByRole(AriaRole.Region, new() { Name = key });
        await Expect(figures.Locator("dd").Nth(1)).ToContainTextAsync("66.7 %");
        await Expect(figures).ToContainTextAsync("Cohen’s κ");
        await Expect(figures.Locator("dl div").Filter(new() { HasText = "Cohen" }).Locator("dd"))
            .ToContainTextAsync("0.40");
        await Expect(page.GetByText("1 of 1 wait for a decision.")).ToBeVisibleAsync();
        await Accessible.AssertAsync(page);

        await page.GetByRole(AriaRole.Link, new() { Name = "Decide" }).ClickAsync();
        await Accessible.AssertAsync(page);
        await page.Locator(".decide .opt").First.ClickAsync();
        await page.GetByLabel("Why").FillAsync("the second reading is right");
        await page.GetByRole(AriaRole.Button, new() { Name = "Decide" }).ClickAsync();
        await Expect(page.GetByText("Decided by")).ToBeVisibleAsync();
        await page.GotoAsync($"/queues/{queue}/agreement");
        await Expect(page.GetByText("0 of 1 wait for a decision.")).ToBeVisibleAsync();

        // As a gold item it measures the reviewers instead.
        await page.Locator("table a").Last.ClickAsync();
        await page.GetByLabel("Gold item").CheckAsync();
        // The box is checked before and after: only a new document says that it was saved.
        await page.EvaluateAsync("() => { document.body.dataset.old = 'yes'; }");
        await page.GetByRole(AriaRole.Button, new() { Name = "Decide" }).ClickAsync();
        await Expect(page.Locator("body:not([data-old])")).ToHaveCountAsync(1);
        await Expect(page.GetByLabel("Gold item")).ToBeCheckedAsync();
        await page.GotoAsync($"/queues/{queue}/agreement");
        var reviewers = page.Locator("table").First.Locator("tbody tr");
        await Expect(reviewers.Filter(new() { HasText = "100 %" })).ToHaveCountAsync(1);
        await Expect(reviewers.Filter(new() { HasText = "n = 1" })).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task A_pair_is_judged_side_by_side_without_names()
    {
        var queue = await QueueAsync(new { name = "pairs", queue_type = "pairwise" }, 0);
        var runs = await RunsAsync(2);
        await using var screen = await screens.OpenAsync("/queues");
        var page = screen.Page;
        var status = await page.EvaluateAsync<int>(
            "async ([queue, runs]) => (await fetch(`/ui/queues/${queue}/add`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ runs }) })).status",
            new object[] { queue.ToString(), runs.Select(r => r.ToString()).ToArray() }
        );
        Assert.Equal(200, status);
        await page.GotoAsync($"/queues/{queue}/review");
        await Expect(page.Locator(".pair > section")).ToHaveCountAsync(2);
        await Expect(page.Locator(".rv-item")).Not.ToContainTextAsync("run 0");
        await Accessible.AssertAsync(page);
        var left = await page.Locator(".pair > section").First.InnerTextAsync();
        await page.Keyboard.PressAsync("a");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("Everything is reviewed")).ToBeVisibleAsync();
        // What stood left has won, whichever run that was.
        var winner = left.Contains("answer 0", StringComparison.Ordinal) ? 0 : 1;
        foreach (var (run, i) in runs.Select((r, i) => (r, i)))
        {
            var given = await screens.Server.JsonAsync(
                HttpMethod.Get,
                $"/api/v1/feedback?run={run}"
            );
            Assert.Equal(
                i == winner ? 1 : 0,
                Assert.Single(given.EnumerateArray()).GetProperty("score").GetDouble()
            );
        }
    }

    private static async Task AnswerAsync(IPage page, params string[] keys)
    {
        foreach (var key in keys)
        {
            var item = page.Locator("article.rv");
            var before = await item.GetAttributeAsync("data-item");
            await page.Keyboard.PressAsync(key);
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.Locator($"article.rv[data-item='{before}']")).ToHaveCountAsync(0);
        }
    }

    /// <summary>A second member, invited and joined, in a browser profile of their own.</summary>
    private async Task<ScreenPage> ColleagueAsync(IPage owner, string path)
    {
        var inviting = await owner.Context.NewPageAsync();
        await inviting.GotoAsync("/settings/members");
        await inviting.GetByLabel("E-mail").FillAsync($"{Guid.NewGuid():N}@example.org");
        await inviting.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var link = await inviting.Locator("#new-link").InnerTextAsync();
        await inviting.CloseAsync();
        var context = await owner.Context.Browser!.NewContextAsync(
            new() { BaseURL = screens.Server.Address }
        );
        var screen = new ScreenPage(screens.Server, context, await context.NewPageAsync());
        await screen.Page.GotoAsync(new Uri(link).PathAndQuery);
        await screen.Page.GetByLabel("Name").FillAsync("Colleague");
        await screen.Page.GetByLabel("Password").FillAsync("correct horse battery");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        await screen.Page.WaitForURLAsync(u => !u.Contains("/invite", StringComparison.Ordinal));
        await screen.Page.GotoAsync(path);
        return screen;
    }

    private async Task<Guid> QueueAsync(object body, int items)
    {
        var queue = (
            await screens.Server.JsonAsync(HttpMethod.Post, "/api/v1/annotation-queues", body)
        )
            .GetProperty("id")
            .GetGuid();
        if (items > 0)
        {
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                $"/api/v1/annotation-queues/{queue}/runs",
                await RunsAsync(items)
            );
        }

        return queue;
    }

    private async Task<Guid[]> RunsAsync(int count)
    {
        var runs = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToArray();
        for (var i = 0; i < count; i++)
        {
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/runs",
                new
                {
                    id = runs[i],
                    name = $"run {i}",
                    run_type = "chain",
                    session_name = "for reviewers",
                    start_time = "2026-11-20T10:00:00.000000Z",
                    end_time = "2026-11-20T10:00:01.000000Z",
                    inputs = new { question = "which one" },
                    outputs = new { answer = $"answer {i}" },
                }
            );
        }

        return runs;
    }
}
