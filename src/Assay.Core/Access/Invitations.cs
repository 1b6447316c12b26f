using System.Net.Mail;
using System.Security.Cryptography;
using System.Text;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>An open invitation, as the person who opens its link sees it.</summary>
/// <param name="Email">Whom it is for.</param>
/// <param name="WorkspaceName">The workspace it opens.</param>
/// <param name="Role">The role it gives.</param>
/// <param name="InvitedBy">Who invited.</param>
public sealed record InvitationView(
    string Email,
    string WorkspaceName,
    Role Role,
    string InvitedBy
);

/// <summary>Invitations into workspaces. Thread-safe. The link's token is shown once and kept as a hash.</summary>
public sealed class Invitations(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>How long an invitation is open.</summary>
    public static TimeSpan Lifetime { get; } = TimeSpan.FromDays(7);

    /// <summary>Invites a person; the token goes into the link <c>/invite/TOKEN</c>. An older open invitation of the same person is closed.</summary>
    public async Task<(MemberChange Outcome, Invitation? Invitation, string? Token)> CreateAsync(
        Caller caller,
        string email,
        Role role,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        email = email.Trim();
        if (role == Role.Owner && !caller.May(Permission.ManageOrganization))
        {
            return (MemberChange.OwnersOnly, null, null);
        }

        if (!IsEmail(email))
        {
            return (MemberChange.WrongEmail, null, null);
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var normal = email.ToUpperInvariant();
        if (
            await (
                from m in db.WorkspaceMembers
                join u in db.Users on m.MemberId equals u.Id
                where m.WorkspaceId == caller.WorkspaceId && u.NormalizedEmail == normal
                select m
            ).AnyAsync(cancellationToken)
        )
        {
            return (MemberChange.AlreadyMember, null, null);
        }

        var now = time.GetUtcNow();
        foreach (
            var older in await db
                .Invitations.Where(i =>
                    i.WorkspaceId == caller.WorkspaceId
                    && i.ClosedAt == null
                    && i.NormalizedEmail == normal
                )
                .ToListAsync(cancellationToken)
        )
        {
            older.ClosedAt = now;
        }

        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var invitation = new Invitation
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Email = email,
            NormalizedEmail = normal,
            Role = role,
            Hash = HashOf(token),
            InvitedBy = caller.Name,
            CreatedAt = now,
            ExpiresAt = now + Lifetime,
        };
        db.Invitations.Add(invitation);
        db.AuditEntries.Add(
            AuditEntry.Of(caller, "member.invite", $"{email} as {Members.RoleName(role)}", now)
        );
        await db.SaveChangesAsync(cancellationToken);
        return (MemberChange.Done, invitation, token);
    }

    /// <summary>The open invitations of the caller's workspace, newest first.</summary>
    public async Task<IReadOnlyList<Invitation>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Invitations.AsNoTracking()
            .Where(i =>
                i.WorkspaceId == caller.WorkspaceId && i.ClosedAt == null && i.ExpiresAt > now
            )
            .OrderByDescending(i => i.CreatedAt)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Withdraws an open invitation.</summary>
    public async Task<MemberChange> WithdrawAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            await db.Invitations.FirstOrDefaultAsync(
                i => i.WorkspaceId == caller.WorkspaceId && i.Id == id && i.ClosedAt == null,
                cancellationToken
            )
            is not { } invitation
        )
        {
            return MemberChange.NotFound;
        }

        var now = time.GetUtcNow();
        invitation.ClosedAt = now;
        db.AuditEntries.Add(AuditEntry.Of(caller, "member.uninvite", invitation.Email, now));
        await db.SaveChangesAsync(cancellationToken);
        return MemberChange.Done;
    }

    /// <summary>The open invitation of a link; null when the link is used up, withdrawn or expired.</summary>
    public async Task<InvitationView?> FindAsync(string token, CancellationToken cancellationToken)
    {
        var hash = HashOf(token);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await (
            from i in db.Invitations.AsNoTracking()
            join w in db.Workspaces.AsNoTracking() on i.WorkspaceId equals w.Id
            where i.Hash == hash && i.ClosedAt == null && i.ExpiresAt > now
            select new InvitationView(i.Email, w.Name, i.Role, i.InvitedBy)
        ).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Lets the member in by the link, once. The member's e-mail must be the one that was invited.</summary>
    public async Task<(MemberChange Outcome, Guid WorkspaceId)> AcceptAsync(
        string token,
        Member member,
        CancellationToken cancellationToken
    )
    {
        var hash = HashOf(token);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var invitation = await db
            .Invitations.AsNoTracking()
            .FirstOrDefaultAsync(i => i.Hash == hash, cancellationToken);
        return invitation is null ? (MemberChange.NotFound, Guid.Empty)
            : !string.Equals(invitation.Email, member.Email, StringComparison.OrdinalIgnoreCase)
                ? (MemberChange.WrongEmail, Guid.Empty)
            : (
                await AcceptAsync(db, invitation, member, cancellationToken),
                invitation.WorkspaceId
            );
    }

    /// <summary>Lets the member in by every open invitation for the member's e-mail, which somebody trusted has verified.</summary>
    public async Task AcceptAllAsync(Member member, CancellationToken cancellationToken)
    {
        var email = member.Email!.ToUpperInvariant();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var open = await db
            .Invitations.AsNoTracking()
            .Where(i => i.ClosedAt == null && i.ExpiresAt > now && i.NormalizedEmail == email)
            .ToListAsync(cancellationToken);
        foreach (var invitation in open)
        {
            await AcceptAsync(db, invitation, member, cancellationToken);
        }
    }

    /// <summary>True for a text that can be an e-mail address.</summary>
    public static bool IsEmail(string text) =>
        text.Length <= 254
        && MailAddress.TryCreate(text, out var address)
        && address.Address == text
        && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));

    private async Task<MemberChange> AcceptAsync(
        MetadataContext db,
        Invitation invitation,
        Member member,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Closing is the claim: of two requests with one link, one closes a row.
        var closed = await db
            .Invitations.Where(i =>
                i.Id == invitation.Id && i.ClosedAt == null && i.ExpiresAt > now
            )
            .ExecuteUpdateAsync(s => s.SetProperty(i => i.ClosedAt, now), cancellationToken);
        if (closed == 0)
        {
            return MemberChange.NotFound;
        }

        if (
            !await db.WorkspaceMembers.AnyAsync(
                m => m.WorkspaceId == invitation.WorkspaceId && m.MemberId == member.Id,
                cancellationToken
            )
        )
        {
            db.WorkspaceMembers.Add(
                new WorkspaceMember
                {
                    WorkspaceId = invitation.WorkspaceId,
                    MemberId = member.Id,
                    Role = invitation.Role,
                    JoinedAt = now,
                }
            );
            db.AuditEntries.Add(
                AuditEntry.Of(
                    new Caller(
                        invitation.WorkspaceId,
                        Permission.None,
                        member.Id,
                        Name: invitation.Email
                    ),
                    "member.join",
                    $"{invitation.Email} as {Members.RoleName(invitation.Role)}, invited by {invitation.InvitedBy}",
                    now
                )
            );
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return MemberChange.Done;
    }

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
