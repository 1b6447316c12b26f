using Assay.Core.Experiments;
using Assay.Core.Metadata;
using Assay.Core.Traces;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Reads the figures of an experiment: two walks of the index, no details, no payloads. Thread-safe.</summary>
internal sealed class ExperimentReader(IndexDatabase index, ProjectNumbers projects)
{
    public ExperimentFigures Read(
        Guid workspace,
        Guid experiment,
        CancellationToken cancellationToken
    )
    {
        if (projects.Find(workspace, experiment) is not { } number)
        {
            return new ExperimentFigures([], []);
        }

        using var reader = index.Read();
        var labels = new Labels();
        var (byPeople, byEvaluators) = (new HashSet<string>(), new HashSet<string>());
        var scores = new Dictionary<Guid, List<(int Key, double Score)>>();
        var keys = new List<string>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        using (
            var statement = new Statement(
                reader.Connection,
                // From the experiment's runs to their feedback: left alone, the planner walks all feedback of the workspace instead.
                "SELECT f.run, f.key, f.score, f.value, f.created_us, f.source FROM run r CROSS JOIN feedback f "
                    + "WHERE r.project = ?1 AND r.is_root = 1 AND r.example IS NOT NULL AND f.run = r.id AND +f.workspace = ?2 AND (f.score IS NOT NULL OR f.value IS NOT NULL) AND f.comparative IS NULL"
            )
        )
        {
            statement.Bind(1, (long)number);
            statement.Bind(2, workspace);
            while (statement.Step())
            {
                var key = statement.Text(1) ?? "";
                if (statement.Text(3) is { } label)
                {
                    labels.Add(statement.Id(0), key, label, statement.Long(4));
                }

                if (statement.IsNull(2))
                {
                    continue;
                }

                switch (statement.Text(5))
                {
                    case "app":
                        byPeople.Add(key);
                        break;
                    case "auto_eval" or "model":
                        byEvaluators.Add(key);
                        break;
                }

                if (!places.TryGetValue(key, out var place))
                {
                    places[key] = place = keys.Count;
                    keys.Add(key);
                }

                var run = statement.Id(0);
                if (!scores.TryGetValue(run, out var own))
                {
                    scores[run] = own = [];
                }

                own.Add((place, statement.Double(2)));
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        var sorted = keys.Order(StringComparer.Ordinal).ToList();
        var moved = keys.Select(k => sorted.BinarySearch(k, StringComparer.Ordinal)).ToArray();
        var runs = new List<ExperimentRunFigures>();
        using (
            var statement = new Statement(
                reader.Connection,
                "SELECT id, example, status, start_us, latency_us, sum_t, sum_tc FROM run "
                    + "WHERE project = ?1 AND is_root = 1 AND example IS NOT NULL ORDER BY start_us, pk"
            )
        )
        {
            statement.Bind(1, (long)number);
            while (statement.Step())
            {
                var id = statement.Id(0);
                var values = new double[sorted.Count];
                Array.Fill(values, double.NaN);
                if (scores.TryGetValue(id, out var own))
                {
                    foreach (var group in own.GroupBy(s => s.Key))
                    {
                        values[moved[group.Key]] = group.Average(s => s.Score);
                    }
                }

                runs.Add(
                    new ExperimentRunFigures(
                        id,
                        statement.Id(1),
                        (RunStatus)statement.Int(2),
                        UtcMicroseconds.FromMicroseconds(statement.Long(3)),
                        statement.LongOrNull(4) / 1e6,
                        statement.Long(5),
                        Columns.Dollars(statement.Long(6)),
                        values
                    )
                    {
                        Labels = labels.Of(id),
                    }
                );
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        byPeople.IntersectWith(byEvaluators);
        return new ExperimentFigures(sorted, runs)
        {
            LabelKeys = labels.Keys,
            MixedKeys = byPeople,
        };
    }

    /// <summary>Labels by run and key; of several the newest counts. The same text is kept once.</summary>
    private sealed class Labels
    {
        private readonly Dictionary<Guid, Dictionary<string, (string Text, long At)>> _byRun = [];
        private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
        private string[]? _sorted;

        public IReadOnlyList<string> Keys => _sorted ??= [.. _keys];

        public void Add(Guid run, string key, string label, long at)
        {
            _keys.Add(key);
            if (!_texts.TryGetValue(label, out var text))
            {
                _texts[label] = text = label;
            }

            if (!_byRun.TryGetValue(run, out var own))
            {
                _byRun[run] = own = new Dictionary<string, (string, long)>(
                    1,
                    StringComparer.Ordinal
                );
            }

            if (!own.TryGetValue(key, out var known) || known.At <= at)
            {
                own[key] = (text, at);
            }
        }

        public IReadOnlyList<string?> Of(Guid run) =>
            _byRun.TryGetValue(run, out var own)
                ? [.. Keys.Select(k => own.TryGetValue(k, out var label) ? label.Text : null)]
                : [];
    }
}
