using System.Globalization;
using Assay.Core.Experiments;
using Microsoft.AspNetCore.Http;

namespace Assay.UI.Experiments;

/// <summary>Which experiments and rows a results page shows, all of it from the address. The first experiment is the baseline.</summary>
public sealed record ResultsState
{
    /// <summary>The experiments, baseline first.</summary>
    public IReadOnlyList<Guid> Ids { get; init; } = [];

    /// <summary>Key of the metric that deltas, filters and plots are about; null for the first.</summary>
    public string? Metric { get; init; }

    /// <summary><c>all</c>, <c>improved</c>, <c>regressed</c>, <c>changed</c>, <c>same</c>, <c>errors</c> or <c>missing</c>.</summary>
    public string Show { get; init; } = "all";

    /// <summary>The candidate that deltas are of; null for the first.</summary>
    public Guid? Against { get; init; }

    /// <summary>Empty for dataset order, <c>delta</c>, or the key of a metric.</summary>
    public string Sort { get; init; } = "";

    /// <summary>Smallest first.</summary>
    public bool IsAscending { get; init; }

    /// <summary>Words and conditions.</summary>
    public string Search { get; init; } = "";

    /// <summary>Key of example metadata whose values make clusters; null when examples are independent.</summary>
    public string? Cluster { get; init; }

    /// <summary>Reads the state of a request; with <paramref name="only"/> of that experiment alone.</summary>
    public static ResultsState Read(HttpRequest request, Guid? only = null)
    {
        var q = request.Query;
        var ids = only is { } one
            ? [one]
            : q["selectedSessions"]
                .ToString()
                .Split(',', StringSplitOptions.RemoveEmptyEntries)
                .Select(t => Guid.TryParse(t, out var id) ? id : Guid.Empty)
                .Where(i => i != Guid.Empty)
                .Distinct()
                .Take(ExperimentTables.MaxCompared)
                .ToList();
        if (Guid.TryParse(q["baseline"], out var baseline) && ids.Remove(baseline))
        {
            ids.Insert(0, baseline);
        }

        return new ResultsState
        {
            Ids = ids,
            Metric = q["m"].ToString() is { Length: > 0 } metric ? metric : null,
            Show = q["show"].ToString()
                is "improved"
                    or "regressed"
                    or "changed"
                    or "same"
                    or "errors"
                    or "missing"
                ? q["show"].ToString()
                : "all",
            Against = Guid.TryParse(q["vs"], out var against) ? against : null,
            Sort = q["sort"].ToString(),
            IsAscending = q["dir"] == "asc",
            Search = q["q"].ToString().Trim(),
            Cluster = q["cluster"].ToString() is { Length: > 0 } cluster ? cluster : null,
        };
    }

    /// <summary>The state as a query string with changes; null takes a part out.</summary>
    public string Query(bool isSingle, params (string Key, string? Value)[] changes)
    {
        var parts = new Dictionary<string, string?>
        {
            ["selectedSessions"] = isSingle ? null : string.Join(',', Ids),
            ["m"] = Metric,
            ["show"] = Show == "all" ? null : Show,
            ["vs"] = Against?.ToString(),
            ["sort"] = Sort.Length == 0 ? null : Sort,
            ["dir"] = IsAscending ? "asc" : null,
            ["q"] = Search.Length == 0 ? null : Search,
            ["cluster"] = Cluster,
        };
        foreach (var (key, value) in changes)
        {
            parts[key] = value;
        }

        return string.Join(
            '&',
            parts
                .Where(p => p.Value is not null)
                .Select(p =>
                    $"{p.Key}={(p.Key == "selectedSessions" ? p.Value : Uri.EscapeDataString(p.Value!))}"
                )
        );
    }

    /// <summary>The parts of the search: conditions on metrics and labels, and words.</summary>
    public (IReadOnlyList<Condition> Conditions, IReadOnlyList<string> Words) Parse(
        IReadOnlyList<Metric> metrics,
        IReadOnlyList<string> labelKeys
    )
    {
        var conditions = new List<Condition>();
        var words = new List<string>();
        foreach (var part in Parts(Search))
        {
            var at = part.IndexOfAny(['<', '>', '=']);
            var end = at > 0 && at + 1 < part.Length && part[at + 1] == '=' ? at + 2 : at + 1;
            var key = at <= 0 ? "" : part[..at];
            var metric = at <= 0 ? -1 : Find(metrics, key);
            if (
                metric >= 0
                && double.TryParse(part[end..], CultureInfo.InvariantCulture, out var number)
            )
            {
                conditions.Add(new Condition.OfScore(metric, part[at..end], number));
            }
            else if (at > 0 && part[at] == '=' && labelKeys.Contains(key))
            {
                conditions.Add(new Condition.OfLabel(key, part[end..].Trim('"')));
            }
            else
            {
                words.Add(part.Trim('"'));
            }
        }

        return (conditions, words);
    }

    /// <summary>A search cut at its blanks, save those between quotation marks.</summary>
    public static IReadOnlyList<string> Parts(string search)
    {
        var parts = new List<string>();
        var (start, isQuoted) = (0, false);
        for (var i = 0; i <= search.Length; i++)
        {
            if (i == search.Length || (search[i] == ' ' && !isQuoted))
            {
                if (i > start)
                {
                    parts.Add(search[start..i]);
                }

                start = i + 1;
            }
            else if (search[i] == '"')
            {
                isQuoted = !isQuoted;
            }
        }

        return parts;
    }

    /// <summary>A label as it stands in a search.</summary>
    public static string Quoted(string label) =>
        label.Contains(' ', StringComparison.Ordinal) ? $"\"{label}\"" : label;

    /// <summary>The place of a metric by its key or title; -1 for none.</summary>
    public static int Find(IReadOnlyList<Metric> metrics, string? name)
    {
        for (var i = 0; i < metrics.Count; i++)
        {
            if (
                metrics[i].Key == name
                || string.Equals(metrics[i].Title, name, StringComparison.OrdinalIgnoreCase)
            )
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A condition on what an experiment made of an example.</summary>
    public abstract record Condition
    {
        /// <summary>True when it is met; never where there is nothing.</summary>
        public abstract bool Holds(ExperimentMeasures experiment, Guid example);

        /// <summary>On the value of a metric.</summary>
        public sealed record OfScore(int Metric, string Operator, double Number) : Condition
        {
            /// <inheritdoc/>
            public override bool Holds(ExperimentMeasures experiment, Guid example)
            {
                var value = experiment.Value(example, Metric);
                return Operator switch
                {
                    "<" => value < Number,
                    "<=" => value <= Number,
                    ">" => value > Number,
                    ">=" => value >= Number,
                    _ => Math.Abs(value - Number) < 1e-9,
                };
            }
        }

        /// <summary>One of the runs bears a label.</summary>
        public sealed record OfLabel(string Key, string Label) : Condition
        {
            /// <inheritdoc/>
            public override bool Holds(ExperimentMeasures experiment, Guid example) =>
                experiment.Labels(example, Key).Contains(Label, StringComparer.OrdinalIgnoreCase);
        }
    }
}
