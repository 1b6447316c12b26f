using Assay.Core.Annotation;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Core.Datasets;

/// <summary>The registration of datasets.</summary>
public static class DatasetServices
{
    /// <summary>Adds datasets and their examples.</summary>
    public static IServiceCollection AddDatasets(this IServiceCollection services)
    {
        services.AddSingleton<DatasetCatalog>();
        services.AddSingleton<SourceRuns>();
        services.AddSingleton<ExampleReader>();
        services.AddSingleton<ExampleWriter>();
        services.AddSingleton<DatasetVersions>();
        services.AddSingleton<DatasetSplits>();
        services.AddSingleton<ExampleChecks>();
        services.AddSingleton<ExperimentResults>();
        services.AddSingleton<ComparativeExperiments>();
        services.AddSingleton<ExperimentTables>();
        services.AddSingleton<ExperimentGroups>();
        services.AddSingleton<ExperimentLog>();
        services.AddSingleton<ExperimentArtifacts>();
        services.AddSingleton<ExperimentViews>();
        services.AddSingleton<PreferencePairs>();
        services.AddSingleton<AnnotationQueues>();
        services.AddSingleton<SyntheticExamples>();
        services.AddSingleton<QueueReader>();
        services.AddSingleton<QueueReviews>();
        services.AddSingleton<QueuePairs>();
        services.AddSingleton<ReviewDesk>();
        services.AddSingleton<FeedbackKeys>();
        services.AddSingleton<FeedbackFormulas>();
        services.AddSingleton<ExampleImport>();
        services.AddHostedService(p => p.GetRequiredService<ExampleImport>());
        services.AddSingleton<ExampleCopies>();
        services.AddSingleton<ExampleDownloads>();
        services.AddSingleton<TraceExamples>();
        return services;
    }
}
