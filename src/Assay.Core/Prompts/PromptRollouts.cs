using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>
/// Roll-outs by share: some of those who pull a tag get another commit. Who gets which follows from the key they give (a user's or a session's
/// id) alone, so that the same key always gets the same, and a growing share only adds keys. Thread-safe.
/// </summary>
public sealed class PromptRollouts(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The roll-outs of a prompt with the hashes that are tried, by tag.</summary>
    public async Task<IReadOnlyList<(PromptRollout Rollout, string Hash)>> ListAsync(
        Caller caller,
        PromptKey key,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindAsync(db, caller, key, cancellationToken);
        var found = await db
            .PromptRollouts.AsNoTracking()
            .Where(r => r.PromptId == prompt.Id)
            .OrderBy(r => r.Name)
            .Join(db.PromptCommits, r => r.CommitId, c => c.Id, (r, c) => new { r, c.Hash })
            .ToListAsync(cancellationToken);
        if (prompt.WorkspaceId != caller.WorkspaceId)
        {
            // Who the members of another workspace are is theirs to know.
            found.ForEach(f => f.r.SetBy = "");
        }

        return [.. found.Select(f => (f.r, f.Hash))];
    }

    /// <summary>
    /// Gives a share of the keys another commit than the tag's; a share of 0 ends the roll-out. Of a protected tag it becomes a request, which is
    /// returned; else null.
    /// </summary>
    /// <exception cref="InvalidPromptException">The share is not between 0 and 100.</exception>
    /// <exception cref="PromptNotFoundException">Prompt, tag or commit is not the caller's.</exception>
    public async Task<PromptTagRequest?> SetAsync(
        Caller caller,
        PromptKey key,
        string name,
        Guid? commitId,
        double percent,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (!(percent is >= 0 and <= 100) || (percent > 0 && commitId is null))
        {
            throw new InvalidPromptException(
                "percent: must be between 0 and 100, with a commit_id"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prompt = await PromptHub.FindOwnAsync(db, caller, key, cancellationToken);
        if (
            !await db.PromptTags.AnyAsync(
                t => t.PromptId == prompt.Id && t.Name == name,
                cancellationToken
            )
        )
        {
            throw new PromptNotFoundException($"Tag {name}");
        }

        var now = time.GetUtcNow();
        if (
            await PromptTags.RequestAsync(
                db,
                caller,
                prompt,
                name,
                commitId,
                percent,
                now,
                cancellationToken
            ) is
            { } request
        )
        {
            return request;
        }

        await ApplyAsync(db, caller, prompt, name, commitId, percent, now, cancellationToken);
        await PromptTags.SaveAsync(db, cancellationToken);
        return null;
    }

    /// <summary>
    /// Where a key falls, from 0 (inclusive) to 100: the first eight bytes, big end first, of SHA-256 over <c>PROMPT_ID:TAG:KEY</c> in UTF-8, the id
    /// as 32 hexadecimal digits, as a part of 2^64.
    /// </summary>
    public static double PlaceOf(Guid promptId, string tag, string key)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{promptId:N}:{tag}:{key}"));
        return BinaryPrimitives.ReadUInt64BigEndian(hash) / (double)(1UL << 63) * 50;
    }

    internal static async Task ApplyAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        string name,
        Guid? commitId,
        double percent,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var rollout = await db.PromptRollouts.FindAsync([prompt.Id, name], cancellationToken);
        if (percent == 0)
        {
            if (rollout is not null)
            {
                db.PromptRollouts.Remove(rollout);
            }
        }
        else
        {
            var commit = await PromptTags.CommitAsync(
                db,
                prompt,
                commitId ?? Guid.Empty,
                cancellationToken
            );
            if (rollout is null)
            {
                rollout = new PromptRollout
                {
                    PromptId = prompt.Id,
                    Name = name,
                    SetBy = caller.Name,
                };
                db.PromptRollouts.Add(rollout);
            }

            (rollout.CommitId, rollout.Percent) = (commit.Id, percent);
            (rollout.SetBy, rollout.UpdatedAt) = (caller.Name, now);
        }

        PromptHub.Audit(
            db,
            caller,
            percent == 0 ? "prompt_rollout.end" : "prompt_rollout.set",
            FormattableString.Invariant($"{prompt.Handle}:{name} {percent}%"),
            now
        );
    }
}
