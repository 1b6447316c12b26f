using Assay.Core.Access;
using Assay.UI.Compare;
using Assay.UI.Datasets;
using Assay.UI.Evaluators;
using Assay.UI.Experiments;
using Assay.UI.Feedback;
using Assay.UI.Insights;
using Assay.UI.Jobs;
using Assay.UI.Layout;
using Assay.UI.Playground;
using Assay.UI.Projects;
using Assay.UI.Prompts;
using Assay.UI.Queues;
using Assay.UI.Settings;
using Assay.UI.Sharing;
using Assay.UI.Start;
using Assay.UI.Traces;
using Assay.UI.Views;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.UI;

/// <summary>The registration of the screens.</summary>
public static class UiServices
{
    /// <summary>Adds the screens. The host says how the caller of a request is found.</summary>
    public static IServiceCollection AddUi(
        this IServiceCollection services,
        Func<HttpContext, Caller> caller
    )
    {
        services.AddRazorComponents();
        services.AddHttpContextAccessor();
        // Pages and fragments carry no secret next to text an attacker chooses, so compressing them gives nothing away.
        services.AddResponseCompression(o =>
        {
            o.EnableForHttps = true;
            o.Providers.Add<BrotliCompressionProvider>();
            o.Providers.Add<GzipCompressionProvider>();
        });
        services.AddSingleton<RowReader>();
        services.AddSingleton<TraceReadings>();
        services.AddScoped<TrustBadges>();
        services.AddScoped(provider => new CurrentCaller(
            provider.GetRequiredService<IHttpContextAccessor>().HttpContext
                ?? throw new InvalidOperationException("No request."),
            caller
        ));
        return services;
    }

    /// <summary>Maps the pages and their endpoints; pages marked <c>[AllowAnonymous]</c> are open, others say by <see cref="PageNeedsAttribute"/> what they need.</summary>
    public static IEndpointConventionBuilder MapUi(this IEndpointRouteBuilder app)
    {
        var endpoints = app.MapGroup("/ui");
        endpoints.MapPalette();
        endpoints.MapProjects();
        endpoints.MapViews();
        endpoints.MapTraces();
        endpoints.MapPayloads();
        endpoints.MapCompare();
        endpoints.MapSharing();
        endpoints.MapFeedback();
        endpoints.MapQueues();
        endpoints.MapPlayground();
        endpoints.MapPromptEditor();
        endpoints.MapEvaluators();
        endpoints.MapJobs();
        endpoints.MapInsightsPages();
        endpoints.MapStart();
        endpoints.MapDatasets();
        endpoints.MapExampleCells();
        endpoints.MapImports();
        endpoints.MapSplitDeals();
        endpoints.MapFromRuns();
        endpoints.MapResults();
        endpoints.MapExperimentTable();
        endpoints.MapAuditExport();
        endpoints.MapRecosting();
        return new Both(app.MapRazorComponents<App>(), endpoints);
    }

    private sealed class Both(
        IEndpointConventionBuilder pages,
        IEndpointConventionBuilder endpoints
    ) : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention)
        {
            pages.Add(convention);
            endpoints.Add(convention);
        }

        public void Finally(Action<EndpointBuilder> finallyConvention)
        {
            pages.Finally(finallyConvention);
            endpoints.Finally(finallyConvention);
        }
    }
}

/// <summary>Who looks at the page.</summary>
public sealed class CurrentCaller(HttpContext context, Func<HttpContext, Caller> find)
{
    /// <summary>The caller of this request.</summary>
    public Caller Value => find(context);

    /// <summary>The address people reach this server at, without a closing slash.</summary>
    public string BaseAddress => $"{context.Request.Scheme}://{context.Request.Host}";

    /// <summary>Ends when the browser goes away.</summary>
    public CancellationToken Aborted => context.RequestAborted;
}
