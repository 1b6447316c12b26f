using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Insights;
using Assay.Core.Models;
using Assay.Core.Models.Prices;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Projects;
using Assay.Core.Prompts;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Core.Views;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Assay.Core;

/// <summary>The registration of everything in Core.</summary>
public static class CoreServices
{
    /// <summary>Adds Core's services. The host adds the ports (Storage, Gateway) and <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddCore(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddAccess();
        services.AddSingleton<ProjectDirectory>();
        services.AddSingleton<Retention>();
        services.AddSingleton<RetentionSweep>();
        services.AddSingleton<RunNormalizer>();
        services.AddSingleton<TraceIngest>();
        services.AddSingleton<TraceQueries>();
        services.AddSingleton<QueryTimes>();
        services.AddSingleton<RefusedItems>();
        services.AddSingleton<Blobs.DiskUse>();
        services.AddSingleton<TraceContent>();
        services.AddSingleton<TraceFeed>();
        services.AddSingleton<PromptHub>();
        services.AddSingleton<PromptIncludes>();
        services.AddSingleton<PromptHistory>();
        services.AddSingleton<PromptTags>();
        services.AddSingleton<PromptTagRequests>();
        services.AddSingleton<PromptRollouts>();
        services.AddSingleton<PromptOwners>();
        services.AddSingleton<PromptOutbox>();
        services.AddSingleton<PromptWebhooks>();
        services.AddSingleton<HubRules>();
        services.AddSingleton<PromptDirectories>();
        services.AddSingleton<PromptComments>();
        services.AddSingleton<PromptFigures>();
        services.AddSingleton<Samples.SampleData>();
        services.AddSingleton<PriceBook>();
        services.AddSingleton<Recosting>();
        services.AddSingleton<RecostJobs>();
        services.AddSingleton<PriceLookup>(provider =>
            provider.GetRequiredService<PriceBook>().Cost
        );
        services.AddSingleton<ModelProviders>();
        services.AddSingleton<CallLedger>();
        services.AddSingleton<ModelCalls>();
        services.AddSingleton<ModelEmbeddings>();
        services.AddSingleton<EvaluatorCatalog>();
        services.AddSingleton<EvaluatorFactory>();
        services.AddSingleton<EvaluationInputs>();
        services.AddSingleton<VerdictCache>();
        services.AddSingleton<Calibrations>();
        services.AddSingleton<JudgeTrust>();
        services.AddSingleton<ShareLinks>();
        services.AddSingleton<SavedViews>();
        services.AddDatasets();
        services.AddSingleton<PlaygroundSettings>();
        services.AddSingleton<JobSignals>();
        services.AddSingleton<ExperimentJobs>();
        services.AddSingleton<ExperimentJobStarts>();
        services.AddSingleton<HumanJudgements>();
        services.AddSingleton<CalibrationStarts>();
        services.AddSingleton<JobExecutions>();
        services.AddSingleton<CostEstimates>();
        services.AddSingleton<InsightsModels>();
        services.AddSingleton<InsightsSampling>();
        services.AddSingleton<InsightsJobs>();
        services.AddSingleton<InsightsReports>();
        services.AddSingleton<InsightsEstimates>();
        services.AddSingleton<InsightsExecutions>();
        return services;
    }
}
