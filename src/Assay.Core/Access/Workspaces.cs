using Assay.Core.Metadata;
using Assay.Core.Projects;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>A workspace as its member sees it.</summary>
/// <param name="Workspace">The workspace.</param>
/// <param name="Role">The caller's role there; null when an API key asks.</param>
public sealed record WorkspaceView(Workspace Workspace, Role? Role);

/// <summary>What came of a change to a workspace.</summary>
public enum WorkspaceChange
{
    /// <summary>It was made.</summary>
    Done,

    /// <summary>The caller sees no such workspace.</summary>
    NotFound,

    /// <summary>Another workspace has that handle or id.</summary>
    Taken,

    /// <summary>The name is empty or longer than 100 characters, or the handle is not made of 1 to 60 lower-case letters, digits and single dashes.</summary>
    Invalid,
}

/// <summary>Makes, lists and renames workspaces. Thread-safe.</summary>
public sealed class Workspaces(
    IDbContextFactory<MetadataContext> metadata,
    ProjectDirectory projects,
    TimeProvider time
)
{
    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 100;

    private const int MaxHandleLength = 60;

    /// <summary>The workspaces the caller may enter: all of a member's, the one of an API key.</summary>
    public async Task<IReadOnlyList<WorkspaceView>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (caller is not { UserId: { } member, ApiKeyId: null })
        {
            var own = await db
                .Workspaces.AsNoTracking()
                .SingleAsync(w => w.Id == caller.WorkspaceId, cancellationToken);
            return [new WorkspaceView(own, null)];
        }

        var found = await (
            from m in db.WorkspaceMembers.AsNoTracking()
            join w in db.Workspaces.AsNoTracking() on m.WorkspaceId equals w.Id
            where m.MemberId == member
            orderby w.Name, w.Id
            select new { Workspace = w, m.Role }
        ).ToListAsync(cancellationToken);
        return [.. found.Select(f => new WorkspaceView(f.Workspace, f.Role))];
    }

    /// <summary>The caller's workspace.</summary>
    public async Task<Workspace> GetAsync(Caller caller, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Workspaces.AsNoTracking()
            .SingleAsync(w => w.Id == caller.WorkspaceId, cancellationToken);
    }

    /// <summary>The caller's organization.</summary>
    public async Task<Organization> OrganizationAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await (
            from w in db.Workspaces.AsNoTracking()
            join o in db.Organizations.AsNoTracking() on w.OrganizationId equals o.Id
            where w.Id == caller.WorkspaceId
            select o
        ).SingleAsync(cancellationToken);
    }

    /// <summary>Makes a workspace in the caller's organization, with its <c>default</c> project; a member who asks becomes its owner.</summary>
    public async Task<(WorkspaceChange Outcome, Workspace? Workspace)> CreateAsync(
        Caller caller,
        string name,
        string? handle,
        Guid? id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.ManageOrganization);
        name = name.Trim();
        var wanted = handle ?? HandleOf(name);
        if (name.Length is 0 or > MaxNameLength || !IsHandle(wanted))
        {
            return (WorkspaceChange.Invalid, null);
        }

        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            await db.Workspaces.AnyAsync(w => w.Id == id, cancellationToken)
            || (
                handle is not null
                && await db.Workspaces.AnyAsync(w => w.Handle == handle, cancellationToken)
            )
        )
        {
            return (WorkspaceChange.Taken, null);
        }

        // A handle made from the name gets a number when it is taken; a handle that was asked for does not.
        for (
            var n = 2;
            await db.Workspaces.AnyAsync(w => w.Handle == wanted, cancellationToken);
            n++
        )
        {
            wanted = $"{HandleOf(name)}-{n}";
        }

        var organization = await db
            .Workspaces.Where(w => w.Id == caller.WorkspaceId)
            .Select(w => w.OrganizationId)
            .SingleAsync(cancellationToken);
        var workspace = new Workspace
        {
            Id = id ?? Guid.CreateVersion7(now),
            OrganizationId = organization,
            Name = name,
            Handle = wanted,
            CreatedAt = now,
        };
        db.Workspaces.Add(workspace);
        if (caller.UserId is { } member)
        {
            db.WorkspaceMembers.Add(
                new WorkspaceMember
                {
                    WorkspaceId = workspace.Id,
                    MemberId = member,
                    Role = Role.Owner,
                    JoinedAt = now,
                }
            );
        }

        db.AuditEntries.Add(AuditEntry.Of(caller, "workspace.create", name, now));
        db.AuditEntries.Add(
            AuditEntry.Of(caller with { WorkspaceId = workspace.Id }, "workspace.create", name, now)
        );
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            return (WorkspaceChange.Taken, null);
        }

        await projects.GetOrCreateAsync(
            workspace.Id,
            ProjectDirectory.DefaultName,
            cancellationToken
        );
        return (WorkspaceChange.Done, workspace);
    }

    /// <summary>Renames the caller's workspace; null leaves name or handle as it is.</summary>
    public async Task<WorkspaceChange> ChangeAsync(
        Caller caller,
        string? name,
        string? handle,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        name = name?.Trim();
        if (name is { Length: 0 or > MaxNameLength } || (handle is not null && !IsHandle(handle)))
        {
            return WorkspaceChange.Invalid;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var workspace = await db.Workspaces.SingleAsync(
            w => w.Id == caller.WorkspaceId,
            cancellationToken
        );
        var before = $"{workspace.Name} ({workspace.Handle})";
        workspace.Name = name ?? workspace.Name;
        workspace.Handle = handle ?? workspace.Handle;
        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "workspace.update",
                $"{before} → {workspace.Name} ({workspace.Handle})",
                time.GetUtcNow()
            )
        );
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return WorkspaceChange.Done;
        }
        catch (DbUpdateException)
        {
            return WorkspaceChange.Taken;
        }
    }

    /// <summary>Renames the caller's organization.</summary>
    public async Task<WorkspaceChange> RenameOrganizationAsync(
        Caller caller,
        string name,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.ManageOrganization);
        name = name.Trim();
        if (name.Length is 0 or > MaxNameLength)
        {
            return WorkspaceChange.Invalid;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var id = await db
            .Workspaces.Where(w => w.Id == caller.WorkspaceId)
            .Select(w => w.OrganizationId)
            .SingleAsync(cancellationToken);
        var organization = await db.Organizations.SingleAsync(o => o.Id == id, cancellationToken);
        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "organization.update",
                $"{organization.Name} → {name}",
                time.GetUtcNow()
            )
        );
        organization.Name = name;
        await db.SaveChangesAsync(cancellationToken);
        return WorkspaceChange.Done;
    }

    private static bool IsHandle(string text) =>
        text.Length is > 0 and <= MaxHandleLength
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text[0] != '-'
        && text[^1] != '-'
        && !text.Contains("--", StringComparison.Ordinal);

    private static string HandleOf(string name)
    {
        var parts = string.Concat(
                name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')
            )
            .Split('-', StringSplitOptions.RemoveEmptyEntries);
        var handle = string.Join('-', parts);
        return handle.Length == 0 ? "workspace" : handle[..Math.Min(handle.Length, 50)].Trim('-');
    }
}
