using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;

namespace Assay.Core.Prompts;

/// <summary>Agents and skills: directories of files whose commits hold the whole directory and are made from changes to it. Thread-safe.</summary>
public sealed class PromptDirectories(PromptHub hub, PromptHistory history)
{
    private const int MaxFiles = 2_000;

    /// <summary>The directory at a commit; null reference means the newest.</summary>
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
        return (commit, JsonElement.Parse(commit.Manifest).GetProperty("files"));
    }

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
        var files =
            head.Count > 0 && JsonNode.Parse(head[0].Manifest)?["files"] is JsonObject known
                ? known.DeepClone().AsObject()
                : new JsonObject();
        foreach (var change in changes.EnumerateObject())
        {
            CheckPath(change.Name);
            files.Remove(change.Name);
            if (change.Value.ValueKind == JsonValueKind.Object)
            {
                files[change.Name] = JsonObject.Create(change.Value);
            }
            else if (change.Value.ValueKind != JsonValueKind.Null)
            {
                throw new InvalidPromptException($"files.{change.Name}: must be an object or null");
            }
        }

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
