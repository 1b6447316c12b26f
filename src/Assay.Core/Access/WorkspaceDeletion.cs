using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>
/// Deletes a workspace with everything in it: runs, datasets, experiments and their files, prompts, queues, keys, memberships, secrets. The audit log stays,
/// and says who did it. Thread-safe.
/// </summary>
public sealed class WorkspaceDeletion(
    IDbContextFactory<MetadataContext> metadata,
    IRunStore store,
    DatasetCatalog datasets,
    ExperimentArtifacts artifacts,
    ProjectDirectory projects,
    ApiKeys keys,
    TimeProvider time
)
{
    /// <summary>Deletes the caller's workspace; false when it is the last one, which stays.</summary>
    public async Task<bool> DeleteAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.ManageOrganization);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var workspace = await db.Workspaces.SingleAsync(
            w => w.Id == caller.WorkspaceId,
            cancellationToken
        );
        if (
            !await db.Workspaces.AnyAsync(
                w => w.OrganizationId == workspace.OrganizationId && w.Id != workspace.Id,
                cancellationToken
            )
        )
        {
            return false;
        }

        foreach (var other in await OthersAsync(db, workspace, cancellationToken))
        {
            db.AuditEntries.Add(
                AuditEntry.Of(
                    caller with
                    {
                        WorkspaceId = other,
                    },
                    "workspace.delete",
                    workspace.Name,
                    time.GetUtcNow()
                )
            );
        }

        await db.SaveChangesAsync(cancellationToken);
        foreach (
            var dataset in await db
                .Datasets.Where(d => d.WorkspaceId == workspace.Id)
                .Select(d => d.Id)
                .ToListAsync(cancellationToken)
        )
        {
            await datasets.DeleteAsync(
                caller with
                {
                    Permissions = caller.Permissions | Permission.Delete,
                },
                dataset,
                cancellationToken
            );
        }

        var all = await db
            .Projects.Where(p => p.WorkspaceId == workspace.Id)
            .Select(p => p.Id)
            .ToListAsync(cancellationToken);

        // The runs before what lets the caller in, so that it can be asked again after a crash; and those that came meanwhile once more.
        await DeleteRunsAsync(workspace.Id, all, cancellationToken);
        foreach (var project in all)
        {
            await artifacts.DropAsync(workspace.Id, project, cancellationToken);
        }

        await DeleteRowsAsync(db, workspace.Id);
        db.Workspaces.Remove(workspace);
        await db.SaveChangesAsync(CancellationToken.None);
        keys.Forget();
        await DeleteRunsAsync(workspace.Id, all, CancellationToken.None);
        return true;
    }

    private async Task DeleteRunsAsync(
        Guid workspace,
        IReadOnlyList<Guid> all,
        CancellationToken cancellationToken
    )
    {
        await store.SettleAsync(cancellationToken);
        foreach (var project in all)
        {
            projects.Forget(workspace, project);
            await store.DeleteProjectRunsAsync(workspace, project, cancellationToken);
        }
    }

    /// <summary>The other workspaces of the organization, in whose audit logs it is written.</summary>
    private static Task<List<Guid>> OthersAsync(
        MetadataContext db,
        Workspace workspace,
        CancellationToken cancellationToken
    ) =>
        db
            .Workspaces.Where(w =>
                w.OrganizationId == workspace.OrganizationId && w.Id != workspace.Id
            )
            .Select(w => w.Id)
            .ToListAsync(cancellationToken);

    /// <summary>Every row that names the workspace, whatever table there is or comes to be; rows below them go by their foreign keys, those of jobs (which have none) by hand.</summary>
    private static async Task DeleteRowsAsync(MetadataContext db, Guid workspace)
    {
        await db
            .ExperimentJobRows.Where(r =>
                db.ExperimentJobs.Any(j => j.Id == r.JobId && j.WorkspaceId == workspace)
            )
            .ExecuteDeleteAsync(CancellationToken.None);
        foreach (var type in db.Model.GetEntityTypes())
        {
            if (
                type.ClrType != typeof(AuditEntry)
                && type.FindProperty(nameof(AuditEntry.WorkspaceId)) is { } property
                && type.GetTableName() is { } table
            )
            {
                // Names of the model, not of anybody outside.
#pragma warning disable EF1002
                await db.Database.ExecuteSqlRawAsync(
                    $"DELETE FROM \"{table}\" WHERE \"{property.GetColumnName()}\" = {{0}}",
                    [workspace],
                    CancellationToken.None
                );
#pragma warning restore EF1002
            }
        }
    }
}
