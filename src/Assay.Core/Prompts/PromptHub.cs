using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Prompts as repositories: find, make, change, like. Their history is <see cref="PromptHistory"/>. Thread-safe.</summary>
public sealed class PromptHub(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>Owner that means the caller's own workspace.</summary>
    public const string Self = "-";

    private const int MaxHandle = 200;

    /// <summary>A page of prompts of the workspace (and public ones of others, when asked for), and how many there are.</summary>
    public async Task<(IReadOnlyList<PromptListing> Items, int Total)> ListAsync(
        Caller caller,
        PromptListQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = PromptListings.Select(db, caller, query);
        // Topics are a small list inside the row: they are looked at here, not in SQL, so that every provider does the same.
        var rows = await found.AsNoTracking().ToListAsync(cancellationToken);
        if (query.Topics.Count > 0)
        {
            rows = [.. rows.Where(p => query.Topics.All(t => p.Topics.Contains(t)))];
        }

        var likes = await db
            .PromptLikes.Where(l => rows.Select(r => r.Id).Contains(l.PromptId))
            .GroupBy(l => l.PromptId)
            .Select(g => new { g.Key, Count = g.Count() })
            .ToDictionaryAsync(g => g.Key, g => g.Count, cancellationToken);
        var ordered = query.SortField switch
        {
            PromptSort.Downloads => rows.OrderBy(p => p.Downloads),
            PromptSort.Views => rows.OrderBy(p => p.Views),
            PromptSort.Likes => rows.OrderBy(p => likes.GetValueOrDefault(p.Id)),
            PromptSort.Relevance => rows.OrderBy(p => PromptListings.Fit(p, query.Text))
                .ThenBy(p => p.UpdatedAt),
            _ => rows.OrderBy(p => p.UpdatedAt),
        };
        var sorted = ordered.ThenBy(p => p.Id).ToList();
        if (query.IsDescending)
        {
            sorted.Reverse();
        }

        var page = sorted.Skip(query.Offset).Take(query.Limit).ToList();
        return (
            await PromptListings.DescribeAsync(db, caller, page, cancellationToken),
            rows.Count
        );
    }

    /// <summary>One prompt by owner and handle.</summary>
    /// <exception cref="PromptNotFoundException">There is none in reach.</exception>
    public async Task<PromptListing> GetAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await FindAsync(db, caller, key, cancellationToken);
        return (await PromptListings.DescribeAsync(db, caller, [prompt], cancellationToken))[0];
    }

    /// <summary>Makes a prompt without commits.</summary>
    /// <exception cref="InvalidPromptException">The handle is unusable.</exception>
    /// <exception cref="PromptConflictException">The handle is taken.</exception>
    public async Task<PromptListing> CreateAsync(
        Caller caller,
        PromptDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await AddAsync(db, caller, draft, null, cancellationToken);
        await SaveNewAsync(db, prompt.Handle, cancellationToken);
        return (await PromptListings.DescribeAsync(db, caller, [prompt], cancellationToken))[0];
    }

    /// <summary>Copies a prompt in reach, with its newest commit, into the caller's workspace.</summary>
    /// <exception cref="PromptConflictException">The handle is taken.</exception>
    public async Task<PromptListing> ForkAsync(
        Caller caller,
        PromptKey source,
        PromptDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var original = await FindAsync(db, caller, source, cancellationToken);
        var prompt = await AddAsync(
            db,
            caller,
            draft with
            {
                Kind = original.Kind,
                Description = draft.Description ?? original.Description,
                Readme = draft.Readme ?? original.Readme,
                Topics = draft.Topics ?? original.Topics,
            },
            original.Id,
            cancellationToken
        );
        if (
            await db.PromptCommits.FirstOrDefaultAsync(
                c => c.Id == original.HeadId,
                cancellationToken
            ) is
            { } head
        )
        {
            var commit = new PromptCommit
            {
                Id = Guid.CreateVersion7(time.GetUtcNow()),
                PromptId = prompt.Id,
                WorkspaceId = caller.WorkspaceId,
                Hash = PromptManifest.Hash(prompt.Id, null, head.Manifest),
                Number = 1,
                Manifest = head.Manifest,
                Description = $"Forked from {original.Handle}",
                Author = caller.Name,
                CreatedAt = prompt.CreatedAt,
            };
            db.PromptCommits.Add(commit);
            prompt.HeadId = commit.Id;
            prompt.CommitCount = 1;
        }

        await SaveNewAsync(db, prompt.Handle, cancellationToken);
        return (await PromptListings.DescribeAsync(db, caller, [prompt], cancellationToken))[0];
    }

    /// <summary>Changes what is said; null leaves a field as it is.</summary>
    /// <exception cref="PromptNotFoundException">There is none in the caller's workspace.</exception>
    public async Task<PromptListing> UpdateAsync(
        Caller caller,
        PromptKey key,
        PromptChange change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await FindOwnAsync(db, caller, key, cancellationToken);
        if (change.Handle is { } handle && handle != prompt.Handle)
        {
            CheckHandle(handle);
            await CheckFreeAsync(db, caller, handle, cancellationToken);
            Audit(db, caller, "prompt.rename", $"{prompt.Handle} → {handle}");
            prompt.Handle = handle;
        }

        prompt.Description = change.Description ?? prompt.Description;
        prompt.Readme = change.Readme ?? prompt.Readme;
        prompt.Topics = change.Topics ?? prompt.Topics;
        prompt.IsArchived = change.IsArchived ?? prompt.IsArchived;
        if (change.IsRestricted is { } restricted && restricted != prompt.IsRestricted)
        {
            caller.Demand(Permission.Manage);
            prompt.IsRestricted = restricted;
            Audit(db, caller, restricted ? "prompt.restrict" : "prompt.unrestrict", prompt.Handle);
        }

        if (change.IsPublic is { } isPublic && isPublic != prompt.IsPublic)
        {
            prompt.IsPublic = isPublic;
            Audit(db, caller, isPublic ? "prompt.publish" : "prompt.unpublish", prompt.Handle);
        }

        prompt.UpdatedAt = time.GetUtcNow();
        prompt.Revision = Guid.CreateVersion7(prompt.UpdatedAt);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            // Changed by somebody else, or the new name was taken a moment ago.
            throw new PromptConflictException($"{prompt.Handle} was changed at the same time");
        }

        return (await PromptListings.DescribeAsync(db, caller, [prompt], cancellationToken))[0];
    }

    /// <summary>Deletes a prompt with its history.</summary>
    /// <exception cref="PromptNotFoundException">There is none in the caller's workspace.</exception>
    public async Task DeleteAsync(Caller caller, PromptKey key, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await FindOwnAsync(db, caller, key, cancellationToken);
        db.Prompts.Remove(prompt);
        Audit(db, caller, "prompt.delete", prompt.Handle);
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Deletes several prompts of the workspace with their histories; what cannot be deleted keeps none of the others.</summary>
    public async Task<IReadOnlyList<PromptDeletion>> DeleteManyAsync(
        Caller caller,
        IReadOnlyList<Guid> ids,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .Prompts.Where(p => p.WorkspaceId == caller.WorkspaceId && ids.Contains(p.Id))
            .ToDictionaryAsync(p => p.Id, cancellationToken);
        var results = new List<PromptDeletion>();
        foreach (var id in ids.Distinct())
        {
            if (!found.TryGetValue(id, out var prompt))
            {
                results.Add(new(id, null, "not found"));
            }
            else if (!await MayChangeAsync(db, caller, prompt, cancellationToken))
            {
                results.Add(new(id, prompt.Handle, "only its owners may delete it"));
            }
            else
            {
                db.Prompts.Remove(prompt);
                Audit(db, caller, "prompt.delete", prompt.Handle);
                results.Add(new(id, prompt.Handle, null));
            }
        }

        await db.SaveChangesAsync(cancellationToken);
        return results;
    }

    /// <summary>Likes or takes it back; returns how many like it now.</summary>
    public async Task<int> LikeAsync(
        Caller caller,
        PromptKey key,
        bool like,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await FindAsync(db, caller, key, cancellationToken);
        var actor = ActorId(caller);
        var known = await db.PromptLikes.FindAsync([prompt.Id, actor], cancellationToken);
        if (like && known is null)
        {
            db.PromptLikes.Add(new PromptLike { PromptId = prompt.Id, ActorId = actor });
        }
        else if (!like && known is not null)
        {
            db.PromptLikes.Remove(known);
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.PromptLikes.CountAsync(l => l.PromptId == prompt.Id, cancellationToken);
    }

    /// <summary>Counts that somebody opened a prompt.</summary>
    public async Task ViewedAsync(Caller caller, Guid promptId, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await Visible(db, caller)
            .Where(p => p.Id == promptId)
            .ExecuteUpdateAsync(
                s => s.SetProperty(p => p.Views, p => p.Views + 1),
                cancellationToken
            );
    }

    internal static Guid ActorId(Caller caller) => caller.UserId ?? caller.ApiKeyId ?? Guid.Empty;

    internal static async Task<Prompt> FindAsync(
        MetadataContext db,
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        var visible = Visible(db, caller);
        visible =
            key.Owner == Self
                ? visible.Where(p => p.WorkspaceId == caller.WorkspaceId)
                : visible.Where(p =>
                    db.Workspaces.Any(w => w.Id == p.WorkspaceId && w.Handle == key.Owner)
                );
        return await visible.FirstOrDefaultAsync(p => p.Handle == key.Handle, cancellationToken)
            ?? throw new PromptNotFoundException($"Prompt {key.Owner}/{key.Handle}");
    }

    /// <summary>A prompt of the workspace that the caller may change.</summary>
    /// <exception cref="PromptNotFoundException">There is none.</exception>
    /// <exception cref="AccessDeniedException">Only its owners may change it.</exception>
    internal static async Task<Prompt> FindOwnAsync(
        MetadataContext db,
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        var prompt = await FindAsync(db, caller, key, cancellationToken);
        if (prompt.WorkspaceId != caller.WorkspaceId)
        {
            throw new PromptNotFoundException($"Prompt {key.Owner}/{key.Handle}");
        }

        return await MayChangeAsync(db, caller, prompt, cancellationToken)
            ? prompt
            : throw new AccessDeniedException(Permission.Manage);
    }

    /// <summary>False when only its owners may change a prompt and the caller is none of them.</summary>
    private static async Task<bool> MayChangeAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        CancellationToken cancellationToken
    ) =>
        !prompt.IsRestricted
        || caller.May(Permission.Manage)
        || await db.PromptOwners.AnyAsync(
            o => o.PromptId == prompt.Id && o.MemberId == caller.UserId,
            cancellationToken
        );

    internal static void Audit(
        MetadataContext db,
        Caller caller,
        string action,
        string subject,
        DateTimeOffset now
    ) => db.AuditEntries.Add(AuditEntry.Of(caller, action, subject, now));

    private void Audit(MetadataContext db, Caller caller, string action, string subject) =>
        Audit(db, caller, action, subject, time.GetUtcNow());

    internal static IQueryable<Prompt> Visible(MetadataContext db, Caller caller) =>
        db.Prompts.Where(p => p.WorkspaceId == caller.WorkspaceId || p.IsPublic);

    private static void CheckHandle(string handle)
    {
        if (
            handle.Length is 0 or > MaxHandle
            || !handle.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            || handle is Self or "." or ".."
        )
        {
            throw new InvalidPromptException(
                "repo_handle: must have 1 to 200 letters, digits, dashes, underscores or dots"
            );
        }
    }

    private static async Task CheckFreeAsync(
        MetadataContext db,
        Caller caller,
        string handle,
        CancellationToken cancellationToken
    )
    {
        if (
            await db.Prompts.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Handle == handle,
                cancellationToken
            )
        )
        {
            throw new PromptConflictException($"A prompt named {handle} exists already");
        }
    }

    private async Task<Prompt> AddAsync(
        MetadataContext db,
        Caller caller,
        PromptDraft draft,
        Guid? forkedFrom,
        CancellationToken cancellationToken
    )
    {
        CheckHandle(draft.Handle);
        await CheckFreeAsync(db, caller, draft.Handle, cancellationToken);
        var now = time.GetUtcNow();
        var prompt = new Prompt
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Handle = draft.Handle,
            Kind = draft.Kind,
            Description = draft.Description,
            Readme = draft.Readme,
            Topics = draft.Topics ?? [],
            IsPublic = draft.IsPublic,
            IsRestricted = draft.IsRestricted,
            ForkedFromId = forkedFrom,
            CreatedBy = caller.Name,
            CreatedAt = now,
            UpdatedAt = now,
            Revision = Guid.CreateVersion7(now),
        };
        db.Prompts.Add(prompt);
        Audit(db, caller, "prompt.create", prompt.Handle);
        if (prompt.IsRestricted && caller.UserId is { } maker)
        {
            // Whoever makes a prompt that only its owners change must not be the first to be locked out.
            db.PromptOwners.Add(
                new PromptOwner
                {
                    PromptId = prompt.Id,
                    MemberId = maker,
                    CreatedAt = now,
                }
            );
        }

        return prompt;
    }

    private static async Task SaveNewAsync(
        MetadataContext db,
        string handle,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            // Somebody took the handle between our look and our insert.
            throw new PromptConflictException($"A prompt named {handle} exists already");
        }
    }
}
