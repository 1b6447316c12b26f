using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Models;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Says what a run on a dataset will cost before it starts. Thread-safe.</summary>
public sealed class CostEstimates(
    ExperimentJobStarts jobs,
    ExampleReader examples,
    ModelProviders providers,
    PriceLookup prices,
    TimeProvider time
)
{
    /// <summary>So many examples are rendered and counted; the others are taken to be like them.</summary>
    public const int SampleSize = 100;

    /// <summary>Tokens an answer is taken to have when nothing tells.</summary>
    public const int DefaultAnswerTokens = 250;

    /// <summary>Estimates a plan as <see cref="JobPlan.ReadRun"/> reads it; <c>answer_tokens</c> in it overrides the assumed length of an answer.</summary>
    /// <exception cref="InvalidJobException">The plan is unusable.</exception>
    /// <exception cref="DatasetProblemException">There is no such dataset or version.</exception>
    public async Task<CostEstimate> EstimateAsync(
        Caller caller,
        Guid datasetId,
        JsonElement given,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        var plan = JobPlan.ReadRun(given);
        var provider =
            await providers.FindAsync(caller, plan.Variant!.ProviderId, cancellationToken)
            ?? throw new InvalidJobException("provider", "this workspace has no such provider");
        var (version, ids) = await jobs.ExamplesAsync(caller, datasetId, plan, cancellationToken);
        var step = Math.Max(1, ids.Count / SampleSize);
        var sample = await examples.ListAsync(
            caller,
            new ExampleQuery
            {
                DatasetId = datasetId,
                // From all over the dataset: its beginning may be unlike the rest.
                Ids = [.. ids.Where((_, i) => i % step == 0).Take(SampleSize)],
                AsOf = new AsOf(Time: version),
                Limit = SampleSize,
            },
            cancellationToken
        );
        long prompt = 0;
        long reference = 0;
        var (counted, referenced) = (0, 0);
        var problems = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var example in ids.Count == 0 ? [] : sample)
        {
            try
            {
                prompt += Count(plan, example);
                counted++;
            }
            catch (InvalidVariantException e)
            {
                problems[e.Message] = problems.GetValueOrDefault(e.Message) + 1;
            }

            if (example.OutputsJson is { } outputs)
            {
                reference +=
                    TokenEstimator
                        .Estimate(null, System.Text.Encoding.UTF8.GetBytes(outputs))
                        ?.CompletionTokens
                    ?? 0;
                referenced++;
            }
        }

        var rows = ids.Count * plan.Repetitions;
        var (answer, assumption) = Answer(
            given,
            plan,
            referenced == 0 ? 0 : (int)Math.Ceiling((double)reference / referenced)
        );
        var each = counted == 0 ? 0 : (long)Math.Ceiling((double)prompt / counted);
        var isSimulated = provider.Kind == ProviderKind.Simulated;
        var cost = isSimulated
            ? null
            : prices(
                caller.WorkspaceId,
                plan.Variant.Model,
                provider.PricedAs,
                new TokenUsage
                {
                    PromptTokens = each,
                    CompletionTokens = answer,
                    TotalTokens = each + answer,
                    Source = FigureSource.Estimated,
                },
                time.GetUtcNow()
            );
        var (spend, limit) = await providers.SpendAsync(caller, cancellationToken);
        return new CostEstimate
        {
            Examples = ids.Count,
            Rows = rows,
            Sampled = sample.Count,
            PromptTokens = each * rows,
            CompletionTokens = (long)answer * rows,
            Assumption = assumption,
            Dollars = cost?.Total * rows,
            IsSimulated = isSimulated,
            LeftThisMonth = limit - spend.Dollars,
            AtLeast = plan.RequestsPerMinute is { } pace
                ? TimeSpan.FromMinutes((double)rows / pace)
                : null,
            Problems =
            [
                .. problems
                    .OrderByDescending(p => p.Value)
                    .Take(5)
                    .Select(p =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{p.Value} of {sample.Count} examples looked at: {p.Key}"
                        )
                    ),
            ],
        };
    }

    private static long Count(JobPlan plan, Example example)
    {
        using var inputs = JsonDocument.Parse(example.InputsJson);
        var call = plan.Variant!.Render(plan.Values(inputs.RootElement), "");
        return TokenEstimator
                .Estimate(ChatJson.Inputs(call.Messages, call.Options), null)
                ?.PromptTokens
            ?? 0;
    }

    private static (int Tokens, string Assumption) Answer(
        JsonElement given,
        JobPlan plan,
        int reference
    )
    {
        if (
            given.TryGetProperty("answer_tokens", out var said)
            && said.ValueKind == JsonValueKind.Number
            && said.TryGetInt32(out var tokens)
            && tokens > 0
        )
        {
            return (tokens, $"answers of {tokens:N0} tokens, as you said");
        }

        var (length, why) =
            reference > 0
                ? (reference, "as long as the reference outputs")
                : (DefaultAnswerTokens, "for want of anything better");
        return plan.Variant!.MaxOutputTokens is { } most && most < length
            ? (most, $"answers of {most:N0} tokens, the limit you set")
            : (
                length,
                string.Create(CultureInfo.InvariantCulture, $"answers of {length:N0} tokens, {why}")
            );
    }
}

/// <summary>What a run on a dataset will take, by estimate.</summary>
public sealed record CostEstimate
{
    /// <summary>Examples.</summary>
    public required int Examples { get; init; }

    /// <summary>Model calls: examples times repetitions.</summary>
    public required int Rows { get; init; }

    /// <summary>How many examples were rendered and counted.</summary>
    public required int Sampled { get; init; }

    /// <summary>Prompt tokens of all rows.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Tokens of all answers, by <see cref="Assumption"/>.</summary>
    public required long CompletionTokens { get; init; }

    /// <summary>What was assumed about the answers, for people.</summary>
    public required string Assumption { get; init; }

    /// <summary>US dollars; null when the model's price is unknown or nothing is paid.</summary>
    public decimal? Dollars { get; init; }

    /// <summary>True for the simulated model, which costs nothing.</summary>
    public bool IsSimulated { get; init; }

    /// <summary>US dollars that the workspace's limit leaves this month; null without a limit.</summary>
    public decimal? LeftThisMonth { get; init; }

    /// <summary>The least time that the pace allows; null without a pace.</summary>
    public TimeSpan? AtLeast { get; init; }

    /// <summary>What will go wrong, with how many of the examples looked at.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
