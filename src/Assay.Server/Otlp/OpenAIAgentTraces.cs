using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.Otlp;

/// <summary>
/// The native traces of OpenAI's Agents SDK (<c>POST /v1/traces/ingest</c>, header <c>openai-beta: traces=v1</c>): a list of traces and spans. The
/// trace becomes the root run, its <c>group_id</c> the thread. Spans of the Responses API hold only a response id: what was said is not sent.
/// </summary>
internal static class OpenAIAgentTraces
{
    public static void MapOpenAIAgentTraces(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/traces/ingest", IngestAsync).Needs(Permission.Ingest);

    private static async Task<IResult> IngestAsync(
        HttpContext context,
        TraceIngest ingest,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var body = document.RootElement;
        if (
            body.ValueKind != JsonValueKind.Object
            || body.Field("data").ValueKind != JsonValueKind.Array
        )
        {
            return Refused("body: must be an object with a list 'data'");
        }

        var items = body.Items("data").Where(i => i.ValueKind == JsonValueKind.Object).ToList();
        var runs = new List<RunWrite>();
        foreach (var spans in items.GroupBy(TraceOf))
        {
            if (spans.Key is not { } trace)
            {
                return Refused(
                    "data: each item must be a trace or name its trace_id, trace_ and 32 hexadecimal digits"
                );
            }

            runs.AddRange(Runs(trace, [.. spans], time.GetUtcNow()));
        }

        try
        {
            var receipt = await ingest.AcceptAsync(
                context.Caller(),
                new IngestBatch(runs, [], ProjectChoice.Header(context.Request.Headers)),
                context.RequestAborted
            );
            return receipt.Rejections is [var first, ..]
                ? Refused($"{receipt.Rejections.Count} refused: {first.Reason}")
                : Results.Json(new { });
        }
        catch (StoreBusyException e)
        {
            // The SDK sends again after 5xx only.
            context.Response.Headers.RetryAfter = Math.Max(
                    1,
                    Math.Ceiling(e.RetryAfter.TotalSeconds)
                )
                .ToString(CultureInfo.InvariantCulture);
            return Results.Json(
                new { error = new { message = e.Message, type = "server_error" } },
                statusCode: StatusCodes.Status503ServiceUnavailable
            );
        }
    }

    private static IResult Refused(string message) =>
        Results.Json(
            new { error = new { message, type = "invalid_request_error" } },
            statusCode: StatusCodes.Status400BadRequest
        );

    private static Guid? TraceOf(JsonElement item) =>
        (item.Text("object") == "trace" ? item.Text("id") : item.Text("trace_id")) is { } id
        && id.StartsWith("trace_", StringComparison.Ordinal)
        && Guid.TryParseExact(id["trace_".Length..], "N", out var trace)
            ? trace
            : null;

    private static IEnumerable<RunWrite> Runs(
        Guid trace,
        IReadOnlyList<JsonElement> items,
        DateTimeOffset now
    )
    {
        var spans = items.Where(i => i.Text("object") == "trace.span").ToList();
        var times = spans.Select(s => Time(s, "started_at")).OfType<DateTimeOffset>().ToList();
        DateTimeOffset? first = times.Count > 0 ? times.Min() : null;
        DateTimeOffset? last = spans
            .Select(s => Time(s, "ended_at"))
            .OfType<DateTimeOffset>()
            .Cast<DateTimeOffset?>()
            .Max();
        var head = items.FirstOrDefault(i => i.Text("object") == "trace");
        var thread = head.ValueKind == JsonValueKind.Object ? head.Text("group_id") : null;
        if (head.ValueKind == JsonValueKind.Object)
        {
            var start = first ?? now;
            yield return new RunWrite
            {
                Operation = RunOperation.Create,
                RunId = trace,
                TraceId = trace,
                Name = head.Text("workflow_name") ?? "Agent workflow",
                Kind = RunKind.Chain,
                StartTime = start,
                DottedOrder = RunNormalizer.OrderSegment(start, trace),
                ThreadId = thread,
                Extra = Json(w =>
                {
                    w.WritePropertyName("metadata");
                    WriteObject(w, head.Field("metadata"));
                }),
            };
        }

        if (last is not null)
        {
            // The SDK tells of a trace when it begins and never when it ends: it lasts as long as its spans.
            yield return new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = trace,
                TraceId = trace,
                EndTime = last,
            };
        }

        foreach (var span in spans)
        {
            if (span.Text("id") is { Length: > 0 } id)
            {
                yield return Run(trace, id, span, thread);
            }
        }
    }

    private static RunWrite Run(Guid trace, string id, JsonElement span, string? thread)
    {
        var data = span.Field("span_data");
        var type = data.Text("type") ?? "custom";
        var run = new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = RunId(trace, id),
            TraceId = trace,
            ParentRunId = span.Text("parent_id") is { Length: > 0 } parent
                ? RunId(trace, parent)
                : trace,
            Name = Name(type, data),
            Kind = type switch
            {
                "agent" => RunKind.Agent,
                "generation" or "response" or "transcription" or "speech" => RunKind.Llm,
                "function" or "handoff" or "mcp_tools" => RunKind.Tool,
                "guardrail" => RunKind.Guardrail,
                _ => RunKind.Chain,
            },
            StartTime = Time(span, "started_at"),
            EndTime = Time(span, "ended_at"),
            Error = Error(span.Field("error")),
            Inputs = Value(data, "input", type),
            Outputs = Value(data, "output", type),
            Model = data.Text("model"),
            Provider = type is "generation" or "response" ? "openai" : null,
            Usage = Usage(data.Field("usage")) ?? Usage(data.Field("data").Field("usage")),
            ThreadId = thread,
            Extra = Json(w =>
            {
                w.WriteStartObject("metadata");
                foreach (
                    var name in (string[])["response_id", "triggered", "from_agent", "to_agent"]
                )
                {
                    if (
                        data.Field(name) is
                        { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } value
                    )
                    {
                        w.WritePropertyName(name);
                        value.WriteTo(w);
                    }
                }

                w.WriteEndObject();
                w.WritePropertyName("invocation_params");
                WriteObject(w, data.Field("model_config"));
                w.WritePropertyName("span_data");
                WriteObject(w, data);
            }),
        };
        run.Warning =
            type == "response"
                ? "OpenAI's native traces name a response and leave out what was said; OpenInference's or Traceloop's instrumentation of the Agents SDK brings it."
                : null;
        return run;
    }

    private static string Name(string type, JsonElement data) =>
        type switch
        {
            "handoff" => $"{data.Text("from_agent")} → {data.Text("to_agent")}",
            "custom" when data.Field("data").Text("name") is { } inner => inner,
            _ => data.Text("name") ?? data.Text("model") ?? type,
        };

    private static Guid RunId(Guid trace, string id)
    {
        var bytes = XxHash128.Hash(Encoding.UTF8.GetBytes($"{trace:N}/{id}"));
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        Wire.TryTime(json.Field(name), out var time) ? time : null;

    private static string? Error(JsonElement error) =>
        error.ValueKind switch
        {
            JsonValueKind.Object when error.Field("data").Text("error") is { } inner =>
                $"{error.Text("message")}: {inner}",
            JsonValueKind.Object => error.Text("message") ?? error.GetRawText(),
            JsonValueKind.String => error.GetString(),
            _ => null,
        };

    /// <summary>Messages of a generation as messages; arguments of a function, which come as JSON in a text, as what they are.</summary>
    private static Payload? Value(JsonElement data, string name, string type)
    {
        var value = data.Field(name);
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        var field =
            value.ValueKind == JsonValueKind.Array && type is "generation" or "response"
                ? "messages"
                : name;
        return Json(w =>
        {
            w.WritePropertyName(field);
            if (value.ValueKind == JsonValueKind.String && Parsed(value.GetString()) is { } parsed)
            {
                using (parsed)
                {
                    parsed.RootElement.WriteTo(w);
                }
            }
            else
            {
                value.WriteTo(w);
            }
        });
    }

    private static JsonDocument? Parsed(string? text)
    {
        if (text is null || text.AsSpan().TrimStart() is not ['{' or '[', ..])
        {
            return null;
        }

        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TokenUsage? Usage(JsonElement usage)
    {
        var input = Count(usage, "input_tokens");
        var output = Count(usage, "output_tokens");
        if (input is null && output is null)
        {
            return null;
        }

        var cached = Count(usage, "cached_input_tokens") ?? 0;
        return new TokenUsage
        {
            PromptTokens = input ?? 0,
            CompletionTokens = output ?? 0,
            TotalTokens = (input ?? 0) + (output ?? 0),
            PromptDetails =
                cached > 0 ? new Dictionary<string, long> { ["cache_read"] = cached } : null,
        };
    }

    private static long? Count(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object
        && json.Field(name) is { ValueKind: JsonValueKind.Number } value
        && value.TryGetInt64(out var count)
        && count >= 0
            ? count
            : null;

    private static Payload Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Payload.FromUtf8(buffer.WrittenMemory);
    }

    private static void WriteObject(Utf8JsonWriter writer, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            value.WriteTo(writer);
        }
        else
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
        }
    }
}
