using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>The tags of a prompt and where they pointed over time. Thread-safe.</summary>
public sealed class PromptTags(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private const int MaxTag = 100;

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
        caller.Demand(Permission.Write);
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
        caller.Demand(Permission.Write);
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

    /// <summary>The moves of a tag, newest first, with the hashes, and how many there are; of all tags when <paramref name="name"/> is null.</summary>
    public async Task<(
        IReadOnlyList<(PromptTagMove Move, string? From, string? To)> Moves,
        int Total
    )> TagHistoryAsync(
        Caller caller,
        PromptKey key,
        string? name,
        int limit,
        int offset,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var all = db
            .PromptTagMoves.AsNoTracking()
            .Where(m => m.PromptId == prompt.Id && (name == null || m.Name == name));
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
