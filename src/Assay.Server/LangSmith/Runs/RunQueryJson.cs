using System.Globalization;
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

        return new RunQuery
        {
            WorkspaceId = Guid.Empty,
            ProjectIds = json.Ids("session"),
            RunIds = json.Ids("id"),
            TraceId = json.Id("trace"),
            ParentRunId = json.Id("parent_run"),
            ReferenceExampleIds = json.Ids("reference_example"),
            IsRoot = json.Bool("is_root") ?? (json.Int("execution_order") == 1 ? true : null),
            HasError = json.Bool("error"),
            Kind = json.Text("run_type") is { } type ? Kind(type) : null,
            From = json.Time("start_time"),
            To = json.Time("end_time"),
            Filter = All(
                Filter(json, "filter"),
                Filter(json, "search_filter"),
                Search(json),
                ExecutionOrder(json)
            ),
            TraceFilter = Filter(json, "trace_filter"),
            TreeFilter = Filter(json, "tree_filter"),
            Ascending = string.Equals(
                json.Text("order"),
                "asc",
                StringComparison.OrdinalIgnoreCase
            ),
            Limit = Math.Clamp(json.Int("limit") ?? 100, 1, 100),
            Cursor = json.Text("cursor") is { Length: > 0 } cursor ? cursor : null,
            Parts = Parts(json),
        };
    }

    /// <summary>Everything that is wrong with a question, by field.</summary>
    public static IReadOnlyList<(string Field, string Message)> Problems(JsonElement json)
    {
        var problems = new List<(string Field, string Message)>();
        foreach (var name in (string[])["filter", "trace_filter", "tree_filter", "search_filter"])
        {
            try
            {
                Filter(json, name);
            }
            catch (FilterException e)
            {
                problems.Add((name, e.Message));
            }
        }

        try
        {
            Read(json);
        }
        catch (BadRequestBodyException e)
        {
            var parts = e.Message.Split(": ", 2);
            problems.Add((parts[0], parts[^1]));
        }
        catch (FilterException e) when (problems.Count == 0)
        {
            problems.Add(("query", e.Message));
        }
        catch (FilterException)
        {
            // Told above, with its field.
        }

        return problems;
    }

    /// <summary>The filter that a question in words was taken for; null when none was asked. No model reads it here: its words are searched for.</summary>
    public static string? ParsedQuery(JsonElement json) =>
        json.Text("query") is { Length: > 0 } words
            ? $"search({JsonSerializer.Serialize(words)})"
            : null;

    /// <summary>True when fields are selected that only the whole trace can tell.</summary>
    public static bool WantsTraces(JsonElement json) =>
        json.Texts("select")
            .Any(s =>
                s
                    is "child_run_ids"
                        or "direct_child_run_ids"
                        or "trace_min_max_start_time"
                        or "trace_first_received_at"
            );

    private static RunParts Parts(JsonElement json)
    {
        if (json.Field("select") is not { ValueKind: JsonValueKind.Array } select)
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
                        "error" or "error_or_signed_url" => RunParts.FullError,
                        "serialized" or "manifest" or "serialized_or_signed_url" =>
                            RunParts.Serialized,
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

    /// <summary>The place in the trace; the first is the root, which has a cheaper question.</summary>
    private static Filter.Compare? ExecutionOrder(JsonElement json) =>
        json.Int("execution_order") is { } place and not 1
            ? new Filter.Compare(
                RunField.ExecutionOrder,
                Comparison.Equal,
                FilterValue.Of(place, place.ToString(CultureInfo.InvariantCulture))
            )
            : null;

    private static Filter? Search(JsonElement json) =>
        ParsedQuery(json) is { } text ? LangSmithFilterParser.Parse(text) : null;

    private static Filter? All(params IEnumerable<Filter?> filters) =>
        filters.OfType<Filter>().ToList() switch
        {
            [] => null,
            [var one] => one,
            var several => new Filter.And(several),
        };

    private static Filter? Filter(JsonElement json, string name) =>
        json.Text(name) is { Length: > 0 } text ? LangSmithFilterParser.Parse(text) : null;
}
