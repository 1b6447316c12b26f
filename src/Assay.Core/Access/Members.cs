using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>A member of a workspace.</summary>
/// <param name="Id">The person.</param>
/// <param name="Email">E-mail; null for the first owner before set-up.</param>
/// <param name="Name">Name on screen.</param>
/// <param name="Role">Role in the workspace.</param>
/// <param name="JoinedAt">When the person joined it.</param>
public sealed record MemberView(
    Guid Id,
    string? Email,
    string? Name,
    Role Role,
    DateTimeOffset JoinedAt
);

/// <summary>What came of a change to a membership.</summary>
public enum MemberChange
{
    /// <summary>It was made.</summary>
    Done,

    /// <summary>The workspace has no such member or invitation, or the link is used up or expired.</summary>
    NotFound,

    /// <summary>Refused: a workspace keeps one owner at least.</summary>
    LastOwner,

    /// <summary>Refused: only owners give, change or take the role of an owner.</summary>
    OwnersOnly,

    /// <summary>Refused: the person is a member already.</summary>
    AlreadyMember,

    /// <summary>Refused: the e-mail address is not one, or not the one that was invited.</summary>
    WrongEmail,
}

/// <summary>Who is in a workspace, with which role. Thread-safe. Every change is in the audit log, in the transaction that makes it.</summary>
public sealed class Members(
    IDbContextFactory<MetadataContext> metadata,
    ApiKeys keys,
    TimeProvider time
)
{
    /// <summary>
    /// The caller that a signed-in member is in a workspace; null when not a member, or when the sign-in is older than the last change of
    /// the member's password.
    /// </summary>
    public async Task<Caller?> FindCallerAsync(
        Guid memberId,
        Guid workspaceId,
        string? stamp,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await (
            from m in db.WorkspaceMembers.AsNoTracking()
            join u in db.Users.AsNoTracking() on m.MemberId equals u.Id
            where m.MemberId == memberId && m.WorkspaceId == workspaceId && u.SecurityStamp == stamp
            select new
            {
                m.Role,
                u.Email,
                u.DisplayName,
            }
        ).FirstOrDefaultAsync(cancellationToken);
        return found is null
            ? null
            : new Caller(
                workspaceId,
                Grants.Of(found.Role),
                UserId: memberId,
                Name: found.Email ?? found.DisplayName ?? "member"
            );
    }

    /// <summary>The owner of a workspace who came first: the person the login link stands for.</summary>
    public async Task<Guid?> FindOwnerAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .WorkspaceMembers.AsNoTracking()
            .Where(m => m.WorkspaceId == workspaceId && m.Role == Role.Owner)
            .OrderBy(m => m.JoinedAt)
            .Select(m => (Guid?)m.MemberId)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>The workspace a member comes into at sign-in: the first joined; null when there is none.</summary>
    public async Task<Guid?> FindHomeAsync(Guid memberId, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .WorkspaceMembers.AsNoTracking()
            .Where(m => m.MemberId == memberId)
            .OrderBy(m => m.JoinedAt)
            .Select(m => (Guid?)m.WorkspaceId)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>The members of the caller's workspace, owners first.</summary>
    public async Task<IReadOnlyList<MemberView>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await (
            from m in db.WorkspaceMembers.AsNoTracking()
            join u in db.Users.AsNoTracking() on m.MemberId equals u.Id
            where m.WorkspaceId == caller.WorkspaceId
            orderby m.Role descending, u.Email
            select new MemberView(u.Id, u.Email, u.DisplayName, m.Role, m.JoinedAt)
        ).ToListAsync(cancellationToken);
    }

    /// <summary>Gives a member another role.</summary>
    public Task<MemberChange> ChangeRoleAsync(
        Caller caller,
        Guid memberId,
        Role role,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        return ChangeAsync(caller, memberId, role, cancellationToken);
    }

    /// <summary>Adds a person who is in another workspace of the same organization.</summary>
    public async Task<MemberChange> AddAsync(
        Caller caller,
        Guid memberId,
        Role role,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        if (role == Role.Owner && !caller.May(Permission.ManageOrganization))
        {
            return MemberChange.OwnersOnly;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var here = db
            .Workspaces.Where(w => w.Id == caller.WorkspaceId)
            .Select(w => w.OrganizationId);
        var known = await (
            from m in db.WorkspaceMembers
            join w in db.Workspaces on m.WorkspaceId equals w.Id
            join u in db.Users on m.MemberId equals u.Id
            where m.MemberId == memberId && here.Contains(w.OrganizationId)
            select new { m.WorkspaceId, u.Email }
        ).ToListAsync(cancellationToken);
        // Who sits only in other workspaces is found by owners alone: to others that person does not exist.
        if (known.Count == 0 || !caller.May(Permission.ManageOrganization))
        {
            return known.Any(k => k.WorkspaceId == caller.WorkspaceId)
                ? MemberChange.AlreadyMember
                : MemberChange.NotFound;
        }

        if (known.Any(k => k.WorkspaceId == caller.WorkspaceId))
        {
            return MemberChange.AlreadyMember;
        }

        var now = time.GetUtcNow();
        db.WorkspaceMembers.Add(
            new WorkspaceMember
            {
                WorkspaceId = caller.WorkspaceId,
                MemberId = memberId,
                Role = role,
                JoinedAt = now,
            }
        );
        db.AuditEntries.Add(
            AuditEntry.Of(caller, "member.add", $"{known[0].Email} as {RoleName(role)}", now)
        );
        await db.SaveChangesAsync(cancellationToken);
        return MemberChange.Done;
    }

    /// <summary>Removes a member from the workspace, with the personal API keys; everybody may remove themselves.</summary>
    public Task<MemberChange> RemoveAsync(
        Caller caller,
        Guid memberId,
        CancellationToken cancellationToken
    )
    {
        if (caller.UserId != memberId)
        {
            caller.Demand(Permission.Manage);
        }

        return ChangeAsync(caller, memberId, null, cancellationToken);
    }

    /// <summary>Lets a person into a workspace without an invitation: sign-in by an identity provider that the operator trusts to decide. A member stays as is.</summary>
    public async Task JoinAsync(
        Member member,
        Guid workspaceId,
        Role role,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            await db.WorkspaceMembers.AnyAsync(
                m => m.WorkspaceId == workspaceId && m.MemberId == member.Id,
                cancellationToken
            )
        )
        {
            return;
        }

        var now = time.GetUtcNow();
        db.WorkspaceMembers.Add(
            new WorkspaceMember
            {
                WorkspaceId = workspaceId,
                MemberId = member.Id,
                Role = role,
                JoinedAt = now,
            }
        );
        db.AuditEntries.Add(
            AuditEntry.Of(
                new Caller(workspaceId, Permission.None, member.Id, Name: member.Email ?? ""),
                "member.join",
                $"{member.Email} as {RoleName(role)}, by single sign-on",
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
    }

    internal static string RoleName(Role role) => role.ToString().ToLowerInvariant();

    private async Task<MemberChange> ChangeAsync(
        Caller caller,
        Guid memberId,
        Role? role,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        // The transaction takes the write lock at once: two owners who remove each other at the same moment come one after the other.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (
            await db.WorkspaceMembers.FirstOrDefaultAsync(
                m => m.WorkspaceId == caller.WorkspaceId && m.MemberId == memberId,
                cancellationToken
            )
            is not { } member
        )
        {
            return MemberChange.NotFound;
        }

        if (
            (role == Role.Owner || member.Role == Role.Owner)
            && !caller.May(Permission.ManageOrganization)
        )
        {
            return MemberChange.OwnersOnly;
        }

        if (
            member.Role == Role.Owner
            && role != Role.Owner
            && await db.WorkspaceMembers.CountAsync(
                m => m.WorkspaceId == caller.WorkspaceId && m.Role == Role.Owner,
                cancellationToken
            ) == 1
        )
        {
            return MemberChange.LastOwner;
        }

        var now = time.GetUtcNow();
        var person = await db
            .Users.AsNoTracking()
            .Where(u => u.Id == memberId)
            .Select(u => u.Email ?? u.DisplayName)
            .SingleAsync(cancellationToken);
        if (role is { } given)
        {
            db.AuditEntries.Add(
                AuditEntry.Of(
                    caller,
                    "member.update",
                    $"{person}: {RoleName(member.Role)} → {RoleName(given)}",
                    now
                )
            );
            member.Role = given;
        }
        else
        {
            db.WorkspaceMembers.Remove(member);
            await db
                .ApiKeys.Where(k =>
                    k.WorkspaceId == caller.WorkspaceId
                    && k.MemberId == memberId
                    && k.RevokedAt == null
                )
                .ExecuteUpdateAsync(s => s.SetProperty(k => k.RevokedAt, now), cancellationToken);
            db.AuditEntries.Add(AuditEntry.Of(caller, "member.remove", person, now));
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        keys.Forget();
        return MemberChange.Done;
    }
}
