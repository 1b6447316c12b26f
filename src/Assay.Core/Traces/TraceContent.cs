using Assay.Core.Access;
using Assay.Core.Filters;

namespace Assay.Core.Traces;

/// <summary>
/// What a root that carries no inputs or outputs of its own (a web request, an agent framework's outermost span) can be shown by: the first
/// input and the last output below it. Derived on reading and never stored, so that nobody takes it for what was sent. Plain steps count only
/// where nothing else speaks: of an HTTP call around a model call, the model call is what people want to see. Thread-safe.
/// </summary>
public sealed class TraceContent(TraceQueries queries)
{
    /// <summary>Runs that are looked at from either end of a trace.</summary>
    private const int Looked = 50;

    /// <summary>The runs below that speak for a root; null for what it says itself or nobody says.</summary>
    public async Task<(Run? Input, Run? Output)> BelowAsync(
        Caller caller,
        Run root,
        CancellationToken cancellationToken
    )
    {
        if (!root.IsRoot || (root.InputsPreview is not null && root.OutputsPreview is not null))
        {
            return (null, null);
        }

        return (
            root.InputsPreview is null
                ? Speaker(await RunsAsync(true), r => r.InputsPreview)
                : null,
            root.OutputsPreview is null && root.Error is null
                ? Speaker(await RunsAsync(false), r => r.OutputsPreview)
                : null
        );

        async Task<IEnumerable<Run>> RunsAsync(bool ascending)
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [root.ProjectId],
                    TraceId = root.TraceId,
                    IsRoot = false,
                    OrderBy = RunField.StartTime,
                    Ascending = ascending,
                    Limit = Looked,
                    Parts = RunParts.Details,
                },
                cancellationToken
            );
            return page.Runs;
        }
    }

    /// <summary>Roots of a list with the previews of what is below them, where they have none.</summary>
    public async Task<IReadOnlyList<Run>> WithPreviewsAsync(
        Caller caller,
        IReadOnlyList<Run> runs,
        CancellationToken cancellationToken
    )
    {
        if (!runs.Any(IsSilent))
        {
            return runs;
        }

        var shown = new List<Run>(runs.Count);
        foreach (var run in runs)
        {
            if (!IsSilent(run))
            {
                shown.Add(run);
                continue;
            }

            var (input, output) = await BelowAsync(caller, run, cancellationToken);
            shown.Add(
                run with
                {
                    InputsPreview = input?.InputsPreview,
                    OutputsPreview = output?.OutputsPreview,
                }
            );
        }

        return shown;
    }

    private static bool IsSilent(Run run) =>
        run is { IsRoot: true, InputsPreview: null, OutputsPreview: null };

    private static Run? Speaker(IEnumerable<Run> runs, Func<Run, string?> said)
    {
        var speaking = runs.Where(r => said(r) is { Length: > 0 }).ToList();
        return speaking.Find(r => r.Kind != RunKind.Chain) ?? speaking.FirstOrDefault();
    }
}
