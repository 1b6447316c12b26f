using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Which prompts a list holds, and what is said about each: the queries below <see cref="PromptHub"/>.</summary>
internal static class PromptListings
{
    /// <summary>The prompts in reach that a query asks for, but for their topics.</summary>
    public static IQueryable<Prompt> Select(
        MetadataContext db,
        Caller caller,
        PromptListQuery query
    )
    {
        var found = PromptHub.Visible(db, caller).Where(p => query.Kinds.Contains(p.Kind));
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

        if (query.OwnerId is { } owner)
        {
            found = found.Where(p => p.WorkspaceId == owner);
        }

        if (query.ForkedFrom is { } upstream)
        {
            found = found.Where(p =>
                db.Prompts.Any(u =>
                    u.Id == p.ForkedFromId
                    && u.Handle == upstream.Handle
                    && (u.WorkspaceId == caller.WorkspaceId || u.IsPublic)
                    && (
                        upstream.Owner == PromptHub.Self
                            ? u.WorkspaceId == caller.WorkspaceId
                            : db.Workspaces.Any(w =>
                                w.Id == u.WorkspaceId && w.Handle == upstream.Owner
                            )
                    )
                )
            );
        }

        if (query.Text is { Length: > 0 } text)
        {
            var part = text.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("%", "\\%", StringComparison.Ordinal)
                .Replace("_", "\\_", StringComparison.Ordinal);
            var (beginning, anywhere) = ($"{part}%", $"%{part}%");
            found = query.IsPrefix
                ? found.Where(p => EF.Functions.Like(p.Handle, beginning, "\\"))
                : found.Where(p =>
                    EF.Functions.Like(p.Handle, anywhere, "\\")
                    || EF.Functions.Like(p.Description ?? "", anywhere, "\\")
                );
        }

        foreach (var value in query.TagValues)
        {
            found = found.Where(p =>
                db.ResourceTaggings.Any(t =>
                    t.WorkspaceId == caller.WorkspaceId
                    && t.ValueId == value
                    && t.ResourceId == p.Id
                )
            );
        }

        return found;
    }

    /// <summary>How well a prompt fits a text that is looked for: named so, named with it at the beginning, with it anywhere, described with it.</summary>
    public static int Fit(Prompt prompt, string? text) =>
        text is not { Length: > 0 } ? 0
        : prompt.Handle.Equals(text, StringComparison.OrdinalIgnoreCase) ? 3
        : prompt.Handle.StartsWith(text, StringComparison.OrdinalIgnoreCase) ? 2
        : prompt.Handle.Contains(text, StringComparison.OrdinalIgnoreCase) ? 1
        : 0;

    /// <summary>Prompts with what the caller sees beside them, in the same order.</summary>
    public static async Task<IReadOnlyList<PromptListing>> DescribeAsync(
        MetadataContext db,
        Caller caller,
        IReadOnlyList<Prompt> prompts,
        CancellationToken cancellationToken
    )
    {
        var ids = prompts.Select(p => p.Id).ToList();
        var heads = prompts.Select(p => p.HeadId).ToList();
        var actor = PromptHub.ActorId(caller);
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
        var sources = await PromptHub
            .Visible(db, caller)
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
                    && (!p.IsRestricted || caller.May(Permission.Manage) || owned.Contains(p.Id)),
                p.WorkspaceId == caller.WorkspaceId
            )),
        ];
    }
}
