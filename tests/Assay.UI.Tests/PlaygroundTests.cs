using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The playground in a browser, with the simulated model.</summary>
public sealed class PlaygroundTests(Screens screens)
{
    // One transparent dot.
    private static readonly byte[] s_png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    );

    [Fact]
    public async Task Variants_run_side_by_side_by_keyboard_are_saved_and_survive_a_reload()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        await page.GetByLabel("question").FillAsync("How long does shipping take?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Variant", Exact = true })
            .ClickAsync();
        var second = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant B" });
        await second.GetByLabel("Model").FillAsync("sim-echo");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(second.GetByText("How long does shipping take?")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Trace" })).ToHaveCountAsync(2);

        await second.GetByRole(AriaRole.Button, new() { Name = "Save as commit" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Prompt").FillAsync("playground-test");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        await Expect(page.GetByText("From prompt playground-test")).ToBeVisibleAsync();

        await page.ReloadAsync();
        await Expect(page.GetByLabel("question")).ToHaveValueAsync("How long does shipping take?");
        await Expect(second.GetByLabel("Model")).ToHaveValueAsync("sim-echo");

        await page.GotoAsync("/playground?prompt=playground-test");
        await Expect(page.GetByText("From prompt playground-test")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" }))
            .ToHaveValueAsync("{question}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Projects" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "playground" }).First.ClickAsync();
        await Expect(page.GetByText("playground").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Tools_schema_images_and_settings_are_edited_kept_committed_and_come_back()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        var variant = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant A" });
        await variant.GetByText("Settings, tools, answer schema").ClickAsync();
        await variant.GetByLabel("Temperature").FillAsync("0.3");

        // A tool by the form, which writes the text; the text wrong, and where.
        await variant.GetByRole(AriaRole.Button, new() { Name = "Add a tool" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync("get_weather");
        await dialog.GetByLabel("Description", new() { Exact = true }).FillAsync("The weather");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Parameter" }).ClickAsync();
        await dialog.GetByLabel("Name of the parameter").FillAsync("city");
        await dialog.GetByLabel("required").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add the tool" }).ClickAsync();
        var tools = variant.GetByRole(AriaRole.Textbox, new() { Name = "Tools" });
        await Expect(tools)
            .ToHaveValueAsync(
                new Regex(
                    "\"required\": \\[\\s*\"city\"",
                    RegexOptions.None,
                    TimeSpan.FromSeconds(5)
                )
            );
        await Expect(
                variant.GetByRole(AriaRole.Button, new() { Name = "get_weather", Exact = true })
            )
            .ToBeVisibleAsync();
        var schema = variant.GetByRole(
            AriaRole.Textbox,
            new() { Name = "JSON schema of the answer" }
        );
        await schema.FillAsync("{\n  \"type\": \"object\",\n}");
        await Expect(variant.GetByText("line 2, column 19: nothing follows this comma"))
            .ToBeVisibleAsync();
        await schema.FillAsync("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"strng\"}}}");
        await Expect(variant.GetByText("schema.properties.a.type")).ToBeVisibleAsync();
        await schema.FillAsync(
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}"
        );
        await variant.GetByRole(AriaRole.Button, new() { Name = "Format" }).Last.ClickAsync();
        await Expect(schema)
            .ToHaveValueAsync(new Regex("^\\{\\n", RegexOptions.None, TimeSpan.FromSeconds(5)));

        // An image from a file, one too large, and one that is none.
        await variant.GetByRole(AriaRole.Button, new() { Name = "Add an image" }).ClickAsync();
        await dialog
            .GetByLabel("Files")
            .SetInputFilesAsync(
                new FilePayload[]
                {
                    new()
                    {
                        Name = "dot.png",
                        MimeType = "image/png",
                        Buffer = s_png,
                    },
                    new()
                    {
                        Name = "big.png",
                        MimeType = "image/png",
                        Buffer = new byte[5 * 1024 * 1024 + 1],
                    },
                }
            );
        await Expect(page.GetByText("big.png has 5.0 MB")).ToBeVisibleAsync();
        await Expect(variant.GetByText("image/png, 70 B")).ToBeVisibleAsync();

        await variant.GetByRole(AriaRole.Button, new() { Name = "Saved settings" }).ClickAsync();
        await dialog.GetByLabel("Save this variant's model").FillAsync("with weather");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Group, new() { Name = "with weather" }))
            .ToContainTextAsync("with tools");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        await variant.GetByRole(AriaRole.Button, new() { Name = "Copy as code" }).ClickAsync();
        foreach (var language in (string[])["Python", "JavaScript", "C#", "curl"])
        {
            await dialog
                .GetByRole(AriaRole.Tab, new() { Name = language, Exact = true })
                .ClickAsync();
            var code = dialog.Locator("pre");
            await Expect(code).ToContainTextAsync("get_weather");
            await Expect(code).ToContainTextAsync("json_schema");
            await Expect(code).ToContainTextAsync("data:image/png;base64,");
        }

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await variant.GetByRole(AriaRole.Button, new() { Name = "Save as commit" }).ClickAsync();
        await dialog.GetByLabel("Prompt").FillAsync("playground-whole");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        await Expect(page.GetByText("From prompt playground-whole")).ToBeVisibleAsync();

        await page.ReloadAsync();
        await ComesBackAsync();
        await Expect(variant.GetByText("image/png, 70 B")).ToBeVisibleAsync();
        await variant.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
        await Expect(variant.GetByRole(AriaRole.Link, new() { Name = "Trace" })).ToBeVisibleAsync();

        await page.EvaluateAsync("() => localStorage.clear()");
        await page.GotoAsync("/playground?prompt=playground-whole");
        await variant.GetByText("Settings, tools, answer schema").ClickAsync();
        await ComesBackAsync();

        await variant
            .GetByRole(AriaRole.Button, new() { Name = "Remove the tool get_weather" })
            .ClickAsync();
        await Expect(tools).ToHaveValueAsync("");
        await variant.GetByRole(AriaRole.Button, new() { Name = "Saved settings" }).ClickAsync();
        var saved = dialog.GetByRole(AriaRole.Group, new() { Name = "with weather" });
        await saved.GetByRole(AriaRole.Button, new() { Name = "Load" }).ClickAsync();
        await ComesBackAsync();
        await variant.GetByRole(AriaRole.Button, new() { Name = "Saved settings" }).ClickAsync();
        await saved.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog, new() { Name = "Delete the settings" })
            .GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true })
            .ClickAsync();
        await Expect(saved).ToHaveCountAsync(0);
        await Accessible.AssertAsync(page);

        async Task ComesBackAsync()
        {
            await Expect(variant.GetByLabel("Temperature")).ToHaveValueAsync("0.3");
            await Expect(tools)
                .ToHaveValueAsync(
                    new Regex("get_weather", RegexOptions.None, TimeSpan.FromSeconds(5))
                );
            await Expect(schema)
                .ToHaveValueAsync(
                    new Regex("\"string\"", RegexOptions.None, TimeSpan.FromSeconds(5))
                );
            await Expect(variant.GetByLabel("Model")).ToHaveValueAsync("sim-chat");
        }
    }

    [Fact]
    public async Task A_template_that_is_wrong_says_where_and_a_failure_is_shown_at_its_variant()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        await Expect(page.GetByLabel("question")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" }).FillAsync("{oops");
        await Expect(page.GetByText("never closed")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2" })
            .FillAsync("{question}");
        await Expect(page.GetByText("never closed")).ToBeHiddenAsync();
        await page.GetByLabel("Model").FillAsync("sim-chat?fail=1&status=429");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run all" }).ClickAsync();
        await Expect(page.GetByText("answered 429")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Images_are_pasted_and_dropped_and_the_keyboard_stays_where_it_was()
    {
        await using var screen = await screens.OpenAsync("/playground");
        var page = screen.Page;
        var area = page.GetByRole(AriaRole.Textbox, new() { Name = "Message 2", Exact = true });
        await Expect(page.GetByLabel("question")).ToBeVisibleAsync();
        foreach (var kind in (string[])["paste", "drop"])
        {
            await area.EvaluateAsync(
                """
                (area, [kind, png]) => {
                  const data = new DataTransfer();
                  data.items.add(new File([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))], "dot.png", { type: "image/png" }));
                  area.dispatchEvent(kind === "paste"
                    ? new ClipboardEvent(kind, { clipboardData: data, bubbles: true, cancelable: true })
                    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
                }
                """,
                new[] { kind, Convert.ToBase64String(s_png) }
            );
            await Expect(page.GetByText("image/png, 70 B"))
                .ToHaveCountAsync(kind == "paste" ? 1 : 2);
        }

        await page.ReloadAsync();
        await Expect(page.GetByText("image/png, 70 B")).ToHaveCountAsync(2);
        await Expect(page.Locator(".pg-img img")).ToHaveCountAsync(2);

        await page.GetByRole(AriaRole.Button, new() { Name = "Message", Exact = true })
            .PressAsync("Enter");
        var third = page.GetByRole(AriaRole.Textbox, new() { Name = "Message 3", Exact = true });
        await Expect(third).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("last");
        var up = page.GetByRole(AriaRole.Button, new() { Name = "Move message 3 up" });
        await up.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Move message 2 up" }))
            .ToBeFocusedAsync();
        await Expect(area).ToHaveValueAsync("last");
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove message 3" })
            .PressAsync("Enter");
        await Expect(area).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_prompt_opens_with_what_it_has_filled_in_and_nobodys_commit_is_covered_unasked()
    {
        await using var screen = await screens.OpenAsync("/prompts");
        var page = screen.Page;
        await CommitAsync("playground-filled", "first");
        await page.GotoAsync("/playground?prompt=playground-filled");
        var filled = page.GetByRole(AriaRole.Group, new() { Name = "Filled in already" });
        await Expect(filled).ToContainTextAsync("tone = kind");
        await Expect(page.GetByLabel("question")).ToBeVisibleAsync();
        await Expect(page.Locator(".pg-vars textarea")).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Part 1 of message 1" }))
            .ToHaveValueAsync(new Regex("input_audio", RegexOptions.None, TimeSpan.FromSeconds(5)));
        await page.GetByLabel("question").FillAsync("why");
        await page.GetByLabel("Model", new() { Exact = true }).FillAsync("sim-echo");
        // Wherever the focus is, also nowhere.
        await page.EvaluateAsync("() => document.activeElement.blur()");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.GetByText("Be kind: why")).ToBeVisibleAsync();

        // Somebody else commits meanwhile.
        await CommitAsync("playground-filled", "second");
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Message 1", Exact = true })
            .FillAsync("Be {tone}, always: {question}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as commit" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save commit" }).ClickAsync();
        var clash = page.GetByRole(
            AriaRole.Alertdialog,
            new() { Name = "Somebody else committed" }
        );
        await Expect(clash.GetByRole(AriaRole.Link, new() { Name = "See what they changed" }))
            .ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask for tone instead" }).ClickAsync();
        await Expect(page.GetByLabel("tone")).ToHaveValueAsync("kind");
        await Expect(filled).ToHaveCountAsync(0);

        // An older commit beside it.
        await page.GetByRole(AriaRole.Button, new() { Name = "Load a prompt" }).ClickAsync();
        await dialog.GetByLabel("Commit").SelectOptionAsync(new SelectOptionValue { Index = 2 });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "As another variant" }).ClickAsync();
        var second = page.GetByRole(AriaRole.Listitem, new() { Name = "Variant B" });
        await Expect(second.GetByRole(AriaRole.Textbox, new() { Name = "Message 1", Exact = true }))
            .ToHaveValueAsync("Be {tone}: {question}");
        await Expect(second.GetByText("tone = kind")).ToBeVisibleAsync();
        await Expect(second.GetByLabel("Model", new() { Exact = true }))
            .ToHaveValueAsync("sim-echo");

        // From nothing, a name that is taken is not covered either.
        await page.EvaluateAsync("() => localStorage.clear()");
        await page.GotoAsync("/playground");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as commit" }).ClickAsync();
        await dialog.GetByLabel("Prompt").FillAsync("playground-filled");
        await page.Keyboard.PressAsync("Enter");
        await Expect(
                page.GetByRole(AriaRole.Alertdialog, new() { Name = "The prompt is there already" })
            )
            .ToContainTextAsync("playground-filled");
        await Accessible.AssertAsync(page);

        await page.GotoAsync("/prompts/playground-filled");
        await Expect(page.GetByText("Filled in already")).ToBeVisibleAsync();
        await Expect(page.GetByText(", always:")).ToBeVisibleAsync();

        Task CommitAsync(string name, string note) =>
            page.EvaluateAsync(
                """
                async ([name, note]) => {
                  const post = (path, body) => fetch("/api/v1" + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
                  const lc = (id, kwargs) => ({ lc: 1, type: "constructor", id: ["langchain_core", "prompts", ...id], kwargs });
                  const text = lc(["prompt", "PromptTemplate"], { template: "Be {tone}: {question}", template_format: "f-string", input_variables: ["tone", "question"] });
                  const sound = lc(["dict", "DictPromptTemplate"], { template: { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }, template_format: "f-string" });
                  if (note === "first") await post("/repos", { repo_handle: name, is_public: false });
                  const answer = await post(`/commits/-/${name}`, { description: note, manifest: lc(["chat", "ChatPromptTemplate"], { messages: [lc(["chat", "HumanMessagePromptTemplate"], { prompt: [text, sound] })], partial_variables: { tone: "kind" }, input_variables: ["question"], note }) });
                  if (answer.status !== 201) throw new Error(await answer.text());
                }
                """,
                new[] { name, note }
            );
    }
}
