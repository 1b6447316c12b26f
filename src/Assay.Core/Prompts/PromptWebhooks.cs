using System.Security.Cryptography;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Prompts;

/// <summary>What to make of a webhook; null leaves a field as it is.</summary>
public sealed record WebhookDraft
{
    /// <summary>Where to.</summary>
    public string? Url { get; init; }

    /// <summary>Headers to send along.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>What it is told of.</summary>
    public PromptEvents? Events { get; init; }

    /// <summary>Only of these prompts; empty for all.</summary>
    public IReadOnlyList<Guid>? Only { get; init; }

    /// <summary>Not of these prompts.</summary>
    public IReadOnlyList<Guid>? Except { get; init; }
}

/// <summary>
/// The webhooks of workspaces and the log of what they were told. Only those who manage the workspace see them, since addresses and headers are
/// often secrets. Sending is <see cref="PromptOutbox"/>'s. Thread-safe.
/// </summary>
public sealed class PromptWebhooks(
    IDbContextFactory<MetadataContext> metadata,
    IDataProtectionProvider protection,
    PromptOutbox outbox,
    TimeProvider time
)
{
    /// <summary>The most webhooks of a workspace.</summary>
    public const int MaxWebhooks = 50;

    private const int MaxUrl = 2_000;
    private const int MaxHeaders = 20;
    private const int MaxHeader = 4_000;

    /// <summary>All of the workspace, oldest first.</summary>
    public async Task<IReadOnlyList<PromptWebhook>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await Own(db, caller)
            .AsNoTracking()
            .OrderBy(w => w.CreatedAt)
            .ToListAsync(cancellationToken);
    }

    /// <summary>One of the workspace; null when there is none.</summary>
    public async Task<PromptWebhook?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await Own(db, caller)
            .AsNoTracking()
            .FirstOrDefaultAsync(w => w.Id == id, cancellationToken);
    }

    /// <summary>Makes one, with a key for its signatures that is shown only here.</summary>
    /// <exception cref="InvalidPromptException">The address or a header is none.</exception>
    public async Task<(PromptWebhook Webhook, string Secret)> CreateAsync(
        Caller caller,
        WebhookDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (await Own(db, caller).CountAsync(cancellationToken) >= MaxWebhooks)
        {
            throw new InvalidPromptException($"At most {MaxWebhooks} webhooks");
        }

        var now = time.GetUtcNow();
        var secret = "whsec_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var webhook = new PromptWebhook
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Url = draft.Url ?? throw new InvalidPromptException("url: is required"),
            SecretCiphertext = PromptOutbox
                .Protector(protection, caller.WorkspaceId)
                .Protect(secret),
            Events = PromptEvents.Commit,
            CreatedAt = now,
        };
        Apply(webhook, draft, now);
        db.PromptWebhooks.Add(webhook);
        PromptHub.Audit(db, caller, "prompt_webhook.create", Host(webhook), now);
        await db.SaveChangesAsync(cancellationToken);
        return (webhook, secret);
    }

    /// <summary>Changes one; null when there is none.</summary>
    /// <exception cref="InvalidPromptException">The address or a header is none.</exception>
    public async Task<PromptWebhook?> UpdateAsync(
        Caller caller,
        Guid id,
        WebhookDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var webhook = await Own(db, caller).FirstOrDefaultAsync(w => w.Id == id, cancellationToken);
        if (webhook is null)
        {
            return null;
        }

        var now = time.GetUtcNow();
        Apply(webhook, draft, now);
        PromptHub.Audit(db, caller, "prompt_webhook.update", Host(webhook), now);
        await db.SaveChangesAsync(cancellationToken);
        return webhook;
    }

    /// <summary>Deletes one with its log; false when there is none.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var webhook = await Own(db, caller).FirstOrDefaultAsync(w => w.Id == id, cancellationToken);
        if (webhook is null)
        {
            return false;
        }

        db.PromptWebhooks.Remove(webhook);
        PromptHub.Audit(db, caller, "prompt_webhook.delete", Host(webhook), time.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>The newest deliveries of a webhook.</summary>
    public async Task<IReadOnlyList<PromptDelivery>> DeliveriesAsync(
        Caller caller,
        Guid webhookId,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .PromptDeliveries.AsNoTracking()
            .Where(d => d.WebhookId == webhookId && d.WorkspaceId == caller.WorkspaceId)
            .OrderByDescending(d => d.Id)
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Sends an event <c>test</c>, or a delivery that was given up once more; false when there is no such webhook or delivery.</summary>
    public async Task<bool> SendAsync(
        Caller caller,
        Guid webhookId,
        Guid? deliveryId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow();
        if (deliveryId is { } id)
        {
            var delivery = await db.PromptDeliveries.FirstOrDefaultAsync(
                d =>
                    d.Id == id
                    && d.WebhookId == webhookId
                    && d.WorkspaceId == caller.WorkspaceId
                    && d.State != DeliveryState.Waiting,
                cancellationToken
            );
            if (delivery is null)
            {
                return false;
            }

            (delivery.State, delivery.Attempts, delivery.NextAttemptAt) = (
                DeliveryState.Waiting,
                0,
                now
            );
        }
        else
        {
            if (!await Own(db, caller).AnyAsync(w => w.Id == webhookId, cancellationToken))
            {
                return false;
            }

            db.PromptDeliveries.Add(
                new PromptDelivery
                {
                    Id = Guid.CreateVersion7(now),
                    WebhookId = webhookId,
                    WorkspaceId = caller.WorkspaceId,
                    Event = "test",
                    Subject = "test",
                    Payload = JsonSerializer.Serialize(
                        new
                        {
                            @event = "test",
                            created_at = now,
                            created_by = caller.Name,
                        }
                    ),
                    NextAttemptAt = now,
                    CreatedAt = now,
                }
            );
        }

        await db.SaveChangesAsync(cancellationToken);
        outbox.Wake();
        return true;
    }

    /// <summary>The names of the headers it sends along; their values are never read back.</summary>
    public IReadOnlyList<string> HeaderNames(PromptWebhook webhook) =>
        [.. PromptOutbox.Headers(protection, webhook).Keys.Order(StringComparer.Ordinal)];

    private void Apply(PromptWebhook webhook, WebhookDraft draft, DateTimeOffset now)
    {
        webhook.Url = draft.Url?.Trim() ?? webhook.Url;
        if (
            webhook.Url.Length > MaxUrl
            || !Uri.TryCreate(webhook.Url, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || url.UserInfo.Length > 0
        )
        {
            throw new InvalidPromptException(
                "url: must be an http or https address without user and password in it"
            );
        }

        if (draft.Headers is { } headers)
        {
            CheckHeaders(headers);
            webhook.HeadersCiphertext =
                headers.Count == 0
                    ? null
                    : PromptOutbox
                        .Protector(protection, webhook.WorkspaceId)
                        .Protect(JsonSerializer.Serialize(headers));
        }

        if (draft.Events is PromptEvents.None)
        {
            throw new InvalidPromptException("triggers: at least one is needed");
        }

        webhook.Events = draft.Events ?? webhook.Events;
        webhook.Only = draft.Only ?? webhook.Only;
        webhook.Except = draft.Except ?? webhook.Except;
        webhook.UpdatedAt = now;
    }

    private static void CheckHeaders(IReadOnlyDictionary<string, string> headers)
    {
        using var request = new HttpRequestMessage();
        foreach (var (name, value) in headers)
        {
            if (
                headers.Count > MaxHeaders
                || value.Length > MaxHeader
                || value.AsSpan().ContainsAny('\r', '\n')
                || !request.Headers.TryAddWithoutValidation(name, value)
                || name.StartsWith("x-assay-", StringComparison.OrdinalIgnoreCase)
                || name.ToLowerInvariant() is "host" or "transfer-encoding" or "connection"
            )
            {
                throw new InvalidPromptException($"headers: '{name}' cannot be sent");
            }
        }
    }

    private static IQueryable<PromptWebhook> Own(MetadataContext db, Caller caller) =>
        db.PromptWebhooks.Where(w => w.WorkspaceId == caller.WorkspaceId);

    private static string Host(PromptWebhook webhook) => new Uri(webhook.Url).Host;
}
