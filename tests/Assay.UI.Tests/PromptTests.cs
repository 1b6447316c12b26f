using System.Net.Http.Json;
using System.Text.Json;
using Assay.Server.Tests.Prompts;
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
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Prompt" })
            .GetByRole(AriaRole.Link, new() { Name = "Tags" })
            .ClickAsync();
        var tag = page.GetByLabel("Tag", new() { Exact = true });
        await tag.FillAsync("production");
        await page.Locator("form:has-text('Tag it') select[name=To]")
            .SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Tag it" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("production");
        await page.GetByRole(AriaRole.Link, new() { Name = "Move production" }).ClickAsync();
        await page.GetByLabel("Commit for production")
            .SelectOptionAsync(new SelectOptionValue { Index = 0 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Move production" }).ClickAsync();
        var back = page.GetByRole(AriaRole.Button, new() { Name = "Roll production back to" });
        await Expect(back).ToBeVisibleAsync();
        var target = (await back.InnerTextAsync()).Trim().Split(' ')[^1];
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

    /// <summary>From staging to production under protection, by two people, with a receiver that fails first.</summary>
    [Fact]
    public async Task A_commit_goes_live_by_promotion_approval_and_roll_out_and_a_receiver_is_told()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await CreateAsync("hub-live");
        var first = (await CommitAsync("hub-live", "one"))[..8];
        await using var screen = await screens.OpenAsync("/prompts/hub-live?tab=webhooks");
        var page = screen.Page;

        // The secret is shown once; a test that is refused can be sent again.
        await page.GetByLabel("Address").FillAsync(receiver.Address);
        await page.GetByLabel("Headers to send along").FillAsync("Authorization: Bearer planted");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add webhook" }).ClickAsync();
        await Expect(page.Locator("#webhook-secret")).ToContainTextAsync("whsec_");
        receiver.Status = 503;
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        var log = page.Locator("#deliveries");
        await Expect(log).ToContainTextAsync("503");
        await Expect(log).ToContainTextAsync("1 of 7");
        await Expect(page.Locator("#webhook-secret")).ToHaveCountAsync(0);
        Assert.Equal("Bearer planted", (await receiver.NextAsync()).Headers["Authorization"]);
        receiver.Status = 200;

        // Environments: the first commit into staging, on to production, protected from then on.
        await OpenAsync(page, "hub-live", "tags");
        await page.GetByRole(AriaRole.Button, new() { Name = "Set staging to the newest" })
            .ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status))
            .ToContainTextAsync($"“staging” points at {first}");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Promote {first} to production" })
            .ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status))
            .ToContainTextAsync($"“production” points at {first}");
        await page.GotoAsync("/settings/prompts");
        await page.GetByLabel("Names of tags, of every prompt").FillAsync("production");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save protected tags" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        try
        {
            var second = (await CommitAsync("hub-live", "two"))[..8];
            await OpenAsync(page, "hub-live", "tags");
            await page.GetByRole(AriaRole.Link, new() { Name = "Move staging" }).ClickAsync();
            await page.GetByLabel("Commit for staging")
                .SelectOptionAsync(new SelectOptionValue { Index = 0 });
            await page.GetByRole(AriaRole.Button, new() { Name = "Move staging" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Status))
                .ToContainTextAsync($"“staging” points at {second}");

            // Who asks cannot approve, somebody else can.
            await page.GetByRole(
                    AriaRole.Button,
                    new() { Name = $"Ask to promote {second} to production" }
                )
                .ClickAsync();
            await Expect(page.GetByText("waits for somebody else's approval")).ToBeVisibleAsync();
            var request = page.Locator(".preq");
            await Expect(request).ToContainTextAsync($"point it at {second}");
            await Expect(request.GetByRole(AriaRole.Button, new() { Name = "Approve" }))
                .ToHaveCountAsync(0);
            await request.GetByRole(AriaRole.Button, new() { Name = "Take back" }).ClickAsync();
            await Expect(request).ToHaveCountAsync(0);
            var commits = await JsonAsync(HttpMethod.Get, "/api/v1/commits/-/hub-live");
            await JsonAsync(
                HttpMethod.Post,
                "/api/v1/repos/-/hub-live/tags",
                new
                {
                    tag_name = "production",
                    commit_id = commits.GetProperty("commits")[0].GetProperty("id").GetGuid(),
                }
            );
            await OpenAsync(page, "hub-live", "tags");
            await request.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Approved");
            await Expect(page.Locator(".penv").Nth(1)).ToContainTextAsync(second);
        }
        finally
        {
            await JsonAsync(
                HttpMethod.Put,
                "/api/v1/hub/protected-tags",
                new { tags = Array.Empty<string>() }
            );
        }

        // A share for the older commit; the rest follows, and all of it ends.
        await OpenAsync(page, "hub-live", "tags");
        await page.GetByRole(AriaRole.Button, new() { Name = "More for production" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Roll out by share…" })
            .Locator("visible=true")
            .ClickAsync();
        await page.GetByLabel("Commit to try")
            .SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByLabel("Gets it, in percent").FillAsync("30");
        await Expect(page.Locator("[data-rest]")).ToHaveTextAsync("70");
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll out" }).ClickAsync();
        await Expect(page.Locator(".penv").Nth(1)).ToContainTextAsync($"30% {first}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop the roll-out of production" })
            .ClickAsync();
        await Expect(page.Locator(".psplit")).ToHaveCountAsync(0);

        // The log: what was refused goes out again at a click, and a body can be read.
        await OpenAsync(page, "hub-live", "webhooks");
        await page.GetByRole(AriaRole.Link, new() { Name = "Log of" }).ClickAsync();
        await Expect(log.Locator("tbody tr").First).ToContainTextAsync("hub-live:production");
        await Expect(log.Locator(".pill.ok").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Body of" }).First.ClickAsync();
        await Expect(page.Locator(".pbodyj")).ToContainTextAsync("\"tag_name\": \"production\"");
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete the webhook" }).ClickAsync();
        await Expect(page.GetByText("The webhook is gone")).ToBeVisibleAsync();

        // All of it is in the audit log.
        await page.GotoAsync("/settings/audit");
        var audit = await page.Locator("main").InnerTextAsync();
        foreach (
            var action in new[]
            {
                "prompt_webhook.create",
                "prompt_webhook.delete",
                "prompt_protection.update",
                "prompt_tag.request",
                "prompt_tag.approve",
                "prompt_tag.reject",
                "prompt_rollout.set",
                "prompt_rollout.end",
            }
        )
        {
            Assert.Contains(action, audit);
        }
    }

    [Fact]
    public async Task A_prompt_is_renamed_owned_liked_forked_and_talked_about()
    {
        await CreateAsync("hub-about");
        await CommitAsync("hub-about", "Hello {who}");
        await using var screen = await screens.OpenAsync("/prompts/hub-about?tab=comments");
        var page = screen.Page;
        await page.GetByLabel("New comment").FillAsync("Too **short**?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Comment", Exact = true })
            .ClickAsync();
        await Expect(page.Locator(".pcomment strong")).ToHaveTextAsync("short");
        var like = page.GetByRole(AriaRole.Button, new() { Name = "Like the comment" });
        await like.ClickAsync();
        await Expect(like).ToHaveAttributeAsync("aria-pressed", "true");
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete the comment" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete the comment" }).ClickAsync();
        await Expect(page.GetByText("No comments")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Fork" }).First.ClickAsync();
        await page.GetByLabel("Name of the copy").FillAsync("hub-about-copy");
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Fork" })
            .ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("hub-about-copy");
        await OpenAsync(page, "hub-about", "settings");
        await page.GetByLabel("Name in addresses and in code").FillAsync("hub-about-2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("hub-about-2");
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Prompt" })
            .GetByRole(AriaRole.Link, new() { Name = "Prompt", Exact = true })
            .ClickAsync();
        await Expect(page.Locator(".pfork")).ToHaveTextAsync("hub-about-copy");
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

    private static async Task OpenAsync(IPage page, string name, string tab)
    {
        await page.GotoAsync($"/prompts/{name}?tab={tab}");
        await Expect(page.Locator(".tabs [aria-current=page]").First).ToBeVisibleAsync();
    }

    private async Task<JsonElement> JsonAsync(
        HttpMethod method,
        string path,
        object? body = null
    ) => await screens.Server.JsonAsync(method, path, body);

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
