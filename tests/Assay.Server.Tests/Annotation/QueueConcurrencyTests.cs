using System.Net;
using System.Net.Http.Json;

namespace Assay.Server.Tests.Annotation;

/// <summary>Calls at the same moment about the same items: every one is answered in LangSmith's terms, and no place is given twice.</summary>
public sealed class QueueConcurrencyTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Completing_reserving_adding_moving_and_removing_at_once_never_fails_inside()
    {
        var queue = await NewQueueAsync(new { name = "hammer" });
        var statuses = new List<HttpStatusCode>();
        for (var round = 0; round < 15; round++)
        {
            Guid[] runs = [Guid.NewGuid(), Guid.NewGuid()];
            var added = await Task.WhenAll(
                Enumerable.Range(0, 3).Select(_ => ItemsAsync(queue, runs))
            );
            // Added three times at once, each run waits once.
            Assert.Single(added.Select(a => string.Join(',', a)).Distinct());
            var (kept, gone) = (added[0][0], added[0][1]);
            var calls = new List<Task<HttpResponseMessage>>();
            foreach (
                var status in (string?[])["completed", "completed", "viewed", null, "completed"]
            )
            {
                calls.Add(SendAsync(HttpMethod.Post, $"/status/{kept}", new { status }));
                calls.Add(SendAsync(HttpMethod.Post, $"/status/{gone}", new { status }));
            }

            calls.Add(
                SendAsync(
                    HttpMethod.Patch,
                    $"/{queue}/runs/{gone}",
                    new { added_at = "2026-01-01T00:00:00Z" }
                )
            );
            calls.Add(SendAsync(HttpMethod.Delete, $"/{queue}/runs/{gone}", null));
            calls.Add(SendAsync(HttpMethod.Patch, $"/{queue}", new { description = $"{round}" }));
            foreach (var response in await Task.WhenAll(calls))
            {
                statuses.Add(response.StatusCode);
                response.Dispose();
            }
        }

        Assert.DoesNotContain(statuses, s => (int)s >= 500);
        Assert.Subset(
            new HashSet<HttpStatusCode>
            {
                HttpStatusCode.OK,
                HttpStatusCode.NotFound,
                HttpStatusCode.Conflict,
            },
            statuses.ToHashSet()
        );
    }

    [Fact]
    public async Task One_id_makes_one_queue_when_several_ask_at_once()
    {
        var id = Guid.NewGuid();
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(_ => SendAsync(HttpMethod.Post, "", new { id, name = "same" }))
        );
        Assert.Equal(1, answers.Count(a => a.StatusCode == HttpStatusCode.OK));
        Assert.Equal(5, answers.Count(a => a.StatusCode == HttpStatusCode.Conflict));
        Array.ForEach(answers, a => a.Dispose());
    }

    [Fact]
    public async Task A_queue_deleted_while_it_is_used_answers_not_found()
    {
        var queue = await NewQueueAsync(new { name = "short-lived" });
        var items = await ItemsAsync(queue, [Guid.NewGuid()]);
        var answers = await Task.WhenAll(
            SendAsync(HttpMethod.Delete, $"/{queue}", null),
            SendAsync(HttpMethod.Patch, $"/{queue}", new { description = "late" }),
            SendAsync(HttpMethod.Post, $"/status/{items[0]}", new { status = "completed" }),
            SendAsync(HttpMethod.Post, $"/{queue}/runs", new[] { Guid.NewGuid() })
        );
        Assert.All(
            answers,
            a => Assert.True(a.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{a}")
        );
        using var after = await SendAsync(HttpMethod.Get, $"/{queue}", null);
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        Array.ForEach(answers, a => a.Dispose());
    }

    private async Task<Guid> NewQueueAsync(object body) =>
        (await _server.JsonAsync(HttpMethod.Post, "/api/v1/annotation-queues", body))
            .GetProperty("id")
            .GetGuid();

    private async Task<IReadOnlyList<Guid>> ItemsAsync(Guid queue, IReadOnlyList<Guid> runs) =>
        [
            .. (
                await _server.JsonAsync(
                    HttpMethod.Post,
                    $"/api/v1/annotation-queues/{queue}/runs",
                    runs
                )
            )
                .EnumerateArray()
                .Select(i => i.GetProperty("id").GetGuid()),
        ];

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body) =>
        _server.Client.SendAsync(
            new HttpRequestMessage(method, $"/api/v1/annotation-queues{path}")
            {
                Content = body is null ? null : JsonContent.Create(body),
            },
            Cancel
        );
}
