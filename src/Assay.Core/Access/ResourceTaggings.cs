using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>Tags for a resource that is being made, saved together with it.</summary>
public static class ResourceTaggings
{
    /// <summary>Adds the taggings to the context; false, and nothing added, when the workspace has no such value.</summary>
    public static async Task<bool> TryAddAsync(
        MetadataContext db,
        ResourceTagging bare,
        IReadOnlyList<Guid> valueIds,
        CancellationToken cancellationToken
    )
    {
        var wanted = valueIds.Distinct().ToList();
        if (
            wanted.Count > 0
            && await db.ResourceTagValues.CountAsync(
                v => v.WorkspaceId == bare.WorkspaceId && wanted.Contains(v.Id),
                cancellationToken
            ) < wanted.Count
        )
        {
            return false;
        }

        foreach (var value in wanted)
        {
            db.ResourceTaggings.Add(
                new ResourceTagging
                {
                    Id = Guid.CreateVersion7(bare.CreatedAt),
                    WorkspaceId = bare.WorkspaceId,
                    ValueId = value,
                    ResourceType = bare.ResourceType,
                    ResourceId = bare.ResourceId,
                    CreatedAt = bare.CreatedAt,
                }
            );
        }

        return true;
    }
}
