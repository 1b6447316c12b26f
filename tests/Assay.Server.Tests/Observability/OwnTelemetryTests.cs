using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text;
using Assay.Core.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Observability;

public sealed class OwnTelemetryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_leave_spans_and_the_store_metrics_but_what_comes_in_as_telemetry_leaves_none()
    {
        var received = new ConcurrentQueue<(string Path, string Text)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost(
            "/{**path}",
            async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                // Names are plain text inside protobuf.
                received.Enqueue((request.Path, Encoding.Latin1.GetString(body.ToArray())));
            }
        );
        await collector.StartAsync(Cancel);
        await using var server = new InProcessServer(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200")
        );
        using var client = server.Client(
            await server.KeyAsync(await server.FirstWorkspaceAsync(), KeyScope.Full)
        );
        using var run = await client.PostAsJsonAsync(
            "/runs",
            new
            {
                id = Guid.CreateVersion7(),
                name = "quiet",
                run_type = "chain",
                inputs = new { },
            },
            Cancel
        );
        Assert.True(run.IsSuccessStatusCode);
        using var info = await client.GetAsync("/info", Cancel);

        var deadline = TimeProvider.System.GetTimestamp();
        while (
            !(
                received.Any(r => r.Path == "/v1/traces" && r.Text.Contains("/api/v1/info"))
                && received.Any(r => r.Path == "/v1/metrics" && r.Text.Contains("assay.store.runs"))
            )
        )
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(60),
                "The collector got no spans or metrics: "
                    + string.Join(' ', received.Select(r => r.Path).Distinct())
            );
            await Task.Delay(50, Cancel);
        }

        // Spans are sent in the order they ended, so the run's would have come with or before the one of /info.
        Assert.DoesNotContain(
            received,
            r => r.Path == "/v1/traces" && r.Text.Contains("/api/v1/runs")
        );
    }
}
