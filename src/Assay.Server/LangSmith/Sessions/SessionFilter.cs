using System.Text;
using System.Text.Json.Nodes;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Subject = (
    Assay.Core.Projects.Project Project,
    Assay.Server.LangSmith.Sessions.SessionFigures Figures
);

namespace Assay.Server.LangSmith.Sessions;

/// <summary>The <c>filter</c> of <c>GET /sessions</c>: the filter language over projects, their metadata and, where it names them, their figures.</summary>
internal static class SessionFilter
{
    private static readonly Dictionary<string, SummaryField<Subject>> s_own = new()
    {
        ["id"] = new SummaryField<Subject>.Text(s => s.Project.Id.ToString()),
        ["name"] = new SummaryField<Subject>.Text(s => s.Project.Name),
        ["description"] = new SummaryField<Subject>.Text(s => s.Project.Description),
        ["start_time"] = new SummaryField<Subject>.Time(s => s.Project.StartTime),
        ["end_time"] = new SummaryField<Subject>.Time(s => s.Project.EndTime),
        ["reference_dataset_id"] = new SummaryField<Subject>.Text(s =>
            s.Project.ReferenceDatasetId?.ToString()
        ),
        ["default_dataset_id"] = new SummaryField<Subject>.Text(s =>
            s.Project.DefaultDatasetId?.ToString()
        ),
    };

    private static readonly SummaryFields<Subject> s_fields = new(
        new Dictionary<string, SummaryField<Subject>>(s_own)
        {
            ["run_count"] = new SummaryField<Subject>.Number(s => s.Figures.Runs.RunCount),
            ["error_rate"] = new SummaryField<Subject>.Number(s =>
                s.Figures.Runs.RunCount == 0
                    ? null
                    : (double)s.Figures.Runs.ErrorCount / s.Figures.Runs.RunCount
            ),
            ["latency_p50"] = new SummaryField<Subject>.Seconds(s => s.Figures.Runs.Latency?.P50),
            ["latency_p99"] = new SummaryField<Subject>.Seconds(s => s.Figures.Runs.Latency?.P99),
            ["total_tokens"] = new SummaryField<Subject>.Number(s =>
                s.Figures.Runs.Totals.TotalTokens
            ),
            ["total_cost"] = new SummaryField<Subject>.Number(s =>
                (double)s.Figures.Runs.Totals.TotalCost
            ),
            ["last_run_start_time"] = new SummaryField<Subject>.Time(s =>
                s.Figures.Runs.LastRunStart
            ),
        },
        Pairs
    );

    /// <summary>Parses a text.</summary>
    /// <exception cref="FilterException">The text is not a filter, or names what projects do not have.</exception>
    public static SummaryFilter<Subject> Parse(string text) => new(text, s_fields);

    /// <summary>True when the runs of a project have to be looked at.</summary>
    public static bool ReadsFigures(SummaryFilter<Subject> filter) =>
        filter.ReadsFeedback
        || filter.Names.Any(n => s_fields.Scalars.ContainsKey(n) && !s_own.ContainsKey(n));

    /// <summary>Metadata, and feedback of both kinds: on the runs and on the project itself.</summary>
    private static FilterSubject Pairs(Subject subject)
    {
        var metadata =
            subject.Project.ExtraJson is { } extra
            && JsonNode.Parse(extra)?["metadata"] is JsonObject found
                ? found
                : [];
        return SummaryFeedback.Subject(
            subject
                .Figures.Runs.Feedback.Concat(subject.Figures.Feedback)
                .DistinctBy(f => f.Key)
                .ToDictionary(),
            [
                .. metadata.Select(m => new KeyValuePair<string, string>(
                    m.Key,
                    m.Value switch
                    {
                        JsonValue value when value.TryGetValue<string>(out var text) => text,
                        { } value => value.ToJsonString(),
                        null => "null",
                    }
                )),
            ],
            Encoding.UTF8.GetBytes(subject.Project.ExtraJson ?? "{}")
        );
    }
}
