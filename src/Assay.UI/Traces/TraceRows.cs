using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.UI.Evaluators;

namespace Assay.UI.Traces;

/// <summary>
/// The tree of a trace as the browser wants it: columns instead of objects, names and models by number, times in microseconds from the start of
/// the trace; about 70 bytes a run. The browser lays out, folds and searches, so that an open trace costs the server nothing.
/// </summary>
internal static class TraceRows
{
    private const int MaxBadges = 4;

    public static void Write(Utf8JsonWriter w, TraceReading reading, bool withTextMarks)
    {
        var (runs, feedback, trust, now) = reading;
        var start = runs.Count == 0 ? now : runs.Min(r => r.StartTime);
        var at = new Dictionary<Guid, int>(runs.Count);
        for (var i = 0; i < runs.Count; i++)
        {
            at[runs[i].Id] = i;
        }

        w.WriteStartObject();
        w.WriteNumber("start", (start - DateTimeOffset.UnixEpoch).TotalMilliseconds);
        w.WriteNumber("now", Micros(now - start));
        w.WriteString("ids", Ids(runs));
        Column(
            w,
            "parent",
            runs,
            r => r.ParentRunId is { } p && at.TryGetValue(p, out var i) && i < at[r.Id] ? i : -1
        );
        Column(w, "kind", runs, r => (int)r.Kind);
        Column(w, "status", runs, r => (int)r.Status);
        Column(w, "from", runs, r => Micros(r.StartTime - start));
        Column(w, "took", runs, Took);
        Column(w, "first", runs, r => r.FirstTokenLatency is { } t ? Micros(t) : -1);
        Column(w, "tokens", runs, r => r.Totals.TotalTokens);
        Column(w, "cost", runs, r => (long)(r.Totals.TotalCost * 1_000_000_000));
        Dictionary(w, "name", runs, r => r.Name);
        Dictionary(w, "model", runs, r => r.Model ?? "");
        if (withTextMarks)
        {
            Column(w, "in", runs, r => Mark(r.InputsPreview, r, PayloadKind.Inputs));
            Column(w, "out", runs, r => Mark(r.Error ?? r.OutputsPreview, r, PayloadKind.Outputs));
        }

        w.WriteStartObject("feedback");
        foreach (var (id, stats) in feedback)
        {
            if (!at.TryGetValue(id, out var row))
            {
                continue;
            }

            w.WriteStartArray(row.ToString(CultureInfo.InvariantCulture));
            foreach (var (key, s) in Badges(stats))
            {
                w.WriteStartArray();
                w.WriteStringValue(key);
                w.WriteStringValue(ScoreLook.Value(s));
                w.WriteStringValue(ScoreLook.Css(s));
                w.WriteStringValue(ScoreLook.Title(key, s));
                w.WriteNumberValue((s.IsMixed ? 1 : 0) + (s.Evaluators.Count > 0 ? 2 : 0));
                w.WriteEndArray();
            }

            w.WriteEndArray();
        }

        w.WriteEndObject();
        w.WriteStartObject("trust");
        foreach (var (key, badge) in trust)
        {
            w.WriteStartArray(key);
            w.WriteStringValue(badge.Css());
            w.WriteStringValue(badge.Symbol());
            w.WriteStringValue(badge.Text());
            w.WriteStringValue(badge.Title());
            w.WriteEndArray();
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    /// <summary>The keys of a run's feedback that are shown in the tree, those with scores first.</summary>
    public static IEnumerable<KeyValuePair<string, FeedbackStats>> Badges(
        IReadOnlyDictionary<string, FeedbackStats>? feedback
    ) => feedback?.OrderByDescending(f => f.Value.Average is not null).Take(MaxBadges) ?? [];

    /// <summary>A number that differs where the payload differs in length or in its first characters; equal numbers promise nothing beyond that.</summary>
    private static long Mark(string? text, Run run, PayloadKind kind)
    {
        var length = run.PayloadLengths.GetValueOrDefault(kind);
        var hash = SHA256.HashData(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length}:{text}"))
        );
        return BinaryPrimitives.ReadUInt32LittleEndian(hash);
    }

    /// <summary>32 hexadecimal digits a run.</summary>
    private static ReadOnlySpan<byte> Ids(IReadOnlyList<Run> runs)
    {
        var digits = new byte[runs.Count * 32];
        for (var i = 0; i < runs.Count; i++)
        {
            runs[i].Id.TryFormat(digits.AsSpan(i * 32), out _, "N");
        }

        return digits;
    }

    /// <summary>How long a run took in microseconds; -1 for one that has not ended.</summary>
    public static long Took(Run run) => run.Latency is { } t ? Math.Max(0, Micros(t)) : -1;

    public static long Micros(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    private static void Column(
        Utf8JsonWriter w,
        string name,
        IReadOnlyList<Run> runs,
        Func<Run, long> value
    )
    {
        w.WriteStartArray(name);
        foreach (var run in runs)
        {
            w.WriteNumberValue(value(run));
        }

        w.WriteEndArray();
    }

    private static void Dictionary(
        Utf8JsonWriter w,
        string name,
        IReadOnlyList<Run> runs,
        Func<Run, string> value
    )
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        Column(
            w,
            name,
            runs,
            r =>
            {
                var text = value(r);
                if (!numbers.TryGetValue(text, out var number))
                {
                    numbers[text] = number = numbers.Count;
                }

                return number;
            }
        );
        w.WriteStartArray(name + "s");
        foreach (var text in numbers.Keys)
        {
            w.WriteStringValue(text);
        }

        w.WriteEndArray();
    }
}
