using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Requests to change protected tags: who manages the workspace approves, but never their own. Thread-safe.</summary>
public sealed class PromptTagRequests(
    IDbContextFactory<MetadataContext> metadata,
    PromptOutbox outbox,
    TimeProvider time
)
{
    /// <summary>The newest requests of a prompt, with the hash each asks for; those that wait first.</summary>
    public async Task<IReadOnlyList<(PromptTagRequest Request, string? Hash)>> ListAsync(
        Caller caller,
        PromptKey key,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var requests = await db
            .PromptTagRequests.AsNoTracking()
            .Where(r => r.PromptId == prompt.Id && r.WorkspaceId == caller.WorkspaceId)
            .OrderBy(r => r.State == TagRequestState.Pending ? 0 : 1)
            .ThenByDescending(r => r.Id)
            .Take(limit)
            .ToListAsync(cancellationToken);
        var ids = requests.Select(r => r.CommitId).ToList();
        var hashes = await db
            .PromptCommits.Where(c => c.PromptId == prompt.Id && ids.Contains(c.Id))
            .ToDictionaryAsync(c => c.Id, c => c.Hash, cancellationToken);
        return
        [
            .. requests.Select(r =>
                (r, r.CommitId is { } id ? hashes.GetValueOrDefault(id) : null)
            ),
        ];
    }

    /// <summary>True when the caller may approve a request.</summary>
    public static bool MayApprove(Caller caller, PromptTagRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return caller.May(Permission.Manage) && PromptHub.ActorId(caller) != request.RequesterId;
    }

    /// <summary>
    /// Approves (and carries out) or rejects a request. Approving takes <see cref="Permission.Manage"/> and another person or key than asked;
    /// rejecting takes the same, or whoever asked.
    /// </summary>
    /// <exception cref="PromptNotFoundException">There is no such request.</exception>
    /// <exception cref="PromptConflictException">It was decided already, or what it asks for is no longer possible.</exception>
    /// <exception cref="AccessDeniedException">The caller may not decide.</exception>
    public async Task<PromptTagRequest> DecideAsync(
        Caller caller,
        PromptKey key,
        Guid requestId,
        bool isApproved,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        var request =
            await db.PromptTagRequests.FirstOrDefaultAsync(
                r => r.Id == requestId && r.PromptId == prompt.Id,
                cancellationToken
            ) ?? throw new PromptNotFoundException($"Request {requestId}");
        if (isApproved && PromptHub.ActorId(caller) == request.RequesterId)
        {
            throw new PromptConflictException(
                "Somebody else has to approve: who asks for a change of a protected tag cannot approve it"
            );
        }

        if (isApproved || PromptHub.ActorId(caller) != request.RequesterId)
        {
            caller.Demand(Permission.Manage);
        }

        if (request.State != TagRequestState.Pending)
        {
            throw new PromptConflictException(
                $"The request was decided already by {request.DecidedBy}"
            );
        }

        var now = time.GetUtcNow();
        request.State = isApproved ? TagRequestState.Approved : TagRequestState.Rejected;
        (request.DecidedBy, request.DecidedAt) = (caller.Name, now);
        request.Revision = Guid.CreateVersion7(now);
        PromptHub.Audit(
            db,
            caller,
            isApproved ? "prompt_tag.approve" : "prompt_tag.reject",
            $"{prompt.Handle}:{request.Name}",
            now
        );
        if (isApproved)
        {
            await CarryOutAsync(db, caller, prompt, request, now, cancellationToken);
        }

        await PromptTags.SaveAsync(db, cancellationToken);
        outbox.Wake();
        return request;
    }

    private static async Task CarryOutAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        PromptTagRequest request,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (request.Percent is { } percent)
        {
            await PromptRollouts.ApplyAsync(
                db,
                caller,
                prompt,
                request.Name,
                request.CommitId,
                percent,
                now,
                cancellationToken
            );
        }
        else if (request.CommitId is { } commitId)
        {
            var commit = await PromptTags.CommitAsync(db, prompt, commitId, cancellationToken);
            await PromptTags.MoveAsync(
                db,
                caller,
                prompt,
                request.Name,
                commit,
                WebhookSkip.None,
                now,
                cancellationToken
            );
        }
        else
        {
            var tag =
                await db.PromptTags.FirstOrDefaultAsync(
                    t => t.PromptId == prompt.Id && t.Name == request.Name,
                    cancellationToken
                ) ?? throw new PromptConflictException($"The tag '{request.Name}' is gone already");
            await PromptTags.TakeAwayAsync(db, caller, prompt, tag, now, cancellationToken);
        }
    }
}
