using System.IO.Pipelines;
using System.Text.Json;
using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>Runs as JSON lines for export.</summary>
internal static class RunLines
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Writes one line and flushes it.</summary>
    public static async Task WriteAsync(
        PipeWriter output,
        Run run,
        CancellationToken cancellationToken
    )
    {
        await using (var w = new Utf8JsonWriter(output, s_options))
        {
            w.WriteStartObject();
            w.WriteString("id", run.Id);
            w.WriteString("trace_id", run.TraceId);
            Text(w, "parent_run_id", run.ParentRunId?.ToString());
            w.WriteString("name", run.Name);
            w.WriteString("run_type", Kit.Format.Kind(run.Kind));
            w.WriteString("status", run.Status.ToString().ToLowerInvariant());
            w.WriteString("start_time", run.StartTime);
            Text(w, "end_time", run.EndTime is { } end ? Kit.Format.Iso(end) : null);
            Text(w, "error", run.Error);
            Text(w, "model", run.Model);
            Text(w, "thread_id", run.ThreadId);
            w.WriteNumber("prompt_tokens", run.Totals.PromptTokens);
            w.WriteNumber("completion_tokens", run.Totals.CompletionTokens);
            w.WriteNumber("total_tokens", run.Totals.TotalTokens);
            w.WriteNumber("total_cost", run.Totals.TotalCost);
            w.WriteStartArray("tags");
            foreach (var tag in run.Tags)
            {
                w.WriteStringValue(tag);
            }

            w.WriteEndArray();
            foreach (
                var (name, kind) in (ReadOnlySpan<(string, PayloadKind)>)
                    [
                        ("inputs", PayloadKind.Inputs),
                        ("outputs", PayloadKind.Outputs),
                        ("extra", PayloadKind.Extra),
                        ("events", PayloadKind.Events),
                    ]
            )
            {
                w.WritePropertyName(name);
                if (run.Payloads.TryGetValue(kind, out var json))
                {
                    Verbatim(w, json);
                }
                else
                {
                    w.WriteNullValue();
                }
            }

            w.WriteEndObject();
        }

        output.GetSpan(1)[0] = (byte)'\n';
        output.Advance(1);
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>As it was sent, except that a line must stay a line.</summary>
    private static void Verbatim(Utf8JsonWriter w, ReadOnlyMemory<byte> json)
    {
        if (json.Span.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            w.WriteRawValue(json.Span, skipInputValidation: true);
            return;
        }

        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
        document.RootElement.WriteTo(w);
    }

    private static void Text(Utf8JsonWriter w, string name, string? value)
    {
        if (value is not null)
        {
            w.WriteString(name, value);
        }
        else
        {
            w.WriteNull(name);
        }
    }
}
