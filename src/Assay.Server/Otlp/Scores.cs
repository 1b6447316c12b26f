using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;

namespace Assay.Server.Otlp;

/// <summary>Judgements that come as telemetry (<c>gen_ai.evaluation.result</c>) become feedback.</summary>
internal static class Scores
{
    /// <summary>Feedback on a run. Its ids follow from what is judged, so that a record that comes twice does not judge twice.</summary>
    public static IEnumerable<FeedbackRecord> Of(
        Guid workspaceId,
        RunWrite run,
        IReadOnlyList<MappedScore> scores,
        DateTimeOffset now
    ) =>
        scores.Select(score =>
        {
            var about = Encoding.UTF8.GetBytes($"{workspaceId}/{run.RunId}/{score.Key}");
            return new FeedbackRecord
            {
                Id = new Guid(SHA256.HashData(about).AsSpan(0, 16)),
                RunId = run.RunId,
                TraceId = run.TraceId,
                ProjectId = run.ProjectId,
                Key = score.Key,
                Score = score.Score,
                ValueJson = score.Label is { } label ? JsonSerializer.Serialize(label) : null,
                Comment = score.Comment,
                SourceType = "model",
                CreatedAt = now,
                ModifiedAt = now,
            };
        });
}
