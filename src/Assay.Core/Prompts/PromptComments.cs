using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Remarks on prompts and answers to them. Thread-safe.</summary>
public sealed class PromptComments(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private const int MaxLength = 10_000;

    /// <summary>
    /// Remarks on a prompt (or answers to one of them), oldest first, and how many there are. Of a public prompt, other workspaces read along:
    /// their authors have their display names there, not their addresses.
    /// </summary>
    public async Task<(IReadOnlyList<PromptComment> Comments, int Total)> ListAsync(
        Caller caller,
        PromptKey key,
        Guid? parentId,
        int limit,
        int offset,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var all = db
            .PromptComments.AsNoTracking()
            .Where(c => c.PromptId == prompt.Id && c.ParentId == parentId);
        var page = await all.OrderBy(c => c.Id)
            .Skip(offset)
            .Take(limit)
            .ToListAsync(cancellationToken);
        return (
            prompt.IsPublic ? await NamedAsync(db, page, cancellationToken) : page,
            await all.CountAsync(cancellationToken)
        );
    }

    private static async Task<List<PromptComment>> NamedAsync(
        MetadataContext db,
        List<PromptComment> comments,
        CancellationToken cancellationToken
    )
    {
        var actors = comments.Select(c => c.ActorId).Distinct().ToList();
        var names = await db
            .Users.Where(u => actors.Contains(u.Id))
            .ToDictionaryAsync(u => u.Id, u => u.DisplayName, cancellationToken);
        return
        [
            .. comments.Select(c => new PromptComment
            {
                Id = c.Id,
                PromptId = c.PromptId,
                ParentId = c.ParentId,
                Content = c.Content,
                ActorId = c.ActorId,
                Author =
                    names.GetValueOrDefault(c.ActorId) is { Length: > 0 } name
                    && !name.Contains('@', StringComparison.Ordinal)
                        ? name
                    : c.Author.Contains('@', StringComparison.Ordinal) ? "a member"
                    : c.Author,
                CreatedAt = c.CreatedAt,
            }),
        ];
    }

    /// <summary>How many like each remark and answered it, and whether the caller likes it.</summary>
    public async Task<
        IReadOnlyDictionary<Guid, (int Likes, bool IsLiked, int Answers)>
    > FiguresAsync(
        Caller caller,
        IReadOnlyCollection<Guid> commentIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var actor = PromptHub.ActorId(caller);
        var likes = await db
            .PromptCommentLikes.Where(l => commentIds.Contains(l.CommentId))
            .ToListAsync(cancellationToken);
        var answers = await db
            .PromptComments.Where(c => c.ParentId != null && commentIds.Contains(c.ParentId.Value))
            .GroupBy(c => c.ParentId!.Value)
            .Select(g => new { g.Key, Count = g.Count() })
            .ToDictionaryAsync(g => g.Key, g => g.Count, cancellationToken);
        return commentIds.ToDictionary(
            id => id,
            id =>
                (
                    likes.Count(l => l.CommentId == id),
                    likes.Any(l => l.CommentId == id && l.ActorId == actor),
                    answers.GetValueOrDefault(id)
                )
        );
    }

    /// <summary>Likes a remark or takes it back; returns how many like it now.</summary>
    /// <exception cref="PromptNotFoundException">Prompt or remark is not in reach.</exception>
    public async Task<int> LikeAsync(
        Caller caller,
        PromptKey key,
        Guid commentId,
        bool like,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        if (
            !await db.PromptComments.AnyAsync(
                c => c.PromptId == prompt.Id && c.Id == commentId,
                cancellationToken
            )
        )
        {
            throw new PromptNotFoundException("Comment");
        }

        var actor = PromptHub.ActorId(caller);
        var known = await db.PromptCommentLikes.FindAsync([commentId, actor], cancellationToken);
        if (like && known is null)
        {
            db.PromptCommentLikes.Add(
                new PromptCommentLike { CommentId = commentId, ActorId = actor }
            );
        }
        else if (!like && known is not null)
        {
            db.PromptCommentLikes.Remove(known);
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.PromptCommentLikes.CountAsync(
            l => l.CommentId == commentId,
            cancellationToken
        );
    }

    /// <summary>Adds a remark.</summary>
    /// <exception cref="InvalidPromptException">It is empty or too long.</exception>
    /// <exception cref="PromptNotFoundException">The prompt or the remark it answers is not in reach.</exception>
    public async Task<PromptComment> AddAsync(
        Caller caller,
        PromptKey key,
        Guid? parentId,
        string content,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (string.IsNullOrWhiteSpace(content) || content.Length > MaxLength)
        {
            throw new InvalidPromptException("content: must have 1 to 10000 characters");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        if (
            parentId is { } parent
            && !await db.PromptComments.AnyAsync(
                c => c.PromptId == prompt.Id && c.Id == parent,
                cancellationToken
            )
        )
        {
            throw new PromptNotFoundException("Comment");
        }

        var now = time.GetUtcNow();
        var comment = new PromptComment
        {
            Id = Guid.CreateVersion7(now),
            PromptId = prompt.Id,
            ParentId = parentId,
            Content = content,
            ActorId = PromptHub.ActorId(caller),
            Author = caller.Name,
            CreatedAt = now,
        };
        db.PromptComments.Add(comment);
        await db.SaveChangesAsync(cancellationToken);
        return prompt.IsPublic ? (await NamedAsync(db, [comment], cancellationToken))[0] : comment;
    }

    /// <summary>True when the caller may take a remark back: its author, or who manages the prompt's workspace.</summary>
    public static bool MayRemove(Caller caller, PromptComment comment, bool isOwnPrompt)
    {
        ArgumentNullException.ThrowIfNull(comment);
        return caller.May(Permission.Write)
            && (
                comment.ActorId == PromptHub.ActorId(caller)
                || (isOwnPrompt && caller.May(Permission.Manage))
            );
    }

    /// <summary>Takes a remark away with the answers to it.</summary>
    /// <exception cref="PromptNotFoundException">Prompt or remark is not in reach.</exception>
    /// <exception cref="AccessDeniedException">It is somebody else's.</exception>
    public async Task RemoveAsync(
        Caller caller,
        PromptKey key,
        Guid commentId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var comment =
            await db.PromptComments.FirstOrDefaultAsync(
                c => c.PromptId == prompt.Id && c.Id == commentId,
                cancellationToken
            ) ?? throw new PromptNotFoundException("Comment");
        if (!MayRemove(caller, comment, prompt.WorkspaceId == caller.WorkspaceId))
        {
            throw new AccessDeniedException(Permission.Manage);
        }

        db.PromptComments.RemoveRange(
            await db
                .PromptComments.Where(c => c.PromptId == prompt.Id && c.ParentId == commentId)
                .ToListAsync(cancellationToken)
        );
        db.PromptComments.Remove(comment);
        PromptHub.Audit(
            db,
            caller,
            "prompt_comment.delete",
            $"{prompt.Handle}: of {comment.Author}",
            time.GetUtcNow()
        );
        await db.SaveChangesAsync(cancellationToken);
    }
}
