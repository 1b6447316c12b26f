using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Models;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;
using Microsoft.Extensions.AI;

namespace Assay.Core.Insights;

/// <summary>Says what a report will cost before it is asked for. Thread-safe.</summary>
public sealed class InsightsEstimates(
    InsightsSampling sampling,
    TraceQueries queries,
    ModelProviders providers,
    PriceLookup prices,
    TimeProvider time
)
{
    /// <summary>So many runs are counted; the others are taken to be like them.</summary>
    public const int Counted = 20;

    // What models answer to these questions, by experience: a sentence or two, a label, a list.
    private const int SummaryTokens = 80;
    private const int LabelTokens = 15;
    private const int ListTokens = 700;
    private const int ClusterTokens = 40;

    /// <summary>Estimates a plan.</summary>
    /// <exception cref="InvalidInsightsException">The plan is unusable.</exception>
    /// <exception cref="FilterException">The filter cannot be understood.</exception>
    public async Task<InsightsEstimate> EstimateAsync(
        Caller caller,
        Guid projectId,
        InsightsPlan plan,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        plan.Check();
        var (runs, matched) = await sampling.ChooseAsync(
            caller,
            projectId,
            plan,
            cancellationToken
        );
        var (spend, limit) = await providers.SpendAsync(caller, cancellationToken);
        if (runs.Count == 0)
        {
            return new InsightsEstimate(0, 0, 0, 0, 0, plan.IsSimulated, limit - spend.Dollars);
        }

        var step = Math.Max(1, runs.Count / Counted);
        var looked = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                RunIds = [.. runs.Where((_, i) => i % step == 0).Take(Counted)],
                Limit = Counted,
                Parts = RunParts.Details | RunParts.Inputs | RunParts.Outputs,
            },
            cancellationToken
        );
        var each = (long)
            looked
                .Runs.Select(r =>
                    Count(InsightsForms.ForSummary(plan, RunDigest.Of(r, null, null)).Messages)
                )
                .DefaultIfEmpty(0)
                .Average();
        var clusters = plan.Clusters ?? Math.Clamp((int)Math.Round(Math.Sqrt(runs.Count)), 2, 12);
        var assign =
            Count(InsightsForms.ForAssignment(plan, "", []).Messages)
            + SummaryTokens
            + (clusters * ClusterTokens);
        // A cost for each call, not for their sum: long questions may be dearer by the token.
        var proposal = ((long)SummaryTokens * runs.Count) + ListTokens;
        var dollars =
            (runs.Count * Dollars(caller, plan.SummaryModel, each, SummaryTokens))
            + (runs.Count * Dollars(caller, plan.ClusterModel, assign, LabelTokens))
            + Dollars(caller, plan.ClusterModel, proposal, 2 * ListTokens);
        return new InsightsEstimate(
            runs.Count,
            matched,
            ((each + assign) * runs.Count) + proposal,
            ((SummaryTokens + LabelTokens) * (long)runs.Count) + (2 * ListTokens),
            dollars,
            plan.IsSimulated,
            limit - spend.Dollars
        );
    }

    private static long Count(IReadOnlyList<ChatMessage> messages) =>
        messages.Sum(m => (long)TokenEstimator.Count(m.Text) + 4);

    private decimal? Dollars(Caller caller, InsightsModel model, long prompt, long answers)
    {
        if (model.IsSimulated)
        {
            return 0;
        }

        return prices(
            caller.WorkspaceId,
            model.Model,
            model.PricedAs,
            new TokenUsage
            {
                PromptTokens = prompt,
                CompletionTokens = answers,
                TotalTokens = prompt + answers,
                Source = FigureSource.Estimated,
            },
            time.GetUtcNow()
        )?.Total;
    }
}

/// <summary>What a report will take, by estimate.</summary>
/// <param name="Runs">Runs it will look at.</param>
/// <param name="Matched">Runs there are to choose from.</param>
/// <param name="PromptTokens">Tokens of all questions.</param>
/// <param name="AnswerTokens">Tokens of all answers.</param>
/// <param name="Dollars">US dollars; null when a model's price is unknown.</param>
/// <param name="IsSimulated">True when nothing is paid because no model is asked.</param>
/// <param name="LeftThisMonth">US dollars that the workspace's limit leaves this month; null without a limit.</param>
public sealed record InsightsEstimate(
    int Runs,
    int Matched,
    long PromptTokens,
    long AnswerTokens,
    decimal? Dollars,
    bool IsSimulated,
    decimal? LeftThisMonth
);
