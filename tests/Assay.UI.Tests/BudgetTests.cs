using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>What a page may weigh: bytes over the wire, elements in the document, memory of the server.</summary>
public sealed class BudgetTests(Screens screens)
{
    private const int Runs = 100_001;
    private const int Steps = 100;
    private const int MaxElements = 2_500;
    private const long MaxFirstVisit = 150_000;
    private const long Megabyte = 1 << 20;
    private const string Needle = "the-one-word-to-find";

    [Fact]
    public async Task A_trace_of_100001_runs_is_opened_with_a_bounded_document_and_so_many_are_not_sorted_by_what_no_index_has()
    {
        var seed = new Seed("big-trace");
        var root = seed.Add("big-agent", took: 1_000_000);
        var step = root;
        for (var i = 1; i < Runs; i++)
        {
            if (i % (Runs / Steps) == 1)
            {
                step = seed.Add($"step-{i}", "chain", root, i, 900);
            }
            else
            {
                seed.Add("leaf", "tool", step, i, 1);
            }
        }

        await seed.SendAsync(screens.Server);
        var before = screens.Server.Memory;
        await using var screen = await screens.OpenAsync($"/t/{root}");
        var page = screen.Page;
        await Expect(page.Locator("trace-view[data-ready]"))
            .ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(page.Locator(".tsum")).ToContainTextAsync("100,001 runs");
        Assert.True(await ElementsAsync(page) < MaxElements);

        await page.GetByRole(AriaRole.Button, new() { Name = "Fold by level" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Unfold all" }).ClickAsync();
        await page.Locator(".tree").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Expect(page.Locator(".tn[aria-selected=true]")).ToContainTextAsync("leaf");
        await Expect(page.Locator($"#tn-{Runs - 1}")).ToBeVisibleAsync();
        Assert.True(await ElementsAsync(page) < MaxElements);

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("step-50001");
        await Expect(page.Locator(".found")).ToContainTextAsync("1 found");
        await Expect(page.Locator(".tn", new() { HasText = "step-50001" })).ToBeVisibleAsync();
        Assert.True(
            screens.Server.Memory - before < 512 * Megabyte,
            "The server must not keep the trace."
        );

        // One run more than are sorted by their input: a word about it, and the way back, in place of a page that hangs.
        await page.GotoAsync(
            $"{await ListTests.ProjectAsync(screens, "big-trace")}?tab=runs&range=all&sort=input"
        );
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("100,000");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sort by start" }).ClickAsync();
        await Expect(page.Locator("run-grid[data-ready] .tr").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_payload_of_200_MB_is_paged_searched_and_offered_for_download()
    {
        var cancel = TestContext.Current.CancellationToken;
        var id = Guid.CreateVersion7();
        using var form = new MultipartFormDataContent();
        Part(
            $"post.{id}",
            new StringContent(
                $$"""{"id":"{{id}}","trace_id":"{{id}}","dotted_order":"20260101T000000000000Z{{id}}","name":"big-payload","run_type":"chain","session_name":"big-payload","start_time":"2026-01-01T00:00:00Z","end_time":"2026-01-01T00:00:01Z"}""",
                Encoding.UTF8,
                "application/json"
            )
        );
        using var hay = new HayContent(200 * Megabyte, 150 * Megabyte, Needle);
        hay.Headers.ContentType = new("application/json");
        Part($"post.{id}.inputs", hay);
        using var answer = await screens.Server.Client.PostAsync("/runs/multipart", form, cancel);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await Seed.ReadableAsync(screens.Server, id, cancel);

        await using var screen = await screens.OpenAsync($"/t/{id}");
        var page = screen.Page;
        var viewer = page.Locator("big-view").First;
        await Expect(viewer.Locator("pre")).ToContainTextAsync("{\"text\":\"hay");
        var before = screens.Server.Memory;
        await viewer.GetByRole(AriaRole.Searchbox).FillAsync(Needle);
        await page.Keyboard.PressAsync("Enter");
        await Expect(viewer.Locator("mark")).ToHaveTextAsync(Needle, new() { Timeout = 60_000 });
        await Expect(viewer.Locator("output")).ToHaveTextAsync("1 of 1");
        await viewer.GetByLabel("Place in payload").FillAsync("1000");
        await Expect(viewer.Locator("pre")).ToContainTextAsync("hay\"}");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Download Input" }))
            .ToBeVisibleAsync();
        Assert.True(await ElementsAsync(page) < MaxElements);
        Assert.True(
            screens.Server.Memory - before < 64 * Megabyte,
            "Paging and searching must not load the payload."
        );

        void Part(string name, HttpContent content) => form.Add(content, name);
    }

    [Fact]
    public async Task A_list_and_a_trace_keep_to_their_documents()
    {
        foreach (
            var (path, ready) in new[]
            {
                ($"/projects/{screens.Sample.Project}", "run-grid[data-ready]"),
                (
                    $"/t/{screens.Sample.Traces["market-research-agent"][0]}",
                    "trace-view[data-ready] .detail .dh"
                ),
            }
        )
        {
            await using var screen = await screens.OpenAsync(path);
            await Expect(screen.Page.Locator(ready)).ToBeVisibleAsync();
            var count = await ElementsAsync(screen.Page);
            Assert.True(count < MaxElements, $"{path}: {count} elements");
        }
    }

    /// <summary>
    /// Counted as a published server sends it: it has each static file compressed by Brotli, which a build for debugging does not, so that is done
    /// here; pages and fragments are counted as they came over the wire.
    /// </summary>
    [Theory]
    [InlineData("list", "run-grid[data-ready]")]
    [InlineData("trace", "trace-view[data-ready] .detail .dh")]
    public async Task A_first_visit_costs_less_than_150_KB(string what, string ready)
    {
        var path =
            what == "list" ? $"/projects/{screens.Sample.Project}" : $"/t/{screens.Sample.Agent}";
        await using var screen = await screens.OpenAsync("about:blank");
        var finished = new System.Collections.Concurrent.ConcurrentQueue<IRequest>();
        screen.Page.RequestFinished += (_, request) => finished.Enqueue(request);
        await screen.Page.GotoAsync(path);
        await Expect(screen.Page.Locator(ready)).ToBeVisibleAsync();
        await screen.Page.EvaluateAsync("() => document.fonts.ready.then(() => 0)");
        var sizes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var request in finished)
        {
            var address = new Uri(request.Url).AbsolutePath;
            sizes[address] = await SizeAsync(request, address);
        }

        Assert.Contains(sizes.Keys, k => k.EndsWith(".woff2", StringComparison.Ordinal));
        Assert.Contains(sizes.Keys, k => k.EndsWith("kit.js", StringComparison.Ordinal));
        Assert.True(
            sizes.Values.Sum() < MaxFirstVisit,
            $"{sizes.Values.Sum():N0} bytes\n{string.Join('\n', sizes.Select(x => $"{x.Value:N0} {x.Key}"))}"
        );
    }

    private static async Task<long> SizeAsync(IRequest request, string address)
    {
        if (!address.StartsWith("/_content/", StringComparison.Ordinal))
        {
            return (await request.SizesAsync()).ResponseBodySize;
        }

        var answer = await request.ResponseAsync();
        var body = answer is null ? [] : await answer.BodyAsync();
        if (address.EndsWith(".woff2", StringComparison.Ordinal))
        {
            return body.Length;
        }

        using var compressed = new MemoryStream();
        await using (
            var brotli = new BrotliStream(
                compressed,
                CompressionLevel.SmallestSize,
                leaveOpen: true
            )
        )
        {
            await brotli.WriteAsync(body, TestContext.Current.CancellationToken);
        }

        return compressed.Length;
    }

    [Fact]
    public async Task An_open_trace_costs_the_server_less_than_2_MB()
    {
        const int Open = 30;
        var trace = screens.Sample.Traces["market-research-agent"][0];
        // The first round warms up code, buffers and heaps.
        await using (await OpenTraces.CreateAsync(screens, trace, Open)) { }
        var before = screens.Server.Memory;
        await using var opened = await OpenTraces.CreateAsync(screens, trace, Open);
        var each = (screens.Server.Memory - before) / Open;
        Assert.True(each < 2 * Megabyte, $"{each:N0} bytes for each of {Open} open traces");
    }

    private static Task<int> ElementsAsync(IPage page) =>
        page.EvaluateAsync<int>("() => document.querySelectorAll('*').length");

    /// <summary>What a browser holds open for a trace: the page and its rows were read, the stream of events goes on.</summary>
    private sealed class OpenTraces : IAsyncDisposable
    {
        private readonly List<HttpResponseMessage> _streams = [];

        public static async Task<OpenTraces> CreateAsync(Screens screens, Guid trace, int count)
        {
            var cancel = TestContext.Current.CancellationToken;
            var opened = new OpenTraces();
            for (var i = 0; i < count; i++)
            {
                foreach (var path in new[] { $"/t/{trace}", $"/ui/traces/{trace}/rows" })
                {
                    _ = await screens.Server.Client.GetByteArrayAsync(path, cancel);
                }

                opened._streams.Add(
                    await screens.Server.Client.GetAsync(
                        $"/ui/traces/{trace}/events",
                        HttpCompletionOption.ResponseHeadersRead,
                        cancel
                    )
                );
            }

            return opened;
        }

        public ValueTask DisposeAsync()
        {
            _streams.ForEach(s => s.Dispose());
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A JSON object with one long text, made while it is sent.</summary>
    private sealed class HayContent(long length, long needleAt, string needle) : HttpContent
    {
        private static readonly byte[] s_hay = Encoding.ASCII.GetBytes(
            string.Concat(Enumerable.Repeat("hay ", 16_384))
        );

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            TransportContext? context
        )
        {
            await stream.WriteAsync("{\"text\":\""u8.ToArray());
            var isHidden = false;
            for (long written = 0; written < length; written += s_hay.Length)
            {
                if (!isHidden && written >= needleAt)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(needle + " "));
                    isHidden = true;
                }

                await stream.WriteAsync(s_hay);
            }

            await stream.WriteAsync("hay\"}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long computed)
        {
            computed = 0;
            return false;
        }
    }
}
