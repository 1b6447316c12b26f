using Assay.Core.Metadata;
using Assay.Core.Projects;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>Makes what a fresh installation needs: a workspace, its <c>default</c> project (SDKs look for one project at least) and an owner.</summary>
public sealed class Bootstrap(
    IDbContextFactory<MetadataContext> metadata,
    ProjectDirectory projects,
    TimeProvider time
)
{
    /// <summary>The first workspace, created when there is none, and whether it was.</summary>
    public async Task<(Workspace Workspace, bool IsNew)> EnsureWorkspaceAsync(
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            await db
                .Workspaces.AsNoTracking()
                .OrderBy(w => w.CreatedAt)
                .FirstOrDefaultAsync(cancellationToken) is
            { } known
        )
        {
            return (known, false);
        }

        var now = time.GetUtcNow();
        var workspace = new Workspace
        {
            Id = Guid.CreateVersion7(now),
            OrganizationId = Guid.CreateVersion7(now),
            Name = "Default",
            Handle = "default",
            CreatedAt = now,
        };
        var owner = new Member
        {
            Id = Guid.CreateVersion7(now),
            UserName = "owner",
            NormalizedUserName = "OWNER",
            DisplayName = "Owner",
            SecurityStamp = Guid.CreateVersion7(now).ToString("N"),
            CreatedAt = now,
        };
        db.Workspaces.Add(workspace);
        db.Users.Add(owner);
        db.WorkspaceMembers.Add(
            new WorkspaceMember
            {
                WorkspaceId = workspace.Id,
                MemberId = owner.Id,
                Role = Role.Owner,
            }
        );
        await db.SaveChangesAsync(cancellationToken);
        await projects.GetOrCreateAsync(
            workspace.Id,
            ProjectDirectory.DefaultName,
            cancellationToken
        );
        return (workspace, true);
    }

    /// <summary>The caller that a signed-in member is in a workspace; null when not a member.</summary>
    public async Task<Caller?> FindCallerAsync(
        Guid memberId,
        Guid workspaceId,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await (
            from m in db.WorkspaceMembers.AsNoTracking()
            join u in db.Users.AsNoTracking() on m.MemberId equals u.Id
            where m.MemberId == memberId && m.WorkspaceId == workspaceId
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
            .Select(m => (Guid?)m.MemberId)
            .FirstOrDefaultAsync(cancellationToken);
    }
}
