using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Models.Providers;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Evaluators.Judges;

/// <summary>A verdict that was given, under everything it depends on.</summary>
public sealed class JudgeVerdict
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>SHA-256 over what the verdict depends on, lower-case hex.</summary>
    public required string Key { get; init; }

    /// <summary>The judge.</summary>
    public Guid EvaluatorId { get; init; }

    /// <summary>The reply, JSON of a <see cref="JudgeReply"/>.</summary>
    public required string ReplyJson { get; init; }

    /// <summary>When it was given.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>
/// Keeps verdicts, so that judging the same thing again costs nothing. The key covers the judge and its version, provider, model, all parameters, the form
/// of the answer, the rendered messages and the number of the repetition. Only verdicts are kept, never failures. Thread-safe.
/// </summary>
public sealed class VerdictCache(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most verdicts of one judge; the oldest go first.</summary>
    public const int MaxPerJudge = 50_000;

    private const int PruneEvery = 500;
    private int _stored;

    /// <summary>What a verdict depends on.</summary>
    public static string KeyOf(
        Guid evaluatorId,
        int version,
        ModelProvider provider,
        ModelCall call,
        VerdictForm form,
        int repeat
    )
    {
        var all = new JsonObject
        {
            ["evaluator"] = evaluatorId.ToString(),
            ["version"] = version,
            ["provider"] = provider.Id.ToString(),
            ["kind"] = provider.Kind.ToString(),
            ["url"] = provider.BaseUrl,
            ["parameters"] = ChatJson.Parameters(call.Model, call.Options),
            ["inputs"] = JsonNode.Parse(ChatJson.Inputs(call.Messages, call.Options)),
            ["form"] = JsonSerializer.SerializeToNode(form, JudgeSettings.Json),
            ["repeat"] = repeat,
        };
        return Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(all.ToJsonString()))
        );
    }

    /// <summary>The verdict under a key; null when none is kept.</summary>
    public async Task<JudgeReply?> FindAsync(
        Caller caller,
        string key,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var json = await db
            .JudgeVerdicts.AsNoTracking()
            .Where(v => v.WorkspaceId == caller.WorkspaceId && v.Key == key)
            .Select(v => v.ReplyJson)
            .FirstOrDefaultAsync(cancellationToken);
        return json is null ? null
            : JsonSerializer.Deserialize<JudgeReply>(json, JudgeSettings.Json) is { } reply
                ? reply with
                {
                    IsCached = true,
                    UsDollars = null,
                    InputTokens = 0,
                    OutputTokens = 0,
                }
            : null;
    }

    /// <summary>Keeps a verdict; of two for one key the first stays.</summary>
    public async Task StoreAsync(
        Caller caller,
        string key,
        Guid evaluatorId,
        JudgeReply reply,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        // The same question may be answered twice at the same moment, and the judge deleted meanwhile: neither is a failure.
        var json = JsonSerializer.Serialize(reply, JudgeSettings.Json);
        var now = UtcMicroseconds.ToMicroseconds(time.GetUtcNow());
        var stored = await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO judge_verdict(workspace_id, key, evaluator_id, reply_json, created_at)
            SELECT workspace_id, {key}, id, {json}, {now} FROM evaluator WHERE workspace_id = {caller.WorkspaceId} AND id = {evaluatorId}
            ON CONFLICT DO NOTHING
            """,
            cancellationToken
        );
        if (stored == 0)
        {
            return;
        }

        if (Interlocked.Increment(ref _stored) % PruneEvery == 0)
        {
            await PruneAsync(db, evaluatorId, cancellationToken);
        }
    }

    private static async Task PruneAsync(
        MetadataContext db,
        Guid evaluatorId,
        CancellationToken cancellationToken
    )
    {
        var oldest = await db
            .JudgeVerdicts.Where(v => v.EvaluatorId == evaluatorId)
            .OrderByDescending(v => v.CreatedAt)
            .Skip(MaxPerJudge)
            .Select(v => (DateTimeOffset?)v.CreatedAt)
            .FirstOrDefaultAsync(cancellationToken);
        if (oldest is { } limit)
        {
            await db
                .JudgeVerdicts.Where(v => v.EvaluatorId == evaluatorId && v.CreatedAt <= limit)
                .ExecuteDeleteAsync(cancellationToken);
        }
    }
}

internal sealed class JudgeVerdictMapping : IEntityTypeConfiguration<JudgeVerdict>
{
    public void Configure(EntityTypeBuilder<JudgeVerdict> builder)
    {
        builder.ToTable("judge_verdict");
        builder.HasKey(v => new { v.WorkspaceId, v.Key });
        builder.HasOne<EvaluatorDefinition>().WithMany().HasForeignKey(v => v.EvaluatorId);
        builder.HasIndex(v => new { v.EvaluatorId, v.CreatedAt });
    }
}
