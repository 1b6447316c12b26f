namespace Assay.Core.Experiments;

/// <summary>
/// Makes a long series short enough to be drawn without hiding its peaks: the first and the last point stay, what is between is cut into
/// parts of equally many points, and of each part the lowest and the highest point stay. Points are given one by one, steps in order; those
/// kept are all it holds. Not thread-safe.
/// </summary>
/// <param name="expected">How many points will come; a few more or less, because somebody logs meanwhile, do no harm.</param>
/// <param name="most">The most points to keep, at least 2.</param>
public sealed class SeriesThinner(int expected, int most)
{
    private readonly List<MetricPoint> _kept = [];
    private readonly int _parts = (most - 2) / 2;
    private MetricPoint? _last;
    private MetricPoint? _low;
    private MetricPoint? _high;
    private int _part;

    /// <summary>How many points came.</summary>
    public int Count { get; private set; }

    /// <summary>The points kept, steps in order.</summary>
    public IReadOnlyList<MetricPoint> Points =>
        _last is null ? _kept : [.. _kept, .. Part(), _last];

    /// <summary>The next point.</summary>
    public void Add(MetricPoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        if (Count++ == 0)
        {
            _kept.Add(point);
            return;
        }

        // One behind: only when another point comes is it known that the one before was not the last.
        if (_last is not null)
        {
            Between(_last, Count - 3);
        }

        _last = point;
    }

    private void Between(MetricPoint point, int place)
    {
        if (expected <= most)
        {
            if (_kept.Count < most - 1)
            {
                _kept.Add(point);
            }

            return;
        }

        if (_parts == 0)
        {
            return;
        }

        var part = (int)Math.Min(_parts - 1, (long)place * _parts / (expected - 2));
        if (part != _part)
        {
            _kept.AddRange(Part());
            (_part, _low, _high) = (part, null, null);
        }

        _low = _low is null || point.Value < _low.Value ? point : _low;
        _high = _high is null || point.Value > _high.Value ? point : _high;
    }

    private IEnumerable<MetricPoint> Part() =>
        new[] { _low, _high }.OfType<MetricPoint>().Distinct().OrderBy(p => p.Step);
}
