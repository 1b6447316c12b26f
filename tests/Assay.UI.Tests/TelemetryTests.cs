using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

/// <summary>What the screens make of traces that came by OpenTelemetry: hints, warnings, files, roots that say nothing themselves.</summary>
public sealed class TelemetryTests(Screens screens)
{
    private const ulong Start = 1_790_000_000_000_000_000;
    private static readonly byte[] s_pixel = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    );

    [Fact]
    public async Task Hints_stand_once_on_a_trace_and_lead_to_the_run_with_a_warning()
    {
        var trace = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var root = Span(trace, "answer", "0102030405060708");
        var cut = Span(
            trace,
            "chat cut",
            root.SpanId,
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "gpt-4o-mini")
        );
        await SendAsync(
            "telemetry-hints",
            "@traceloop/instrumentation-openai",
            root.Json,
            Span(trace, "chat first", root.SpanId, ("gen_ai.operation.name", "chat")).Json,
            [.. cut.Json, new("droppedAttributesCount", 7)]
        );
        await using var screen = await screens.OpenAsync($"/t/{Id(trace)}");
        var detail = screen.Page.Locator(".detail");
        await Expect(detail.Locator("[data-hint]")).ToHaveCountAsync(3);
        await Expect(detail.Locator("[data-hint]").Nth(0))
            .ToContainTextAsync("The messages of both model calls were not sent.");
        await Expect(detail.Locator("[data-hint]").Nth(0))
            .ToContainTextAsync("TRACELOOP_TRACE_CONTENT=true");
        await Expect(detail.Locator("[data-hint]").Nth(1)).ToContainTextAsync("include_usage");
        await Expect(detail.Locator("[data-hint]").Nth(2)).ToContainTextAsync("has not arrived");
        await Accessible.AssertAsync(screen.Page);

        await detail.Locator("[data-warned] button").ClickAsync();
        await Expect(detail.Locator(".dh h2")).ToHaveTextAsync("chat cut");
        await Expect(detail.Locator(".notice"))
            .ToContainTextAsync("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
        await Expect(detail.Locator("[data-hint]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Files_that_were_handed_over_apart_are_shown_where_their_marks_stand()
    {
        var trace = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var span = Span(trace, "chat", null);
        var image = await HandOverAsync(trace, span.SpanId, "image/png", s_pixel);
        var sound = await HandOverAsync(trace, span.SpanId, "audio/wav", "RIFF sound"u8.ToArray());
        var paper = await HandOverAsync(trace, span.SpanId, "application/pdf", "%PDF"u8.ToArray());
        var messages = JsonSerializer.Serialize(
            new object[]
            {
                new
                {
                    role = "user",
                    content = new object[]
                    {
                        new { type = "text", text = $"Look at {paper} and say what it is." },
                        new { type = "image_url", image_url = new { url = image } },
                        new { type = "input_audio", input_audio = new { data = sound } },
                    },
                },
            }
        );
        await SendAsync(
            "telemetry-media",
            "langfuse-sdk",
            [
                .. span.Json,
                Attributes(
                    ("langfuse.observation.type", "generation"),
                    ("langfuse.observation.input", messages),
                    ("langfuse.observation.output", $"A picture: {image}")
                ),
            ]
        );
        await using var screen = await screens.OpenAsync($"/t/{Id(trace)}");
        var panel = screen.Page.Locator(".detail [data-panel=messages]");
        await Expect(panel.Locator(".msg.user img")).ToHaveJSPropertyAsync("naturalWidth", 1);
        await Expect(panel.Locator(".msg.assistant img")).ToHaveJSPropertyAsync("naturalWidth", 1);
        await Expect(panel.Locator(".msg.user audio")).ToHaveCountAsync(1);
        await Expect(panel.Locator(".msg.user a[download]")).ToContainTextAsync("application/pdf");
        await Expect(panel.Locator(".msg.user")).ToContainTextAsync("and say what it is.");
        await Expect(panel).Not.ToContainTextAsync("langfuseMedia");
        await screen.Page.Locator(".detail [data-tab=io]").ClickAsync();
        await Expect(screen.Page.Locator(".detail .files figure")).ToHaveCountAsync(3);
    }

    [Fact]
    public async Task A_root_that_says_nothing_shows_what_is_said_below()
    {
        var trace = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var root = Span(trace, "POST /chat", null);
        var project = await SendAsync(
            "telemetry-below",
            "app",
            root.Json,
            Span(
                trace,
                "chat",
                root.SpanId,
                ("gen_ai.operation.name", "chat"),
                (
                    "gen_ai.input.messages",
                    """[{"role":"user","parts":[{"type":"text","content":"Where is my parcel?"}]}]"""
                ),
                (
                    "gen_ai.output.messages",
                    """[{"role":"assistant","parts":[{"type":"text","content":"In Lyon."}]}]"""
                )
            ).Json
        );
        await using var list = await screens.OpenAsync($"/projects/{project}?range=all");
        var row = list.Page.Locator("run-grid .tr", new() { HasText = "POST /chat" });
        await Expect(row).ToContainTextAsync("Where is my parcel?");
        await Expect(row).ToContainTextAsync("In Lyon.");

        await using var screen = await screens.OpenAsync($"/t/{Id(trace)}");
        var below = screen.Page.Locator(".detail [data-below]");
        await Expect(below.Nth(0)).ToContainTextAsync("Where is my parcel?");
        await Expect(below.Nth(1)).ToContainTextAsync("In Lyon.");
        await below.Nth(1).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(screen.Page.Locator(".detail .dh h2")).ToHaveTextAsync("chat");
        await Expect(below).ToHaveCountAsync(0);
    }

    private static Guid Id(string trace) => Guid.ParseExact(trace, "N");

    private static (string SpanId, Dictionary<string, object> Json) Span(
        string trace,
        string name,
        string? parent,
        params (string Key, string Value)[] attributes
    )
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        return (
            id,
            new([
                new("traceId", trace),
                new("spanId", id),
                new("parentSpanId", parent ?? ""),
                new("name", name),
                new("startTimeUnixNano", Start),
                new("endTimeUnixNano", Start + 900_000_000),
                Attributes(attributes),
            ])
        );
    }

    private static KeyValuePair<string, object> Attributes(
        params (string Key, string Value)[] attributes
    ) =>
        new(
            "attributes",
            attributes.Select(a => new { key = a.Key, value = new { stringValue = a.Value } })
        );

    /// <summary>Sends spans and returns the id of their project.</summary>
    private async Task<string> SendAsync(
        string project,
        string scope,
        params IEnumerable<KeyValuePair<string, object>>[] spans
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces")
        {
            Content = JsonContent.Create(
                new
                {
                    resourceSpans = new[]
                    {
                        new
                        {
                            scopeSpans = new[]
                            {
                                new
                                {
                                    scope = new { name = scope },
                                    // The last of equal keys counts.
                                    spans = spans.Select(s =>
                                        s.GroupBy(p => p.Key)
                                            .ToDictionary(g => g.Key, g => g.Last().Value)
                                    ),
                                },
                            },
                        },
                    },
                }
            ),
        };
        request.Headers.Add("Langsmith-Project", project);
        using var response = await screens.Server.Client.SendAsync(
            request,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(
            "{}",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        var found = await screens.Server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?name={project}"
        );
        return Assert.Single(found.EnumerateArray()).GetProperty("id").GetString()!;
    }

    /// <summary>Hands a file over as Langfuse's SDK does and returns the mark it leaves in the text.</summary>
    private async Task<string> HandOverAsync(string trace, string span, string type, byte[] bytes)
    {
        var announced = await screens.Server.JsonAsync(
            HttpMethod.Post,
            "/api/public/media",
            new
            {
                traceId = trace,
                observationId = span,
                contentType = type,
                contentLength = bytes.Length,
                sha256Hash = Convert.ToBase64String(SHA256.HashData(bytes)),
                field = "input",
            }
        );
        using var content = new ByteArrayContent(bytes);
        using var uploaded = await screens.Server.Client.PutAsync(
            new Uri(announced.GetProperty("uploadUrl").GetString()!),
            content,
            TestContext.Current.CancellationToken
        );
        Assert.True(uploaded.IsSuccessStatusCode);
        return $"@@@langfuseMedia:type={type}|id={announced.GetProperty("mediaId").GetString()}|source=bytes@@@";
    }
}
