using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Evaluators;

/// <summary>What the fake provider does with one question.</summary>
public sealed record FakeReply(
    string Text,
    string FinishReason = "stop",
    int Status = 200,
    bool IsRefusal = false,
    bool IsSilent = false
);

/// <summary>A provider that speaks OpenAI's chat completions on a real socket and answers by a rule of the test; it remembers every question.</summary>
public sealed class FakeJudge : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<JsonElement> _asked = new();

    private FakeJudge(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>The rule.</summary>
    public Func<JsonElement, FakeReply> Answer { get; set; } =
        _ => new FakeReply("""{"reason":"fine","verdict":true}""");

    public IReadOnlyList<JsonElement> Asked => [.. _asked];

    public int Calls => _asked.Count;

    public void Forget() => _asked.Clear();

    public static async Task<FakeJudge> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var fake = new FakeJudge(app);
        app.MapPost("/v1/chat/completions", fake.AnswerAsync);
        await app.StartAsync();
        fake.Address = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        return fake;
    }

    /// <summary>Everything that was said to the model in a question, as one text.</summary>
    public static string TextOf(JsonElement asked) =>
        string.Join(
            '\n',
            asked
                .GetProperty("messages")
                .EnumerateArray()
                .Select(m =>
                    m.GetProperty("content") is { ValueKind: JsonValueKind.String } text
                        ? text.GetString()
                        : string.Join(
                            '\n',
                            m.GetProperty("content")
                                .EnumerateArray()
                                .Select(p => p.GetProperty("text").GetString())
                        )
                )
        );

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var asked = body.RootElement.Clone();
        _asked.Enqueue(asked);
        var reply = Answer(asked);
        if (reply.IsSilent)
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        if (reply.Status != 200)
        {
            context.Response.StatusCode = reply.Status;
            await context.Response.WriteAsJsonAsync(
                new { error = new { message = reply.Text, type = "fake" } }
            );
            return;
        }

        context.Response.ContentType = "text/event-stream";
        await EventAsync(
            context,
            Chunk(
                reply.IsRefusal
                    ? new { role = "assistant", refusal = reply.Text }
                    : new { role = "assistant", content = reply.Text },
                null
            )
        );
        await EventAsync(context, Chunk(new { }, reply.FinishReason));
        await EventAsync(
            context,
            new
            {
                id = "j1",
                @object = "chat.completion.chunk",
                created = 1,
                model = "gpt-4o",
                choices = Array.Empty<object>(),
                usage = new
                {
                    prompt_tokens = 100,
                    completion_tokens = 20,
                    total_tokens = 120,
                },
            }
        );
        await context.Response.WriteAsync("data: [DONE]\n\n");
    }

    private static object Chunk(object delta, string? reason) =>
        new
        {
            id = "j1",
            @object = "chat.completion.chunk",
            created = 1,
            model = "gpt-4o",
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

    private static Task EventAsync(HttpContext context, object data) =>
        context.Response.WriteAsync($"data: {JsonSerializer.Serialize(data)}\n\n");
}
