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
        var found = Visible(db, caller).Where(p => query.Kinds.Contains(p.Kind));
        found = query.IsPublic switch
        {
            true => found.Where(p => p.IsPublic),
            false => found.Where(p => !p.IsPublic && p.WorkspaceId == caller.WorkspaceId),
            null => found.Where(p => p.WorkspaceId == caller.WorkspaceId),
        };
        if (query.IsArchived is { } archived)
        {
            found = found.Where(p => p.IsArchived == archived);
        }

        if (query.HasCommits is { } committed)
        {
            found = found.Where(p => p.CommitCount > 0 == committed);
        }

        if (query.OwnerHandle is { } handle)
        {
            found = found.Where(p =>
                db.Workspaces.Any(w => w.Id == p.WorkspaceId && w.Handle == handle)
            );
        }

        if (query.Text is { Length: > 0 } text)
        {
            var pattern =
                $"%{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
            found = found.Where(p =>
                EF.Functions.Like(p.Handle, pattern, "\\")
                || EF.Functions.Like(p.Description ?? "", pattern, "\\")
            );
        }

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
            _ => rows.OrderBy(p => p.UpdatedAt),
        };
        var sorted = ordered.ThenBy(p => p.Id).ToList();
        if (query.IsDescending)
        {
            sorted.Reverse();
        }

        var page = sorted.Skip(query.Offset).Take(query.Limit).ToList();
        return (await DescribeAsync(db, caller, page, cancellationToken), rows.Count);
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
        return (await DescribeAsync(db, caller, [prompt], cancellationToken))[0];
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
        return (await DescribeAsync(db, caller, [prompt], cancellationToken))[0];
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
        return (await DescribeAsync(db, caller, [prompt], cancellationToken))[0];
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
        catch (DbUpdateConcurrencyException)
        {
            throw new PromptConflictException($"{prompt.Handle} was changed at the same time");
        }

        return (await DescribeAsync(db, caller, [prompt], cancellationToken))[0];
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

        if (
            prompt.IsRestricted
            && !caller.May(Permission.Manage)
            && !await db.PromptOwners.AnyAsync(
                o => o.PromptId == prompt.Id && o.MemberId == caller.UserId,
                cancellationToken
            )
        )
        {
            throw new AccessDeniedException(Permission.Manage);
        }

        return prompt;
    }

    internal static void Audit(
        MetadataContext db,
        Caller caller,
        string action,
        string subject,
        DateTimeOffset now
    ) => db.AuditEntries.Add(AuditEntry.Of(caller, action, subject, now));

    private void Audit(MetadataContext db, Caller caller, string action, string subject) =>
        Audit(db, caller, action, subject, time.GetUtcNow());

    private static IQueryable<Prompt> Visible(MetadataContext db, Caller caller) =>
        db.Prompts.Where(p => p.WorkspaceId == caller.WorkspaceId || p.IsPublic);

    private async Task<Prompt> AddAsync(
        MetadataContext db,
        Caller caller,
        PromptDraft draft,
        Guid? forkedFrom,
        CancellationToken cancellationToken
    )
    {
        if (
            draft.Handle.Length is 0 or > MaxHandle
            || !draft.Handle.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            || draft.Handle is Self or "." or ".."
        )
        {
            throw new InvalidPromptException(
                "repo_handle: must have 1 to 200 letters, digits, dashes, underscores or dots"
            );
        }

        if (
            await db.Prompts.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Handle == draft.Handle,
                cancellationToken
            )
        )
        {
            throw new PromptConflictException($"A prompt named {draft.Handle} exists already");
        }

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

    private static async Task<IReadOnlyList<PromptListing>> DescribeAsync(
        MetadataContext db,
        Caller caller,
        IReadOnlyList<Prompt> prompts,
        CancellationToken cancellationToken
    )
    {
        var ids = prompts.Select(p => p.Id).ToList();
        var heads = prompts.Select(p => p.HeadId).ToList();
        var actor = ActorId(caller);
        var hashes = await db
            .PromptCommits.Where(c => heads.Contains(c.Id))
            .Select(c => new { c.PromptId, c.Hash })
            .ToDictionaryAsync(c => c.PromptId, c => c.Hash, cancellationToken);
        var likes = await db
            .PromptLikes.Where(l => ids.Contains(l.PromptId))
            .ToListAsync(cancellationToken);
        var tags = await db
            .PromptTags.Where(t => ids.Contains(t.PromptId))
            .Select(t => new { t.PromptId, t.Name })
            .ToListAsync(cancellationToken);
        var owners = prompts.Select(p => p.WorkspaceId).ToList();
        var handles = await db
            .Workspaces.Where(w => owners.Contains(w.Id))
            .ToDictionaryAsync(w => w.Id, w => w.Handle, cancellationToken);
        var owned = await db
            .PromptOwners.Where(o => ids.Contains(o.PromptId) && o.MemberId == caller.UserId)
            .Select(o => o.PromptId)
            .ToListAsync(cancellationToken);
        var originals = prompts.Select(p => p.ForkedFromId).ToList();
        var sources = await Visible(db, caller)
            .Where(p => originals.Contains(p.Id))
            .Join(
                db.Workspaces,
                p => p.WorkspaceId,
                w => w.Id,
                (p, w) => new { p.Id, Name = w.Handle + "/" + p.Handle }
            )
            .ToDictionaryAsync(p => p.Id, p => p.Name, cancellationToken);
        return
        [
            .. prompts.Select(p => new PromptListing(
                p,
                handles.GetValueOrDefault(p.WorkspaceId, ""),
                hashes.GetValueOrDefault(p.Id),
                likes.Count(l => l.PromptId == p.Id),
                likes.Any(l => l.PromptId == p.Id && l.ActorId == actor),
                [
                    .. tags.Where(t => t.PromptId == p.Id)
                        .Select(t => t.Name)
                        .Order(StringComparer.Ordinal),
                ],
                p.ForkedFromId is { } from ? sources.GetValueOrDefault(from) : null,
                p.WorkspaceId == caller.WorkspaceId
                    && caller.May(Permission.Write)
                    && (!p.IsRestricted || caller.May(Permission.Manage) || owned.Contains(p.Id))
            )),
        ];
    }
}
