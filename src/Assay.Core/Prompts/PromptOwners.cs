using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>
/// The members who answer for a prompt. When the prompt is restricted, only they and those who manage the workspace change it. Thread-safe.
/// </summary>
public sealed class PromptOwners(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The owners of a prompt of the workspace, longest first.</summary>
    /// <exception cref="PromptNotFoundException">The prompt is not in reach.</exception>
    public async Task<IReadOnlyList<(PromptOwner Owner, Member Member)>> ListAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        // Who the members of another workspace are is theirs to know, also of a public prompt.
        if (prompt.WorkspaceId != caller.WorkspaceId)
        {
            return [];
        }

        var found = await db
            .PromptOwners.AsNoTracking()
            .Where(o => o.PromptId == prompt.Id)
            .OrderBy(o => o.CreatedAt)
            .Join(db.Users, o => o.MemberId, m => m.Id, (o, m) => new { o, m })
            .ToListAsync(cancellationToken);
        return [.. found.Select(f => (f.o, f.m))];
    }

    /// <summary>Makes a member of the workspace an owner.</summary>
    /// <exception cref="PromptNotFoundException">There is no such prompt, or no such member of the workspace.</exception>
    /// <exception cref="PromptConflictException">They own it already.</exception>
    public async Task<(PromptOwner Owner, Member Member)> AddAsync(
        Caller caller,
        PromptKey key,
        string email,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var normalized = email.Trim().ToUpperInvariant();
        var member =
            await db.Users.FirstOrDefaultAsync(
                m =>
                    m.NormalizedEmail == normalized
                    && db.WorkspaceMembers.Any(w =>
                        w.MemberId == m.Id && w.WorkspaceId == caller.WorkspaceId
                    ),
                cancellationToken
            ) ?? throw new PromptNotFoundException("Member");
        if (await db.PromptOwners.FindAsync([prompt.Id, member.Id], cancellationToken) is not null)
        {
            throw new PromptConflictException($"{member.Email} owns it already");
        }

        var now = time.GetUtcNow();
        var owner = new PromptOwner
        {
            PromptId = prompt.Id,
            MemberId = member.Id,
            CreatedAt = now,
        };
        db.PromptOwners.Add(owner);
        PromptHub.Audit(db, caller, "prompt_owner.add", $"{prompt.Handle}: {member.Email}", now);
        await db.SaveChangesAsync(cancellationToken);
        return (owner, member);
    }

    /// <summary>Takes an owner away; false when they own nothing of it.</summary>
    public async Task<bool> RemoveAsync(
        Caller caller,
        PromptKey key,
        Guid memberId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var owner = await db.PromptOwners.FindAsync([prompt.Id, memberId], cancellationToken);
        if (owner is null)
        {
            return false;
        }

        db.PromptOwners.Remove(owner);
        PromptHub.Audit(
            db,
            caller,
            "prompt_owner.remove",
            $"{prompt.Handle}: {memberId}",
            time.GetUtcNow()
        );
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }
}
