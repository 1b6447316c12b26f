using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Assay.Core.Sharing;

/// <summary>
/// What whoever has a link may read of an experiment's metadata: what its author wrote down about it, not what SDKs add about the machine and
/// the person it ran for. Of <c>git</c> the commit and whether it was clean stay; branches, remotes, authors, environment variables and
/// what runners keep for themselves do not, and nothing that holds an e-mail address does.
/// </summary>
public static partial class PublicMetadata
{
    private static readonly string[] s_git = ["commit", "dirty"];
    private static readonly string[] s_left =
    [
        "runtime",
        "branch",
        "remote_url",
        "remoteUrl",
        "author",
        "author_name",
        "authorName",
        "user",
        "user_id",
        "user_name",
        "username",
        "hostname",
    ];
    private static readonly string[] s_environment = ["__", "LANGSMITH_", "LANGCHAIN_"];

    /// <summary>The same, of a project's or comparison's <c>extra</c>: an object that has <c>metadata</c> alone. An extra that is no object gives an empty one.</summary>
    public static string Extra(string? extraJson)
    {
        try
        {
            return new JsonObject
            {
                ["metadata"] =
                    (extraJson is null ? null : JsonNode.Parse(extraJson)) is JsonObject extra
                    && extra["metadata"] is JsonObject metadata
                        ? Of(metadata)
                        : new JsonObject(),
            }.ToJsonString();
        }
        catch (JsonException)
        {
            return """{"metadata":{}}""";
        }
    }

    /// <summary>The part of metadata that everybody may read; a copy.</summary>
    public static JsonObject Of(JsonObject metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var kept = new JsonObject();
        foreach (var (name, value) in metadata)
        {
            if (name == "git")
            {
                if (value is JsonObject git)
                {
                    kept[name] = new JsonObject(
                        git.Where(g => s_git.Contains(g.Key))
                            .Select(g => KeyValuePair.Create(g.Key, Without(g.Value)))
                    );
                }
            }
            else if (
                !s_left.Contains(name)
                && !s_environment.Any(e => name.StartsWith(e, StringComparison.Ordinal))
                && Without(value) is { } rest
            )
            {
                kept[name] = rest;
            }
        }

        return kept;
    }

    /// <summary>A copy without texts and names that hold an e-mail address; null when nothing stays.</summary>
    private static JsonNode? Without(JsonNode? value) =>
        value switch
        {
            JsonObject inner => new JsonObject(
                inner
                    .Where(p => !Address().IsMatch(p.Key))
                    .Select(p => KeyValuePair.Create(p.Key, Without(p.Value)))
                    .Where(p => p.Value is not null)
            ),
            JsonArray list => new JsonArray([.. list.Select(Without).Where(v => v is not null)]),
            JsonValue text when text.TryGetValue<string>(out var said) && Address().IsMatch(said) =>
                null,
            _ => value?.DeepClone(),
        };

    [GeneratedRegex(@"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+", RegexOptions.None, 1_000)]
    private static partial Regex Address();
}
