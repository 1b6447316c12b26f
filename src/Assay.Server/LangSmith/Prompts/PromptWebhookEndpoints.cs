using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Gateway.Webhooks;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>Webhooks of prompts on LangSmith's wire; the key of their signature (told when it is made, never again) and the log are ours.</summary>
internal static class PromptWebhookEndpoints
{
    private const string Webhooks = "/api/v1/prompt-webhooks";
    private const string Webhook = Webhooks + "/{id:guid}";

    public static void MapPromptWebhooks(this IEndpointRouteBuilder app)
    {
        app.MapGet(Webhooks, ListAsync).Needs(Permission.Manage);
        app.MapPost(Webhooks, CreateAsync).Needs(Permission.Manage);
        app.MapPost(Webhooks + "/test", TestAsync).Needs(Permission.Manage);
        app.MapGet(Webhook, GetAsync).Needs(Permission.Manage);
        app.MapPatch(Webhook, UpdateAsync).Needs(Permission.Manage);
        app.MapDelete(Webhook, DeleteAsync).Needs(Permission.Manage);
        app.MapPost(Webhook + "/test", SendTestAsync).Needs(Permission.Manage);
        app.MapPost(Webhook + "/secret", RotateAsync).Needs(Permission.Manage);
        app.MapGet(Webhook + "/deliveries", DeliveriesAsync).Needs(Permission.Manage);
        app.MapGet(Webhook + "/deliveries/{delivery:guid}", PayloadAsync).Needs(Permission.Manage);
        app.MapPost(Webhook + "/deliveries/{delivery:guid}/send", SendAgainAsync)
            .Needs(Permission.Manage);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PromptWebhooks webhooks) =>
        Results.Json(
            (await webhooks.ListAsync(context.Caller(), context.RequestAborted)).Select(w =>
                Out(w, webhooks, null)
            )
        );

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.FindAsync(context.Caller(), id, context.RequestAborted) is { } webhook
            ? Results.Json(Out(webhook, webhooks, null))
            : Errors.NotFound("Webhook");

    private static async Task<IResult> CreateAsync(HttpContext context, PromptWebhooks webhooks)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var (webhook, secret) = await webhooks.CreateAsync(
            context.Caller(),
            Draft(document.AsObject()),
            context.RequestAborted
        );
        return Results.Json(Out(webhook, webhooks, secret));
    }

    private static async Task<IResult> UpdateAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return
            await webhooks.UpdateAsync(
                context.Caller(),
                id,
                Draft(document.AsObject()),
                context.RequestAborted
            )
                is { } webhook
            ? Results.Json(Out(webhook, webhooks, null))
            : Errors.NotFound("Webhook");
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.DeleteAsync(context.Caller(), id, context.RequestAborted)
            ? Results.Json(new { message = "Webhook deleted" })
            : Errors.NotFound("Webhook");

    private static async Task<IResult> DeliveriesAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.FindAsync(context.Caller(), id, context.RequestAborted) is null
            ? Errors.NotFound("Webhook")
            : Results.Json(
                new
                {
                    deliveries = (
                        await webhooks.DeliveriesAsync(
                            context.Caller(),
                            id,
                            null,
                            PromptEndpoints.Page(context.Request.Query).Limit,
                            context.RequestAborted
                        )
                    ).Select(d => new
                    {
                        id = d.Id,
                        @event = d.Event,
                        subject = d.Subject,
                        status = d.State switch
                        {
                            DeliveryState.Delivered => "delivered",
                            DeliveryState.Failed => "failed",
                            _ => "waiting",
                        },
                        attempts = d.Attempts,
                        response_status = d.LastStatus,
                        error = d.LastError,
                        created_at = Wire.Time(d.CreatedAt),
                        attempted_at = d.AttemptedAt is { } at ? Wire.Time(at) : null,
                        next_attempt_at = d.State == DeliveryState.Waiting
                            ? Wire.Time(d.NextAttemptAt)
                            : null,
                    }),
                }
            );

    /// <summary>Queues an event <c>test</c> for a webhook, signed and logged like any other.</summary>
    private static async Task<IResult> SendTestAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.SendAsync(context.Caller(), id, null, context.RequestAborted)
            ? Results.Json(new { status = "waiting" }, statusCode: StatusCodes.Status202Accepted)
            : Errors.NotFound("Webhook");

    /// <summary>A new key for the signatures; the old one ends.</summary>
    private static async Task<IResult> RotateAsync(
        Guid id,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.RotateSecretAsync(context.Caller(), id, context.RequestAborted) is { } secret
            ? Results.Json(new { id, secret })
            : Errors.NotFound("Webhook");

    /// <summary>What a delivery tells, verbatim.</summary>
    private static async Task<IResult> PayloadAsync(
        Guid id,
        Guid delivery,
        HttpContext context,
        PromptWebhooks webhooks
    ) =>
        await webhooks.PayloadAsync(context.Caller(), id, delivery, context.RequestAborted)
            is { } payload
            ? Results.Text(payload, "application/json")
            : Errors.NotFound("Delivery");

    /// <summary>Sends one that is done or given up once more, under the same id; one that waits is sent anyway (409).</summary>
    private static async Task<IResult> SendAgainAsync(
        Guid id,
        Guid delivery,
        HttpContext context,
        PromptWebhooks webhooks
    )
    {
        if (await webhooks.SendAsync(context.Caller(), id, delivery, context.RequestAborted))
        {
            return Results.Json(
                new { id = delivery, status = "waiting" },
                statusCode: StatusCodes.Status202Accepted
            );
        }

        return
            await webhooks.PayloadAsync(context.Caller(), id, delivery, context.RequestAborted)
                is null
            ? Errors.NotFound("Delivery")
            : throw new PromptConflictException("The delivery waits already to be sent");
    }

    /// <summary>Sends the given payload to the given address at once, through the same guard; nothing is kept.</summary>
    private static async Task<IResult> TestAsync(
        HttpContext context,
        WebhookSender sender,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var webhook = json.Field("webhook");
        var payload = json.Field("payload");
        var now = time.GetUtcNow();
        if (
            !Uri.TryCreate(webhook.Text("url"), UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || payload.ValueKind != JsonValueKind.Object
        )
        {
            throw new InvalidPromptException("webhook.url and payload are required");
        }

        var result = await sender.SendAsync(
            new DueDelivery(
                new PromptDelivery
                {
                    Id = Guid.CreateVersion7(now),
                    Event = payload.Text("event") ?? "test",
                    Subject = "test",
                    Payload = payload.GetRawText(),
                },
                url.ToString(),
                Headers(webhook) ?? new Dictionary<string, string>(),
                "test"
            ),
            context.RequestAborted
        );
        return result.Error is null
            ? Results.Json(new { status = "success" })
            : throw new InvalidPromptException($"webhook: {result.Error}");
    }

    private static WebhookDraft Draft(JsonElement json) =>
        new()
        {
            Id = json.Id("id"),
            Url = json.Text("url"),
            Headers = Headers(json),
            Events = json.Field("triggers").IsSaid()
                ? json.Texts("triggers").Aggregate(PromptEvents.None, (all, t) => all | Event(t))
                : null,
            Only = json.Field("include_prompts").IsSaid() ? json.Ids("include_prompts") : null,
            Except = json.Field("exclude_prompts").IsSaid() ? json.Ids("exclude_prompts") : null,
        };

    private static PromptEvents Event(string trigger) =>
        trigger switch
        {
            "commit" => PromptEvents.Commit,
            "tag:create" => PromptEvents.TagCreate,
            "tag:update" => PromptEvents.TagUpdate,
            _ => throw new InvalidPromptException(
                $"triggers: '{trigger}' is none of commit, tag:create, tag:update"
            ),
        };

    private static Dictionary<string, string>? Headers(JsonElement json) =>
        json.Field("headers") is { ValueKind: JsonValueKind.Object } headers
            ? headers
                .EnumerateObject()
                .GroupBy(h => h.Name, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(h => h.Key, h => h.Last().Value.ToString())
            : null;

    private static object Out(PromptWebhook webhook, PromptWebhooks webhooks, string? secret) =>
        new
        {
            id = webhook.Id,
            tenant_id = webhook.WorkspaceId,
            url = webhook.Url,
            // Values are often tokens: written, sent, never read back.
            headers = webhooks
                .HeaderNames(webhook)
                .ToDictionary(n => n, _ => PromptWebhooks.HiddenValue),
            include_prompts = webhook.Only,
            exclude_prompts = webhook.Except,
            triggers = new[] { PromptEvents.Commit, PromptEvents.TagCreate, PromptEvents.TagUpdate }
                .Where(e => webhook.Events.HasFlag(e))
                .Select(PromptOutbox.Name),
            secret,
            created_at = Wire.Time(webhook.CreatedAt),
            updated_at = Wire.Time(webhook.UpdatedAt),
        };
}
