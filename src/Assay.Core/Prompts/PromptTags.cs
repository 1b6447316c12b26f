using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>What became of a change of a tag.</summary>
/// <param name="Tag">The tag as it is now; null when a request for it waits.</param>
/// <param name="Hash">The commit it points at, or shall.</param>
/// <param name="Request">The request that waits for somebody else, when the tag is protected.</param>
public sealed record TagChange(PromptTag? Tag, string? Hash, PromptTagRequest? Request);

/// <summary>The tags of a prompt and where they pointed over time. Thread-safe.</summary>
public sealed class PromptTags(
    IDbContextFactory<MetadataContext> metadata,
    PromptOutbox outbox,
    TimeProvider time
)
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

    /// <summary>
    /// Sets or moves a tag; the move is remembered and can be rolled back by moving it again. Of a protected tag (<see cref="HubSettings"/>) it
    /// becomes a request that somebody else has to approve.
    /// </summary>
    /// <param name="caller">Who moves.</param>
    /// <param name="key">The prompt.</param>
    /// <param name="name">The tag.</param>
    /// <param name="commitId">Where to.</param>
    /// <param name="skip">Webhooks that are not told.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidPromptException">The name is unusable.</exception>
    /// <exception cref="PromptNotFoundException">Prompt or commit is not the caller's.</exception>
    /// <exception cref="PromptConflictException">A request for the tag waits already.</exception>
    public async Task<TagChange> SetTagAsync(
        Caller caller,
        PromptKey key,
        string name,
        Guid commitId,
        WebhookSkip skip,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        CheckName(name);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var commit = await CommitAsync(db, prompt, commitId, cancellationToken);
        var now = time.GetUtcNow();
        if (
            await RequestAsync(db, caller, prompt, name, commitId, null, now, cancellationToken) is
            { } request
        )
        {
            return new TagChange(null, commit.Hash, request);
        }

        var tag = await MoveAsync(db, caller, prompt, name, commit, skip, now, cancellationToken);
        await SaveAsync(db, cancellationToken);
        outbox.Wake();
        return new TagChange(tag, commit.Hash, null);
    }

    /// <summary>Takes a tag away, or asks for it when it is protected; null when there is none of that name.</summary>
    /// <exception cref="PromptConflictException">A request for the tag waits already.</exception>
    public async Task<TagChange?> RemoveTagAsync(
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
            return null;
        }

        var now = time.GetUtcNow();
        if (
            await RequestAsync(db, caller, prompt, name, null, null, now, cancellationToken) is
            { } request
        )
        {
            return new TagChange(tag, null, request);
        }

        await TakeAwayAsync(db, caller, prompt, tag, now, cancellationToken);
        await SaveAsync(db, cancellationToken);
        return new TagChange(tag, null, null);
    }

    /// <summary>Refuses what cannot be the name of a tag.</summary>
    /// <exception cref="InvalidPromptException">It cannot.</exception>
    internal static void CheckName(string name)
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
    }

    internal static async Task<PromptCommit> CommitAsync(
        MetadataContext db,
        Prompt prompt,
        Guid commitId,
        CancellationToken cancellationToken
    ) =>
        await db.PromptCommits.FirstOrDefaultAsync(
            c => c.PromptId == prompt.Id && c.Id == commitId,
            cancellationToken
        ) ?? throw new PromptNotFoundException($"Commit {commitId}");

    /// <summary>When the tag is protected, a request that is saved; else null and nothing is.</summary>
    internal static async Task<PromptTagRequest?> RequestAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        string name,
        Guid? commitId,
        double? percent,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var settings = await HubRules.FindAsync(db, prompt.WorkspaceId, cancellationToken);
        if (settings?.ProtectedTags.Contains(name) != true)
        {
            return null;
        }

        if (
            await db.PromptTagRequests.AnyAsync(
                r =>
                    r.PromptId == prompt.Id && r.Name == name && r.State == TagRequestState.Pending,
                cancellationToken
            )
        )
        {
            throw new PromptConflictException(
                $"A request for the protected tag '{name}' waits already: approve or reject it first"
            );
        }

        var request = new PromptTagRequest
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = prompt.WorkspaceId,
            PromptId = prompt.Id,
            Name = name,
            CommitId = commitId,
            Percent = percent,
            RequesterId = PromptHub.ActorId(caller),
            RequestedBy = caller.Name,
            RequestedAt = now,
            Revision = Guid.CreateVersion7(now),
        };
        db.PromptTagRequests.Add(request);
        PromptHub.Audit(db, caller, "prompt_tag.request", $"{prompt.Handle}:{name}", now);
        await db.SaveChangesAsync(cancellationToken);
        return request;
    }

    /// <summary>Adds the move of a tag to a unit of work, with its history and what webhooks are told.</summary>
    internal static async Task<PromptTag> MoveAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        string name,
        PromptCommit commit,
        WebhookSkip skip,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var tag = await db.PromptTags.FirstOrDefaultAsync(
            t => t.PromptId == prompt.Id && t.Name == name,
            cancellationToken
        );
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
            await PromptOutbox.AddAsync(
                db,
                caller,
                prompt,
                commit,
                from is null ? PromptEvents.TagCreate : PromptEvents.TagUpdate,
                name,
                skip,
                now,
                cancellationToken
            );
        }

        // Whoever moves the tag to what was tried has ended the trial.
        var rollout = await db.PromptRollouts.FindAsync([prompt.Id, name], cancellationToken);
        if (rollout?.CommitId == commit.Id)
        {
            db.PromptRollouts.Remove(rollout);
        }

        return tag;
    }

    /// <summary>Adds that a tag is taken away to a unit of work.</summary>
    internal static async Task TakeAwayAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        PromptTag tag,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        db.PromptTags.Remove(tag);
        Remember(db, caller, prompt, tag.Name, tag.CommitId, null, now);
        if (
            await db.PromptRollouts.FindAsync([prompt.Id, tag.Name], cancellationToken) is
            { } rollout
        )
        {
            db.PromptRollouts.Remove(rollout);
        }
    }

    /// <summary>Saves; somebody who did the same at the same moment is a conflict.</summary>
    internal static async Task SaveAsync(MetadataContext db, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            throw new PromptConflictException("The tag was changed at the same time");
        }
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
            [
                .. page.Select(m =>
                    (As(caller, prompt, m), Hash(m.FromCommitId), Hash(m.ToCommitId))
                ),
            ],
            await all.CountAsync(cancellationToken)
        );

        string? Hash(Guid? id) => id is { } known ? hashes.GetValueOrDefault(known) : null;
    }

    /// <summary>The last move of each tag of a prompt with the hash it came from: where one click brings it back to.</summary>
    public async Task<
        IReadOnlyDictionary<string, (PromptTagMove Move, string? From)>
    > LastMovesAsync(Caller caller, PromptKey key, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var moves = db.PromptTagMoves.AsNoTracking().Where(m => m.PromptId == prompt.Id);
        var newest = await moves
            .GroupBy(m => m.Name)
            .Select(g => g.OrderByDescending(m => m.Id).Select(m => m.Id).First())
            .ToListAsync(cancellationToken);
        var last = await moves.Where(m => newest.Contains(m.Id)).ToListAsync(cancellationToken);
        var ids = last.Select(m => m.FromCommitId).ToList();
        var hashes = await db
            .PromptCommits.Where(c => c.PromptId == prompt.Id && ids.Contains(c.Id))
            .ToDictionaryAsync(c => c.Id, c => c.Hash, cancellationToken);
        return last.ToDictionary(
            m => m.Name,
            m =>
                (
                    As(caller, prompt, m),
                    m.FromCommitId is { } from ? hashes.GetValueOrDefault(from) : null
                ),
            StringComparer.Ordinal
        );
    }

    /// <summary>Who moves the tags of another workspace's public prompt is theirs to know.</summary>
    private static PromptTagMove As(Caller caller, Prompt prompt, PromptTagMove move) =>
        prompt.WorkspaceId == caller.WorkspaceId
            ? move
            : new PromptTagMove
            {
                Id = move.Id,
                PromptId = move.PromptId,
                Name = move.Name,
                FromCommitId = move.FromCommitId,
                ToCommitId = move.ToCommitId,
                Actor = "",
                At = move.At,
            };

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
