using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The prompt hub in a browser.</summary>
public sealed class PromptTests(Screens screens)
{
    [Fact]
    public async Task A_prompt_is_written_changed_compared_tagged_rolled_back_and_deleted()
    {
        await using var screen = await screens.OpenAsync("/prompts");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "New prompt" }).First.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "New prompt" });
        await dialog.GetByLabel("Name").FillAsync("hub-test");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();

        // The first commit; a mistake is shown where it is.
        var first = page.GetByRole(AriaRole.Textbox, new() { Name = "Message 1" });
        await first.FillAsync("You answer in {tone");
        await Expect(page.GetByText("never closed")).ToBeVisibleAsync();
        await first.FillAsync("You answer in a {tone} tone and never guess.");
        await Expect(page.GetByText("never closed")).ToBeHiddenAsync();
        await Expect(page.GetByRole(AriaRole.Status, new() { Name = "Variables" }))
            .ToContainTextAsync("tone");
        await page.GetByLabel("Commit message").FillAsync("first words");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator(".pcm")).ToContainTextAsync("first words");
        await Expect(page.Locator(".msg mark.pvar").First).ToHaveTextAsync("{tone}");

        // A second one, begun by keyboard.
        await page.Locator("h1").First.ClickAsync();
        await page.Keyboard.PressAsync("e");
        await first.FillAsync("You answer in a {tone} tone and always ask back.");
        await page.GetByLabel("Commit message").FillAsync("ask instead of guessing");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        await Expect(page.Locator(".pcm")).ToContainTextAsync("ask instead of guessing");

        await page.GetByRole(AriaRole.Link, new() { Name = "Compare" }).ClickAsync();
        await Expect(page.Locator(".pdiff.changed del").First).ToContainTextAsync("never guess");
        await Expect(page.Locator(".pdiff.changed ins").First)
            .ToContainTextAsync("always ask back");
        await page.GetByRole(AriaRole.Link, new() { Name = "By word" }).ClickAsync();
        await Expect(page.Locator(".wd ins").First).ToContainTextAsync("always ask back");

        // A tag moves and is rolled back.
        await page.GetByRole(AriaRole.Link, new() { Name = "Tags" }).ClickAsync();
        var tag = page.GetByLabel("Tag", new() { Exact = true });
        await tag.FillAsync("production");
        await page.Locator("form:has-text('Tag it') select[name=To]")
            .SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Tag it" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("production");
        await page.GetByLabel("Commit for production")
            .SelectOptionAsync(new SelectOptionValue { Index = 0 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Move production" }).ClickAsync();
        var back = page.GetByRole(AriaRole.Button, new() { Name = "Roll production back to" });
        await Expect(back).ToBeVisibleAsync();
        var target = (await back.InnerTextAsync()).Split(' ')[^1];
        await back.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync(target);

        var pulled = await screens.Server.Client.GetFromJsonAsync<JsonElement>(
            "/api/v1/commits/-/hub-test/production",
            TestContext.Current.CancellationToken
        );
        Assert.StartsWith(
            target,
            pulled.GetProperty("commit_hash").GetString(),
            StringComparison.Ordinal
        );

        await page.GetByRole(AriaRole.Link, new() { Name = "Commits" }).ClickAsync();
        await Expect(page.Locator(".pcommits tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator(".pcommits tbody tr").Nth(1)).ToContainTextAsync("production");

        await page.GetByRole(AriaRole.Link, new() { Name = "Settings" }).Last.ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete this prompt…" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete for good" }).ClickAsync();
        await Expect(page.GetByText("“hub-test” is deleted.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Two_authors_do_not_hide_each_others_work()
    {
        var cancel = TestContext.Current.CancellationToken;
        await CreateAsync("hub-conflict");
        await CommitAsync("hub-conflict", "one");
        await using var screen = await screens.OpenAsync("/prompts/hub-conflict?tab=edit");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 1" }).FillAsync("mine");
        await CommitAsync("hub-conflict", "theirs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        var conflict = page.GetByRole(AriaRole.Alertdialog);
        await Expect(conflict).ToContainTextAsync("while you were editing");
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Save mine on top" }).ClickAsync();
        await Expect(page.Locator(".msg .ptx")).ToHaveTextAsync("mine");
        var commits = await screens.Server.Client.GetFromJsonAsync<JsonElement>(
            "/api/v1/commits/-/hub-conflict",
            cancel
        );
        Assert.Equal(3, commits.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Commits_show_how_the_traces_that_used_them_did()
    {
        await CreateAsync("hub-figures");
        var hash = await CommitAsync("hub-figures", "one");
        var seed = new Seed("hub-figures");
        var root = seed.Add("app", took: 2_000);
        seed.Add(
            "ChatPromptTemplate",
            "prompt",
            root,
            1,
            1,
            extra: new
            {
                metadata = new
                {
                    lc_hub_owner = "-",
                    lc_hub_repo = "hub-figures",
                    lc_hub_commit_hash = hash,
                },
            }
        );
        await seed.SendAsync(screens.Server);
        await Seed.ReadableAsync(screens.Server, root, TestContext.Current.CancellationToken);
        await using var screen = await screens.OpenAsync(
            "/prompts/hub-figures?tab=commits&range=all"
        );
        var row = screen.Page.Locator(".pcommits tbody tr").First;
        await Expect(row.Locator("td.num").First).ToHaveTextAsync("1");
        await Expect(row).ToContainTextAsync("2.0");
    }

    [Fact]
    public async Task A_prompt_that_does_not_exist_says_so()
    {
        await using var screen = await screens.OpenAsync("/prompts/nobody", mayMeetNotFound: true);
        await Expect(screen.Page.GetByText("There is no such prompt")).ToBeVisibleAsync();
    }

    private async Task CreateAsync(string name) =>
        (
            await screens.Server.Client.PostAsJsonAsync(
                "/api/v1/repos",
                new { repo_handle = name, is_public = false },
                TestContext.Current.CancellationToken
            )
        ).EnsureSuccessStatusCode();

    private async Task<string> CommitAsync(string name, string text)
    {
        object Made(string[] id, object kwargs) =>
            new
            {
                lc = 1,
                type = "constructor",
                id = (string[])["langchain_core", "prompts", .. id],
                kwargs,
            };
        var template = Made(["prompt", "PromptTemplate"], new { template = text });
        var message = Made(["chat", "SystemMessagePromptTemplate"], new { prompt = template });
        using var answer = await screens.Server.Client.PostAsJsonAsync(
            $"/api/v1/commits/-/{name}",
            new
            {
                manifest = Made(
                    ["chat", "ChatPromptTemplate"],
                    new { messages = new[] { message } }
                ),
            },
            TestContext.Current.CancellationToken
        );
        answer.EnsureSuccessStatusCode();
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>(
            TestContext.Current.CancellationToken
        );
        return json.GetProperty("commit").GetProperty("commit_hash").GetString()!;
    }
}
