namespace Assay.Server.LangSmith.Datasets;

/// <summary>Everything about datasets on LangSmith's wire: one line in the host.</summary>
internal static class DatasetWire
{
    public static IServiceCollection AddDatasetWire(this IServiceCollection services) =>
        services.AddSingleton<MultipartExamples>();

    public static void MapDatasetWire(this IEndpointRouteBuilder app)
    {
        app.MapDatasets();
        app.MapExamples();
        app.MapDatasetFiles();
        app.MapSharedDatasets();
    }
}
