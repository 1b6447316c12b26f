using Assay.Server.LangSmith.Annotation;
using Assay.Server.LangSmith.Experiments;
using Assay.Server.LangSmith.Feedback;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Datasets, experiments, feedback settings and queues on LangSmith's wire: one line in the host.</summary>
internal static class DatasetWire
{
    public static IServiceCollection AddDatasetWire(this IServiceCollection services) =>
        services.AddSingleton<MultipartExamples>();

    public static void MapDatasetWire(this IEndpointRouteBuilder app)
    {
        app.MapDatasets();
        app.MapExamples();
        app.MapExampleMetadata();
        app.MapDatasetFiles();
        app.MapSynthetic();
        app.MapSharedDatasets();
        app.MapExperiments();
        app.MapComparative();
        app.MapExperimentUpload();
        app.MapEvaluations();
        app.MapGroupedExperiments();
        app.MapGroupedRuns();
        app.MapSharedExperiments();
        app.MapTracking();
        app.MapExperimentViews();
        app.MapFeedbackTokens();
        app.MapFeedbackSettings();
        app.MapQueues();
        app.MapQueueItems();
        app.MapPlatformItems();
    }
}
