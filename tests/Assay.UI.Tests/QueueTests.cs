using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

public sealed class QueueTests(Screens screens)
{
    [Fact]
    public async Task A_queue_is_made_filled_reviewed_by_keys_alone_and_yields_examples()
    {
        var name = $"queue {Guid.NewGuid():N}";
        var dataset = await DatasetAsync();
        var project = await ProjectAsync(4);
        await using var screen = await screens.OpenAsync("/queues/new");
        var page = screen.Page;
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
        await AddQuestionAsync(page, 0, $"correct-{dataset:N}", "category", isNeeded: true);
        await AddQuestionAsync(page, 1, $"grade-{dataset:N}", "score");
        await page.Locator(".rq").Nth(1).Locator("[name=min]").FillAsync("1");
        await page.Locator(".rq").Nth(1).Locator("[name=max]").FillAsync("5");
        await Accessible.AssertAsync(page);
        await page.GetByLabel("“Add to dataset” goes to").SelectOptionAsync([dataset.ToString()]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Create queue" }).ClickAsync();
        await Expect(page.GetByText("Nothing to review yet")).ToBeVisibleAsync();
        var queue = new Uri(page.Url).Segments[^1];

        // The whole query, then one selected row again: it is not added twice.
        await page.GotoAsync($"/projects/{project}?range=all");
        await page.GetByRole(
                AriaRole.Button,
                new() { Name = "Add all of this list to an annotation queue" }
            )
            .ClickAsync();
        await ChooseAsync(page, name);
        await Expect(page.GetByText($"4 items in “{name}”")).ToBeVisibleAsync();
        await page.Locator(".tr .ck input").First.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "To queue" }).ClickAsync();
        await ChooseAsync(page, name);
        await Expect(page.GetByText($"1 item in “{name}”")).ToBeVisibleAsync();

        await page.GotoAsync($"/queues/{queue}/review");
        var item = page.Locator("article.rv");
        await Expect(item).ToBeVisibleAsync();
        await Expect(page.Locator("[data-rv-count]")).ToHaveTextAsync("0 of 4 done");
        await Accessible.AssertAsync(page);
        // A needed answer is missing: it says so and stays.
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".rv-problem")).ToContainTextAsync("needs an answer");
        var first = await item.GetAttributeAsync("data-item");
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("1");
        await page.Keyboard.PressAsync("4");
        await page.Keyboard.PressAsync("c");
        await page.Keyboard.PressAsync("Control+End");
        await page.Keyboard.TypeAsync(" indeed");
        await Expect(page.Locator(".diff ins")).ToContainTextAsync("indeed");
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("d");
        await Expect(page.GetByText("with the corrected output")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("n");
        await page.Keyboard.TypeAsync("seen");
        // What is not sent yet is there after a reload, and so is the way back later.
        await page.ReloadAsync();
        await Expect(item).ToHaveAttributeAsync("data-item", first!);
        await Expect(page.Locator("[name=note]")).ToHaveValueAsync("seen");
        await Expect(page.Locator(".corr textarea")).ToHaveValueAsync("answer 0 indeed");
        await Expect(page.Locator(".diff ins")).ToContainTextAsync("indeed");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(item).Not.ToHaveAttributeAsync("data-item", first!);
        await Expect(page.Locator("[data-rv-count]")).ToHaveTextAsync("1 of 4 done");

        // Undo brings it back with what was answered; done again.
        await page.ReloadAsync();
        await Expect(item).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("u");
        await Expect(item).ToHaveAttributeAsync("data-item", first!);
        await Expect(page.Locator("fieldset.q").First.GetByRole(AriaRole.Radio).First)
            .ToBeCheckedAsync();
        await Expect(page.Locator("[data-rv-count]")).ToHaveTextAsync("0 of 4 done");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(item).Not.ToHaveAttributeAsync("data-item", first!);

        // Skipped ones come back at the end.
        var skipped = await item.GetAttributeAsync("data-item");
        await page.Keyboard.PressAsync("s");
        await Expect(item).Not.ToHaveAttributeAsync("data-item", skipped!);
        for (var done = 1; done < 4; done++)
        {
            await Expect(page.Locator("[data-rv-count]")).ToHaveTextAsync($"{done} of 4 done");
            if (done == 3)
            {
                await Expect(item).ToHaveAttributeAsync("data-item", skipped!);
            }

            await page.Keyboard.PressAsync("2");
            await page.Keyboard.PressAsync("Enter");
        }

        await Expect(page.GetByText("Everything is reviewed")).ToBeVisibleAsync();
        var feedback = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/feedback?key=correct-{dataset:N}"
        );
        Assert.Equal(4, feedback.GetArrayLength());
        Assert.Equal(1, feedback.EnumerateArray().Sum(f => f.GetProperty("score").GetDouble()));
        var examples = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/examples?dataset={dataset}"
        );
        var example = Assert.Single(examples.EnumerateArray());
        Assert.Equal(
            "answer 0 indeed",
            example.GetProperty("outputs").GetProperty("answer").GetString()
        );
        Assert.NotEqual(JsonValueKind.Null, example.GetProperty("source_run_id").ValueKind);

        await page.GotoAsync($"/queues/{queue}");
        await Expect(page.Locator("[data-queue-items] tbody tr")).ToHaveCountAsync(4);
        await Accessible.AssertAsync(page);
        await page.GotoAsync($"/queues?delete={queue}");
        await Accessible.AssertAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete queue" }).ClickAsync();
        await Expect(page.GetByText("The queue is gone.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Settings_of_a_key_decide_what_the_feedback_form_asks_for()
    {
        var key = $"tone-{Guid.NewGuid():N}";
        var project = await ProjectAsync(1);
        await using var screen = await screens.OpenAsync("/settings/feedback");
        var page = screen.Page;
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync(key);
        await page.Locator("[name=Type]").SelectOptionAsync(["category"]);
        await page.Locator("[name=Labels]").FillAsync("kind = 1\nrude = 0");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("kind = 1")).ToBeVisibleAsync();
        await Accessible.AssertAsync(page);

        await page.GotoAsync($"/projects/{project}?range=all");
        await page.Locator(".tr a[data-row]").First.ClickAsync();
        await page.GetByRole(AriaRole.Tab, new() { Name = "Feedback" }).ClickAsync();
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync(key);
        await page.Locator(".fbf .opt").Filter(new() { HasText = "kind" }).ClickAsync();
        await page.GetByLabel("Comment").FillAsync("warm words");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add feedback" }).ClickAsync();
        await Expect(page.Locator(".fbl").GetByText("warm words")).ToBeVisibleAsync();
        // The chip is in the list, and the query bar finds the run by its score.
        await page.GotoAsync($"/projects/{project}?range=all&q=feedback.{key}%3E%3D1");
        await Expect(page.Locator(".tr .fb").First).ToContainTextAsync("1");
        await page.GotoAsync($"/projects/{project}?range=all&q=feedback.{key}%3C1");
        await Expect(page.GetByText("Nothing matches")).ToBeVisibleAsync();
    }

    private static async Task AddQuestionAsync(
        IPage page,
        int index,
        string key,
        string type,
        bool isNeeded = false
    )
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a question" }).ClickAsync();
        var question = page.Locator(".rq").Nth(index);
        await question.GetByLabel("Feedback key").FillAsync(key);
        await question.GetByLabel("Answer").SelectOptionAsync([type]);
        if (isNeeded)
        {
            await question.GetByLabel("Needed").CheckAsync();
        }
    }

    private static async Task ChooseAsync(IPage page, string queue)
    {
        var dialog = page.GetByRole(AriaRole.Dialog);
        var option = dialog.Locator("option").Filter(new() { HasText = queue });
        await dialog
            .GetByRole(AriaRole.Combobox)
            .SelectOptionAsync([await option.GetAttributeAsync("value") ?? ""]);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
    }

    private async Task<Guid> DatasetAsync() =>
        (
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/datasets",
                new { name = $"golden {Guid.NewGuid():N}" }
            )
        )
            .GetProperty("id")
            .GetGuid();

    private async Task<Guid> ProjectAsync(int runs)
    {
        var name = $"queued {Guid.NewGuid():N}";
        for (var i = 0; i < runs; i++)
        {
            var id = Guid.CreateVersion7();
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/runs",
                new
                {
                    id,
                    name = $"run {i}",
                    run_type = "chain",
                    session_name = name,
                    // The list shows the newest first, and so does the queue.
                    start_time = $"2026-11-20T10:00:{59 - i:00}.000000Z",
                    end_time = $"2026-11-20T10:01:{59 - i:00}.000000Z",
                    inputs = new { question = $"question {i}" },
                    outputs = new { answer = $"answer {i}" },
                }
            );
        }

        var sessions = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?name={Uri.EscapeDataString(name)}"
        );
        return sessions[0].GetProperty("id").GetGuid();
    }
}
