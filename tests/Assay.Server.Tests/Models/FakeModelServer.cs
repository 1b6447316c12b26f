using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Models;

/// <summary>
/// A provider that speaks the makers' dialects on a real socket. The model's name says what it does: <c>ok</c>, <c>tools</c>,
/// <c>status-429</c>, <c>busy-then-ok</c>, <c>second-time</c> (fails each question once), <c>broken</c> (the stream is cut), <c>garbage</c> (not JSON), <c>silent</c> (never answers),
/// <c>drip</c> (slow, but never silent for long). Remembers the last request.
/// </summary>
public sealed class FakeModelServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, bool> _asked = new();
    private int _busy;
    private int _calls;

    private FakeModelServer(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    public JsonElement LastBody { get; private set; }

    public string LastAuthorization { get; private set; } = "";

    public int Calls => _calls;

    public static async Task<FakeModelServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var fake = new FakeModelServer(app);
        app.MapGet(
            "/v1/models",
            () =>
                Results.Json(new { data = new[] { new { id = "fake-b" }, new { id = "fake-a" } } })
        );
        app.MapGet(
            "/api/tags",
            () => Results.Json(new { models = new[] { new { name = "fake-ollama" } } })
        );
        app.MapPost("/v1/chat/completions", c => fake.AnswerAsync(c, OpenAI));
        app.MapPost("/v1/responses", c => fake.AnswerAsync(c, Responses));
        app.MapPost("/v1/messages", c => fake.AnswerAsync(c, Anthropic));
        app.MapPost("/api/chat", c => fake.AnswerAsync(c, Ollama));
        await app.StartAsync();
        fake.Address = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, Func<bool, IEnumerable<string>> dialect)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var asked = LastBody = body.RootElement.Clone();
        LastAuthorization = context.Request.Headers.Authorization.ToString();
        Interlocked.Increment(ref _calls);
        var model = asked.GetProperty("model").GetString()!;
        if (model.StartsWith("status-", StringComparison.Ordinal))
        {
            await RefuseAsync(
                context,
                int.Parse(model["status-".Length..], CultureInfo.InvariantCulture)
            );
            return;
        }

        if (model == "busy-then-ok" && _busy++ == 0)
        {
            context.Response.Headers.RetryAfter = "0";
            await RefuseAsync(context, 429);
            return;
        }

        if (
            model == "second-time"
            && _asked.TryAdd(asked.GetProperty("messages").GetRawText(), true)
        )
        {
            await RefuseAsync(context, 500);
            return;
        }

        if (model == "silent")
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        context.Response.ContentType =
            context.Request.Path == "/api/chat" ? "application/x-ndjson" : "text/event-stream";
        if (model == "garbage")
        {
            await context.Response.WriteAsync("data: {\"choices\": [oops\n\n");
            return;
        }

        var pieces = dialect(model == "tools").ToList();
        for (var i = 0; i < pieces.Count; i++)
        {
            if (model == "broken" && i == 2)
            {
                context.Abort();
                return;
            }

            if (model == "drip")
            {
                await Task.Delay(TimeSpan.FromMilliseconds(400), context.RequestAborted);
            }

            await context.Response.WriteAsync(pieces[i]);
            await context.Response.Body.FlushAsync();
        }
    }

    private static async Task RefuseAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(
            new { error = new { message = $"refused with {status}", type = "fake" } }
        );
    }

    private static string Event(object data, string? name = null) =>
        (name is null ? "" : $"event: {name}\n") + $"data: {JsonSerializer.Serialize(data)}\n\n";

    private static IEnumerable<string> OpenAI(bool isTools)
    {
        object Chunk(object delta, string? reason = null) =>
            new
            {
                id = "c1",
                @object = "chat.completion.chunk",
                created = 1,
                model = "fake-2026",
                choices = new[]
                {
                    new
                    {
                        index = 0,
                        delta,
                        finish_reason = reason,
                    },
                },
            };
        if (isTools)
        {
            yield return Event(
                Chunk(
                    new
                    {
                        role = "assistant",
                        tool_calls = new[]
                        {
                            new
                            {
                                index = 0,
                                id = "t1",
                                type = "function",
                                function = new { name = "lookup", arguments = "{\"city\":" },
                            },
                        },
                    }
                )
            );
            yield return Event(
                Chunk(
                    new
                    {
                        tool_calls = new[]
                        {
                            new { index = 0, function = new { arguments = "\"Lima\"}" } },
                        },
                    }
                )
            );
            yield return Event(Chunk(new { }, "tool_calls"));
        }
        else
        {
            yield return Event(Chunk(new { role = "assistant", content = "" }));
            yield return Event(Chunk(new { content = "Ship" }));
            yield return Event(Chunk(new { content = "ping." }));
            yield return Event(Chunk(new { }, "stop"));
        }

        yield return Event(
            new
            {
                id = "c1",
                @object = "chat.completion.chunk",
                created = 1,
                model = "fake-2026",
                choices = Array.Empty<object>(),
                usage = new
                {
                    prompt_tokens = 24,
                    completion_tokens = 9,
                    total_tokens = 33,
                    prompt_tokens_details = new { cached_tokens = 16 },
                    completion_tokens_details = new { reasoning_tokens = 4 },
                },
            }
        );
        yield return "data: [DONE]\n\n";
    }

    private static IEnumerable<string> Responses(bool isTools)
    {
        var response = new
        {
            id = "r1",
            @object = "response",
            created_at = 1,
            status = "completed",
            model = "fake-2026",
            output = new[]
            {
                new
                {
                    type = "message",
                    id = "m1",
                    role = "assistant",
                    status = "completed",
                    content = new[]
                    {
                        new
                        {
                            type = "output_text",
                            text = "Shipping.",
                            annotations = Array.Empty<object>(),
                        },
                    },
                },
            },
            usage = new
            {
                input_tokens = 24,
                input_tokens_details = new { cached_tokens = 16 },
                output_tokens = 9,
                output_tokens_details = new { reasoning_tokens = 4 },
                total_tokens = 33,
            },
        };
        yield return Event(
            new
            {
                type = "response.created",
                sequence_number = 0,
                response,
            },
            "response.created"
        );
        foreach (var (text, n) in ((string, int)[])[("Ship", 1), ("ping.", 2)])
        {
            yield return Event(
                new
                {
                    type = "response.output_text.delta",
                    sequence_number = n,
                    item_id = "m1",
                    output_index = 0,
                    content_index = 0,
                    delta = text,
                },
                "response.output_text.delta"
            );
        }

        yield return Event(
            new
            {
                type = "response.completed",
                sequence_number = 3,
                response,
            },
            "response.completed"
        );
    }

    private static IEnumerable<string> Anthropic(bool isTools)
    {
        yield return Event(
            new
            {
                type = "message_start",
                message = new
                {
                    id = "m1",
                    type = "message",
                    role = "assistant",
                    model = "fake-2026",
                    content = Array.Empty<object>(),
                    stop_reason = (string?)null,
                    stop_sequence = (string?)null,
                    usage = new
                    {
                        input_tokens = 8,
                        cache_read_input_tokens = 16,
                        cache_creation_input_tokens = 0,
                        output_tokens = 1,
                    },
                },
            },
            "message_start"
        );
        yield return Event(
            new
            {
                type = "content_block_start",
                index = 0,
                content_block = new { type = "text", text = "" },
            },
            "content_block_start"
        );
        foreach (var text in (string[])["Ship", "ping."])
        {
            yield return Event(
                new
                {
                    type = "content_block_delta",
                    index = 0,
                    delta = new { type = "text_delta", text },
                },
                "content_block_delta"
            );
        }

        yield return Event(new { type = "content_block_stop", index = 0 }, "content_block_stop");
        yield return Event(
            new
            {
                type = "message_delta",
                delta = new { stop_reason = "end_turn", stop_sequence = (string?)null },
                usage = new { output_tokens = 9 },
            },
            "message_delta"
        );
        yield return Event(new { type = "message_stop" }, "message_stop");
    }

    private static IEnumerable<string> Ollama(bool isTools)
    {
        foreach (var text in (string[])["Ship", "ping."])
        {
            yield return JsonSerializer.Serialize(
                new
                {
                    model = "fake-2026",
                    created_at = "2026-01-01T00:00:00Z",
                    message = new { role = "assistant", content = text },
                    done = false,
                }
            ) + "\n";
        }

        yield return JsonSerializer.Serialize(
            new
            {
                model = "fake-2026",
                created_at = "2026-01-01T00:00:01Z",
                message = new { role = "assistant", content = "" },
                done = true,
                done_reason = "stop",
                prompt_eval_count = 24,
                eval_count = 9,
            }
        ) + "\n";
    }
}
