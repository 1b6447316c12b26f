using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;

namespace Assay.Core.Prompts;

/// <summary>
/// Agents and skills: directories of files whose commits hold the whole directory and are made from changes to it. An entry may be a link to another
/// agent or skill (<c>{"type": "skill", "repo_handle": …}</c>, at its newest commit or at the one it names); whoever reads the directory gets the link with
/// the commit it leads to and, below its path, the files there. Thread-safe.
/// </summary>
public sealed class PromptDirectories(PromptHub hub, PromptHistory history)
{
    private const int MaxFiles = 2_000;
    private const int MaxDepth = 10;

    /// <summary>The directory at a commit with what its links lead to; null reference means the newest.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    /// <exception cref="InvalidPromptException">It is a prompt.</exception>
    public async Task<(PromptCommit Commit, JsonElement Files)> GetAsync(
        Caller caller,
        PromptKey key,
        string? reference,
        CancellationToken cancellationToken
    )
    {
        await DemandDirectoryAsync(caller, key, cancellationToken);
        var commit = await history.PullAsync(caller, key, reference ?? "latest", cancellationToken);
        var files = new JsonObject();
        await FlattenAsync(
            caller,
            "",
            FilesOf(commit),
            key.Owner,
            [commit.PromptId],
            files,
            cancellationToken
        );
        return (commit, JsonSerializer.SerializeToElement(files));
    }

    /// <summary>Adds entries to a tree, links with the commit they lead to and what is there.</summary>
    private async Task FlattenAsync(
        Caller caller,
        string path,
        JsonObject entries,
        string owner,
        IReadOnlyList<Guid> way,
        JsonObject tree,
        CancellationToken cancellationToken
    )
    {
        foreach (var (name, entry) in entries)
        {
            if (tree.Count >= MaxFiles)
            {
                throw new InvalidPromptException(
                    $"files: at most {MaxFiles} with those that links lead to"
                );
            }

            var copy = entry!.DeepClone().AsObject();
            tree[path + name] = copy;
            if (KindOf(copy) is null)
            {
                continue;
            }

            var (key, found) = await FollowAsync(caller, copy, owner, cancellationToken);
            copy["owner"] = key.Owner;
            copy["commit_id"] = found?.Id.ToString();
            copy["commit_hash"] = found?.Hash;
            // What was deleted or made private since stays named, and leads nowhere.
            if (found is not null && !way.Contains(found.PromptId) && way.Count < MaxDepth)
            {
                await FlattenAsync(
                    caller,
                    $"{path}{name}/",
                    FilesOf(found),
                    key.Owner,
                    [.. way, found.PromptId],
                    tree,
                    cancellationToken
                );
            }
        }
    }

    /// <summary>Where a link leads: null when that is not there, or no directory.</summary>
    private async Task<(PromptKey Key, PromptCommit? Commit)> FollowAsync(
        Caller caller,
        JsonObject link,
        string owner,
        CancellationToken cancellationToken
    )
    {
        var key = new PromptKey(
            Text(link, "owner") is { Length: > 0 } said && said != PromptHub.Self ? said : owner,
            Text(link, "repo_handle") ?? ""
        );
        try
        {
            var listing = await hub.GetAsync(caller, key, cancellationToken);
            if (listing.Prompt.Kind != KindOf(link))
            {
                return (key, null);
            }

            return (
                key,
                Text(link, "commit_hash") is not { Length: > 0 } hash
                && Guid.TryParse(Text(link, "commit_id"), out var id)
                    ? await history.FindAsync(caller, key, id, cancellationToken)
                    : await history.FindAsync(
                        caller,
                        key,
                        Text(link, "commit_hash") is { Length: > 0 } named ? named : "latest",
                        cancellationToken
                    )
            );
        }
        catch (PromptNotFoundException)
        {
            return (key, null);
        }
    }

    private static JsonObject FilesOf(PromptCommit commit) =>
        JsonNode.Parse(commit.Manifest)?["files"] as JsonObject ?? [];

    /// <summary>What an entry links to; null for a file.</summary>
    private static PromptKind? KindOf(JsonObject entry) =>
        Text(entry, "type") switch
        {
            "agent" => PromptKind.Agent,
            "skill" => PromptKind.Skill,
            _ => null,
        };

    private static string? Text(JsonObject json, string name) =>
        json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>Applies changes to the newest directory: a file by path, or null to delete it.</summary>
    /// <exception cref="InvalidPromptException">A path or an entry is unusable.</exception>
    /// <exception cref="PromptConflictException">The parent is not the newest, or nothing changed.</exception>
    public async Task<PromptCommit> CommitAsync(
        Caller caller,
        PromptKey key,
        JsonElement changes,
        string? parent,
        CancellationToken cancellationToken
    )
    {
        if (changes.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidPromptException("files: must be an object of paths");
        }

        await DemandDirectoryAsync(caller, key, cancellationToken);
        var (_, head, _) = await history.ListAsync(caller, key, null, 1, 0, cancellationToken);
        var files = head.Count > 0 ? FilesOf(head[0]) : new JsonObject();
        // Whoever sends back what was read sends what links lead to along, which is theirs to change where it is.
        var read = new JsonObject();
        if (head.Count > 0)
        {
            await FlattenAsync(
                caller,
                "",
                files,
                key.Owner,
                [head[0].PromptId],
                read,
                cancellationToken
            );
        }

        foreach (var change in changes.EnumerateObject())
        {
            CheckPath(change.Name);
            if (change.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
            {
                throw new InvalidPromptException($"files.{change.Name}: must be an object or null");
            }

            var entry =
                change.Value.ValueKind == JsonValueKind.Object
                    ? JsonObject.Create(change.Value)!
                    : null;
            if (entry is not null && JsonNode.DeepEquals(read[change.Name], entry))
            {
                // As it was read: a link keeps following the newest commit, a file below a link stays where it is.
                continue;
            }

            files.Remove(change.Name);
            if (entry is not null)
            {
                await CheckAsync(caller, key, change.Name, entry, cancellationToken);
                files[change.Name] = entry;
            }
        }

        CheckBelowLinks(files);

        if (files.Count > MaxFiles)
        {
            throw new InvalidPromptException($"files: at most {MaxFiles}");
        }

        // Sorted, so that the same directory always is the same commit text.
        var sorted = new JsonObject(
            files
                .OrderBy(f => f.Key, StringComparer.Ordinal)
                .Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone()))
        );
        var (_, commit, _) = await history.AppendAsync(
            caller,
            key,
            new JsonObject { ["files"] = sorted }.ToJsonString(),
            parent ?? (head is [var newest, ..] ? newest.Hash : null),
            null,
            WebhookSkip.None,
            cancellationToken
        );
        return commit;
    }

    /// <summary>Deletes a directory with its history.</summary>
    /// <exception cref="PromptNotFoundException">There is none in the caller's workspace.</exception>
    /// <exception cref="InvalidPromptException">It is a prompt.</exception>
    public async Task DeleteAsync(Caller caller, PromptKey key, CancellationToken cancellationToken)
    {
        await DemandDirectoryAsync(caller, key, cancellationToken);
        await hub.DeleteAsync(caller, key, cancellationToken);
    }

    private async Task DemandDirectoryAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        var listing = await hub.GetAsync(caller, key, cancellationToken);
        if (listing.Prompt.Kind == PromptKind.Prompt)
        {
            throw new InvalidPromptException(
                $"{key.Handle} is a prompt, not a directory of an agent or a skill"
            );
        }
    }

    private async Task CheckAsync(
        Caller caller,
        PromptKey key,
        string path,
        JsonObject entry,
        CancellationToken cancellationToken
    )
    {
        if (KindOf(entry) is null)
        {
            if (Text(entry, "type") != "file" || Text(entry, "content") is null)
            {
                throw new InvalidPromptException(
                    $"files.{path}: must be a file with content, or a link (agent or skill) with repo_handle"
                );
            }

            return;
        }

        if (Text(entry, "repo_handle") is not { Length: > 0 } handle)
        {
            throw new InvalidPromptException($"files.{path}: repo_handle is required");
        }

        var (at, found) = await FollowAsync(caller, entry, key.Owner, cancellationToken);
        if (found is null)
        {
            throw new InvalidPromptException(
                $"files.{path}: there is no {Text(entry, "type")} {handle} with such a commit"
            );
        }

        var own = await hub.GetAsync(caller, key, cancellationToken);
        if (await LeadsToAsync(caller, found, at.Owner, own.Prompt.Id, 0, [], cancellationToken))
        {
            throw new InvalidPromptException($"files.{path}: {handle} leads back to {key.Handle}");
        }
    }

    private async Task<bool> LeadsToAsync(
        Caller caller,
        PromptCommit commit,
        string owner,
        Guid promptId,
        int depth,
        HashSet<Guid> seen,
        CancellationToken cancellationToken
    )
    {
        if (commit.PromptId == promptId || depth > MaxDepth)
        {
            return true;
        }

        // Once each: directories that all link to the same ones have more ways through them than anybody could walk.
        if (!seen.Add(commit.Id))
        {
            return false;
        }

        foreach (var link in FilesOf(commit).Select(f => f.Value).OfType<JsonObject>())
        {
            if (KindOf(link) is null)
            {
                continue;
            }

            var (at, next) = await FollowAsync(caller, link, owner, cancellationToken);
            if (
                next is not null
                && await LeadsToAsync(
                    caller,
                    next,
                    at.Owner,
                    promptId,
                    depth + 1,
                    seen,
                    cancellationToken
                )
            )
            {
                return true;
            }
        }

        return false;
    }

    private static void CheckBelowLinks(JsonObject files)
    {
        foreach (var (link, _) in files.Where(f => KindOf(f.Value!.AsObject()) is not null))
        {
            if (
                files
                    .Select(f => f.Key)
                    .FirstOrDefault(p => p.StartsWith(link + "/", StringComparison.Ordinal)) is
                { } below
            )
            {
                throw new InvalidPromptException(
                    $"files.{below}: is part of what {link} links to; change it there"
                );
            }
        }
    }

    private static void CheckPath(string path)
    {
        if (
            path.Length is 0 or > 500
            || path.StartsWith('/')
            || path.Contains('\\', StringComparison.Ordinal)
            || path.Split('/').Any(part => part is "" or "." or "..")
        )
        {
            throw new InvalidPromptException($"files: '{path}' is not a relative path");
        }
    }
}
