using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Assay.Core.Insights;

namespace Assay.Gateway.Simulation;

/// <summary>
/// What the simulated model answers when a report about a project is made: summaries are the first words, clusters are words that many
/// summaries share, a run belongs where its words are. The same questions get the same answers, and each says that it is simulated.
/// </summary>
internal static partial class SimulatedInsights
{
    private const int MaxWords = 24;
    private const int MaxErrorWords = 12;
    private const int MaxClusters = 6;
    private const int MaxSubclusters = 3;
    private const int MinLength = 4;
    private const int MaxPoints = 4;

    // In more of the summaries than this, a word tells nothing apart.
    private const double TooCommon = 0.7;

    private static readonly HashSet<string> s_stops =
    [
        .. (
            "about after again also been before being could does doing down each error failed from have having here html http https "
            + "input into just like many more most much name need only other output over please role said same should simulated some "
            + "such summary system than that their them then there these they this those time user using want were what when where "
            + "which while will with would your true false null content message messages text assistant human answer question type"
        ).Split(' '),
    ];

    /// <summary>The answer; null when the question is not one of a report.</summary>
    public static JsonObject? Answer(string? form, JsonElement schema, string asked) =>
        form switch
        {
            InsightsForms.Summary => Summary(Between(asked, "run")),
            InsightsForms.Clusters => Clusters(
                Lines(Between(asked, "summaries")),
                schema.GetRawText().Contains("subclusters", StringComparison.Ordinal)
            ),
            InsightsForms.Assignment => Assignment(Between(asked, "summary"), schema),
            InsightsForms.KeyPoints => new JsonObject
            {
                ["title"] = "Simulated report",
                ["key_points"] = new JsonArray([
                    .. Lines(Between(asked, "clusters"))
                        .Take(MaxPoints)
                        .Select(l => (JsonNode)$"Simulated: {l}."),
                ]),
            },
            _ => null,
        };

    private static JsonObject Summary(string run)
    {
        var input = Asked(Section(run, "Input:"));
        var said = First(input.Length > 0 ? input : run, MaxWords);
        var error = Section(run, "Error:");
        return new JsonObject
        {
            ["summary"] =
                $"Simulated summary: {said}"
                + (error.Length > 0 ? $" It failed: {First(error, MaxErrorWords)}" : ""),
        };
    }

    /// <summary>From the first message of a person on, where there is one: what the system is told is the same in every run.</summary>
    private static string Asked(string input) =>
        PersonPattern().Match(input) is { Success: true } person ? input[person.Index..] : input;

    private static JsonObject Clusters(List<string> summaries, bool hasSubclusters)
    {
        var clusters = new JsonArray();
        var words = summaries.ConvertAll(Words);
        foreach (var (word, held) in Shared(words, MaxClusters, []))
        {
            var cluster = Cluster(word, word);
            if (hasSubclusters)
            {
                var inner = Shared(held, MaxSubclusters, [word]).Select(s => s.Word).ToList();
                var subclusters = inner.ConvertAll(w => (JsonNode)Cluster($"{word}, {w}", w));
                if (inner.Count > 0 && held.Exists(h => !h.Overlaps(inner)))
                {
                    // "Other" is a word that tells nothing: what has the first word and none of the inner ones belongs here.
                    subclusters.Add(Cluster($"{word}, other", word));
                }

                cluster["subclusters"] = new JsonArray([.. subclusters]);
            }

            clusters.Add(cluster);
        }

        if (clusters.Count == 0)
        {
            var everything = Cluster("Everything", "everything");
            if (hasSubclusters)
            {
                everything["subclusters"] = new JsonArray();
            }

            clusters.Add(everything);
        }

        return new JsonObject { ["clusters"] = clusters };
    }

    private static JsonObject Cluster(string name, string word) =>
        new()
        {
            ["name"] = char.ToUpperInvariant(name[0]) + name[1..],
            ["description"] = $"Simulated: runs whose summaries have the word “{word}”.",
        };

    /// <summary>The words that together are in the most summaries, greedily: the next is the one that adds the most.</summary>
    private static IEnumerable<(string Word, List<HashSet<string>> Held)> Shared(
        List<HashSet<string>> summaries,
        int most,
        HashSet<string> without
    )
    {
        var left = summaries.ToList();
        var enough = Math.Max(1, summaries.Count / 50);
        for (var i = 0; i < most && left.Count > 0; i++)
        {
            var best = left.SelectMany(w => w)
                .Where(w => !without.Contains(w))
                .GroupBy(w => w, StringComparer.Ordinal)
                .Where(g =>
                    g.Count() >= enough
                    && (
                        summaries.Count < 4
                        || summaries.Count(s => s.Contains(g.Key)) <= TooCommon * summaries.Count
                    )
                )
                .OrderByDescending(g => g.Count())
                .ThenBy(g => g.Key, StringComparer.Ordinal)
                .FirstOrDefault();
            if (best is null)
            {
                yield break;
            }

            yield return (best.Key, left.FindAll(w => w.Contains(best.Key)));
            left.RemoveAll(w => w.Contains(best.Key));
        }
    }

    private static JsonObject Assignment(string summary, JsonElement schema)
    {
        var labels = schema
            .GetProperty("properties")
            .GetProperty("cluster")
            .GetProperty("enum")
            .EnumerateArray()
            .Select(l => l.GetString()!)
            .ToList();
        var words = Words(summary);
        // Of those whose words are all in the summary, the one that says the most.
        var fitting = labels
            .Where(l => l != InsightsForms.FitsNone)
            .Where(l => Words(l) is { Count: > 0 } own && own.IsSubsetOf(words))
            .MaxBy(l => Words(l).Count);
        return new JsonObject
        {
            ["cluster"] =
                fitting ?? (labels.Contains("Everything") ? "Everything" : InsightsForms.FitsNone),
        };
    }

    private static HashSet<string> Words(string text) =>
        [
            .. WordPattern()
                .Matches(text)
                .Select(m => m.Value.ToLowerInvariant())
                .Where(w => w.Length >= MinLength && !s_stops.Contains(w)),
        ];

    private static string First(string text, int words)
    {
        var all = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return all.Length <= words
            ? string.Join(' ', all)
            : string.Join(' ', all.Take(words)) + " …";
    }

    /// <summary>What stands after a heading, until the next one.</summary>
    private static string Section(string run, string heading)
    {
        var at = run.StartsWith(heading, StringComparison.Ordinal)
            ? 0
            : run.IndexOf("\n" + heading, StringComparison.Ordinal) + 1;
        if (at == 0 && !run.StartsWith(heading, StringComparison.Ordinal))
        {
            return "";
        }

        var rest = run[(at + heading.Length)..];
        var end = HeadingPattern().Match(rest) is { Success: true } next ? next.Index : rest.Length;
        return rest[..end].Trim();
    }

    private static List<string> Lines(string text) =>
        [
            .. text.Split('\n')
                .Where(l => l.StartsWith("- ", StringComparison.Ordinal))
                .Select(l => l[2..]),
        ];

    private static string Between(string text, string mark)
    {
        var start = text.IndexOf($"<{mark}>", StringComparison.Ordinal);
        var end = text.IndexOf($"</{mark}>", StringComparison.Ordinal);
        return start < 0 || end < start ? text : text[(start + mark.Length + 2)..end].Trim();
    }

    [GeneratedRegex(@"\p{L}[\p{L}\p{N}]*", RegexOptions.None, 1_000)]
    private static partial Regex WordPattern();

    [GeneratedRegex(
        @"^(user|human): ",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        1_000
    )]
    private static partial Regex PersonPattern();

    [GeneratedRegex(@"\n(Output|Error):", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex HeadingPattern();
}
