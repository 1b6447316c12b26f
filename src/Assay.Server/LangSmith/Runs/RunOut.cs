using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Writes a run as LangSmith's v1 clients read it. Payloads are copied verbatim. A client's <c>select</c> is a hint: cheap fields are always there.</summary>
internal static class RunOut
{
    /// <summary>For a caller of the workspace.</summary>
    public static void Write(
        Utf8JsonWriter w,
        Run run,
        Caller caller,
        Func<Attachment, string>? attachmentUrl = null,
        RunRelations? relations = null,
        IEnumerable<FeedbackRecord>? feedbacks = null,
        Action? more = null
    )
    {
        relations ??= RunRelations.None;
        w.WriteStartObject();
        Fields(w, run, attachmentUrl, relations);
        w.WriteString("session_id", run.ProjectId);
        w.WriteId("reference_dataset_id", relations.DatasetOf(run));
        w.WriteString("app_path", AppPath(run, caller.WorkspaceId));
        w.WriteString("thread_id", run.ThreadId);
        w.WriteId(
            "share_token",
            relations.ShareTokens.TryGetValue(run.Id, out var token) ? token : null
        );
        w.WriteBoolean("in_dataset", relations.InDatasets.Contains(run.Id));
        w.WriteTime("last_queued_at", relations.QueuedAt(run));
        w.WriteString("trace_tier", "longlived");
        w.WriteTime("trace_first_received_at", relations.FirstReceived(run));
        w.WriteNull("ttl_seconds");
        w.WriteBoolean("trace_upgrade", false);
        if (feedbacks is not null)
        {
            w.WriteStartArray("feedbacks");
            foreach (var item in feedbacks)
            {
                FeedbackJson.Write(w, item);
            }

            w.WriteEndArray();
        }

        more?.Invoke();
        w.WriteEndObject();
    }

    /// <summary>For whoever holds a share token: nothing of the workspace around the run.</summary>
    public static void WritePublic(
        Utf8JsonWriter w,
        Run run,
        Func<Attachment, string> attachmentUrl,
        RunRelations relations,
        bool withProject = false
    )
    {
        w.WriteStartObject();
        Fields(w, run with { FeedbackStats = Public(run.FeedbackStats) }, attachmentUrl, relations);
        if (withProject)
        {
            w.WriteString("session_id", run.ProjectId);
        }

        w.WriteEndObject();
    }

    /// <summary>The run's place in the web pages of the product.</summary>
    public static string AppPath(Run run, Guid workspaceId) =>
        $"/o/{workspaceId}/projects/p/{run.ProjectId}/r/{run.Id}?trace_id={run.TraceId}&start_time={Wire.Time(run.StartTime)}";

    /// <summary>Feedback as everybody with a link may see it: without who or what gave it.</summary>
    public static IReadOnlyDictionary<string, FeedbackStats> Public(
        IReadOnlyDictionary<string, FeedbackStats> stats
    ) => stats.ToDictionary(s => s.Key, s => s.Value with { Sources = [] });

    /// <summary>Feedback summed up by key.</summary>
    public static void Feedback(
        Utf8JsonWriter w,
        IReadOnlyDictionary<string, FeedbackStats> stats,
        string name = "feedback_stats"
    )
    {
        w.WriteStartObject(name);
        foreach (var (key, f) in stats)
        {
            w.WriteStartObject(key);
            w.WriteNumber("n", f.Count);
            w.WriteNumber("avg", f.Average);
            w.WriteNumber("min", f.Min);
            w.WriteNumber("max", f.Max);
            w.WriteNumber("stdev", f.StandardDeviation);
            w.WriteNumber("errors", f.Errors);
            w.WriteStartObject("values");
            foreach (var (label, count) in f.Values)
            {
                w.WriteNumber(label, count);
            }

            w.WriteEndObject();
            w.WriteTexts("comments", f.Comments);
            w.WriteStartArray("sources");
            foreach (var source in f.Sources)
            {
                w.WriteRawValue(source);
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        w.WriteEndObject();
    }

    /// <summary>The wire knows seven types; agents and guardrails are chains there.</summary>
    public static string Kind(RunKind kind) =>
        kind is RunKind.Agent or RunKind.Guardrail ? "chain" : kind.ToString().ToLowerInvariant();

    /// <summary>The runs above, root first, as the order key names them.</summary>
    public static IReadOnlyList<Guid> Ancestors(string dottedOrder) =>
        [
            .. dottedOrder
                .Split('.')
                .SkipLast(1)
                .Where(s => s.Length > 36)
                .Select(s => Guid.TryParse(s[^36..], out var id) ? id : Guid.Empty),
        ];

    /// <summary>Writes one payload verbatim.</summary>
    public static void Payload(
        Utf8JsonWriter w,
        string name,
        Run run,
        PayloadKind kind,
        string absent
    )
    {
        w.WritePropertyName(name);
        if (run.Payloads.TryGetValue(kind, out var json))
        {
            // Checked when it came in; checking again would cost every read.
            w.WriteRawValue(json.Span, skipInputValidation: true);
        }
        else
        {
            w.WriteRawValue(absent);
        }
    }

    private static void Fields(
        Utf8JsonWriter w,
        Run run,
        Func<Attachment, string>? attachmentUrl,
        RunRelations relations
    )
    {
        w.WriteString("id", run.Id);
        w.WriteString("name", run.Name);
        w.WriteString("run_type", Kind(run.Kind));
        w.WriteTime("start_time", run.StartTime);
        w.WriteTime("end_time", run.EndTime);
        w.WriteString("status", run.Status.ToString().ToLowerInvariant());
        w.WriteString("error", run.Error);
        w.WriteNumber("execution_order", 1);
        Payload(w, "inputs", run, PayloadKind.Inputs, "{}");
        Payload(w, "outputs", run, PayloadKind.Outputs, "null");
        Payload(w, "extra", run, PayloadKind.Extra, "{}");
        Payload(w, "events", run, PayloadKind.Events, "[]");
        Payload(w, "serialized", run, PayloadKind.Serialized, "null");
        w.WriteString("inputs_preview", run.InputsPreview);
        w.WriteString("outputs_preview", run.OutputsPreview);
        w.WriteTexts("tags", run.Tags);
        w.WriteId("parent_run_id", run.ParentRunId);
        w.WriteIds("parent_run_ids", Ancestors(run.DottedOrder));
        if (relations.Traces.TryGetValue(run.TraceId, out var trace))
        {
            w.WriteIds("direct_child_run_ids", trace.Children(run.Id));
            w.WriteIds("child_run_ids", trace.Descendants(run.Id));
            w.WriteTime("trace_min_start_time", trace.MinStart);
            w.WriteTime("trace_max_start_time", trace.MaxStart);
        }

        w.WriteString("trace_id", run.TraceId);
        w.WriteString("dotted_order", run.DottedOrder);
        w.WriteId("reference_example_id", run.ReferenceExampleId);
        w.WriteTime("first_token_time", run.FirstTokenTime);
        Figures(w, run);
        Feedback(w, run.FeedbackStats);
        w.WriteStartObject("s3_urls");
        foreach (var file in attachmentUrl is null ? [] : run.Attachments)
        {
            w.WriteStartObject("attachment." + file.Name);
            w.WriteString("presigned_url", attachmentUrl!(file));
            w.WriteString("mime_type", file.ContentType);
            w.WriteEndObject();
        }

        w.WriteEndObject();
        w.WriteNull("inputs_s3_urls");
        w.WriteNull("outputs_s3_urls");
        w.WriteNull("manifest_id");
        w.WriteNull("manifest_s3_id");
    }

    private static void Figures(Utf8JsonWriter w, Run run)
    {
        var totals = run.Totals;
        w.WriteNumber("total_tokens", totals.TotalTokens);
        w.WriteNumber("prompt_tokens", totals.PromptTokens);
        w.WriteNumber("completion_tokens", totals.CompletionTokens);
        Counts(w, "prompt_token_details", run.Usage?.PromptDetails);
        Counts(w, "completion_token_details", run.Usage?.CompletionDetails);
        var isPriced =
            totals.Source != FigureSource.Unknown && totals.TotalTokens + totals.TotalCost > 0;
        w.WriteString("total_cost", isPriced ? Wire.Money(totals.TotalCost) : null);
        w.WriteString("prompt_cost", isPriced ? Wire.Money(totals.PromptCost) : null);
        w.WriteString("completion_cost", isPriced ? Wire.Money(totals.CompletionCost) : null);
        Costs(w, "prompt_cost_details", run.Cost?.PromptDetails);
        Costs(w, "completion_cost_details", run.Cost?.CompletionDetails);
        w.WriteId("price_model_id", run.Cost?.PriceId);
    }

    /// <summary>Parts of tokens by name.</summary>
    public static void Counts(
        Utf8JsonWriter w,
        string name,
        IReadOnlyDictionary<string, long>? details
    )
    {
        if (details is null)
        {
            w.WriteNull(name);
            return;
        }

        w.WriteStartObject(name);
        foreach (var (key, value) in details)
        {
            w.WriteNumber(key, value);
        }

        w.WriteEndObject();
    }

    private static void Costs(
        Utf8JsonWriter w,
        string name,
        IReadOnlyDictionary<string, decimal>? details
    )
    {
        if (details is null)
        {
            w.WriteNull(name);
            return;
        }

        w.WriteStartObject(name);
        foreach (var (key, value) in details)
        {
            w.WriteString(key, Wire.Money(value));
        }

        w.WriteEndObject();
    }
}
