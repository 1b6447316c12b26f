using System.Buffers.Binary;

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
    private long[] _counts = [];
    private int _first;

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
        if (other._counts.Length > 0)
        {
            Cover(other._first);
            Cover(other._first + other._counts.Length - 1);
            var counts = _counts.AsSpan(other._first - _first);
            for (var i = 0; i < other._counts.Length; i++)
            {
                counts[i] += other._counts[i];
            }

            Count += other.Count;
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
        var last = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            last = _counts[i] > 0 ? _first + i : last;
            if (seen >= rank)
            {
                return Value(_first + i);
            }
        }

        return Value(last);
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
        Span<byte> bytes = stackalloc byte[2_048];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, Sum);
        var at = sizeof(double);
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] == 0)
            {
                continue;
            }

            if (at + 16 > bytes.Length)
            {
                var larger = new byte[bytes.Length * 2];
                bytes.CopyTo(larger);
                bytes = larger;
            }

            at += WriteNumber(bytes[at..], (ulong)(_first + i));
            at += WriteNumber(bytes[at..], (ulong)_counts[i]);
        }

        return bytes[..at].ToArray();
    }

    /// <summary>Reads <see cref="ToBytes"/>.</summary>
    public static LogHistogram FromBytes(byte[]? bytes)
    {
        var histogram = new LogHistogram();
        histogram.Merge(bytes);
        return histogram;
    }

    /// <summary>Adds a histogram in the form of <see cref="ToBytes"/>; an empty one adds nothing.</summary>
    public void Merge(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        Sum += BinaryPrimitives.ReadDoubleLittleEndian(bytes);
        bytes = bytes[sizeof(double)..];
        while (!bytes.IsEmpty)
        {
            var bucket = (int)ReadNumber(ref bytes);
            AddBucket(bucket, (long)ReadNumber(ref bytes));
        }
    }

    private static int WriteNumber(Span<byte> to, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            to[at++] = (byte)(value | 0x80);
        }

        to[at++] = (byte)value;
        return at;
    }

    private static ulong ReadNumber(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(part & 0x7F) << shift;
            if ((part & 0x80) == 0)
            {
                return value;
            }
        }
    }

    private static int Bucket(double value) =>
        value <= 0
            ? 0
            : Math.Clamp((int)Math.Floor(Math.Log2(value) * PerOctave) + Offset + 1, 1, 2_000);

    private static double Value(int bucket) =>
        bucket == 0 ? 0 : Math.Pow(2, (bucket - Offset - 0.5) / PerOctave);

    private void AddBucket(int bucket, long weight)
    {
        Cover(bucket);
        _counts[bucket - _first] += weight;
        Count += weight;
    }

    /// <summary>Makes room for a bucket; the window grows by halves of an octave.</summary>
    private void Cover(int bucket)
    {
        const int slack = PerOctave / 2;
        if (_counts.Length == 0)
        {
            _first = Math.Max(0, bucket - slack);
            _counts = new long[2 * slack];
        }
        else if (bucket < _first)
        {
            var first = Math.Max(0, bucket - slack);
            var larger = new long[_counts.Length + _first - first];
            _counts.CopyTo(larger, _first - first);
            (_first, _counts) = (first, larger);
        }
        else if (bucket >= _first + _counts.Length)
        {
            Array.Resize(ref _counts, bucket - _first + slack);
        }
    }
}
