using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>From a run as clients send it to a <see cref="RunWrite"/>. Null and absent mean the same: not said. Unknown fields are ignored.</summary>
internal static class RunJson
{
    /// <summary>Reads a run; the reason when it cannot be one. Payloads point into <paramref name="body"/>, the text that the document was read from.</summary>
    public static (RunWrite? Run, string? Problem) Read(
        JsonElement json,
        RunOperation operation,
        ReadOnlyMemory<byte> body,
        Guid? idFromPath = null
    )
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return (null, "body: a run must be a JSON object");
        }

        if (!Utf8.IsValid(JsonMarshal.GetRawUtf8Value(json)))
        {
            return (null, "body: is not valid UTF-8");
        }

        if (
            !json.TryId("id", out var id)
            || (id ?? idFromPath) is not { } runId
            || runId == Guid.Empty
        )
        {
            return (null, "id: must be a UUID");
        }

        var run = new RunWrite { Operation = operation, RunId = runId };
        if (!json.TryId("trace_id", out var trace))
        {
            return (null, "trace_id: must be a UUID");
        }

        if (!json.TryId("parent_run_id", out var parent))
        {
            return (null, "parent_run_id: must be a UUID");
        }

        if (!json.TryId("session_id", out var project))
        {
            return (null, "session_id: must be a UUID");
        }

        if (!json.TryId("reference_example_id", out var example))
        {
            return (null, "reference_example_id: must be a UUID");
        }

        run.TraceId = trace;
        run.ParentRunId = parent;
        run.ProjectId = project;
        run.ReferenceExampleId = example;
        if (!Wire.TryTime(json.Field("start_time"), out var start))
        {
            return (
                null,
                "start_time: must be an ISO 8601 time or a number of seconds or milliseconds"
            );
        }

        if (!Wire.TryTime(json.Field("end_time"), out var end))
        {
            return (
                null,
                "end_time: must be an ISO 8601 time or a number of seconds or milliseconds"
            );
        }

        run.StartTime = start;
        run.EndTime = end;
        if (json.Text("run_type") is { } type)
        {
            if (!TryKind(type, out var kind))
            {
                return (
                    null,
                    $"run_type: '{type}' is not one of tool, chain, llm, retriever, embedding, prompt, parser"
                );
            }

            run.Kind = kind;
        }

        run.Name = json.Text("name");
        run.DottedOrder = json.Text("dotted_order");
        run.ProjectName = json.Text("session_name");
        run.Error = json.Field("error") is var error && error.IsSaid() ? Error(error) : null;
        run.Inputs = Part(json, "inputs", body);
        run.Outputs = Part(json, "outputs", body);
        run.Extra = Part(json, "extra", body);
        run.Events = Part(json, "events", body);
        run.Serialized = Part(json, "serialized", body);
        if (json.Field("tags") is { ValueKind: JsonValueKind.Array } tags)
        {
            run.Tags =
            [
                .. tags.EnumerateArray()
                    .Where(t => t.ValueKind == JsonValueKind.String)
                    .Select(t => t.GetString() ?? ""),
            ];
        }

        return (run, null);
    }

    /// <summary>An error as text: strings as they are, everything else as its JSON.</summary>
    public static string Error(JsonElement error) =>
        error.ValueKind == JsonValueKind.String ? error.GetString() ?? "" : error.GetRawText();

    private static bool TryKind(string text, out RunKind kind) =>
        Enum.TryParse(text, ignoreCase: true, out kind)
        && Enum.IsDefined(kind)
        && !char.IsAsciiDigit(text[0]);

    private static Payload? Part(JsonElement json, string name, ReadOnlyMemory<byte> body)
    {
        var value = json.Field(name);
        if (!value.IsSaid())
        {
            return null;
        }

        var text = JsonMarshal.GetRawUtf8Value(value);
        return body.Span.Overlaps(text, out var start)
            ? Payload.FromUtf8(body.Slice(start, text.Length))
            : Payload.FromUtf8(text.ToArray());
    }
}
