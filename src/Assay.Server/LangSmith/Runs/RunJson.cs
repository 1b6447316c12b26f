using System.Runtime.InteropServices;
using System.Text.Json;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>From a run as clients send it to a <see cref="RunWrite"/>. Null and absent mean the same: not said. Unknown fields are ignored.</summary>
internal static class RunJson
{
    /// <summary>Reads a run; the reason when it cannot be one. Payloads point into the document's memory.</summary>
    public static (RunWrite? Run, string? Problem) Read(
        JsonElement json,
        RunOperation operation,
        Guid? idFromPath = null
    )
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return (null, "body: a run must be a JSON object");
        }

        if (
            !TryId(json, "id", out var id)
            || (id ?? idFromPath) is not { } runId
            || runId == Guid.Empty
        )
        {
            return (null, "id: must be a UUID");
        }

        var run = new RunWrite { Operation = operation, RunId = runId };
        if (!TryId(json, "trace_id", out var trace))
        {
            return (null, "trace_id: must be a UUID");
        }

        if (!TryId(json, "parent_run_id", out var parent))
        {
            return (null, "parent_run_id: must be a UUID");
        }

        if (!TryId(json, "session_id", out var project))
        {
            return (null, "session_id: must be a UUID");
        }

        if (!TryId(json, "reference_example_id", out var example))
        {
            return (null, "reference_example_id: must be a UUID");
        }

        run.TraceId = trace;
        run.ParentRunId = parent;
        run.ProjectId = project;
        run.ReferenceExampleId = example;
        if (!Wire.TryTime(Get(json, "start_time"), out var start))
        {
            return (
                null,
                "start_time: must be an ISO 8601 time or a number of seconds or milliseconds"
            );
        }

        if (!Wire.TryTime(Get(json, "end_time"), out var end))
        {
            return (
                null,
                "end_time: must be an ISO 8601 time or a number of seconds or milliseconds"
            );
        }

        run.StartTime = start;
        run.EndTime = end;
        if (Text(json, "run_type") is { } type)
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

        run.Name = Text(json, "name");
        run.DottedOrder = Text(json, "dotted_order");
        run.ProjectName = Text(json, "session_name");
        run.Error = Get(json, "error")
            is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } error
            ? Error(error)
            : null;
        run.Inputs = Part(json, "inputs");
        run.Outputs = Part(json, "outputs");
        run.Extra = Part(json, "extra");
        run.Events = Part(json, "events");
        run.Serialized = Part(json, "serialized");
        if (Get(json, "tags") is { ValueKind: JsonValueKind.Array } tags)
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

    private static Payload? Part(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value
            ? Payload.FromUtf8(JsonMarshal.GetRawUtf8Value(value).ToArray())
            : null;

    private static bool TryId(JsonElement json, string name, out Guid? id)
    {
        id = null;
        var value = Get(json, name);
        if (value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return true;
        }

        if (
            value.ValueKind == JsonValueKind.String
            && Guid.TryParse(value.GetString(), out var parsed)
        )
        {
            id = parsed;
            return true;
        }

        return false;
    }

    private static string? Text(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement Get(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value : default;
}
