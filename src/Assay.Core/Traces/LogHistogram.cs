namespace Assay.Core.Traces;

/// <summary>
/// A mergeable histogram of positive numbers with logarithmic buckets, 16 to the octave: a percentile is read back with at most 2.2 %
/// relative error (half a bucket of 2^(1/16)). Values up to 2^-20 share the lowest bucket. Counts may be subtracted again. Mutable, not thread-safe.
/// The idea is that of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019), with fixed base.
/// </summary>
public sealed class LogHistogram
{
    private const int PerOctave = 16;
    private const int Offset = 20 * PerOctave;
    private readonly SortedDictionary<int, long> _counts = [];

    /// <summary>Number of values.</summary>
    public long Count { get; private set; }

    /// <summary>Sum of the values, exact up to rounding.</summary>
    public double Sum { get; private set; }

    /// <summary>Adds a value, or takes it back with a negative weight.</summary>
    public void Add(double value, long weight = 1)
    {
        if (double.IsNaN(value))
        {
            return;
        }

        AddBucket(Bucket(value), weight);
        Sum += value * weight;
    }

    /// <summary>Adds another histogram.</summary>
    public void Merge(LogHistogram other)
    {
        foreach (var (bucket, count) in other._counts)
        {
            AddBucket(bucket, count);
        }

        Sum += other.Sum;
    }

    /// <summary>The value at a quantile from 0 to 1, by nearest rank; 0 when empty.</summary>
    public double Quantile(double q)
    {
        if (Count <= 0)
        {
            return 0;
        }

        var rank = Math.Clamp((long)Math.Ceiling(q * Count), 1, Count);
        long seen = 0;
        foreach (var (bucket, count) in _counts)
        {
            seen += count;
            if (seen >= rank)
            {
                return Value(bucket);
            }
        }

        return Value(_counts.Keys.Last());
    }

    /// <summary>The usual percentiles; null when empty.</summary>
    public Percentiles? ToPercentiles() =>
        Count <= 0
            ? null
            : new Percentiles(
                Quantile(0.5),
                Quantile(0.95),
                Quantile(0.99),
                Sum / Count,
                Quantile(1)
            );

    /// <summary>A compact form: sum, then bucket and count pairs as variable-length integers.</summary>
    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Sum);
        foreach (var (bucket, count) in _counts)
        {
            writer.Write7BitEncodedInt(bucket);
            writer.Write7BitEncodedInt64(count);
        }

        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads <see cref="ToBytes"/>.</summary>
    public static LogHistogram FromBytes(byte[]? bytes)
    {
        var histogram = new LogHistogram();
        if (bytes is null || bytes.Length == 0)
        {
            return histogram;
        }

        using var stream = new MemoryStream(bytes, writable: false);
        using var reader = new BinaryReader(stream);
        histogram.Sum = reader.ReadDouble();
        while (stream.Position < stream.Length)
        {
            var bucket = reader.Read7BitEncodedInt();
            histogram.AddBucket(bucket, reader.Read7BitEncodedInt64());
        }

        return histogram;
    }

    private static int Bucket(double value) =>
        value <= 0
            ? 0
            : Math.Clamp((int)Math.Floor(Math.Log2(value) * PerOctave) + Offset + 1, 1, 2_000);

    private static double Value(int bucket) =>
        bucket == 0 ? 0 : Math.Pow(2, (bucket - Offset - 0.5) / PerOctave);

    private void AddBucket(int bucket, long weight)
    {
        var count = _counts.GetValueOrDefault(bucket) + weight;
        if (count == 0)
        {
            _counts.Remove(bucket);
        }
        else
        {
            _counts[bucket] = count;
        }

        Count += weight;
    }
}
