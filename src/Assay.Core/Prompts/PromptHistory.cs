using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>The commits of a prompt and the tags that point at them. Thread-safe.</summary>
public sealed class PromptHistory(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private const int ShortestHash = 8;
    private const int MaxTag = 100;

    /// <summary>A page of commits, newest first, and how many there are.</summary>
    public async Task<(Prompt Prompt, IReadOnlyList<PromptCommit> Commits, int Total)> ListAsync(
        Caller caller,
        PromptKey key,
        string? tag,
        int limit,
        int offset,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var all = db.PromptCommits.AsNoTracking().Where(c => c.PromptId == prompt.Id);
        if (tag is not null)
        {
            all = all.Where(c =>
                db.PromptTags.Any(t =>
                    t.PromptId == prompt.Id && t.Name == tag && t.CommitId == c.Id
                )
            );
        }

        return (
            prompt,
            await all.OrderByDescending(c => c.Number)
                .Skip(offset)
                .Take(limit)
                .ToListAsync(cancellationToken),
            await all.CountAsync(cancellationToken)
        );
    }

    /// <summary>One commit by <c>latest</c>, tag, hash or the first eight or more digits of a hash, counted as pulled.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<PromptCommit> PullAsync(
        Caller caller,
        PromptKey key,
        string reference,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var commit =
            await FindCommitAsync(db, prompt, reference, cancellationToken)
            ?? throw new PromptNotFoundException($"Commit {reference} of {key.Owner}/{key.Handle}");
        await db
            .PromptCommits.Where(c => c.Id == commit.Id)
            .ExecuteUpdateAsync(
                s => s.SetProperty(c => c.Downloads, c => c.Downloads + 1),
                cancellationToken
            );
        await db
            .Prompts.Where(p => p.Id == prompt.Id)
            .ExecuteUpdateAsync(
                s => s.SetProperty(p => p.Downloads, p => p.Downloads + 1),
                cancellationToken
            );
        return commit;
    }

    /// <summary>Adds a commit on top of the head.</summary>
    /// <param name="caller">Who commits.</param>
    /// <param name="key">The prompt.</param>
    /// <param name="manifest">What to keep, verbatim.</param>
    /// <param name="parent">The commit the author started from, by hash or its first eight or more digits; null means the head, whatever it is.</param>
    /// <param name="description">Message.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidPromptException">The manifest is unusable.</exception>
    /// <exception cref="PromptConflictException">The parent is not the head, or nothing changed.</exception>
    public async Task<(Prompt Prompt, PromptCommit Commit, string? ParentHash)> CommitAsync(
        Caller caller,
        PromptKey key,
        JsonElement manifest,
        string? parent,
        string? description,
        CancellationToken cancellationToken
    )
    {
        if (PromptManifest.Check(manifest) is { } fault)
        {
            throw new InvalidPromptException(fault);
        }

        return await AppendAsync(
            caller,
            key,
            manifest.GetRawText(),
            parent,
            description,
            cancellationToken
        );
    }

    internal async Task<(Prompt Prompt, PromptCommit Commit, string? ParentHash)> AppendAsync(
        Caller caller,
        PromptKey key,
        string text,
        string? parent,
        string? description,
        CancellationToken cancellationToken
    )
    {
        if (text.Length > PromptManifest.MaxLength)
        {
            throw new InvalidPromptException("Manifest is larger than 4 MiB");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var head = await db.PromptCommits.FirstOrDefaultAsync(
            c => c.Id == prompt.HeadId,
            cancellationToken
        );
        if (
            parent is { Length: > 0 }
            && !(head?.Hash.StartsWith(parent, StringComparison.OrdinalIgnoreCase) ?? false)
        )
        {
            throw new PromptConflictException(
                $"Parent commit {parent} is not the latest commit {head?.Hash ?? "(there is none)"}"
            );
        }

        if (head?.Manifest == text)
        {
            throw new PromptConflictException(
                "Nothing to commit: prompt has not changed since latest commit"
            );
        }

        var now = time.GetUtcNow();
        var commit = new PromptCommit
        {
            Id = Guid.CreateVersion7(now),
            PromptId = prompt.Id,
            WorkspaceId = caller.WorkspaceId,
            Hash = PromptManifest.Hash(prompt.Id, head?.Hash, text),
            ParentId = head?.Id,
            Number = prompt.CommitCount + 1,
            Manifest = text,
            Description = description,
            Author = caller.Name,
            CreatedAt = now,
        };
        db.PromptCommits.Add(commit);
        prompt.HeadId = commit.Id;
        prompt.CommitCount++;
        prompt.UpdatedAt = now;
        prompt.Revision = Guid.CreateVersion7(now);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            throw new PromptConflictException("Somebody else committed at the same time");
        }

        return (prompt, commit, head?.Hash);
    }

    /// <summary>All tags of a prompt with the hashes they point at, by name.</summary>
    public async Task<IReadOnlyList<(PromptTag Tag, string Hash)>> TagsAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var tags = await db
            .PromptTags.AsNoTracking()
            .Where(t => t.PromptId == prompt.Id)
            .OrderBy(t => t.Name)
            .Join(db.PromptCommits, t => t.CommitId, c => c.Id, (t, c) => new { t, c.Hash })
            .ToListAsync(cancellationToken);
        return [.. tags.Select(t => (t.t, t.Hash))];
    }

    /// <summary>Sets or moves a tag; the move is remembered and can be rolled back by moving it again.</summary>
    /// <exception cref="InvalidPromptException">The name is unusable.</exception>
    /// <exception cref="PromptNotFoundException">Prompt or commit is not the caller's.</exception>
    public async Task<(PromptTag Tag, string Hash)> SetTagAsync(
        Caller caller,
        PromptKey key,
        string name,
        Guid commitId,
        CancellationToken cancellationToken
    )
    {
        if (
            name.Length is 0 or > MaxTag
            || name == "latest"
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        )
        {
            throw new InvalidPromptException(
                "tag_name: must have 1 to 100 letters, digits, dashes, underscores or dots, and not be 'latest'"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var commit =
            await db.PromptCommits.FirstOrDefaultAsync(
                c => c.PromptId == prompt.Id && c.Id == commitId,
                cancellationToken
            ) ?? throw new PromptNotFoundException($"Commit {commitId}");
        var tag = await db.PromptTags.FirstOrDefaultAsync(
            t => t.PromptId == prompt.Id && t.Name == name,
            cancellationToken
        );
        var now = time.GetUtcNow();
        var from = tag?.CommitId;
        if (tag is null)
        {
            tag = new PromptTag
            {
                Id = Guid.CreateVersion7(now),
                PromptId = prompt.Id,
                Name = name,
                CreatedAt = now,
            };
            db.PromptTags.Add(tag);
        }

        tag.CommitId = commit.Id;
        tag.UpdatedAt = now;
        if (from != commit.Id)
        {
            Remember(db, caller, prompt, name, from, commit.Id, now);
        }

        await db.SaveChangesAsync(cancellationToken);
        return (tag, commit.Hash);
    }

    /// <summary>Takes a tag away; false when there is none of that name.</summary>
    public async Task<bool> RemoveTagAsync(
        Caller caller,
        PromptKey key,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var tag = await db.PromptTags.FirstOrDefaultAsync(
            t => t.PromptId == prompt.Id && t.Name == name,
            cancellationToken
        );
        if (tag is null)
        {
            return false;
        }

        db.PromptTags.Remove(tag);
        Remember(db, caller, prompt, name, tag.CommitId, null, time.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>The moves of a tag, newest first, with the hashes, and how many there are.</summary>
    public async Task<(
        IReadOnlyList<(PromptTagMove Move, string? From, string? To)> Moves,
        int Total
    )> TagHistoryAsync(
        Caller caller,
        PromptKey key,
        string name,
        int limit,
        int offset,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var all = db
            .PromptTagMoves.AsNoTracking()
            .Where(m => m.PromptId == prompt.Id && m.Name == name);
        var page = await all.OrderByDescending(m => m.Id)
            .Skip(offset)
            .Take(limit)
            .ToListAsync(cancellationToken);
        var ids = page.SelectMany(m => new[] { m.FromCommitId, m.ToCommitId }).ToList();
        var hashes = await db
            .PromptCommits.Where(c => c.PromptId == prompt.Id && ids.Contains(c.Id))
            .ToDictionaryAsync(c => c.Id, c => c.Hash, cancellationToken);
        return (
            [.. page.Select(m => (m, Hash(m.FromCommitId), Hash(m.ToCommitId)))],
            await all.CountAsync(cancellationToken)
        );

        string? Hash(Guid? id) => id is { } known ? hashes.GetValueOrDefault(known) : null;
    }

    private static async Task<PromptCommit?> FindCommitAsync(
        MetadataContext db,
        Prompt prompt,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var commits = db.PromptCommits.AsNoTracking().Where(c => c.PromptId == prompt.Id);
        if (reference == "latest")
        {
            return await commits.FirstOrDefaultAsync(c => c.Id == prompt.HeadId, cancellationToken);
        }

        // A tag wins over a hash that begins alike: it was named on purpose.
        if (
            await db
                .PromptTags.Where(t => t.PromptId == prompt.Id && t.Name == reference)
                .Select(t => (Guid?)t.CommitId)
                .FirstOrDefaultAsync(cancellationToken) is
            { } tagged
        )
        {
            return await commits.FirstOrDefaultAsync(c => c.Id == tagged, cancellationToken);
        }

        var digits = reference.ToLowerInvariant();
        return digits.Length is >= ShortestHash and <= 64 && digits.All(char.IsAsciiHexDigit)
            ? await commits
                .Where(c => c.Hash.StartsWith(digits))
                .OrderByDescending(c => c.Number)
                .FirstOrDefaultAsync(cancellationToken)
            : null;
    }

    private static void Remember(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        string name,
        Guid? from,
        Guid? to,
        DateTimeOffset now
    )
    {
        db.PromptTagMoves.Add(
            new PromptTagMove
            {
                Id = Guid.CreateVersion7(now),
                PromptId = prompt.Id,
                Name = name,
                FromCommitId = from,
                ToCommitId = to,
                Actor = caller.Name,
                At = now,
            }
        );
        PromptHub.Audit(
            db,
            caller,
            to is null ? "prompt_tag.delete" : "prompt_tag.move",
            $"{prompt.Handle}:{name}",
            now
        );
    }
}
