using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace Assay.Server.Tests.Otlp;

/// <summary>What SDKs send beside OTLP: Langfuse's media, the native traces of OpenAI's Agents SDK.</summary>
public sealed class SideRequestTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_file_that_langfuse_hands_over_becomes_an_attachment_of_its_span()
    {
        var span = Exports.Span(Exports.NewTrace(), "with picture");
        byte[] picture = [137, 80, 78, 71, 1, 2, 3];
        var announced = await AnnounceAsync(span, picture);
        var upload = announced.GetProperty("uploadUrl").GetString()!;
        Assert.Equal(22, announced.GetProperty("mediaId").GetString()!.Length);
        using var anonymous = new HttpClient();
        using (var forged = await PutAsync(anonymous, upload[..^3] + "AAA", picture))
        {
            Assert.Equal(HttpStatusCode.Forbidden, forged.StatusCode);
        }

        foreach (
            byte[] other in (byte[][])
                [
                    [1],
                    [137, 80, 78, 71, 1, 2, 4],
                    new byte[50_000],
                ]
        )
        {
            using var wrong = await PutAsync(anonymous, upload, other);
            Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        }

        using (var put = await PutAsync(anonymous, upload, picture))
        {
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        }

        var patched = await _server.JsonAsync(
            HttpMethod.Patch,
            $"/api/public/media/{announced.GetProperty("mediaId").GetString()}",
            new { uploadedAt = "2026-01-01T00:00:00Z", uploadHttpStatus = 200 }
        );
        Assert.Equal(JsonValueKind.Object, patched.ValueKind);
        await _server.SendAsync(Exports.Of(span));
        var run = await _server.RunAsync(span);
        Assert.Equal("with picture", run.GetProperty("name").GetString());
        var file = Assert.Single(run.GetProperty("s3_urls").EnumerateObject().ToList());
        Assert.Equal($"attachment.{announced.GetProperty("mediaId").GetString()}", file.Name);
        var bytes = await anonymous.GetByteArrayAsync(
            file.Value.GetProperty("presigned_url").GetString(),
            Cancel
        );
        Assert.Equal(picture, bytes);

        // By its id, as the SDK asks that resolves marks in texts.
        var media = await _server.JsonAsync(
            HttpMethod.Get,
            $"/api/public/media/{announced.GetProperty("mediaId").GetString()}"
        );
        Assert.Equal("image/png", media.GetProperty("contentType").GetString());
        Assert.Equal(picture.Length, media.GetProperty("contentLength").GetInt32());
        Assert.Equal(
            picture,
            await anonymous.GetByteArrayAsync(media.GetProperty("url").GetString(), Cancel)
        );
        foreach (var unknown in (string[])["unknown", "..%2f..%2fx", new string('a', 200)])
        {
            using var none = await _server.Client.GetAsync($"/api/public/media/{unknown}", Cancel);
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        }
    }

    [Fact]
    public async Task An_announcement_that_says_too_little_is_refused()
    {
        foreach (
            var body in (object[])
                [
                    new { },
                    new
                    {
                        traceId = "no",
                        sha256Hash = "x",
                        contentLength = 1,
                    },
                    new
                    {
                        traceId = new string('a', 32),
                        sha256Hash = "AAAA",
                        contentLength = 1,
                    },
                    new
                    {
                        traceId = new string('a', 32),
                        sha256Hash = Convert.ToBase64String(new byte[32]),
                        contentLength = -1,
                    },
                    new[] { 1 },
                ]
        )
        {
            using var response = await _server.Client.PostAsJsonAsync(
                "/api/public/media",
                body,
                Cancel
            );
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task Langfuses_question_about_the_key_is_answered()
    {
        var answer = await _server.JsonAsync(HttpMethod.Get, "/api/public/projects");
        Assert.Single(answer.GetProperty("data").EnumerateArray().ToList());
    }

    [Fact]
    public async Task Native_traces_of_the_agents_sdk_become_trees()
    {
        var trace = Guid.NewGuid();
        var body = new
        {
            data = new object[]
            {
                new
                {
                    @object = "trace",
                    id = $"trace_{trace:N}",
                    workflow_name = "Weather workflow",
                    group_id = "thread-1",
                    metadata = new { tier = "gold" },
                },
                Span("a", null, new { type = "agent", name = "WeatherAgent" }),
                Span(
                    "b",
                    "a",
                    new
                    {
                        type = "custom",
                        name = "turn",
                        data = new { usage = new { input_tokens = 24, output_tokens = 9 } },
                    }
                ),
                Span("c", "b", new { type = "response", response_id = "resp_1" }),
                Span(
                    "d",
                    "b",
                    new
                    {
                        type = "function",
                        name = "get_weather",
                        input = "{\"city\":\"Paris\"}",
                        output = "18C",
                    }
                ),
                Span(
                    "e",
                    "a",
                    new { type = "guardrail", name = "no-secrets" },
                    new { message = "tripped", data = new { error = "secret" } }
                ),
            },
        };
        await _server.JsonAsync(HttpMethod.Post, "/v1/traces/ingest", body);
        var page = await _server.JsonAsync(HttpMethod.Post, "/api/v1/runs/query", new { trace });
        var runs = page.GetProperty("runs")
            .EnumerateArray()
            .ToDictionary(r => r.GetProperty("name").GetString()!, r => r);
        Assert.Equal(6, runs.Count);
        var root = runs["Weather workflow"];
        Assert.Equal(trace, root.GetProperty("id").GetGuid());
        Assert.Equal("success", root.GetProperty("status").GetString());
        Assert.Equal("thread-1", root.GetProperty("thread_id").GetString());
        Assert.Equal(33, root.GetProperty("total_tokens").GetInt64());
        Assert.Equal(trace, runs["WeatherAgent"].GetProperty("parent_run_id").GetGuid());
        Assert.Equal(
            runs["turn"].GetProperty("id").GetGuid(),
            runs["get_weather"].GetProperty("parent_run_id").GetGuid()
        );
        Assert.Equal(
            "Paris",
            runs["get_weather"]
                .GetProperty("inputs")
                .GetProperty("input")
                .GetProperty("city")
                .GetString()
        );
        Assert.Equal("tool", runs["get_weather"].GetProperty("run_type").GetString());
        Assert.Equal("llm", runs["response"].GetProperty("run_type").GetString());
        Assert.Equal("tripped: secret", runs["no-secrets"].GetProperty("error").GetString());

        using var wrong = await _server.Client.PostAsJsonAsync(
            "/v1/traces/ingest",
            new { data = new[] { new { @object = "trace", id = "x" } } },
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        object Span(string id, string? parent, object data, object? error = null) =>
            new
            {
                @object = "trace.span",
                id = $"span_{id}",
                trace_id = $"trace_{trace:N}",
                parent_id = parent is null ? null : $"span_{parent}",
                started_at = "2026-11-23T22:45:11.480Z",
                ended_at = "2026-11-23T22:45:11.900Z",
                span_data = data,
                error,
            };
    }

    private async Task<JsonElement> AnnounceAsync(Server.Otlp.Protos.Span span, byte[] content) =>
        await _server.JsonAsync(
            HttpMethod.Post,
            "/api/public/media",
            new
            {
                contentLength = content.Length,
                contentType = "image/png",
                sha256Hash = Convert.ToBase64String(SHA256.HashData(content)),
                traceId = Convert.ToHexStringLower(span.TraceId.Span),
                observationId = Convert.ToHexStringLower(span.SpanId.Span),
                field = "input",
            }
        );

    private static async Task<HttpResponseMessage> PutAsync(
        HttpClient client,
        string address,
        byte[] content
    )
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        return await client.PutAsync(address, body, Cancel);
    }
}
