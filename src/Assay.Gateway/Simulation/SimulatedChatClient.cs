using System.Globalization;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Assay.Core.Models;
using Assay.Core.Models.Providers;
using Microsoft.Extensions.AI;

namespace Assay.Gateway.Simulation;

/// <summary>
/// A model that is none: it answers by rules, the same answer to the same question, so that playground, experiments and judges can be tried
/// and tested offline. It streams, calls tools, and fills in JSON schemas. Its name carries its behaviour:
/// <c>sim-chat?latency=200&amp;ttft=50&amp;fail=0.1&amp;status=429</c> (milliseconds to the end and to the first token, share of calls that fail,
/// with which status). <c>sim-echo</c> repeats the last message, <c>sim-slow</c> takes its time, <c>sim-flaky</c> fails one call in three.
/// </summary>
internal sealed class SimulatedChatClient(string model, TimeProvider time) : IChatClient
{
    private readonly Behaviour _behaviour = Behaviour.Of(model);

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    ) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken)
            .ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var asked = messages.ToList();
        var hash = XxHash3.HashToUInt64(
            ChatJson.Inputs(asked, options ?? new ChatOptions()),
            options?.Seed ?? 0
        );
        await PauseAsync(_behaviour.FirstToken, cancellationToken);
        // The share of failing calls is taken from the question: the same question fails every time, as a test wants it.
        if (hash % 1_000 < _behaviour.FailPerMille)
        {
            throw Failure();
        }

        var answer = Answer(asked, options ?? new ChatOptions(), hash);
        var id = hash.ToString("x16", CultureInfo.InvariantCulture);
        var pieces = Pieces(answer).ToList();
        var pause = (_behaviour.Latency - _behaviour.FirstToken) / Math.Max(1, pieces.Count);
        for (var i = 0; i < pieces.Count; i++)
        {
            if (i > 0)
            {
                await PauseAsync(pause, cancellationToken);
            }

            yield return Update(id, pieces[i]);
        }

        var prompt = asked.Sum(m => (long)TokenEstimator.Count(m.Text) + 4);
        var completion = answer.Sum(c =>
            (long)
                TokenEstimator.Count(
                    c is TextContent text ? text.Text : JsonSerializer.Serialize(c, c.GetType())
                )
        );
        yield return Update(
            id,
            new UsageContent(
                new UsageDetails
                {
                    InputTokenCount = prompt,
                    OutputTokenCount = completion,
                    TotalTokenCount = prompt + completion,
                }
            )
        );
        yield return new ChatResponseUpdate(ChatRole.Assistant, [])
        {
            ResponseId = id,
            MessageId = id,
            ModelId = _behaviour.Name,
            FinishReason = answer.Exists(c => c is FunctionCallContent)
                ? ChatFinishReason.ToolCalls
                : ChatFinishReason.Stop,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata)
            ? new ChatClientMetadata("simulated", null, _behaviour.Name)
            : null;

    public void Dispose() { }

    private ChatResponseUpdate Update(string id, AIContent content) =>
        new(ChatRole.Assistant, [content])
        {
            ResponseId = id,
            MessageId = id,
            ModelId = _behaviour.Name,
        };

    private ModelCallException Failure() =>
        new(
            _behaviour.Status switch
            {
                401 => ModelCallFailure.Authentication,
                429 => ModelCallFailure.RateLimited,
                400 => ModelCallFailure.BadRequest,
                _ => ModelCallFailure.Unavailable,
            },
            $"'Simulated' answered {_behaviour.Status}: this failure is simulated.",
            _behaviour.Status
        );

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private List<AIContent> Answer(List<ChatMessage> asked, ChatOptions options, ulong hash)
    {
        var last = asked.Count > 0 ? asked[^1] : new ChatMessage(ChatRole.User, "");
        var results = last.Contents.OfType<FunctionResultContent>().ToList();
        if (
            results.Count == 0
            && options.Tools?.OfType<AIFunctionDeclaration>().ToList() is { Count: > 0 } tools
            && options.ToolMode is not NoneChatToolMode
            && Chosen(tools, last.Text, options.ToolMode) is { } tool
        )
        {
            return
            [
                new FunctionCallContent(
                    "call_" + hash.ToString("x16", CultureInfo.InvariantCulture),
                    tool.Name,
                    SchemaFiller.Object(tool.JsonSchema, last.Text, hash)
                ),
            ];
        }

        if (options.ResponseFormat is ChatResponseFormatJson { Schema: { } schema } form)
        {
            if (SimulatedInsights.Answer(form.SchemaName, schema, last.Text) is { } made)
            {
                return [new TextContent(made.ToJsonString())];
            }

            return
            [
                new TextContent(
                    SchemaFiller
                        .Fill(schema, string.Join('\n', asked.Select(m => m.Text)), hash)
                        .ToJsonString()
                ),
            ];
        }

        if (options.ResponseFormat is ChatResponseFormatJson)
        {
            return [new TextContent("""{"simulated":true}""")];
        }

        if (_behaviour.IsEcho)
        {
            return [new TextContent(last.Text)];
        }

        if (results.Count > 0)
        {
            return
            [
                new TextContent(
                    "Simulated answer from the tool's result: "
                        + string.Join("; ", results.Select(r => Shorten(r.Result?.ToString())))
                ),
            ];
        }

        var words = Shorten(last.Text);
        return
        [
            new TextContent(
                (hash % 3) switch
                {
                    0 =>
                        $"Simulated answer: you asked “{words}”. No model was called, so this text only shows how an answer streams, what it costs and how it is scored.",
                    1 =>
                        $"This is a simulated reply to “{words}”. It is the same every time you ask with the same messages and settings.",
                    _ =>
                        $"Simulated: about “{words}” a real model would have more to say. Configure a provider under Settings to hear it.",
                }
            ),
        ];
    }

    private static AIFunctionDeclaration? Chosen(
        List<AIFunctionDeclaration> tools,
        string text,
        ChatToolMode? mode
    ) =>
        mode is RequiredChatToolMode required
            ? tools.Find(t => t.Name == required.RequiredFunctionName) ?? tools[0]
            : tools.Find(t =>
                t.Name.Split('_', '-', '.')
                    .Any(w => w.Length > 3 && text.Contains(w, StringComparison.OrdinalIgnoreCase))
            );

    private static string Shorten(string? text) =>
        text is null ? ""
        : text.Length <= 160 ? text
        : text[..160] + "…";

    private static IEnumerable<AIContent> Pieces(List<AIContent> answer)
    {
        foreach (var content in answer)
        {
            if (content is not TextContent text)
            {
                yield return content;
                continue;
            }

            var word = new StringBuilder();
            foreach (var rune in text.Text.EnumerateRunes())
            {
                word.Append(rune);
                if (rune.Value == ' ')
                {
                    yield return new TextContent(word.ToString());
                    word.Clear();
                }
            }

            if (word.Length > 0)
            {
                yield return new TextContent(word.ToString());
            }
        }
    }

    private sealed record Behaviour(
        string Name,
        TimeSpan Latency,
        TimeSpan FirstToken,
        ulong FailPerMille,
        int Status,
        bool IsEcho
    )
    {
        private const int MaxMilliseconds = 60_000;

        public static Behaviour Of(string model)
        {
            var (name, query) = model.IndexOf('?') is var at and >= 0
                ? (model[..at], model[(at + 1)..])
                : (model, "");
            var settings = query
                .Split('&', StringSplitOptions.RemoveEmptyEntries)
                .Select(p => p.Split('=', 2))
                .Where(p => p.Length == 2)
                .GroupBy(p => p[0], StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Last()[1], StringComparer.Ordinal);
            double Number(string key, double otherwise, double max) =>
                settings.TryGetValue(key, out var text)
                && double.TryParse(
                    text,
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var number
                )
                && number >= 0
                    ? Math.Min(number, max)
                    : otherwise;
            var latency = Number("latency", name == "sim-slow" ? 4_000 : 120, MaxMilliseconds);
            return new(
                name,
                TimeSpan.FromMilliseconds(latency),
                TimeSpan.FromMilliseconds(Number("ttft", latency / 4, latency)),
                (ulong)(Number("fail", name == "sim-flaky" ? 1.0 / 3 : 0, 1) * 1_000),
                (int)Number("status", 503, 599),
                name == "sim-echo"
            );
        }
    }
}
