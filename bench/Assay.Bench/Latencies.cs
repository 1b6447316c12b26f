using System.Globalization;

namespace Assay.Bench;

/// <summary>Durations and their percentiles by nearest rank.</summary>
internal sealed class Latencies
{
    private readonly List<double> _milliseconds = [];
    private readonly Lock _lock = new();

    public void Add(TimeSpan duration)
    {
        lock (_lock)
        {
            _milliseconds.Add(duration.TotalMilliseconds);
        }
    }

    public double At(double quantile)
    {
        lock (_lock)
        {
            _milliseconds.Sort();
            return _milliseconds.Count == 0
                ? 0
                : _milliseconds[
                    Math.Clamp(
                        (int)Math.Ceiling(quantile * _milliseconds.Count) - 1,
                        0,
                        _milliseconds.Count - 1
                    )
                ];
        }
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"P50 {At(0.5):0.0} P95 {At(0.95):0.0} P99 {At(0.99):0.0} max {At(1):0.0} ms"
        );
}
