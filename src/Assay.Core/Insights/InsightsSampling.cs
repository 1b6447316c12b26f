using System.Security.Cryptography;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Insights;

/// <summary>Chooses the runs of a report: finished roots of the project, each as likely as any other. Thread-safe.</summary>
public sealed class InsightsSampling(TraceQueries queries)
{
    /// <summary>So many of the newest roots are chosen from.</summary>
    public const int MaxMatched = 100_000;

    private const int PageSize = 10_000;

    /// <summary>The runs, the newest first, and how many there were to choose from.</summary>
    /// <exception cref="FilterException">The filter cannot be understood.</exception>
    public async Task<(IReadOnlyList<Guid> Runs, int Matched)> ChooseAsync(
        Caller caller,
        Guid projectId,
        InsightsPlan plan,
        CancellationToken cancellationToken
    )
    {
        var found = new List<Guid>();
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectIds = [projectId],
            IsRoot = true,
            From = plan.From,
            To = plan.To,
            Filter = plan.Filter is { Length: > 0 } filter
                ? LangSmithFilterParser.Parse(filter)
                : null,
            Limit = PageSize,
            Parts = RunParts.None,
        };
        do
        {
            var page = await queries.QueryAsync(caller, query, cancellationToken);
            found.AddRange(page.Runs.Where(r => r.EndTime is not null).Select(r => r.Id));
            query = query with { Cursor = page.Next };
        } while (query.Cursor is not null && found.Count < MaxMatched);

        var wanted = (int)
            Math.Min(
                InsightsPlan.MaxSample,
                plan.Sample < 1
                    ? Math.Max(1, Math.Round(found.Count * plan.Sample))
                    : Math.Floor(plan.Sample)
            );
        if (found.Count <= wanted)
        {
            return (found, found.Count);
        }

        // By the hash of the id, so that the same question chooses the same runs: two reports can be compared.
        var chosen = found
            .OrderBy(id => BitConverter.ToUInt64(SHA256.HashData(id.ToByteArray())))
            .Take(wanted)
            .ToHashSet();
        return ([.. found.Where(chosen.Contains)], found.Count);
    }
}
