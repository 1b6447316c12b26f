using Assay.Core.Projects;

namespace Assay.Server.Upkeep;

/// <summary>
/// Sweeps every quarter of an hour. A clock that jumped since the last look deletes nothing until it has stood a whole interval: most jumps are
/// mistakes that somebody sets right, and what is deleted does not come back.
/// </summary>
internal sealed partial class RetentionWorker(
    RetentionSweep sweep,
    TimeProvider time,
    ILogger<RetentionWorker> logger
) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_slack = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        var (wall, ticks) = (time.GetUtcNow(), time.GetTimestamp());
        while (await NextAsync(timer, stoppingToken))
        {
            var jump = time.GetUtcNow() - wall - time.GetElapsedTime(ticks);
            (wall, ticks) = (time.GetUtcNow(), time.GetTimestamp());
            if (jump.Duration() > s_slack)
            {
                Log.ClockJumped(logger, jump);
                continue;
            }

            try
            {
                await sweep.SweepAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The next round tries again; whatever failed, the sweeps must go on.
                Log.Failed(logger, e);
            }
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            3101,
            LogLevel.Warning,
            "The clock jumped by {Jump}: nothing is deleted before it has stood a while"
        )]
        public static partial void ClockJumped(ILogger logger, TimeSpan jump);

        [LoggerMessage(3102, LogLevel.Error, "The retention sweep failed and is tried again later")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
