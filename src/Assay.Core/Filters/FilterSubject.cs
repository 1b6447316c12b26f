using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Core.Filters;

/// <summary>
/// A run as <see cref="FilterEvaluator"/> sees it. What the filter looks into must be there: <see cref="RunParts.Details"/> always, the
/// payloads of inputs and outputs for searches and for their pairs, extra for <see cref="Filter.MetadataContains"/>. Not thread-safe: pairs
/// are made on first use.
/// </summary>
public sealed class FilterSubject(Run run)
{
    private readonly Dictionary<PairKind, IReadOnlyList<KeyValuePair<string, string>>> _pairs = [];

    /// <summary>The run.</summary>
    public Run Run { get; } = run;

    /// <summary>The feedback given to it.</summary>
    public IReadOnlyList<FeedbackRecord> Feedback { get; init; } = [];

    /// <summary>Its place in its trace, see <see cref="RunField.ExecutionOrder"/>.</summary>
    public int ExecutionOrder { get; init; } = 1;

    /// <summary>The runs of one trace with their places in it.</summary>
    /// <param name="trace">All runs of the trace in one project.</param>
    /// <param name="feedback">Feedback by run.</param>
    public static IReadOnlyList<FilterSubject> OfTrace(
        IReadOnlyList<Run> trace,
        ILookup<Guid, FeedbackRecord>? feedback = null
    )
    {
        var keys = trace.Select(r => r.DottedOrder).Order(StringComparer.Ordinal).ToArray();
        return
        [
            .. trace.Select(run => new FilterSubject(run)
            {
                Feedback = feedback is null ? [] : [.. feedback[run.Id]],
                ExecutionOrder = 1 + First(keys, run.DottedOrder),
            }),
        ];
    }

    internal IReadOnlyList<KeyValuePair<string, string>> Pairs(PairKind kind)
    {
        if (kind == PairKind.Metadata)
        {
            return Run.Metadata;
        }

        if (!_pairs.TryGetValue(kind, out var pairs))
        {
            var payload = kind == PairKind.Inputs ? PayloadKind.Inputs : PayloadKind.Outputs;
            _pairs[kind] = pairs = Run.Payloads.TryGetValue(payload, out var json)
                ? FlatPairs.Of(json)
                : [];
        }

        return pairs;
    }

    /// <summary>How many keys sort before this one.</summary>
    private static int First(string[] keys, string key)
    {
        var (low, high) = (0, keys.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(keys[middle], key) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
