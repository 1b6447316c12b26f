using System.Net;
using System.Text.Json;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>The first rows of a trace come with the page, so that it is painted before any script runs; the script must find what it would have drawn itself.</summary>
public sealed class TraceFirstRowsTests(Screens screens)
{
    /// <summary>
    /// What a reader sees of each row and of the head: first as the server wrote them, then, after a drawing was forced, as the script did.
    /// </summary>
    private const string BothWays = """
        async () => {
            const text = (x) => x.textContent.replace(/\s+/g, '');
            const shown = (root) => [...root.querySelectorAll('.tn')].map((row) => [
                row.id, [...row.classList].join(' '), row.ariaLevel, row.ariaSelected, row.ariaExpanded,
                row.querySelector('.tl').getAttribute('style'),
                [...row.querySelectorAll('.tl *')].map((x) => `${x.localName}.${[...x.classList].join('.')}${x.getAttribute('href') ?? x.title ?? ''}`).join(' '),
                text(row.querySelector('.tl')),
                [...row.querySelector('.wf').children].map((x) => `${x.localName}.${x.className.trim()} ${x.getAttribute('style')} ${x.textContent}`).join(' '),
            ].join(' | '));
            const head = (root) => [
                text(root.querySelector('.tsum')), root.querySelector('.tsum .pill').className, text(root.querySelector('[data-do=nextError]')),
                root.querySelector('[data-do=nextError]').hidden, [...root.querySelectorAll('.axis span')].map((x) => x.textContent).join(' '), root.querySelector('.spc').style.height,
            ].join(' | ');
            const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
            for (const key of ['p', 'p']) document.dispatchEvent(new KeyboardEvent('keydown', { key }));
            return { served: [head(page), ...shown(page)], drawn: [head(document), ...shown(document)] };
        }
        """;

    [Fact]
    public async Task Rows_that_come_with_the_page_are_those_the_script_draws()
    {
        var seed = new Seed("first-rows");
        var root = seed.Add("agent <b>&amp;</b>", took: 61_000);
        var step = seed.Add("plan", "chain", root, 10, 45_000);
        seed.AddCall("gpt-4.1", "?", "!", step, 500, 2_000, 1_234, 987_654, "dear call");
        seed.Add("مرحبا بالعالم", "retriever", step, 2_600, 0.25);
        seed.Add(new string('n', 300), "tool", step, 44_000, 1_000, error: "It broke");
        var late = seed.Add("late", "chain", root, 52_000, 9_000);
        seed.Add("deep", "parser", seed.Add("deeper", "prompt", late, 52_100, 500), 52_200, 40);
        await seed.SendAsync(screens.Server);
        await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/feedback",
            new
            {
                id = Guid.CreateVersion7(),
                run_id = root,
                key = "a-key-that-is-rather-long",
                score = 2.0 / 3,
            }
        );
        // A judge's score and a person's under one key, and a label alone.
        await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/ui/evaluators",
            new
            {
                name = "First rows",
                key = "0-first-rows <judge>",
                kind = "Judge",
                settings = new
                {
                    provider = "5173a7ed-0000-4000-8000-000000000001",
                    model = "sim-judge",
                    messages = new[] { new { role = "user", content = "{{answer}}" } },
                    verdict = new { kind = "boolean" },
                },
            }
        );
        foreach (
            var (run, key, score, value, type) in new (Guid, string, double?, string?, string)[]
            {
                (late, "0-first-rows <judge>", 1, null, "auto_eval"),
                (late, "0-first-rows <judge>", 0.25, null, "app"),
                (step, "0-first-rows <judge>", 0.25, null, "app"),
                (step, "a-label", null, "\"quoted\" <i>", "api"),
            }
        )
        {
            await screens.Server.JsonAsync(
                HttpMethod.Post,
                "/feedback",
                new
                {
                    id = Guid.CreateVersion7(),
                    run_id = run,
                    key,
                    score,
                    value,
                    feedback_source = new { type },
                }
            );
        }

        var served = await SameAsync($"/t/{root}", 8);
        Assert.Single(served, r => r.Contains("notcalibrated", StringComparison.Ordinal));
        await SameAsync($"/t/{root}?run={late}", 8);
    }

    [Fact]
    public async Task Of_a_large_trace_two_levels_come_unfolded_with_what_hangs_below()
    {
        var seed = new Seed("first-rows-large");
        var root = seed.Add("agent", took: 60_000);
        for (var i = 0; i < 50; i++)
        {
            var step = seed.Add("step", "chain", root, 1 + (i * 1_000), 900);
            var part = seed.Add("part", "chain", step, 2 + (i * 1_000), 800);
            for (var k = 0; k < 100; k++)
            {
                seed.Add("leaf", "tool", part, 3 + (i * 1_000) + k, 1);
            }
        }

        await seed.SendAsync(screens.Server);
        var served = await SameAsync($"/t/{root}", 34);
        Assert.Contains("5,101runs", served[0], StringComparison.Ordinal);
        Assert.Contains(served, r => r.Contains("part100", StringComparison.Ordinal));
        Assert.DoesNotContain(served, r => r.Contains("leaf", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_rows_of_a_page_are_read_once_and_can_be_asked_for_again()
    {
        var trace = screens.Sample.Agent;
        var address = await ReadingAsync(trace);
        Assert.Contains("reading=", address, StringComparison.Ordinal);
        var ids = new List<string?>();
        // The second time, and with a number that nobody gave, the trace is read anew.
        foreach (
            var asked in new[]
            {
                address,
                address,
                $"/ui/traces/{trace}/rows?reading={Guid.NewGuid()}",
            }
        )
        {
            var rows = await screens.Server.JsonAsync(HttpMethod.Get, asked, null);
            ids.Add(rows.GetProperty("ids").GetString());
        }

        Assert.NotEmpty(ids[0]!);
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(ids[0], ids[2]);

        // The number opens no other trace.
        var number = (await ReadingAsync(trace)).Split("reading=")[1];
        var other = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/ui/traces/{screens.Sample.OtherAgent}/rows?reading={number}",
            null
        );
        Assert.NotEqual(ids[0], other.GetProperty("ids").GetString());
    }

    private async Task<IReadOnlyList<string>> SameAsync(string path, int rows)
    {
        await using var screen = await screens.OpenAsync(path);
        await Expect(screen.Page.Locator("trace-view[data-ready]")).ToBeVisibleAsync();
        var both = await screen.Page.EvaluateAsync<JsonElement>(BothWays);
        var served = both.GetProperty("served").EnumerateArray().Select(r => r.GetString()!);
        var drawn = both.GetProperty("drawn").EnumerateArray().Select(r => r.GetString()!);
        var expected = drawn.Take(rows + 1).ToList();
        Assert.Equal(expected, served);
        Assert.Equal(rows + 1, expected.Count);
        return expected;
    }

    /// <summary>Where the page says its rows are.</summary>
    private async Task<string> ReadingAsync(Guid trace)
    {
        var page = await screens.Server.Client.GetStringAsync(
            $"/t/{trace}",
            TestContext.Current.CancellationToken
        );
        return WebUtility.HtmlDecode(page.Split("data-reading=\"")[1].Split('"')[0]);
    }
}
