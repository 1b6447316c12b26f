using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Prompts.Templates;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>A commit whose text went into another prompt.</summary>
/// <param name="Name">As it was named: <c>handle</c>, <c>handle:tag</c> or <c>owner/handle:tag</c>.</param>
/// <param name="Hash">The commit it was then.</param>
public sealed record IncludedPrompt(string Name, string Hash);

/// <summary>
/// Puts other prompts where mustache templates name them: <c>{{&gt; greeting}}</c> takes the newest commit, <c>{{&gt; greeting:production}}</c> what
/// the tag points at, <c>{{&gt; greeting:1e5d3557}}</c> always the same. LangChain's clients know no such thing, so it happens here, when a prompt is
/// pulled or run: a fixed greeting reaches every prompt that includes it by name or tag, and who wants no surprises names a hash. Thread-safe.
/// </summary>
public sealed class PromptIncludes(IDbContextFactory<MetadataContext> metadata)
{
    private const int MaxDepth = 10;
    private const int MaxIncludes = 100;
    private const int MaxText = 1024 * 1024;

    /// <summary>A manifest with its includes filled in; the same when it has none.</summary>
    /// <param name="caller">Who pulls; only what they may see is included.</param>
    /// <param name="key">The prompt the manifest is of: it may not include itself, and names without an owner are of its workspace.</param>
    /// <param name="manifest">A commit's manifest.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidPromptException">Something cannot be included: it is missing, a cycle, or no single text.</exception>
    public async Task<(JsonElement Manifest, IReadOnlyList<IncludedPrompt> Included)> ResolveAsync(
        Caller caller,
        PromptKey key,
        JsonElement manifest,
        CancellationToken cancellationToken
    )
    {
        if (!Any(manifest))
        {
            return (manifest, []);
        }

        var tree = JsonNode.Parse(manifest.GetRawText())!;
        var work = new Work(caller, cancellationToken);
        var owner = await OwnerAsync(caller, key, cancellationToken);
        await FillAsync(work, tree, owner, [$"{owner}/{key.Handle}"], []);
        return work.Included.Count == 0
            ? (manifest, [])
            : (JsonSerializer.SerializeToElement(tree), work.Included);
    }

    /// <summary>A commit to be run: with its includes filled in, and itself when it has none.</summary>
    /// <exception cref="InvalidPromptException">Something cannot be included.</exception>
    public async Task<PromptCommit> ResolveAsync(
        Caller caller,
        PromptKey key,
        PromptCommit commit,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(commit);
        var (manifest, included) = await ResolveAsync(
            caller,
            key,
            JsonElement.Parse(commit.Manifest),
            cancellationToken
        );
        return included.Count == 0
            ? commit
            : new PromptCommit
            {
                Id = commit.Id,
                PromptId = commit.PromptId,
                WorkspaceId = commit.WorkspaceId,
                Hash = commit.Hash,
                ParentId = commit.ParentId,
                Number = commit.Number,
                Manifest = manifest.GetRawText(),
                Description = commit.Description,
                Author = commit.Author,
                CreatedAt = commit.CreatedAt,
            };
    }

    /// <summary>A variant of the playground (<c>{messages, format, …}</c>) with the includes of its messages filled in.</summary>
    /// <exception cref="InvalidPromptException">Something cannot be included.</exception>
    public async Task<JsonElement> ResolveVariantAsync(
        Caller caller,
        JsonElement variant,
        CancellationToken cancellationToken
    )
    {
        if (
            variant.ValueKind != JsonValueKind.Object
            || !variant.TryGetProperty("format", out var format)
            || !format.ValueEquals("mustache")
            || JsonNode.Parse(variant.GetRawText()) is not JsonObject tree
            || tree["messages"] is not JsonArray messages
        )
        {
            return variant;
        }

        var work = new Work(caller, cancellationToken);
        foreach (var message in messages.OfType<JsonObject>())
        {
            if (Text(message["content"]) is { } content)
            {
                message["content"] = await FillAsync(work, content, PromptHub.Self, []);
            }

            foreach (var part in (message["content"] as JsonArray ?? []).OfType<JsonObject>())
            {
                if (Text(part["text"]) is { } text)
                {
                    part["text"] = await FillAsync(work, text, PromptHub.Self, []);
                }
            }
        }

        return work.Included.Count == 0 ? variant : JsonSerializer.SerializeToElement(tree);
    }

    /// <summary>Fills in the templates below a node, and adds the variables that come with them where LangChain's clients look for them.</summary>
    private async Task FillAsync(
        Work work,
        JsonNode? node,
        string owner,
        IReadOnlyList<string> path,
        IReadOnlyList<JsonObject> holders
    )
    {
        switch (node)
        {
            case JsonArray items:
                foreach (var item in items)
                {
                    await FillAsync(work, item, owner, path, holders);
                }

                break;
            case JsonObject { Count: > 0 } json:
                if (
                    json["kwargs"] is JsonObject kwargs
                    && Text(kwargs["template_format"] ?? kwargs["templateFormat"]) == "mustache"
                    && Text(kwargs["template"]) is { } template
                    && IncludeTags.Find(template) is { Count: > 0 } found
                )
                {
                    var filled = await FillAsync(work, template, owner, path);
                    kwargs["template"] = filled;
                    var names = PromptTemplate.Parse(TemplateFormat.Mustache, filled).Names;
                    foreach (var holder in holders.Append(kwargs))
                    {
                        ExchangeNames(holder, [.. found.Select(f => f.Name)], names);
                    }

                    break;
                }

                var inner = json.ContainsKey("input_variables") ? [.. holders, json] : holders;
                foreach (var (_, value) in json.ToList())
                {
                    await FillAsync(work, value, owner, path, inner);
                }

                break;
        }
    }

    private async Task<string> FillAsync(
        Work work,
        string template,
        string owner,
        IReadOnlyList<string> path
    )
    {
        var filled = template;
        // From the last to the first, so that the places of those before stay true.
        foreach (var include in IncludeTags.Find(template).Reverse())
        {
            filled = include.Replace(filled, await TextAsync(work, include.Name, owner, path));
            if (filled.Length > MaxText)
            {
                throw new InvalidPromptException(
                    $"{include.Name}: the included texts together are too long"
                );
            }
        }

        return filled;
    }

    private async Task<string> TextAsync(
        Work work,
        string name,
        string owner,
        IReadOnlyList<string> path
    )
    {
        var (full, reference) = name.Split(':', 2) is [var n, var r] ? (n, r) : (name, "latest");
        var key = full.Split('/', 2) is [var o, var h]
            ? new PromptKey(o, h)
            : new PromptKey(owner, full);
        var at = $"{await OwnerAsync(work.Caller, key, work.CancellationToken)}/{key.Handle}";
        if (path.Contains(at))
        {
            throw new InvalidPromptException(
                $"{name}: is included by itself ({string.Join(" → ", path.Append(at))})"
            );
        }

        if (path.Count >= MaxDepth || work.Included.Count >= MaxIncludes)
        {
            throw new InvalidPromptException(
                $"{name}: at most {MaxDepth} levels and {MaxIncludes} texts can be included"
            );
        }

        PromptCommit? commit;
        await using (var db = await metadata.CreateDbContextAsync(work.CancellationToken))
        {
            try
            {
                var prompt = await PromptHub.FindAsync(
                    db,
                    work.Caller,
                    key,
                    work.CancellationToken
                );
                commit = await PromptHistory.FindCommitAsync(
                    db,
                    prompt,
                    reference,
                    work.CancellationToken
                );
            }
            catch (PromptNotFoundException)
            {
                commit = null;
            }
        }

        if (commit is null)
        {
            throw new InvalidPromptException(
                $"{{{{> {name}}}}}: there is no such prompt or commit"
            );
        }

        work.Included.Add(new IncludedPrompt(name, commit.Hash));
        var text = SingleText(name, commit.Manifest);
        return await FillAsync(work, text, at.Split('/')[0], [.. path, at]);
    }

    private static string SingleText(string name, string manifest)
    {
        try
        {
            var prompt = ChatPrompt.FromManifest(JsonElement.Parse(manifest));
            return prompt.Messages is not [{ Role: not "placeholder" } only]
                || only.Content.ValueKind != JsonValueKind.String
                    ? throw new InvalidPromptException(
                        $"{name}: only a prompt of one text can be included; it has {prompt.Messages.Count} messages"
                    )
                : prompt.Format == TemplateFormat.Mustache || prompt.Names.Count == 0
                    ? only.Content.GetString()!
                : throw new InvalidPromptException(
                    $"{name}: writes its variables as f-string; only mustache can be included"
                );
        }
        catch (TemplateException e)
        {
            throw new InvalidPromptException($"{name}: {e.Message}");
        }
    }

    private async Task<string> OwnerAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        if (key.Owner != PromptHub.Self)
        {
            return key.Owner;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .Workspaces.Where(w => w.Id == caller.WorkspaceId)
                .Select(w => w.Handle)
                .FirstOrDefaultAsync(cancellationToken)
            ?? PromptHub.Self;
    }

    /// <summary>The variables that a text brings take the place of its own name, which LangChain's JavaScript package counts as a variable.</summary>
    private static void ExchangeNames(
        JsonObject kwargs,
        IReadOnlyList<string> included,
        IReadOnlyList<string> names
    )
    {
        if (kwargs["input_variables"] is not JsonArray known)
        {
            kwargs["input_variables"] = known = [];
        }

        foreach (var name in known.Where(k => Text(k) is { } n && included.Contains(n)).ToList())
        {
            known.Remove(name);
        }

        var given = kwargs["partial_variables"] as JsonObject;
        foreach (
            var name in names
                .Except(known.Select(k => Text(k) ?? ""))
                .Where(n => given?.ContainsKey(n) != true)
                .ToList()
        )
        {
            known.Add((JsonNode)name);
        }
    }

    /// <summary>True when some mustache template of the manifest includes something.</summary>
    private static bool Any(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Array => json.EnumerateArray().Any(Any),
            JsonValueKind.Object => json.EnumerateObject()
                .Any(p =>
                    p.Value.ValueKind == JsonValueKind.String
                        ? p.Name == "template" && IncludeTags.Find(p.Value.GetString()!).Count > 0
                        : Any(p.Value)
                ),
            _ => false,
        };

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private sealed record Work(Caller Caller, CancellationToken CancellationToken)
    {
        public List<IncludedPrompt> Included { get; } = [];
    }
}
