using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Remarks on prompts and answers to them. Thread-safe.</summary>
public sealed class PromptComments(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private const int MaxLength = 10_000;

    /// <summary>Remarks on a prompt (or answers to one of them), oldest first, and how many there are.</summary>
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
        return (
            await all.OrderBy(c => c.Id).Skip(offset).Take(limit).ToListAsync(cancellationToken),
            await all.CountAsync(cancellationToken)
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
        return comment;
    }
}
