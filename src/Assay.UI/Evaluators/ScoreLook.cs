using System.Globalization;
using Assay.Core.Feedback;

namespace Assay.UI.Evaluators;

/// <summary>How the scores of one key look where they are a chip.</summary>
internal static class ScoreLook
{
    /// <summary>What is said of a mean over people's and evaluators' scores.</summary>
    public const string Mixed = ", the mean of people’s and evaluators’ scores";

    /// <summary>Class of its colour.</summary>
    public static string? Css(FeedbackStats stats) =>
        stats.Average switch
        {
            // Only between 0 and 1 is it known what is good.
            null or < 0 or > 1 => "nil",
            < 0.5 => "lo",
            < 0.7 => "mid",
            _ => null,
        };

    /// <summary>The mean, or the label when there is one only, or how often labels were given; null for comments alone.</summary>
    public static string? Value(FeedbackStats stats) =>
        stats.Average is { } mean ? Math.Round(mean, 3).ToString(CultureInfo.InvariantCulture)
        : stats.Values.Count == 1 ? stats.Values.First().Key
        : stats.Values.Count > 1 ? $"{stats.Values.Count} labels"
        : null;

    /// <summary>Key and value in full, from how many, and where they come from.</summary>
    public static string Title(string key, FeedbackStats stats) =>
        (Value(stats) is { } value ? $"{key}: {value}" : key)
        + (
            stats.IsMixed
                ? $"; people {Part(stats.People)}, evaluators {Part(stats.Evaluators)}{(stats.Others.Scored > 0 ? $", API {Part(stats.Others)}" : null)}"
            : stats.Average is not null && stats.Count > 1
                ? string.Create(CultureInfo.InvariantCulture, $", mean of {stats.Count:N0}")
            : null
        );

    private static string Part(SourceScores scores) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Round(scores.Mean.GetValueOrDefault(), 3)} ({scores.Scored:N0})"
        );
}
