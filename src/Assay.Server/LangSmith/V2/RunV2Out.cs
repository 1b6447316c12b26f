using System.Text.Json;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.V2;

/// <summary>
/// Writes a run as v2 clients read it: enums in upper case, costs as numbers, parts of tokens and costs under <c>raw</c>, metadata at the
/// top level, attachments as name and address, times with Z; only what is selected.
/// </summary>
internal sealed class RunV2Out(
    RunSelection selects,
    Guid workspaceId,
    string host,
    Func<Attachment, string> attachmentUrl,
    RunRelations relations
)
{
    private const int PreviewLength = 300;

    public void Write(Utf8JsonWriter w, Run run)
    {
        w.WriteStartObject();
        Identity(w, run);
        Times(w, run);
        Bodies(w, run);
        Figures(w, run);
        Relations(w, run);
        w.WriteEndObject();
    }

    /// <summary>Parts of tokens, as <c>{"raw": {…}}</c>; null when there are none.</summary>
    public static void Counts(
        Utf8JsonWriter w,
        string name,
        IReadOnlyDictionary<string, long>? details
    )
    {
        if (details is null || details.Count == 0)
        {
            w.WriteNull(name);
            return;
        }

        w.WriteStartObject(name);
        w.WriteStartObject("raw");
        foreach (var (key, value) in details)
        {
            w.WriteNumber(key, value);
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    /// <summary>Parts of a cost, as <c>{"raw": {…}}</c>; null when there are none.</summary>
    public static void Costs(
        Utf8JsonWriter w,
        string name,
        IReadOnlyDictionary<string, decimal>? details
    )
    {
        if (details is null || details.Count == 0)
        {
            w.WriteNull(name);
            return;
        }

        w.WriteStartObject(name);
        w.WriteStartObject("raw");
        foreach (var (key, value) in details)
        {
            w.WriteNumber(key, value);
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    /// <summary>A cost in dollars; null while it is not known.</summary>
    public static void Cost(Utf8JsonWriter w, string name, TraceTotals totals, decimal cost)
    {
        if (totals.Source == FigureSource.Unknown)
        {
            w.WriteNull(name);
        }
        else
        {
            w.WriteNumber(name, cost);
        }
    }

    /// <summary>The first characters of an error.</summary>
    public static string? Preview(string? error) =>
        error is { Length: > PreviewLength } ? error[..PreviewLength] : error;

    private void Identity(Utf8JsonWriter w, Run run)
    {
        if (selects.Has("ID"))
        {
            w.WriteString("id", run.Id);
        }

        if (selects.Has("NAME"))
        {
            w.WriteString("name", run.Name);
        }

        if (selects.Has("RUN_TYPE"))
        {
            w.WriteString("run_type", RunOut.Kind(run.Kind).ToUpperInvariant());
        }

        if (selects.Has("STATUS"))
        {
            w.WriteString("status", run.Status.ToString().ToUpperInvariant());
        }

        if (selects.Has("PROJECT_ID"))
        {
            w.WriteString("project_id", run.ProjectId);
        }

        if (selects.Has("TRACE_ID"))
        {
            w.WriteString("trace_id", run.TraceId);
        }

        if (selects.Has("THREAD_ID"))
        {
            w.WriteString("thread_id", run.ThreadId);
        }

        if (selects.Has("DOTTED_ORDER"))
        {
            w.WriteString("dotted_order", run.DottedOrder);
        }

        if (selects.Has("PARENT_RUN_IDS"))
        {
            w.WriteIds("parent_run_ids", RunOut.Ancestors(run.DottedOrder));
        }

        if (selects.Has("IS_ROOT"))
        {
            w.WriteBoolean("is_root", run.IsRoot);
        }

        if (selects.Has("TAGS"))
        {
            w.WriteTexts("tags", run.Tags);
        }
    }

    private void Times(Utf8JsonWriter w, Run run)
    {
        if (selects.Has("START_TIME"))
        {
            w.WriteUtc("start_time", run.StartTime);
        }

        if (selects.Has("END_TIME"))
        {
            w.WriteUtc("end_time", run.EndTime);
        }

        if (selects.Has("FIRST_TOKEN_TIME"))
        {
            w.WriteUtc("first_token_time", run.FirstTokenTime);
        }

        if (selects.Has("LATENCY_SECONDS"))
        {
            w.WriteNumber("latency_seconds", run.Latency?.TotalSeconds);
        }

        if (selects.Has("LAST_QUEUED_AT"))
        {
            w.WriteUtc("last_queued_at", relations.QueuedAt(run));
        }

        // Nothing evaluates threads here.
        if (selects.Has("THREAD_EVALUATION_TIME"))
        {
            w.WriteNull("thread_evaluation_time");
        }
    }

    private void Bodies(Utf8JsonWriter w, Run run)
    {
        if (selects.Has("ERROR"))
        {
            w.WriteString("error", run.Error);
        }

        if (selects.Has("ERROR_PREVIEW"))
        {
            w.WriteString("error_preview", Preview(run.Error));
        }

        if (selects.Has("INPUTS"))
        {
            RunOut.Payload(w, "inputs", run, PayloadKind.Inputs, "{}");
        }

        if (selects.Has("INPUTS_PREVIEW"))
        {
            w.WriteString("inputs_preview", run.InputsPreview);
        }

        if (selects.Has("OUTPUTS"))
        {
            RunOut.Payload(w, "outputs", run, PayloadKind.Outputs, "null");
        }

        if (selects.Has("OUTPUTS_PREVIEW"))
        {
            w.WriteString("outputs_preview", run.OutputsPreview);
        }

        if (selects.Has("EXTRA"))
        {
            RunOut.Payload(w, "extra", run, PayloadKind.Extra, "{}");
        }

        if (selects.Has("METADATA"))
        {
            w.WriteJson("metadata", Metadata(run));
        }

        if (selects.Has("EVENTS"))
        {
            RunOut.Payload(w, "events", run, PayloadKind.Events, "[]");
        }

        if (selects.Has("MANIFEST"))
        {
            RunOut.Payload(w, "manifest", run, PayloadKind.Serialized, "null");
        }

        if (selects.Has("ATTACHMENTS"))
        {
            w.WriteStartObject("attachments");
            foreach (var file in run.Attachments)
            {
                w.WriteString(file.Name, attachmentUrl(file));
            }

            w.WriteEndObject();
        }
    }

    private void Figures(Utf8JsonWriter w, Run run)
    {
        var totals = run.Totals;
        if (selects.Has("TOTAL_TOKENS"))
        {
            w.WriteNumber("total_tokens", totals.TotalTokens);
        }

        if (selects.Has("PROMPT_TOKENS"))
        {
            w.WriteNumber("prompt_tokens", totals.PromptTokens);
        }

        if (selects.Has("COMPLETION_TOKENS"))
        {
            w.WriteNumber("completion_tokens", totals.CompletionTokens);
        }

        if (selects.Has("TOTAL_COST"))
        {
            Cost(w, "total_cost", totals, totals.TotalCost);
        }

        if (selects.Has("PROMPT_COST"))
        {
            Cost(w, "prompt_cost", totals, totals.PromptCost);
        }

        if (selects.Has("COMPLETION_COST"))
        {
            Cost(w, "completion_cost", totals, totals.CompletionCost);
        }

        if (selects.Has("PROMPT_TOKEN_DETAILS"))
        {
            Counts(w, "prompt_token_details", run.Usage?.PromptDetails);
        }

        if (selects.Has("COMPLETION_TOKEN_DETAILS"))
        {
            Counts(w, "completion_token_details", run.Usage?.CompletionDetails);
        }

        if (selects.Has("PROMPT_COST_DETAILS"))
        {
            Costs(w, "prompt_cost_details", run.Cost?.PromptDetails);
        }

        if (selects.Has("COMPLETION_COST_DETAILS"))
        {
            Costs(w, "completion_cost_details", run.Cost?.CompletionDetails);
        }

        if (selects.Has("PRICE_MODEL_ID"))
        {
            w.WriteId("price_model_id", run.Cost?.PriceId);
        }

        if (selects.Has("FEEDBACK_STATS"))
        {
            RunOut.Feedback(w, run.FeedbackStats);
        }
    }

    private void Relations(Utf8JsonWriter w, Run run)
    {
        if (selects.Has("REFERENCE_EXAMPLE_ID"))
        {
            w.WriteId("reference_example_id", run.ReferenceExampleId);
        }

        if (selects.Has("REFERENCE_DATASET_ID"))
        {
            w.WriteId("reference_dataset_id", relations.DatasetOf(run));
        }

        if (selects.Has("IS_IN_DATASET"))
        {
            w.WriteBoolean(
                "is_in_dataset",
                run.ReferenceExampleId is not null || relations.InDatasets.Contains(run.Id)
            );
        }

        if (selects.Has("APP_PATH"))
        {
            w.WriteString("app_path", RunOut.AppPath(run, workspaceId));
        }

        if (selects.Has("SHARE_URL"))
        {
            w.WriteString(
                "share_url",
                relations.ShareTokens.TryGetValue(run.Id, out var token)
                    ? $"{host}/public/{token}/r"
                    : null
            );
        }
    }

    /// <summary>The metadata with its types, from extra; a run whose extra is gone still has its pairs as texts.</summary>
    private static string Metadata(Run run)
    {
        if (run.Payloads.TryGetValue(PayloadKind.Extra, out var extra))
        {
            using var document = JsonDocument.Parse(
                extra,
                new JsonDocumentOptions { MaxDepth = 256 }
            );
            return document.RootElement.RawObject("metadata") ?? "{}";
        }

        return JsonSerializer.Serialize(run.Metadata.DistinctBy(m => m.Key).ToDictionary());
    }
}
