using Assay.Core.Prompts;
using Assay.Gateway.Webhooks;

namespace Assay.Server.Upkeep;

/// <summary>Sends what waits in the outbox of webhooks, a few at a time: at once when something new is there, later what has to be tried again.</summary>
internal sealed partial class WebhookWorker(
    PromptOutbox outbox,
    WebhookSender sender,
    ILogger<WebhookWorker> logger
) : BackgroundService
{
    private const int AtOnce = 8;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var due = await outbox.DueAsync(AtOnce, stoppingToken);
                await Task.WhenAll(due.Select(d => SendAsync(d, stoppingToken)));
                if (due.Count < AtOnce)
                {
                    await outbox.WaitAsync(s_longest, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The worker goes on: what failed is still in the outbox.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogFailure(e);
                await outbox.WaitAsync(s_longest, stoppingToken);
            }
        }
    }

    private async Task SendAsync(DueDelivery due, CancellationToken cancellationToken) =>
        await outbox.RecordAsync(
            due.Delivery,
            await sender.SendAsync(due, cancellationToken),
            cancellationToken
        );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Webhooks could not be served; tried again soon"
    )]
    private partial void LogFailure(Exception exception);
}
