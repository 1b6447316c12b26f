using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Feedback;

/// <summary>Summed-up feedback as filters see it: one judgement per key with the mean as its score, and one per label.</summary>
public static class SummaryFeedback
{
    /// <summary>A stand-in run that bears the feedback and the metadata.</summary>
    /// <param name="feedback">Figures by key.</param>
    /// <param name="metadata">Metadata as text pairs.</param>
    /// <param name="extra">The JSON object that holds <c>metadata</c>; null when there is none.</param>
    public static FilterSubject Subject(
        IReadOnlyDictionary<string, FeedbackStats> feedback,
        IReadOnlyList<KeyValuePair<string, string>>? metadata = null,
        ReadOnlyMemory<byte>? extra = null
    )
    {
        var run = new Run
        {
            Id = Guid.Empty,
            ProjectId = Guid.Empty,
            TraceId = Guid.Empty,
            DottedOrder = "",
            Name = "",
            Kind = RunKind.Chain,
            Status = RunStatus.Success,
            StartTime = default,
            Metadata = metadata ?? [],
            Payloads = extra is { } json
                ? new Dictionary<PayloadKind, ReadOnlyMemory<byte>> { [PayloadKind.Extra] = json }
                : [],
        };
        return new FilterSubject(run)
        {
            Feedback = [.. feedback.SelectMany(f => Of(f.Key, f.Value))],
        };
    }

    private static IEnumerable<FeedbackRecord> Of(string key, FeedbackStats stats)
    {
        yield return new FeedbackRecord
        {
            Id = Guid.Empty,
            Key = key,
            Score = stats.Average,
        };
        foreach (var label in stats.Values.Keys)
        {
            yield return new FeedbackRecord
            {
                Id = Guid.Empty,
                Key = key,
                ValueJson = System.Text.Json.JsonSerializer.Serialize(label),
            };
        }
    }
}
