using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>Which webhooks somebody asked not to tell of a change.</summary>
/// <param name="All">None of them.</param>
/// <param name="Ids">Not these.</param>
public sealed record WebhookSkip(bool All, IReadOnlyList<Guid> Ids)
{
    /// <summary>All are told.</summary>
    public static WebhookSkip None { get; } = new(false, []);
}

/// <summary>A delivery that is due, with everything needed to send it.</summary>
/// <param name="Delivery">What.</param>
/// <param name="Url">Where to.</param>
/// <param name="Headers">To send along.</param>
/// <param name="Secret">Key of the signature.</param>
public sealed record DueDelivery(
    PromptDelivery Delivery,
    string Url,
    IReadOnlyDictionary<string, string> Headers,
    string Secret
);

/// <summary>What became of a try.</summary>
/// <param name="Status">Status of the answer; null when there was none.</param>
/// <param name="Error">What went wrong; null when the other side took it.</param>
/// <param name="IsFinal">Trying again cannot help.</param>
public sealed record DeliveryResult(int? Status, string? Error, bool IsFinal = false);

/// <summary>
/// What webhooks are still to be told. A row is written in the transaction of the change it tells of, so a crash loses none; a crash between
/// sending and writing down that it was taken sends again (at least once, under the same id). Thread-safe.
/// </summary>
public sealed class PromptOutbox(
    IDbContextFactory<MetadataContext> metadata,
    IDataProtectionProvider protection,
    TimeProvider time
) : IDisposable
{
    /// <summary>Deliveries of a webhook that are kept for its log.</summary>
    public const int KeptDeliveries = 200;

    private const string Unreadable =
        "the webhook's secret or headers can no longer be decrypted: make a new secret, enter the headers again, then send this again";

    // First try at once; then these waits, eight hours in all.
    private static readonly TimeSpan[] s_waits =
    [
        TimeSpan.FromSeconds(10),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(6),
    ];

    private readonly SemaphoreSlim _work = new(0);

    /// <summary>How often a delivery is tried before it is given up.</summary>
    public static int MaxAttempts => s_waits.Length + 1;

    /// <summary>There may be something to send.</summary>
    public void Wake()
    {
        if (_work.CurrentCount == 0)
        {
            _work.Release();
        }
    }

    /// <summary>Waits until there may be something to send, at most <paramref name="longest"/>.</summary>
    public Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken) =>
        _work.WaitAsync(longest, cancellationToken);

    /// <summary>
    /// The deliveries that are due, oldest first. Those whose secret or headers can no longer be read (the keys that they were encrypted with are
    /// gone) are given up here, each for itself: the others go out.
    /// </summary>
    public async Task<IReadOnlyList<DueDelivery>> DueAsync(
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow();
        var due = await db
            .PromptDeliveries.AsNoTracking()
            .Where(d => d.State == DeliveryState.Waiting && d.NextAttemptAt <= now)
            .OrderBy(d => d.NextAttemptAt)
            .Take(limit)
            .Join(
                db.PromptWebhooks.AsNoTracking(),
                d => d.WebhookId,
                w => w.Id,
                (d, w) => new { d, w }
            )
            .ToListAsync(cancellationToken);
        var ready = new List<DueDelivery>();
        foreach (var x in due)
        {
            try
            {
                ready.Add(
                    new DueDelivery(
                        x.d,
                        x.w.Url,
                        Headers(protection, x.w),
                        Protector(protection, x.w.WorkspaceId).Unprotect(x.w.SecretCiphertext)
                    )
                );
            }
            catch (CryptographicException)
            {
                await RecordAsync(
                    x.d,
                    new DeliveryResult(null, Unreadable, IsFinal: true),
                    cancellationToken
                );
            }
        }

        return ready;
    }

    /// <summary>Writes down what became of a try: taken, to be tried again later, or given up.</summary>
    public async Task RecordAsync(
        PromptDelivery tried,
        DeliveryResult result,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var delivery = await db.PromptDeliveries.FirstOrDefaultAsync(
            d => d.Id == tried.Id,
            cancellationToken
        );
        if (delivery is null)
        {
            // Its webhook was deleted meanwhile.
            return;
        }

        var now = time.GetUtcNow();
        delivery.Attempts++;
        delivery.AttemptedAt = now;
        delivery.LastStatus = result.Status;
        delivery.LastError = result.Error;
        if (result.Error is null)
        {
            delivery.State = DeliveryState.Delivered;
        }
        else if (result.IsFinal || delivery.Attempts >= MaxAttempts)
        {
            delivery.State = DeliveryState.Failed;
        }
        else
        {
            // A fifth of chance, so that many that failed together do not come back together.
            delivery.NextAttemptAt =
                now + s_waits[delivery.Attempts - 1] * (0.9 + 0.2 * Random.Shared.NextDouble());
        }

        await db.SaveChangesAsync(cancellationToken);
        var old = await db
            .PromptDeliveries.Where(d =>
                d.WebhookId == delivery.WebhookId && d.State != DeliveryState.Waiting
            )
            .OrderByDescending(d => d.Id)
            .Skip(KeptDeliveries)
            .Select(d => d.Id)
            .Take(1_000)
            .ToListAsync(cancellationToken);
        if (old.Count > 0)
        {
            await db
                .PromptDeliveries.Where(d => old.Contains(d.Id))
                .ExecuteDeleteAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();

    /// <summary>Adds what the workspace's webhooks are to be told of a change to the unit of work that makes it.</summary>
    internal static async Task AddAsync(
        MetadataContext db,
        Caller caller,
        Prompt prompt,
        PromptCommit commit,
        PromptEvents what,
        string? tag,
        WebhookSkip skip,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (skip.All)
        {
            return;
        }

        var webhooks = await db
            .PromptWebhooks.AsNoTracking()
            .Where(w => w.WorkspaceId == prompt.WorkspaceId)
            .ToListAsync(cancellationToken);
        string? payload = null;
        foreach (
            var webhook in webhooks.Where(w =>
                w.Events.HasFlag(what)
                && (w.Only.Count == 0 || w.Only.Contains(prompt.Id))
                && !w.Except.Contains(prompt.Id)
                && !skip.Ids.Contains(w.Id)
            )
        )
        {
            payload ??= new JsonObject
            {
                ["prompt_id"] = prompt.Id.ToString(),
                ["prompt_name"] = prompt.Handle,
                ["manifest"] = JsonNode.Parse(commit.Manifest),
                ["commit_hash"] = commit.Hash,
                ["created_at"] = now.ToString("O"),
                ["created_by"] = caller.Name,
                ["event"] = Name(what),
                ["tag_name"] = tag,
            }.ToJsonString();
            db.PromptDeliveries.Add(
                new PromptDelivery
                {
                    Id = Guid.CreateVersion7(now),
                    WebhookId = webhook.Id,
                    WorkspaceId = webhook.WorkspaceId,
                    Event = Name(what),
                    Subject = tag is null ? prompt.Handle : $"{prompt.Handle}:{tag}",
                    Payload = payload,
                    NextAttemptAt = now,
                    CreatedAt = now,
                }
            );
        }
    }

    /// <summary>The name of an event on the wire.</summary>
    public static string Name(PromptEvents what) =>
        what switch
        {
            PromptEvents.TagCreate => "tag:create",
            PromptEvents.TagUpdate => "tag:update",
            _ => "commit",
        };

    internal static IDataProtector Protector(
        IDataProtectionProvider protection,
        Guid workspaceId
    ) => protection.CreateProtector("Assay.PromptWebhook", workspaceId.ToString("N"));

    internal static IReadOnlyDictionary<string, string> Headers(
        IDataProtectionProvider protection,
        PromptWebhook webhook
    ) =>
        webhook.HeadersCiphertext is { } ciphertext
            ? JsonSerializer.Deserialize<Dictionary<string, string>>(
                Protector(protection, webhook.WorkspaceId).Unprotect(ciphertext)
            )!
            : new Dictionary<string, string>();
}
