namespace Assay.Core.Experiments.Jobs;

/// <summary>When the next model call may start: evenly, so many a minute, and not while a provider asked for a rest. Thread-safe.</summary>
internal sealed class JobPace(int? perMinute, TimeProvider time)
{
    private static readonly TimeSpan s_firstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMinutes(1);
    private readonly TimeSpan _interval = perMinute is { } calls
        ? TimeSpan.FromMinutes(1) / calls
        : TimeSpan.Zero;
    private readonly Lock _gate = new();
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _next;
    private TimeSpan _restUntil;
    private TimeSpan _rest = s_firstRest;

    /// <summary>Waits for a call's turn.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan turn;
        lock (_gate)
        {
            turn = Max(Max(_next, _restUntil), Now);
            _next = turn + _interval;
        }

        while (Now < turn)
        {
            await Task.Delay(turn - Now, time, cancellationToken);
            lock (_gate)
            {
                // Somebody met a rate limit meanwhile: everybody waits.
                turn = Max(turn, _restUntil);
            }
        }
    }

    /// <summary>A provider said "too many": nobody calls for a while, each time longer.</summary>
    public void Rest()
    {
        lock (_gate)
        {
            if (Now < _restUntil)
            {
                return;
            }

            _restUntil = Now + _rest;
            _rest = _rest * 2 > s_longestRest ? s_longestRest : _rest * 2;
        }
    }

    /// <summary>A call went through: the next rest is short again.</summary>
    public void Went()
    {
        lock (_gate)
        {
            _rest = s_firstRest;
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_began);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
