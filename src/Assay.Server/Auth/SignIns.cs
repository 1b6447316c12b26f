using Assay.Core.Access;
using Microsoft.AspNetCore.Identity;

namespace Assay.Server.Auth;

/// <summary>Checks passwords and writes the sign-in cookie. Unknown addresses cost as much time as known ones and give the same answer.</summary>
internal sealed class SignIns(
    UserManager<Member> users,
    Members members,
    AuditLog audit,
    IPasswordHasher<Member> hasher
)
{
    private static string? s_nobodysHash;

    /// <summary>The member of this address and password; null when they do not match or the account is locked for a while.</summary>
    public async Task<Member?> CheckAsync(
        string email,
        string password,
        CancellationToken cancellationToken
    )
    {
        var member = await users.FindByEmailAsync(email);
        if (member?.PasswordHash is null || await users.IsLockedOutAsync(member))
        {
            var nobody = new Member();
            s_nobodysHash ??= hasher.HashPassword(nobody, "nobody's password");
            hasher.VerifyHashedPassword(nobody, s_nobodysHash, password);
            return null;
        }

        if (await users.CheckPasswordAsync(member, password))
        {
            await users.ResetAccessFailedCountAsync(member);
            return member;
        }

        await users.AccessFailedAsync(member);
        if (
            await users.IsLockedOutAsync(member)
            && await members.FindHomeAsync(member.Id, cancellationToken) is { } home
        )
        {
            await audit.WriteAsync(
                As(member, home),
                "member.lock",
                $"{member.Email}, after {users.Options.Lockout.MaxFailedAccessAttempts} wrong passwords",
                cancellationToken
            );
        }

        return null;
    }

    /// <summary>Writes the cookie for a workspace, or for the member's first; false when the member is in none.</summary>
    public async Task<bool> SignInAsync(
        HttpContext context,
        Member member,
        Guid? workspaceId,
        string how
    )
    {
        workspaceId ??= await members.FindHomeAsync(member.Id, context.RequestAborted);
        if (workspaceId is not { } workspace)
        {
            return false;
        }

        await new MemberTicket(
            member.Id,
            workspace,
            member.SecurityStamp ?? "",
            string.Equals(how, "link", StringComparison.Ordinal)
        ).SignInAsync(context);
        await audit.WriteAsync(
            As(member, workspace),
            "member.sign_in",
            $"by {how}",
            context.RequestAborted
        );
        return true;
    }

    /// <summary>The member, by name, as an actor of the audit log.</summary>
    public static Caller As(Member member, Guid workspaceId) =>
        new(
            workspaceId,
            Permission.None,
            member.Id,
            Name: member.Email ?? member.DisplayName ?? "member"
        );
}
