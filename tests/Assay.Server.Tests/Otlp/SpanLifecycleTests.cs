using System.Globalization;
using System.Text.Json;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;

namespace Assay.Server.Tests.Otlp;

/// <summary>Spans in every order, more than once, without relatives, without an end; and what becomes of their traces.</summary>
public sealed class SpanLifecycleTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Children_before_parents_become_one_tree()
    {
        var trace = Exports.NewTrace();
        var root = Exports.Span(trace, "root");
        var middle = Exports.Span(trace, "middle", root.SpanId);
        var leaf = Exports.Span(trace, "leaf", middle.SpanId);
        foreach (var span in (Span[])[leaf, root, middle])
        {
            await _server.SendAsync(Exports.Of(span));
        }

        var runs = await TraceAsync(root);
        Assert.Equal(3, runs.Count);
        Assert.Equal(Exports.RunId(middle), Parent(runs["leaf"]));
        Assert.Equal(Exports.RunId(root), Parent(runs["middle"]));
        Assert.Null(Parent(runs["root"]));
        var order = runs["leaf"].GetProperty("dotted_order").GetString()!.Split('.');
        Assert.Equal(3, order.Length);
        Assert.EndsWith(Exports.RunId(root).ToString(), order[0], StringComparison.Ordinal);
        Assert.EndsWith(Exports.RunId(leaf).ToString(), order[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_span_whose_parent_never_comes_is_shown_as_a_root_until_it_does()
    {
        var trace = Exports.NewTrace();
        var server = Exports.Span(trace, "GET /chat");
        var chat = Exports.Span(trace, "chat", server.SpanId);
        chat.Flags = 0x300;
        await _server.SendAsync(Exports.Of(chat));
        Assert.Equal(["chat"], await RootsAsync(chat));
        await _server.SendAsync(Exports.Of(server));
        Assert.Equal(["GET /chat"], await RootsAsync(chat));
    }

    [Fact]
    public async Task A_trace_through_two_services_stays_in_one_project()
    {
        var trace = Exports.NewTrace();
        var front = Exports.Span(trace, "front");
        var back = Exports.Span(trace, "back", front.SpanId);
        await _server.SendAsync(Exports.Of("back-service", back));
        await _server.SendAsync(Exports.Of("front-service", front));
        Assert.Equal("back-service", await _server.ProjectOfAsync(front));
        Assert.Equal("back-service", await _server.ProjectOfAsync(back));

        // What is remembered of traces does not outlive the process; what is stored does.
        await _server.KillAsync();
        await _server.StartAgainAsync();
        var late = Exports.Span(trace, "late", front.SpanId);
        await _server.SendAsync(Exports.Of("late-service", late));
        Assert.Equal("back-service", await _server.ProjectOfAsync(late));
        Assert.Equal(3, (await TraceAsync(front)).Count);
    }

    [Fact]
    public async Task The_first_that_is_said_chooses_the_project()
    {
        var attribute = Exports.Span(
            Exports.NewTrace(),
            "a",
            null,
            ("langsmith.trace.session_name", "by-attribute")
        );
        var header = Exports.Span(Exports.NewTrace(), "b");
        await _server.SendAsync(
            Exports.Of(attribute, header),
            change: r => r.Headers.Add("Langsmith-Project", "by-header")
        );
        Assert.Equal("by-attribute", await _server.ProjectOfAsync(attribute));
        Assert.Equal("by-header", await _server.ProjectOfAsync(header));

        var resource = Exports.Span(Exports.NewTrace(), "c");
        var named = Exports.Of(resource);
        named
            .ResourceSpans[0]
            .Resource.Attributes.Add(Exports.Text("openinference.project.name", "by-resource"));
        await _server.SendAsync(named);
        Assert.Equal("by-resource", await _server.ProjectOfAsync(resource));

        var service = Exports.Span(Exports.NewTrace(), "d");
        var unknown = Exports.Span(Exports.NewTrace(), "e");
        await _server.SendAsync(Exports.Of("my-service", service));
        await _server.SendAsync(Exports.Of("unknown_service:node", unknown));
        Assert.Equal("my-service", await _server.ProjectOfAsync(service));
        Assert.Equal("default", await _server.ProjectOfAsync(unknown));
    }

    [Fact]
    public async Task The_same_span_twice_is_one_run()
    {
        var span = Exports.Span(Exports.NewTrace(), "twice");
        span.Events.Add(new Span.Types.Event { Name = "once", TimeUnixNano = Exports.Start });
        await _server.SendAsync(Exports.Of(span, span));
        await _server.SendAsync(Exports.Of(span));
        Assert.Single(await TraceAsync(span));
        Assert.Equal(1, (await _server.RunAsync(span)).GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task A_span_without_an_end_is_pending_until_its_end_comes()
    {
        var span = Exports.Span(Exports.NewTrace(), "stream");
        var end = span.EndTimeUnixNano;
        span.EndTimeUnixNano = 0;
        await _server.SendAsync(Exports.Of(span));
        Assert.Equal("pending", await StatusAsync(span));
        span.EndTimeUnixNano = end;
        await _server.SendAsync(Exports.Of(span));
        Assert.Equal("success", await StatusAsync(span));

        var backwards = Exports.Span(Exports.NewTrace(), "backwards");
        backwards.EndTimeUnixNano = Exports.Start - 1_000_000_000;
        await _server.SendAsync(Exports.Of(backwards));
        Assert.Equal("pending", await StatusAsync(backwards));
    }

    [Fact]
    public async Task Values_of_the_trace_that_only_a_child_states_reach_the_root()
    {
        foreach (var rootFirst in (bool[])[false, true])
        {
            var trace = Exports.NewTrace();
            var root = Exports.Span(trace, "root");
            var child = Exports.Span(
                trace,
                "child",
                root.SpanId,
                ("session.id", "thread-7"),
                ("user.id", "ada")
            );
            foreach (var span in rootFirst ? (Span[])[root, child] : [child, root])
            {
                await _server.SendAsync(Exports.Of(span));
            }

            var read = await _server.RunAsync(root);
            Assert.Equal(
                "ada",
                read.GetProperty("extra").GetProperty("metadata").GetProperty("user_id").GetString()
            );
            Assert.Equal("thread-7", read.GetProperty("thread_id").GetString());
        }
    }

    [Fact]
    public async Task Log_records_meet_their_span_whichever_comes_first()
    {
        foreach (var logsFirst in (bool[])[true, false])
        {
            var span = Exports.Span(
                Exports.NewTrace(),
                "chat gpt",
                null,
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.request.model", "gpt")
            );
            span.Kind = 3;
            var user = Message(span, "gen_ai.user.message", "What is the weather?");
            var choice = Message(span, "gen_ai.choice", "Sunny.");
            IMessage[] order = logsFirst
                ? [Exports.Logs(user), Exports.Logs(choice), Exports.Of(span)]
                : [Exports.Of(span), Exports.Logs(user), Exports.Logs(choice)];
            foreach (var message in order)
            {
                await _server.SendAsync(
                    message,
                    message is ExportLogsServiceRequest ? "/v1/logs" : "/v1/traces"
                );
            }

            var run = await _server.RunAsync(span);
            Assert.Equal("chat gpt", run.GetProperty("name").GetString());
            Assert.Contains(
                "What is the weather?",
                run.GetProperty("inputs").GetRawText(),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "Sunny.",
                run.GetProperty("outputs").GetRawText(),
                StringComparison.Ordinal
            );
            Assert.Equal("success", run.GetProperty("status").GetString());
        }
    }

    [Fact]
    public async Task Log_records_of_a_child_come_before_any_span_of_its_trace()
    {
        var trace = Exports.NewTrace();
        var root = Exports.Span(trace, "question");
        var child = Exports.Span(trace, "chat gpt", root.SpanId, ("gen_ai.operation.name", "chat"));
        await _server.SendAsync(
            Exports.Logs(Message(child, "gen_ai.user.message", "What is the weather?")),
            "/v1/logs"
        );
        using (
            await _server.Client.GetAsync(
                $"/api/v1/runs/{Exports.RunId(child)}",
                TestContext.Current.CancellationToken
            )
        )
        {
            // Whatever it answers, what was sent before is in the index now.
        }

        await _server.SendAsync(Exports.Of(child));
        await _server.SendAsync(Exports.Of(root));
        var run = await _server.RunAsync(child);
        Assert.Equal("chat gpt", run.GetProperty("name").GetString());
        Assert.Contains(
            "What is the weather?",
            run.GetProperty("inputs").GetRawText(),
            StringComparison.Ordinal
        );
        Assert.Equal("shop", await _server.ProjectOfAsync(child));
        Assert.Equal(Exports.RunId(root), Parent(run));
        // The index had the records before the span: its place in the order came with its start and its parent.
        var order = run.GetProperty("dotted_order").GetString()!.Split('.');
        Assert.Equal(2, order.Length);
        Assert.EndsWith(Exports.RunId(root).ToString(), order[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_records_survive_a_kill_before_their_span_comes()
    {
        var span = Exports.Span(Exports.NewTrace(), "chat");
        await _server.SendAsync(
            Exports.Logs(Message(span, "gen_ai.user.message", "Remember me.")),
            "/v1/logs"
        );
        await _server.KillAsync();
        await _server.StartAgainAsync();
        await _server.SendAsync(Exports.Of(span));
        var run = await _server.RunAsync(span);
        Assert.Equal("chat", run.GetProperty("name").GetString());
        Assert.Contains(
            "Remember me.",
            run.GetProperty("inputs").GetRawText(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Log_records_on_both_sides_of_a_kill_are_one_conversation()
    {
        foreach (var spanBetween in (bool[])[false, true])
        {
            var span = Exports.Span(
                Exports.NewTrace(),
                "chat",
                null,
                ("gen_ai.operation.name", "chat")
            );
            await _server.SendAsync(
                Exports.Logs(Message(span, "gen_ai.system.message", "Be brief.")),
                "/v1/logs"
            );
            await _server.KillAsync();
            await _server.StartAgainAsync();
            if (spanBetween)
            {
                await _server.SendAsync(Exports.Of(span));
            }

            await _server.SendAsync(
                Exports.Logs(
                    // The first once more, as a sender does whose answer was lost.
                    Message(span, "gen_ai.system.message", "Be brief."),
                    Message(span, "gen_ai.user.message", "What is the weather?")
                ),
                "/v1/logs"
            );
            await _server.SendAsync(
                Exports.Logs(Message(span, "gen_ai.choice", "Sunny.")),
                "/v1/logs"
            );
            if (!spanBetween)
            {
                await _server.SendAsync(Exports.Of(span));
            }

            var run = await _server.RunAsync(span);
            Assert.Equal(
                ["Be brief.", "What is the weather?"],
                run.GetProperty("inputs")
                    .GetProperty("messages")
                    .EnumerateArray()
                    .Select(m => m.GetProperty("content").GetString())
            );
            Assert.Contains(
                "Sunny.",
                run.GetProperty("outputs").GetRawText(),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task The_applications_own_log_records_make_no_runs()
    {
        var span = Exports.Span(Exports.NewTrace(), "never sent");
        await _server.SendAsync(
            Exports.Logs(
                new LogRecord
                {
                    TraceId = span.TraceId,
                    SpanId = span.SpanId,
                    TimeUnixNano = Exports.Start,
                    SeverityText = "INFO",
                    Body = new AnyValue { StringValue = "Request started" },
                },
                new LogRecord { Body = new AnyValue { StringValue = "no span at all" } }
            ),
            "/v1/logs"
        );
        using var response = await _server.Client.GetAsync(
            $"/api/v1/runs/{Exports.RunId(span)}",
            TestContext.Current.CancellationToken
        );
        Assert.Equal(System.Net.HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Ids_that_the_producer_overrides_are_the_runs_ids()
    {
        var trace = Exports.NewTrace();
        var own = Guid.CreateVersion7();
        var root = Exports.Span(trace, "root", null, ("langsmith.span.id", own.ToString()));
        var inside = Exports.Span(trace, "inside", root.SpanId);
        var late = Exports.Span(trace, "late", root.SpanId);
        var early = Exports.Span(trace, "early", root.SpanId);
        await _server.SendAsync(Exports.Of(early));
        await _server.SendAsync(Exports.Of(inside, root));
        await _server.SendAsync(Exports.Of(late));
        var runs = await TraceAsync(root);
        Assert.Equal(own, runs["root"].GetProperty("id").GetGuid());
        foreach (var name in (string[])["early", "inside", "late"])
        {
            Assert.Equal(own, Parent(runs[name]));
        }
    }

    [Fact]
    public async Task A_placeholder_of_logfire_announces_the_span_it_stands_for()
    {
        var trace = Exports.NewTrace();
        var real = Exports.Span(trace, "agent run");
        var placeholder = Exports.Span(
            trace,
            "agent run",
            real.SpanId,
            ("logfire.span_type", "pending_span"),
            ("logfire.pending_parent_id", "0000000000000000")
        );
        await _server.SendAsync(Exports.Of(placeholder));
        Assert.Equal("pending", await StatusAsync(real));
        await _server.SendAsync(Exports.Of(real));
        Assert.Equal("success", await StatusAsync(real));
        Assert.Single(await TraceAsync(real));
    }

    [Fact]
    public async Task What_is_acknowledged_survives_a_kill()
    {
        var spans = Enumerable
            .Range(0, 200)
            .Select(i =>
                Exports.Span(
                    Exports.NewTrace(),
                    string.Create(CultureInfo.InvariantCulture, $"span {i}"),
                    null,
                    ("input.value", "question"),
                    ("output.value", "answer")
                )
            )
            .ToArray();
        await _server.SendAsync(Exports.Of(spans));
        await _server.KillAsync();
        await _server.StartAgainAsync();
        foreach (var span in spans)
        {
            var run = await _server.RunAsync(span);
            Assert.Equal(span.Name, run.GetProperty("name").GetString());
            Assert.Contains(
                "question",
                run.GetProperty("inputs").GetRawText(),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "answer",
                run.GetProperty("outputs").GetRawText(),
                StringComparison.Ordinal
            );
        }
    }

    private static LogRecord Message(Span span, string eventName, string content)
    {
        var text = Exports.Text("content", content);
        var body = new KeyValueList();
        if (eventName == "gen_ai.choice")
        {
            body.Values.Add(
                new KeyValue
                {
                    Key = "message",
                    Value = new AnyValue { KvlistValue = new KeyValueList { Values = { text } } },
                }
            );
        }
        else
        {
            body.Values.Add(text);
        }

        return new LogRecord
        {
            TraceId = span.TraceId,
            SpanId = span.SpanId,
            TimeUnixNano = Exports.Start,
            EventName = eventName,
            Body = new AnyValue { KvlistValue = body },
        };
    }

    private async Task<string?> StatusAsync(Span span) =>
        (await _server.RunAsync(span)).GetProperty("status").GetString();

    private async Task<Dictionary<string, JsonElement>> TraceAsync(Span span)
    {
        var page = await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new { trace = Exports.TraceId(span) }
        );
        return page.GetProperty("runs")
            .EnumerateArray()
            .ToDictionary(r => r.GetProperty("name").GetString()!, r => r);
    }

    private async Task<IReadOnlyList<string?>> RootsAsync(Span span)
    {
        var page = await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new { trace = Exports.TraceId(span), is_root = true }
        );
        return
        [
            .. page.GetProperty("runs")
                .EnumerateArray()
                .Select(r => r.GetProperty("name").GetString()),
        ];
    }

    private static Guid? Parent(JsonElement run) =>
        run.GetProperty("parent_run_id") is { ValueKind: JsonValueKind.String } parent
            ? parent.GetGuid()
            : null;
}
