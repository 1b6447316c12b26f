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
        var organization = new Organization
        {
            Id = Guid.CreateVersion7(now),
            Name = "My organization",
            CreatedAt = now,
        };
        var workspace = new Workspace
        {
            Id = Guid.CreateVersion7(now),
            OrganizationId = organization.Id,
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
        db.Organizations.Add(organization);
        db.Workspaces.Add(workspace);
        db.Users.Add(owner);
        db.WorkspaceMembers.Add(
            new WorkspaceMember
            {
                WorkspaceId = workspace.Id,
                MemberId = owner.Id,
                Role = Role.Owner,
                JoinedAt = now,
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
}
