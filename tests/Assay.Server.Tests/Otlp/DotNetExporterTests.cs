using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Assay.Server.Tests.Otlp;

/// <summary>OpenTelemetry's .NET exporter in both protocols, and what Microsoft.Extensions.AI says of a conversation with a tool.</summary>
public sealed class DotNetExporterTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task A_conversation_with_a_tool_becomes_a_tree(OtlpExportProtocol protocol)
    {
        var project = $"dotnet-{Guid.NewGuid()}";
        var source = $"meai-{Guid.NewGuid()}";
        using (
            var provider = Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(r => r.AddService(project))
                .AddSource(source)
                .AddOtlpExporter(o =>
                {
                    o.Protocol = protocol;
                    o.Endpoint = new Uri(
                        protocol == OtlpExportProtocol.Grpc
                            ? _server.OtlpGrpc
                            : _server.OtlpHttp + "/v1/traces"
                    );
                    o.Headers = $"x-api-key={RunningServer.Key}";
                    // The usual ten seconds are short where all tests begin at once, and the exporter then drops what it has.
                    o.TimeoutMilliseconds = 120_000;
                })
                .Build()
        )
        {
            using var activities = new ActivitySource(source);
            using var client = new ScriptedModel()
                .AsBuilder()
                .UseFunctionInvocation()
                .UseOpenTelemetry(sourceName: source, configure: c => c.EnableSensitiveData = true)
                .Build();
            using var request = activities.StartActivity("weather-request");
            var answer = await client.GetResponseAsync(
                "Weather in Paris?",
                new ChatOptions
                {
                    ModelId = "gpt-4o-mini",
                    Tools =
                    [
                        AIFunctionFactory.Create((string city) => $"18C in {city}", "get_weather"),
                    ],
                },
                Cancel
            );
            Assert.Equal("It is 18C in Paris.", answer.Text);
            request?.Stop();
            Assert.True(provider.ForceFlush());
        }

        var sessions = await _server.JsonAsync(HttpMethod.Get, $"/api/v1/sessions?name={project}");
        var page = await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new { session = new[] { sessions[0].GetProperty("id").GetString() } }
        );
        var runs = page.GetProperty("runs").EnumerateArray().ToList();
        var root = Assert.Single(
            runs,
            r => r.GetProperty("parent_run_id").ValueKind == JsonValueKind.Null
        );
        Assert.Equal("weather-request", root.GetProperty("name").GetString());
        var chats = runs.Where(r => r.GetProperty("run_type").GetString() == "llm")
            .OrderBy(r => r.GetProperty("dotted_order").GetString(), StringComparer.Ordinal)
            .ToList();
        Assert.Equal([10, 14], chats.Select(c => c.GetProperty("prompt_tokens").GetInt32()));
        Assert.Equal([4, 5], chats.Select(c => c.GetProperty("completion_tokens").GetInt32()));
        // The span around the calls repeats their sum; the trace counts them once.
        Assert.Equal(33, root.GetProperty("total_tokens").GetInt64());
        Assert.Contains("Weather in Paris?", Raw(chats[0], "inputs"), StringComparison.Ordinal);
        Assert.Contains("get_weather", Raw(chats[0], "outputs"), StringComparison.Ordinal);
        Assert.Contains("It is 18C in Paris.", Raw(chats[1], "outputs"), StringComparison.Ordinal);
        var tool = Assert.Single(runs, r => r.GetProperty("run_type").GetString() == "tool");
        Assert.Equal("Paris", tool.GetProperty("inputs").GetProperty("city").GetString());
        Assert.Contains("18C in Paris", Raw(tool, "outputs"), StringComparison.Ordinal);
    }

    private static string Raw(JsonElement run, string name) => run.GetProperty(name).GetRawText();

    /// <summary>A model that asks for the tool and then answers.</summary>
    private sealed class ScriptedModel : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            CancellationToken cancellationToken = default
        )
        {
            var result = messages
                .SelectMany(m => m.Contents)
                .OfType<FunctionResultContent>()
                .FirstOrDefault();
            AIContent content = result is null
                ? new FunctionCallContent(
                    "call_1",
                    "get_weather",
                    new Dictionary<string, object?> { ["city"] = "Paris" }
                )
                : new TextContent($"It is {result.Result}.");
            return Task.FromResult(
                new ChatResponse(new ChatMessage(ChatRole.Assistant, [content]))
                {
                    ModelId = "gpt-4o-mini-2024-07-18",
                    FinishReason = result is null
                        ? ChatFinishReason.ToolCalls
                        : ChatFinishReason.Stop,
                    Usage = new UsageDetails
                    {
                        InputTokenCount = result is null ? 10 : 14,
                        OutputTokenCount = result is null ? 4 : 5,
                        TotalTokenCount = result is null ? 14 : 19,
                    },
                }
            );
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default
        )
        {
            foreach (
                var update in (
                    await GetResponseAsync(messages, options, cancellationToken)
                ).ToChatResponseUpdates()
            )
            {
                yield return update;
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }
}
