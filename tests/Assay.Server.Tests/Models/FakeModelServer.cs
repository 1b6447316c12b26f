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
/// A provider that speaks the makers' dialects on a real socket. The model's name says what it does: <c>ok</c>, <c>tools</c>, <c>refusal</c>,
/// <c>verdict</c> (a judge's yes), <c>status-429</c>, <c>busy-then-ok</c> (429 with Retry-After to each question once), <c>second-time</c> (fails each
/// question once), <c>broken</c> (the stream is cut), <c>garbage</c> (not JSON), <c>silent</c> (never answers), <c>drip</c> (slow, but never silent for
/// long). Remembers the last request.
/// </summary>
public sealed class FakeModelServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, bool> _asked = new();
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
        app.MapPost("/v1/embeddings", fake.EmbedAsync);
        app.MapPost("/api/embed", fake.EmbedAsync);
        await app.StartAsync();
        fake.Address = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(
        HttpContext context,
        Func<FakeAnswer, IEnumerable<string>> dialect
    )
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var asked = LastBody = body.RootElement.Clone();
        LastAuthorization = context.Request.Headers.Authorization.ToString();
        Interlocked.Increment(ref _calls);
        var model = asked.GetProperty("model").GetString()!;
        if (await IsRefusedAsync(context, model))
        {
            return;
        }

        if (
            model == "busy-then-ok"
            && _asked.TryAdd(context.Request.Path + asked.GetRawText(), true)
        )
        {
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, 429);
            return;
        }

        if (
            model == "second-time"
            && _asked.TryAdd(
                context.Request.Path + asked.GetProperty("messages").GetRawText(),
                true
            )
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
            await context.Response.WriteAsync(
                context.Request.Path == "/api/chat"
                    ? "{\"message\": [oops\n"
                    : "event: message_start\ndata: {\"choices\": [oops\n\n"
            );
            return;
        }

        var pieces = dialect(FakeAnswer.Of(model)).ToList();
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

    private async Task EmbedAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var asked = LastBody = body.RootElement.Clone();
        Interlocked.Increment(ref _calls);
        if (!await IsRefusedAsync(context, asked.GetProperty("model").GetString()!))
        {
            await context.Response.WriteAsJsonAsync(
                FakeEmbeddings.Answer(asked, context.Request.Path)
            );
        }
    }

    /// <summary>A model called <c>status-N</c> is refused with that status.</summary>
    private static async Task<bool> IsRefusedAsync(HttpContext context, string model)
    {
        const string Prefix = "status-";
        if (!model.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        await RefuseAsync(context, int.Parse(model[Prefix.Length..], CultureInfo.InvariantCulture));
        return true;
    }

    private static async Task RefuseAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        var message = $"refused with {status}";
        await context.Response.WriteAsJsonAsync<object>(
            context.Request.Path.Value switch
            {
                "/v1/messages" => new
                {
                    type = "error",
                    error = new { type = "fake_error", message },
                },
                "/api/chat" or "/api/embed" => new { error = message },
                _ => new { error = new { message, type = "fake" } },
            }
        );
    }

    private static string Event(object data, string? name = null) =>
        (name is null ? "" : $"event: {name}\n") + $"data: {JsonSerializer.Serialize(data)}\n\n";

    private static IEnumerable<string> OpenAI(FakeAnswer answer)
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
        if (answer.IsTools)
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
            foreach (var text in answer.Texts)
            {
                yield return Event(
                    answer.IsRefusal ? Chunk(new { refusal = text }) : Chunk(new { content = text })
                );
            }

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

    private static IEnumerable<string> Responses(FakeAnswer answer)
    {
        var whole = string.Concat(answer.Texts);
        object item =
            answer.IsTools
                ? new
                {
                    type = "function_call",
                    id = "f1",
                    call_id = "t1",
                    name = "lookup",
                    arguments = "{\"city\":\"Lima\"}",
                    status = "completed",
                }
            : answer.IsRefusal
                ? new
                {
                    type = "message",
                    id = "m1",
                    role = "assistant",
                    status = "completed",
                    content = new[] { new { type = "refusal", refusal = whole } },
                }
            : new
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
                        text = whole,
                        annotations = Array.Empty<object>(),
                    },
                },
            };
        var response = new
        {
            id = "r1",
            @object = "response",
            created_at = 1,
            status = "completed",
            model = "fake-2026",
            output = new[] { item },
            usage = new
            {
                input_tokens = 24,
                input_tokens_details = new { cached_tokens = 16 },
                output_tokens = 9,
                output_tokens_details = new { reasoning_tokens = 4 },
                total_tokens = 33,
            },
        };
        var number = 0;
        string Said(string type, object data)
        {
            var all = JsonSerializer.SerializeToNode(data)!.AsObject();
            all["type"] = type;
            all["sequence_number"] = number++;
            return Event(all, type);
        }

        yield return Said("response.created", new { response });
        yield return Said("response.output_item.added", new { output_index = 0, item });
        if (answer.IsTools)
        {
            foreach (var delta in (string[])["{\"city\":", "\"Lima\"}"])
            {
                yield return Said(
                    "response.function_call_arguments.delta",
                    new
                    {
                        item_id = "f1",
                        output_index = 0,
                        delta,
                    }
                );
            }
        }
        else
        {
            foreach (var delta in answer.Texts)
            {
                yield return Said(
                    answer.IsRefusal ? "response.refusal.delta" : "response.output_text.delta",
                    new
                    {
                        item_id = "m1",
                        output_index = 0,
                        content_index = 0,
                        delta,
                    }
                );
            }

            if (answer.IsRefusal)
            {
                yield return Said(
                    "response.refusal.done",
                    new
                    {
                        item_id = "m1",
                        output_index = 0,
                        content_index = 0,
                        refusal = whole,
                    }
                );
            }
        }

        yield return Said("response.output_item.done", new { output_index = 0, item });
        yield return Said("response.completed", new { response });
    }

    private static IEnumerable<string> Anthropic(FakeAnswer answer)
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
                content_block = answer.IsTools
                    ? (object)
                        new
                        {
                            type = "tool_use",
                            id = "t1",
                            name = "lookup",
                            input = new { },
                        }
                    : new { type = "text", text = "" },
            },
            "content_block_start"
        );
        foreach (
            var text in answer.IsTools ? ["{\"city\":", "\"Lima\"}"]
            : answer.IsRefusal ? []
            : answer.Texts
        )
        {
            yield return Event(
                new
                {
                    type = "content_block_delta",
                    index = 0,
                    delta = answer.IsTools
                        ? (object)new { type = "input_json_delta", partial_json = text }
                        : new { type = "text_delta", text },
                },
                "content_block_delta"
            );
        }

        yield return Event(new { type = "content_block_stop", index = 0 }, "content_block_stop");
        yield return Event(
            new
            {
                type = "message_delta",
                delta = new
                {
                    stop_reason = answer.IsTools ? "tool_use"
                    : answer.IsRefusal ? "refusal"
                    : "end_turn",
                    stop_sequence = (string?)null,
                },
                usage = new { output_tokens = 9 },
            },
            "message_delta"
        );
        yield return Event(new { type = "message_stop" }, "message_stop");
    }

    private static IEnumerable<string> Ollama(FakeAnswer answer)
    {
        foreach (var text in answer.IsTools ? [""] : answer.Texts)
        {
            yield return JsonSerializer.Serialize(
                new
                {
                    model = "fake-2026",
                    created_at = "2026-01-01T00:00:00Z",
                    message = answer.IsTools
                        ? (object)
                            new
                            {
                                role = "assistant",
                                content = "",
                                tool_calls = new[]
                                {
                                    new
                                    {
                                        function = new
                                        {
                                            name = "lookup",
                                            arguments = new { city = "Lima" },
                                        },
                                    },
                                },
                            }
                        : new { role = "assistant", content = text },
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

/// <summary>What the fake says, whatever the dialect.</summary>
public sealed record FakeAnswer(IReadOnlyList<string> Texts, bool IsTools, bool IsRefusal)
{
    public static FakeAnswer Of(string model) =>
        new(
            model switch
            {
                "refusal" => ["I cannot ", "help with that."],
                "verdict" => ["{\"reason\":\"fine\",", "\"verdict\":true}"],
                _ => ["Ship", "ping."],
            },
            model == "tools",
            model == "refusal"
        );
}
