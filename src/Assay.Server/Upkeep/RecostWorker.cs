using Assay.Core.Models.Prices;

namespace Assay.Server.Upkeep;

/// <summary>Moves re-costings on, also those that were under way when the server last stopped.</summary>
internal sealed partial class RecostWorker(
    RecostJobs jobs,
    TimeProvider time,
    ILogger<RecostWorker> logger
) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await jobs.StepAsync(stoppingToken)) { }

                await jobs.WaitAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.Failed(logger, e);
                await Task.Delay(s_pause, time, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3111, LogLevel.Error, "A re-costing could not go on and is tried again")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
