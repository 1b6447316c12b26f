using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>The commits of a prompt; the names that point at them are <see cref="PromptTags"/>. Thread-safe.</summary>
public sealed class PromptHistory(
    IDbContextFactory<MetadataContext> metadata,
    PromptIncludes includes,
    PromptOutbox outbox,
    TimeProvider time
)
{
    private const int ShortestHash = 8;

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

    /// <summary>The hashes of commits of a prompt by their ids.</summary>
    public async Task<IReadOnlyDictionary<Guid, string>> HashesAsync(
        Caller caller,
        PromptKey key,
        IReadOnlyCollection<Guid> commitIds,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        return await db
            .PromptCommits.Where(c => c.PromptId == prompt.Id && commitIds.Contains(c.Id))
            .ToDictionaryAsync(c => c.Id, c => c.Hash, cancellationToken);
    }

    /// <summary>The newest commits of prompts in reach, to look at: not counted as pulled.</summary>
    public async Task<IReadOnlyList<PromptCommit>> HeadsAsync(
        Caller caller,
        IReadOnlyCollection<Guid> promptIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var heads = PromptHub
            .Visible(db, caller)
            .Where(p => promptIds.Contains(p.Id))
            .Select(p => p.HeadId);
        return await db
            .PromptCommits.AsNoTracking()
            .Where(c => heads.Contains(c.Id))
            .ToListAsync(cancellationToken);
    }

    /// <summary>One commit by <c>latest</c>, tag, hash or the first eight or more digits of a hash, to look at: not counted as pulled.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<PromptCommit> FindAsync(
        Caller caller,
        PromptKey key,
        string reference,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        return await FindCommitAsync(db, prompt, reference, cancellationToken)
            ?? throw new PromptNotFoundException($"Commit {reference} of {key.Owner}/{key.Handle}");
    }

    /// <summary>One commit by its id, to look at: not counted as pulled.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<PromptCommit> FindAsync(
        Caller caller,
        PromptKey key,
        Guid commitId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        return await PromptTags.CommitAsync(db, prompt, commitId, cancellationToken);
    }

    /// <summary>One commit by <c>latest</c>, tag, hash or the first eight or more digits of a hash, counted as pulled.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<PromptCommit> PullAsync(
        Caller caller,
        PromptKey key,
        string reference,
        CancellationToken cancellationToken
    ) => (await PullAsync(caller, key, reference, null, false, cancellationToken)).Commit;

    /// <summary>
    /// As without a key, but a tag with a roll-out (<see cref="PromptRollouts"/>) gives the commit that falls to the key; says whether that is the
    /// one on trial, and null when nothing is tried or no key is given. A look by a person counts as a view and not as a pull.
    /// </summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<(PromptCommit Commit, bool? IsTrial)> PullAsync(
        Caller caller,
        PromptKey key,
        string reference,
        string? rolloutKey,
        bool isView,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var commit =
            await FindCommitAsync(db, prompt, reference, cancellationToken)
            ?? throw new PromptNotFoundException($"Commit {reference} of {key.Owner}/{key.Handle}");
        bool? isTrial = null;
        if (
            rolloutKey is { Length: > 0 }
            && await db.PromptRollouts.FindAsync([prompt.Id, reference], cancellationToken)
                is { } rollout
        )
        {
            isTrial = PromptRollouts.PlaceOf(prompt.Id, reference, rolloutKey) < rollout.Percent;
            if (isTrial is true)
            {
                commit = await PromptTags.CommitAsync(
                    db,
                    prompt,
                    rollout.CommitId,
                    cancellationToken
                );
            }
        }

        await CountAsync(db, prompt.Id, commit.Id, isView, cancellationToken);
        return (commit, isTrial);
    }

    /// <summary>Counts that somebody looked at a commit.</summary>
    public async Task ViewedAsync(
        Caller caller,
        PromptCommit commit,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(commit);
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await CountAsync(db, commit.PromptId, commit.Id, true, cancellationToken);
    }

    private static async Task CountAsync(
        MetadataContext db,
        Guid promptId,
        Guid commitId,
        bool isView,
        CancellationToken cancellationToken
    )
    {
        var (pulls, views) = isView ? (0, 1) : (1, 0);
        await db
            .PromptCommits.Where(c => c.Id == commitId)
            .ExecuteUpdateAsync(
                s =>
                    s.SetProperty(c => c.Downloads, c => c.Downloads + pulls)
                        .SetProperty(c => c.Views, c => c.Views + views),
                cancellationToken
            );
        await db
            .Prompts.Where(p => p.Id == promptId)
            .ExecuteUpdateAsync(
                s =>
                    s.SetProperty(p => p.Downloads, p => p.Downloads + pulls)
                        .SetProperty(p => p.Views, p => p.Views + views),
                cancellationToken
            );
    }

    /// <summary>Adds a commit on top of the head.</summary>
    /// <param name="caller">Who commits.</param>
    /// <param name="key">The prompt.</param>
    /// <param name="manifest">What to keep, verbatim.</param>
    /// <param name="parent">The commit the author started from, by hash or its first eight or more digits; null means the head, whatever it is.</param>
    /// <param name="description">Message.</param>
    /// <param name="skip">Webhooks that are not told.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidPromptException">The manifest is unusable, or includes what cannot be included.</exception>
    /// <exception cref="PromptConflictException">The parent is not the head, or nothing changed.</exception>
    public async Task<(Prompt Prompt, PromptCommit Commit, string? ParentHash)> CommitAsync(
        Caller caller,
        PromptKey key,
        JsonElement manifest,
        string? parent,
        string? description,
        WebhookSkip skip,
        CancellationToken cancellationToken
    )
    {
        if (PromptManifest.Check(manifest) is { } fault)
        {
            throw new InvalidPromptException(fault);
        }

        // What could not be pulled again is refused now, while its author is here.
        await includes.ResolveAsync(caller, key, manifest, cancellationToken);
        return await AppendAsync(
            caller,
            key,
            manifest.GetRawText(),
            parent,
            description,
            skip,
            cancellationToken
        );
    }

    internal async Task<(Prompt Prompt, PromptCommit Commit, string? ParentHash)> AppendAsync(
        Caller caller,
        PromptKey key,
        string text,
        string? parent,
        string? description,
        WebhookSkip skip,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
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
        await PromptOutbox.AddAsync(
            db,
            caller,
            prompt,
            commit,
            PromptEvents.Commit,
            null,
            skip,
            now,
            cancellationToken
        );
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            throw new PromptConflictException("Somebody else committed at the same time");
        }

        outbox.Wake();
        return (prompt, commit, head?.Hash);
    }

    internal static async Task<PromptCommit?> FindCommitAsync(
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
}
