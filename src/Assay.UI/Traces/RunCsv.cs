using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>Runs as CSV for spreadsheets: RFC 4180, and no cell that a spreadsheet would run as a formula.</summary>
internal static class RunCsv
{
    private const string Head =
        "id,trace_id,parent_run_id,name,run_type,status,start_time,latency_s,first_token_s,prompt_tokens,completion_tokens,total_tokens,total_cost_usd,model,thread_id,tags,feedback,input,output,error\r\n";

    public static async Task HeadAsync(PipeWriter output, CancellationToken cancellationToken) =>
        await output.WriteAsync(Encoding.UTF8.GetBytes(Head), cancellationToken);

    public static async Task WriteAsync(
        PipeWriter output,
        Run run,
        CancellationToken cancellationToken
    )
    {
        string?[] cells =
        [
            run.Id.ToString(),
            run.TraceId.ToString(),
            run.ParentRunId?.ToString(),
            run.Name,
            Kit.Format.Kind(run.Kind),
            run.Status.ToString().ToLowerInvariant(),
            Kit.Format.Iso(run.StartTime),
            run.Latency?.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture),
            run.FirstTokenLatency?.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture),
            run.Totals.PromptTokens.ToString(CultureInfo.InvariantCulture),
            run.Totals.CompletionTokens.ToString(CultureInfo.InvariantCulture),
            run.Totals.TotalTokens.ToString(CultureInfo.InvariantCulture),
            run.Totals.TotalCost.ToString("0.#########", CultureInfo.InvariantCulture),
            run.Model,
            run.ThreadId,
            string.Join(' ', run.Tags),
            string.Join(
                ' ',
                run.FeedbackStats.Select(f =>
                    $"{f.Key}={f.Value.Average?.ToString("0.###", CultureInfo.InvariantCulture)}"
                )
            ),
            run.InputsPreview,
            run.OutputsPreview,
            run.Error,
        ];
        await output.WriteAsync(
            Encoding.UTF8.GetBytes(string.Join(',', cells.Select(Cell)) + "\r\n"),
            cancellationToken
        );
    }

    internal static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        if (text[0] is '=' or '+' or '-' or '@' or '\t')
        {
            text = "'" + text;
        }

        return text.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? text
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
