using System.Globalization;
using System.Text.Json;
using Assay.Core.Models.Providers;

namespace Assay.Core.Insights;

/// <summary>What a report is asked to do.</summary>
public sealed record InsightsPlan
{
    /// <summary>The most runs a report looks at.</summary>
    public const int MaxSample = 1_000;

    /// <summary>Runs it looks at when nobody says how many.</summary>
    public const int DefaultSample = 100;

    /// <summary>The most clusters that hold runs.</summary>
    public const int MaxClusters = 30;

    /// <summary>The longest name, in characters.</summary>
    public const int MaxName = 200;

    /// <summary>The longest text about what to look for, in characters.</summary>
    public const int MaxFocus = 4_000;

    /// <summary>The most entries of <see cref="Context"/>.</summary>
    public const int MaxContext = 20;

    /// <summary>Name of the report; made up when null.</summary>
    public string? Name { get; init; }

    /// <summary>Only runs that began then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only runs that began then or before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only runs that meet this, in LangSmith's filter language; null for all.</summary>
    public string? Filter { get; init; }

    /// <summary>How many runs: from 1 a number, below 1 a share of those that match.</summary>
    public double Sample { get; init; } = DefaultSample;

    /// <summary>How many clusters are to hold runs; null leaves it to the model.</summary>
    public int? Clusters { get; init; }

    /// <summary>How many clusters are to hold clusters: 0 for one level, null for two levels where there are runs enough.</summary>
    public int? Groups { get; init; }

    /// <summary>Questions and answers about the application and what to look for.</summary>
    public IReadOnlyDictionary<string, string> Context { get; init; } =
        new Dictionary<string, string>();

    /// <summary>How runs are to be summarized, instead of the usual way.</summary>
    public string? SummaryPrompt { get; init; }

    /// <summary>Who summarizes runs.</summary>
    public required InsightsModel SummaryModel { get; init; }

    /// <summary>Who proposes clusters, sorts runs into them and writes the key points.</summary>
    public required InsightsModel ClusterModel { get; init; }

    /// <summary>True when both models are the built-in simulated one.</summary>
    public bool IsSimulated => SummaryModel.IsSimulated && ClusterModel.IsSimulated;

    /// <summary>The plan of a report.</summary>
    public static InsightsPlan Of(InsightsJob job) =>
        JsonSerializer.Deserialize<InsightsPlan>(job.PlanJson)
        ?? throw new InvalidOperationException("A report without a plan.");

    internal string ToJson() => JsonSerializer.Serialize(this);

    /// <exception cref="InvalidInsightsException">Something in it is unusable.</exception>
    internal void Check()
    {
        if (Name is not null && Name.Trim().Length is 0 or > MaxName)
        {
            throw new InvalidInsightsException("name", $"must have 1 to {MaxName} characters");
        }

        if (From > To)
        {
            throw new InvalidInsightsException("end_time", "must not be before start_time");
        }

        if (!double.IsFinite(Sample) || Sample is <= 0 or > MaxSample)
        {
            throw new InvalidInsightsException(
                "sample",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"must be a number of runs up to {MaxSample:N0}, or a share between 0 and 1"
                )
            );
        }

        if (Clusters is < 2 or > MaxClusters)
        {
            throw new InvalidInsightsException("hierarchy", $"2 to {MaxClusters} clusters");
        }

        if (Groups is < 0 or 1 or > MaxClusters || (Groups ?? 0) > (Clusters ?? MaxClusters))
        {
            throw new InvalidInsightsException(
                "hierarchy",
                "the upper level must have 2 clusters or more, and no more than the lower one"
            );
        }

        if (
            Context.Count > MaxContext
            || Context.Any(c => c.Key.Length > MaxFocus || c.Value.Length > MaxFocus)
        )
        {
            throw new InvalidInsightsException(
                "user_context",
                $"at most {MaxContext} entries of at most {MaxFocus:N0} characters"
            );
        }

        if (SummaryPrompt?.Length > MaxFocus)
        {
            throw new InvalidInsightsException(
                "summary_prompt",
                $"at most {MaxFocus:N0} characters"
            );
        }
    }
}

/// <summary>A model at a provider of the workspace.</summary>
/// <param name="ProviderId">The provider.</param>
/// <param name="Provider">Its name when the report was made.</param>
/// <param name="Model">The model.</param>
/// <param name="PricedAs">The provider as prices know it.</param>
public sealed record InsightsModel(Guid ProviderId, string Provider, string Model, string PricedAs)
{
    /// <summary>True for the built-in simulated model.</summary>
    public bool IsSimulated => ProviderId == ModelProvider.Simulated.Id;
}

/// <summary>A report that cannot be made as asked; the message is for the one who asked.</summary>
public sealed class InvalidInsightsException(string field, string reason)
    : Exception($"{field}: {reason}")
{
    /// <summary>The field at fault.</summary>
    public string Field { get; } = field;
}
