using System.Text.Json;
using Assay.Server.Otlp;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>The hand-written requests that try the protocol: what each is for stands in their README.</summary>
public sealed partial class GoldenTests
{
    [Fact]
    public async Task Ids_in_capitals_and_fields_of_the_future()
    {
        var run = await OnlyRunAsync("03-");
        Assert.Equal("span [chain]", $"{run.Name} [{run.Type}]");
        Assert.Equal("success", run.Status);
    }

    [Fact]
    public async Task A_child_before_its_parent()
    {
        var (project, id) = ("golden-late-parent", Guid.NewGuid().ToString("N"));
        await AcceptedAsync(project, "04-child-before-parent-a", id);
        Assert.Equal("child [llm]", (await OnlyTraceAsync(project)).Outline);
        await AcceptedAsync(project, "05-child-before-parent-b", id);
        var trace = await OnlyTraceAsync(project);
        Assert.Equal(
            """
            root [chain]
              child [llm]
            """,
            trace.Outline
        );
        Assert.All(trace.Runs, r => Assert.Equal("late-session", r.Thread));
    }

    [Fact]
    public async Task A_parent_in_another_system_never_comes()
    {
        var run = await OnlyRunAsync("06-");
        Assert.Equal("orphan [chain]", $"{run.Name} [{run.Type}]");
        Assert.Equal("success", run.Status);
        Assert.NotNull(run.ParentId);
    }

    [Fact]
    public async Task A_span_twice_in_a_request_is_one_run()
    {
        var run = await OnlyRunAsync("07-");
        Assert.Equal("dup v2", run.Name);
        Assert.Equal("v", run.Meta("k"));
    }

    [Fact]
    public async Task A_placeholder_is_the_span_it_stands_for()
    {
        var (project, id) = ("golden-pending", Guid.NewGuid().ToString("N"));
        await AcceptedAsync(project, "08-logfire-pending", id);
        var run = Assert.Single((await OnlyTraceAsync(project)).Runs);
        Assert.Equal("agent run", run.Name);
        Assert.Equal("pending", run.Status);
        Assert.Null(run.ParentId);
        Assert.Equal(
            SpanIds.Run(Convert.FromHexString(id), Convert.FromHexString("6666666666666666")),
            run.Id
        );
    }

    [Fact]
    public async Task Spans_without_ids_are_counted_and_the_valid_one_is_kept()
    {
        var project = "golden-invalid-ids";
        var (status, body) = await server.PostFileAsync(
            project,
            "10-invalid-ids",
            Guid.NewGuid().ToString("N")
        );
        Assert.Equal(200, status);
        using var answer = JsonDocument.Parse(body);
        var partial = answer.RootElement.GetProperty("partialSuccess");
        Assert.Equal("2", partial.GetProperty("rejectedSpans").GetString());
        Assert.Contains(
            "id must be",
            partial.GetProperty("errorMessage").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal("the valid one [chain]", (await OnlyTraceAsync(project)).Outline);
    }

    [Fact]
    public async Task Attributes_as_an_object_are_refused_with_a_hint()
    {
        var (status, body) = await server.PostFileAsync(
            "golden-object",
            "11-attributes-as-object",
            Guid.NewGuid().ToString("N")
        );
        Assert.Equal(400, status);
        Assert.Contains("attributes", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_of_zero_is_no_end()
    {
        var run = await OnlyRunAsync("12-");
        Assert.Equal("unfinished", run.Name);
        Assert.Equal("pending", run.Status);
        Assert.Null(run.End);
    }

    [Fact]
    public async Task A_judgement_in_the_logs_is_feedback_on_its_span()
    {
        var (project, id) = ("golden-judged", Guid.NewGuid().ToString("N"));
        var (status, body) = await server.PostFileAsync(
            project,
            "15-evaluation-log",
            id,
            "/v1/logs"
        );
        Assert.Equal((200, "{}"), (status, body));
        await AcceptedAsync(project, "05-child-before-parent-b", id);
        var run = (await OnlyTraceAsync(project)).Root;
        var feedback = Assert.Single(await server.FeedbackAsync(run.Id));
        Assert.Equal("Relevance", feedback.GetProperty("key").GetString());
        Assert.Equal(4, feedback.GetProperty("score").GetDouble());
        Assert.Equal("relevant", feedback.GetProperty("value").GetString());
        Assert.Equal("on topic", feedback.GetProperty("comment").GetString());
    }

    [Fact]
    public async Task An_empty_request_is_a_success()
    {
        foreach (var path in (string[])["/v1/traces", "/v1/logs", "/v1/metrics"])
        {
            Assert.Equal(
                (200, "{}"),
                await server.PostFileAsync("golden-empty", "17-empty", "", path)
            );
        }
    }

    private async Task AcceptedAsync(string project, string file, string traceId) =>
        Assert.Equal((200, "{}"), await server.PostFileAsync(project, file, traceId));

    private async Task<GoldenTrace> OnlyTraceAsync(string project) =>
        Assert.Single(await server.TracesAsync(project));
}
