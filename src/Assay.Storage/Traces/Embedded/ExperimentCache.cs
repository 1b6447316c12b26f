using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Remembers the figures of experiments that were looked at last, until one of their runs or scores changes. Whoever writes the index tells
/// it what changed after the transaction; what is read while something changes is answered and not remembered. Thread-safe.
/// </summary>
internal sealed class ExperimentCache(IndexDatabase index, ProjectNumbers projects)
{
    /// <summary>Runs of all remembered experiments together, about 250 bytes each.</summary>
    private const int MaxRuns = 250_000;

    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _byUse = [];
    private readonly Dictionary<(Guid Workspace, Guid Experiment), LinkedListNode<Entry>> _found =
    [];
    private readonly List<Reading> _readings = [];
    private int _runs;

    /// <summary>The figures of an experiment; the same object for as long as nothing changed and there is room.</summary>
    public ExperimentFigures Read(
        Guid workspace,
        Guid experiment,
        CancellationToken cancellationToken
    )
    {
        var reading = new Reading(workspace, experiment);
        lock (_lock)
        {
            if (_found.TryGetValue((workspace, experiment), out var known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.Figures;
            }

            _readings.Add(reading);
        }

        ExperimentFigures figures;
        HashSet<Guid> runs;
        try
        {
            figures = new ExperimentReader(index, projects).Read(
                workspace,
                experiment,
                cancellationToken
            );
            runs = [.. figures.Runs.Select(r => r.RunId)];
        }
        catch
        {
            lock (_lock)
            {
                _readings.Remove(reading);
            }

            throw;
        }

        lock (_lock)
        {
            _readings.Remove(reading);
            if (
                !reading.IsStale
                && runs.Count <= MaxRuns
                && !_found.ContainsKey((workspace, experiment))
            )
            {
                _found[(workspace, experiment)] = _byUse.AddFirst(
                    new Entry(workspace, experiment, figures, runs)
                );
                _runs += runs.Count;
                // An empty experiment takes room too.
                while (_runs > MaxRuns || _byUse.Count > 1_000)
                {
                    Drop(_byUse.Last!);
                }
            }
        }

        return figures;
    }

    /// <summary>Runs or feedback of projects changed.</summary>
    public void Changed(IReadOnlyList<RunsChanged> changes)
    {
        lock (_lock)
        {
            if (_byUse.Count + _readings.Count == 0)
            {
                return;
            }

            foreach (var change in changes)
            {
                if (_found.TryGetValue((change.WorkspaceId, change.ProjectId), out var known))
                {
                    Drop(known);
                }

                foreach (var reading in _readings)
                {
                    reading.IsStale |=
                        reading.Workspace == change.WorkspaceId
                        && reading.Experiment == change.ProjectId;
                }
            }
        }
    }

    /// <summary>Feedback came, changed or went; it may name its run and no project.</summary>
    public void Changed(Guid workspace, IReadOnlyList<FeedbackRecord> feedback)
    {
        lock (_lock)
        {
            if (feedback.Count == 0 || _byUse.Count + _readings.Count == 0)
            {
                return;
            }

            // Nobody knows yet which runs these will have.
            foreach (var reading in _readings)
            {
                reading.IsStale |= reading.Workspace == workspace;
            }

            for (var node = _byUse.First; node is not null; )
            {
                var next = node.Next;
                if (
                    node.Value.Workspace == workspace
                    && feedback.Any(f => f.RunId is { } run && node.Value.Runs.Contains(run))
                )
                {
                    Drop(node);
                }

                node = next;
            }
        }
    }

    /// <summary>Anything may have changed.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _byUse.Clear();
            _found.Clear();
            _runs = 0;
            foreach (var reading in _readings)
            {
                reading.IsStale = true;
            }
        }
    }

    private void Drop(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _found.Remove((node.Value.Workspace, node.Value.Experiment));
        _runs -= node.Value.Runs.Count;
    }

    private sealed record Entry(
        Guid Workspace,
        Guid Experiment,
        ExperimentFigures Figures,
        HashSet<Guid> Runs
    );

    private sealed class Reading(Guid workspace, Guid experiment)
    {
        public Guid Workspace { get; } = workspace;

        public Guid Experiment { get; } = experiment;

        public bool IsStale { get; set; }
    }
}
