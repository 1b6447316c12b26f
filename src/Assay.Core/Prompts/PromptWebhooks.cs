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
    /// <summary>Its id, of a new one; null for one of the server's choice.</summary>
    public Guid? Id { get; init; }

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

/// <summary>A delivery as its log shows it: without the body, which holds a whole manifest.</summary>
public sealed record DeliveryEntry
{
    /// <inheritdoc cref="PromptDelivery.Id"/>
    public required Guid Id { get; init; }

    /// <inheritdoc cref="PromptDelivery.WebhookId"/>
    public required Guid WebhookId { get; init; }

    /// <inheritdoc cref="PromptDelivery.Event"/>
    public required string Event { get; init; }

    /// <inheritdoc cref="PromptDelivery.Subject"/>
    public required string Subject { get; init; }

    /// <inheritdoc cref="PromptDelivery.State"/>
    public required DeliveryState State { get; init; }

    /// <inheritdoc cref="PromptDelivery.Attempts"/>
    public required int Attempts { get; init; }

    /// <inheritdoc cref="PromptDelivery.NextAttemptAt"/>
    public required DateTimeOffset NextAttemptAt { get; init; }

    /// <inheritdoc cref="PromptDelivery.LastStatus"/>
    public required int? LastStatus { get; init; }

    /// <inheritdoc cref="PromptDelivery.LastError"/>
    public required string? LastError { get; init; }

    /// <inheritdoc cref="PromptDelivery.CreatedAt"/>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <inheritdoc cref="PromptDelivery.AttemptedAt"/>
    public required DateTimeOffset? AttemptedAt { get; init; }
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
    /// <exception cref="PromptConflictException">The id is taken.</exception>
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
        var secret = NewSecret();
        var webhook = new PromptWebhook
        {
            Id = draft.Id ?? Guid.CreateVersion7(now),
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
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException) when (draft.Id is not null)
        {
            throw new PromptConflictException($"A webhook {draft.Id} exists already");
        }

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

    /// <summary>Gives one a new key for its signatures, shown only here; the old one signs nothing any more. Null when there is no such webhook.</summary>
    public async Task<string?> RotateSecretAsync(
        Caller caller,
        Guid id,
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

        var secret = NewSecret();
        webhook.SecretCiphertext = PromptOutbox
            .Protector(protection, caller.WorkspaceId)
            .Protect(secret);
        webhook.UpdatedAt = time.GetUtcNow();
        PromptHub.Audit(db, caller, "prompt_webhook.rotate", Host(webhook), webhook.UpdatedAt);
        await db.SaveChangesAsync(cancellationToken);
        return secret;
    }

    /// <summary>The newest deliveries of a webhook, without their bodies.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="webhookId">The webhook.</param>
    /// <param name="handle">Only what was told of this prompt, and tests; null for all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<DeliveryEntry>> DeliveriesAsync(
        Caller caller,
        Guid webhookId,
        string? handle,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var tagged = handle + ":";
        return await Entries(
                db.PromptDeliveries.Where(d =>
                    d.WebhookId == webhookId
                    && d.WorkspaceId == caller.WorkspaceId
                    && (
                        handle == null
                        || d.Event == "test"
                        || d.Subject == handle
                        || d.Subject.StartsWith(tagged)
                    )
                )
            )
            .OrderByDescending(d => d.Id)
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>The newest delivery of each webhook that was ever told something.</summary>
    public async Task<IReadOnlyDictionary<Guid, DeliveryEntry>> LastDeliveriesAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var own = db.PromptDeliveries.Where(d => d.WorkspaceId == caller.WorkspaceId);
        var newest = await own.GroupBy(d => d.WebhookId)
            .Select(g => g.OrderByDescending(d => d.Id).Select(d => d.Id).First())
            .ToListAsync(cancellationToken);
        return await Entries(own.Where(d => newest.Contains(d.Id)))
            .ToDictionaryAsync(d => d.WebhookId, cancellationToken);
    }

    /// <summary>The body of a delivery, JSON; null when there is no such delivery.</summary>
    public async Task<string?> PayloadAsync(
        Caller caller,
        Guid webhookId,
        Guid deliveryId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .PromptDeliveries.Where(d =>
                d.Id == deliveryId
                && d.WebhookId == webhookId
                && d.WorkspaceId == caller.WorkspaceId
            )
            .Select(d => d.Payload)
            .FirstOrDefaultAsync(cancellationToken);
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

    /// <summary>What stands for the value of a header where webhooks are read; given back, it leaves the value as it is.</summary>
    public const string HiddenValue = "••••";

    /// <summary>The names of the headers it sends along; their values are never read back. None when they can no longer be decrypted.</summary>
    public IReadOnlyList<string> HeaderNames(PromptWebhook webhook) =>
        [.. Known(webhook).Keys.Order(StringComparer.Ordinal)];

    private IReadOnlyDictionary<string, string> Known(PromptWebhook webhook)
    {
        try
        {
            return PromptOutbox.Headers(protection, webhook);
        }
        catch (CryptographicException)
        {
            return new Dictionary<string, string>();
        }
    }

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

        if (draft.Headers is { } given)
        {
            var known = Known(webhook);
            var headers = given.ToDictionary(
                h => h.Key,
                h =>
                    h.Value == HiddenValue && known.TryGetValue(h.Key, out var kept)
                        ? kept
                        : h.Value,
                StringComparer.OrdinalIgnoreCase
            );
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

    private static void CheckHeaders(Dictionary<string, string> headers)
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

    private static string NewSecret() =>
        "whsec_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private static IQueryable<DeliveryEntry> Entries(IQueryable<PromptDelivery> deliveries) =>
        deliveries.Select(d => new DeliveryEntry
        {
            Id = d.Id,
            WebhookId = d.WebhookId,
            Event = d.Event,
            Subject = d.Subject,
            State = d.State,
            Attempts = d.Attempts,
            NextAttemptAt = d.NextAttemptAt,
            LastStatus = d.LastStatus,
            LastError = d.LastError,
            CreatedAt = d.CreatedAt,
            AttemptedAt = d.AttemptedAt,
        });

    private static IQueryable<PromptWebhook> Own(MetadataContext db, Caller caller) =>
        db.PromptWebhooks.Where(w => w.WorkspaceId == caller.WorkspaceId);

    private static string Host(PromptWebhook webhook) => new Uri(webhook.Url).Host;
}
