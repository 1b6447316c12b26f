using System.Text.Json;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>The body of <c>/runs/query</c> and <c>/runs/stats</c>. Explicit nulls mean absent; a limit above 100 is clamped, not refused.</summary>
internal static class RunQueryJson
{
    public static RunQuery Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new BadRequestBodyException(
                StatusCodes.Status422UnprocessableEntity,
                "body: must be a JSON object"
            );
        }

        var order = Int(json, "execution_order");
        return new RunQuery
        {
            WorkspaceId = Guid.Empty,
            ProjectIds = Ids(json, "session"),
            RunIds = Ids(json, "id"),
            TraceId = Id(json, "trace"),
            ParentRunId = Id(json, "parent_run"),
            ReferenceExampleIds = Ids(json, "reference_example"),
            IsRoot = Bool(json, "is_root") ?? (order == 1 ? true : null),
            HasError = Bool(json, "error"),
            Kind = Text(json, "run_type") is { } type ? Kind(type) : null,
            From = Time(json, "start_time"),
            To = Time(json, "end_time"),
            Filter = Filter(json, "filter"),
            TraceFilter = Filter(json, "trace_filter"),
            TreeFilter = Filter(json, "tree_filter"),
            Ascending = string.Equals(
                Text(json, "order"),
                "asc",
                StringComparison.OrdinalIgnoreCase
            ),
            Limit = Math.Clamp(Int(json, "limit") ?? 100, 1, 100),
            Cursor = Text(json, "cursor") is { Length: > 0 } cursor ? cursor : null,
            Parts = Parts(json),
        };
    }

    public static int? Int(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var value)
            ? value
            : null;

    public static Guid? Id(JsonElement json, string name) =>
        Ids(json, name) is [var id, ..] ? id : null;

    /// <summary>One id or a list of ids.</summary>
    public static IReadOnlyList<Guid> Ids(JsonElement json, string name)
    {
        var value = Get(json, name);
        var items = value.ValueKind switch
        {
            JsonValueKind.String => [value],
            JsonValueKind.Array => value.EnumerateArray().ToList(),
            _ => new List<JsonElement>(),
        };
        return
        [
            .. items.Select(i =>
                i.ValueKind == JsonValueKind.String && Guid.TryParse(i.GetString(), out var id)
                    ? id
                    : throw new BadRequestBodyException(
                        StatusCodes.Status422UnprocessableEntity,
                        $"{name}: must be a UUID or a list of UUIDs"
                    )
            ),
        ];
    }

    private static RunParts Parts(JsonElement json)
    {
        if (Get(json, "select") is not { ValueKind: JsonValueKind.Array } select)
        {
            return RunParts.All;
        }

        var parts = RunParts.Details | RunParts.Feedback;
        foreach (var field in select.EnumerateArray())
        {
            parts |=
                field.ValueKind == JsonValueKind.String
                    ? field.GetString() switch
                    {
                        "inputs" or "inputs_or_signed_url" => RunParts.Inputs,
                        "outputs" or "outputs_or_signed_url" => RunParts.Outputs,
                        "extra" or "extra_or_signed_url" => RunParts.Extra,
                        "events" or "events_or_signed_url" => RunParts.Events,
                        "serialized" or "manifest" => RunParts.Serialized,
                        _ => RunParts.None,
                    }
                    : RunParts.None;
        }

        return parts;
    }

    private static RunKind Kind(string type) =>
        Enum.TryParse<RunKind>(type, ignoreCase: true, out var kind)
            ? kind
            : throw new BadRequestBodyException(
                StatusCodes.Status422UnprocessableEntity,
                $"run_type: '{type}' is not a run type"
            );

    private static Filter? Filter(JsonElement json, string name) =>
        Text(json, name) is { Length: > 0 } text ? LangSmithFilterParser.Parse(text) : null;

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        Wire.TryTime(Get(json, name), out var time)
            ? time
            : throw new BadRequestBodyException(
                StatusCodes.Status422UnprocessableEntity,
                $"{name}: must be an ISO 8601 time"
            );

    private static bool? Bool(JsonElement json, string name) =>
        Get(json, name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    private static string? Text(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement Get(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value : default;
}
