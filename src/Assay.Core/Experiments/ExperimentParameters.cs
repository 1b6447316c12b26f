using System.Globalization;
using System.Text.Json.Nodes;
using Assay.Core.Projects;
using Assay.Core.Sharing;

namespace Assay.Core.Experiments;

/// <summary>
/// What an experiment says about how it was made, from its metadata: first what every experiment should tell (under names of their own, so
/// that they are one column whoever wrote them), then its hyperparameters.
/// </summary>
public static class ExperimentParameters
{
    private const int MaxKeys = 100;

    /// <summary>The model.</summary>
    public const string Model = "model";

    /// <summary>The prompt and its commit.</summary>
    public const string Prompt = "prompt";

    /// <summary>The commit of the code.</summary>
    public const string Commit = "git commit";

    /// <summary>The version of the dataset.</summary>
    public const string Version = "dataset version";

    /// <summary>The splits it ran on.</summary>
    public const string Split = "split";

    /// <summary>How often each example was run, when more than once.</summary>
    public const string Repetitions = "repetitions";

    /// <summary>The names of what every experiment should tell.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [Model, Prompt, Commit, Version, Split, Repetitions];

    /// <summary>What runners write for themselves: shown nowhere as a parameter.</summary>
    private static readonly string[] s_noise =
    [
        "LANGSMITH_TRACING",
        "commit",
        "branch",
        "dirty",
        "revision_id",
        "dataset_version",
        "dataset_splits",
        "num_repetitions",
        "num_examples",
        "prompt_commit",
        "lc_hub_commit_hash",
    ];

    /// <summary>Values by name, known ones first.</summary>
    public static IReadOnlyDictionary<string, string> Of(Project experiment) =>
        Of(ExperimentResults.MetadataOf(experiment));

    /// <summary>Those that everybody who has a link may read; see <see cref="PublicMetadata"/>.</summary>
    public static IReadOnlyDictionary<string, string> PublicOf(Project experiment) =>
        Of(PublicMetadata.Of(ExperimentResults.MetadataOf(experiment)));

    private static Dictionary<string, string> Of(JsonObject metadata)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        Flatten(metadata, "", flat);
        string? First(params ReadOnlySpan<string> keys)
        {
            foreach (var key in keys)
            {
                if (flat.TryGetValue(key, out var value) && value.Length > 0)
                {
                    return value;
                }
            }

            return null;
        }

        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string name, string? value)
        {
            if (value is { Length: > 0 })
            {
                named[name] = value;
            }
        }

        var (model, prompt) = (
            First("model", "model_name", "ls_model_name", "models"),
            First("prompt", "prompt_name", "lc_hub_repo", "prompts")
        );
        var promptCommit = First("prompt_commit", "lc_hub_commit_hash");
        var commit = First("git.commit", "commit", "git_commit", "revision_id");
        var branch = First("git.branch", "branch");
        Add(Model, model);
        Add(
            Prompt,
            promptCommit is null ? prompt
                : prompt is null || prompt.Contains(':', StringComparison.Ordinal)
                    ? prompt ?? Short(promptCommit)
                : $"{prompt}:{Short(promptCommit)}"
        );
        Add(
            Commit,
            commit is null
                ? null
                : Short(commit)
                    + (First("git.dirty", "dirty") == "true" ? "*" : "")
                    + (branch is null or "HEAD" ? "" : $" ({branch})")
        );
        Add(Version, Day(First("dataset_version")));
        Add(Split, List(First("dataset_splits", "splits", "split")));
        Add(Repetitions, First("num_repetitions") is { } n and not "1" ? n : null);
        foreach (var (key, value) in flat)
        {
            if (
                !named.ContainsKey(key)
                && !s_noise.Contains(key)
                && !key.StartsWith("git.", StringComparison.Ordinal)
            )
            {
                named[key] = value;
            }
        }

        return named;
    }

    private static void Flatten(JsonObject values, string prefix, Dictionary<string, string> flat)
    {
        foreach (var (key, value) in values)
        {
            if (key.StartsWith("__", StringComparison.Ordinal) || flat.Count >= MaxKeys)
            {
                continue;
            }

            if (value is JsonObject inner && prefix.Length < 60)
            {
                Flatten(inner, prefix + key + ".", flat);
            }
            else if (value is not null)
            {
                flat[prefix + key] =
                    value is JsonValue v && v.TryGetValue<string>(out var text)
                        ? text
                        : value.ToJsonString();
            }
        }
    }

    /// <summary>A hash in the length people use.</summary>
    private static string Short(string hash) =>
        hash.Length >= 20 && hash.All(char.IsAsciiHexDigit) ? hash[..8] : hash;

    private static string? Day(string? time) =>
        DateTimeOffset.TryParse(
            time,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var at
        )
            ? at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : time;

    private static string? List(string? json)
    {
        try
        {
            return json?.StartsWith('[') == true && JsonNode.Parse(json) is JsonArray names
                ? string.Join(", ", names.Select(n => n?.ToString()))
                : json;
        }
        catch (System.Text.Json.JsonException)
        {
            return json;
        }
    }
}
