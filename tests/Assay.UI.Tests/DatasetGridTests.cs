using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>A dataset changed where its examples stand, and dealt out to splits.</summary>
public sealed class DatasetGridTests(Screens screens)
{
    [Fact]
    public async Task Cells_are_changed_in_the_list_and_what_the_schema_refuses_is_said_there()
    {
        var (dataset, ids) = await DatasetAsync(
            3,
            new
            {
                type = "object",
                properties = new { answer = new { type = "string", maxLength = 20 } },
                required = new[] { "answer" },
            }
        );
        await using var screen = await screens.OpenAsync($"/data/{dataset}");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit in grid" }).ClickAsync();
        var row = page.Locator($".tr[data-id='{ids[0]}']");

        // The one text of an object is edited as text, and Tab goes on to the next cell.
        await row.Locator("[role=cell]").Nth(1).ClickAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Inputs" })
            .FillAsync("Changed here?");
        await page.Keyboard.PressAsync("Tab");
        var outputs = page.GetByRole(AriaRole.Textbox, new() { Name = "Reference outputs" });
        await Expect(outputs).ToHaveValueAsync("0");
        await Expect(row.Locator("[role=cell]").Nth(1)).ToHaveTextAsync("Changed here?");
        await page.Keyboard.PressAsync("Escape");

        await row.Locator("[role=cell]").Nth(2).ClickAsync();
        await outputs.FillAsync(new string('t', 21));
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator(".cell-ed [role=alert]")).ToContainTextAsync("answer");
        await outputs.FillAsync("ten");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(row.Locator("[role=cell]").Nth(2)).ToHaveTextAsync("ten");

        // What is no JSON, or what the schema refuses, stays open with the reason; nothing is written.
        await row.Locator("[role=cell]").Nth(3).ClickAsync();
        var metadata = page.GetByRole(AriaRole.Textbox, new() { Name = "Metadata" });
        await metadata.FillAsync("{\"level\": ");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator(".cell-ed [role=alert]")).ToContainTextAsync("Not saved");
        await metadata.FillAsync("{\"level\": \"hard\"}");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(row.Locator("[role=cell]").Nth(3)).ToHaveTextAsync("hard");
        await row.Locator("[role=cell]").Nth(4).ClickAsync();
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Splits" }).FillAsync("test\nslow");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(row.Locator(".tagc")).ToHaveTextAsync(["test", "slow"]);

        // By the keyboard alone: the row that has the focus, e.
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit in grid" }).ClickAsync();
        await row.Locator("a[data-row]").FocusAsync();
        await page.Keyboard.PressAsync("e");
        await Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Inputs" }))
            .ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator(".cell-ed")).ToHaveCountAsync(0);

        var read = await screens.Server.JsonAsync(HttpMethod.Get, $"/examples/{ids[0]}");
        Assert.Equal(
            "Changed here?",
            read.GetProperty("inputs").GetProperty("question").GetString()
        );
        Assert.Equal("ten", read.GetProperty("outputs").GetProperty("answer").GetString());
        Assert.Equal(
            ["test", "slow"],
            read.GetProperty("metadata")
                .GetProperty("dataset_split")
                .EnumerateArray()
                .Select(s => s.GetString())
        );
    }

    [Fact]
    public async Task All_examples_are_dealt_out_to_as_many_splits_as_wanted()
    {
        var (dataset, _) = await DatasetAsync(60, null);
        await using var screen = await screens.OpenAsync($"/data/{dataset}?tab=splits");
        var page = screen.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Split", Exact = true }).ClickAsync();
        var names = page.GetByRole(AriaRole.Textbox, new() { Name = "Split" });
        await names.Nth(0).FillAsync("");
        await names.Nth(3).FillAsync("held out");
        await page.GetByLabel("Weight").Nth(3).FillAsync("80");
        await page.GetByRole(AriaRole.Button, new() { Name = "Assign all examples" }).ClickAsync();
        await Expect(page.GetByText("60 examples moved.")).ToBeVisibleAsync();
        Assert.Equal(
            ["held out", "test", "validation"],
            (await page.Locator("tbody .nm").AllInnerTextsAsync()).Order(StringComparer.Ordinal)
        );
        var counts = await page.Locator("tbody td:nth-child(2)").AllInnerTextsAsync();
        Assert.Equal(
            60,
            counts.Sum(c => int.Parse(c, System.Globalization.CultureInfo.InvariantCulture))
        );

        // What the server refuses is said, and the form is there again.
        await names.Nth(0).FillAsync(new string('x', 256) + "y");
        foreach (var i in (int[])[0, 1, 2])
        {
            await page.GetByLabel("Weight").Nth(i).FillAsync("0");
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Assign all examples" }).ClickAsync();
        await Expect(page.Locator("split-deal [role=alert]"))
            .ToContainTextAsync("weight above zero");
    }

    [Fact]
    public async Task What_is_downloaded_as_parquet_is_imported_as_it_was()
    {
        var (dataset, ids) = await DatasetAsync(3, null);
        var copy = (
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/datasets",
                new { name = $"copy {Guid.NewGuid()}" }
            )
        )
            .GetProperty("id")
            .GetGuid();
        await using var screen = await screens.OpenAsync($"/data/{copy}?tab=import");
        var page = screen.Page;
        var file = await page.APIRequest.GetAsync(
            $"{screens.Server.Address}/ui/data/{dataset}/export?format=parquet"
        );
        await page.GetByLabel("File to import")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "copy.parquet",
                    MimeType = "application/vnd.apache.parquet",
                    Buffer = await file.BodyAsync(),
                }
            );
        await Expect(page.Locator("[data-sample]")).ToContainTextAsync("Question");
        await page.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await Expect(page.GetByText("3 examples imported.")).ToBeVisibleAsync();
        Assert.Equal(await ContentAsync(dataset), await ContentAsync(copy));
        // As examples of their own: the first ones are still there.
        Assert.Empty(ids.Intersect(await IdsAsync(copy)));

        async Task<IEnumerable<Guid>> IdsAsync(Guid id) =>
            (await screens.Server.JsonAsync(HttpMethod.Get, $"/examples?dataset={id}"))
                .EnumerateArray()
                .Select(e => e.GetProperty("id").GetGuid());

        async Task<IEnumerable<string>> ContentAsync(Guid id) =>
            (await screens.Server.JsonAsync(HttpMethod.Get, $"/examples?dataset={id}"))
                .EnumerateArray()
                .Select(e => $"{e.GetProperty("inputs")} {e.GetProperty("outputs")}")
                .Order(StringComparer.Ordinal);
    }

    private async Task<(Guid Dataset, IReadOnlyList<Guid> Ids)> DatasetAsync(
        int count,
        object? schema
    )
    {
        var server = screens.Server;
        var made = await server.JsonAsync(
            HttpMethod.Post,
            "/datasets",
            new { name = $"grid {Guid.NewGuid()}", outputs_schema_definition = schema }
        );
        var dataset = made.GetProperty("id").GetGuid();
        var examples = await server.JsonAsync(
            HttpMethod.Post,
            "/examples/bulk",
            Enumerable
                .Range(0, count)
                .Select(i => new
                {
                    dataset_id = dataset,
                    inputs = new { question = $"Question {i}?" },
                    outputs = new { answer = $"{i}" },
                })
        );
        return (
            dataset,
            [.. examples.EnumerateArray().Select((JsonElement e) => e.GetProperty("id").GetGuid())]
        );
    }
}
