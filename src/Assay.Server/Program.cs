using Assay.Core.Access;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Insights;
using Assay.Core.Models.Prices;
using Assay.Core.Traces;
using Assay.Gateway;
using Assay.Gateway.Outbound;
using Assay.Server;
using Assay.Server.Auth;
using Assay.Server.LangSmith;
using Assay.Server.LangSmith.Access;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Evaluators;
using Assay.Server.LangSmith.Info;
using Assay.Server.LangSmith.Insights;
using Assay.Server.LangSmith.Playground;
using Assay.Server.LangSmith.Prices;
using Assay.Server.LangSmith.Prompts;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Assay.Server.LangSmith.Sharing;
using Assay.Server.LangSmith.V2;
using Assay.Server.Observability;
using Assay.Server.Otlp;
using Assay.Server.Upkeep;
using Assay.Storage;
using Assay.UI;
using Microsoft.AspNetCore.Authorization;

if (MaintenanceCommands.Are(args))
{
    Environment.ExitCode = await MaintenanceCommands.RunAsync(args, TimeProvider.System);
    return;
}

var builder = WebApplication.CreateBuilder(args);
if (ServerOptions.Problems(builder.Configuration) is { Count: > 0 } problems)
{
    await StartUp.RefuseAsync(problems);
    return;
}

if (builder.Configuration["urls"] is null)
{
    builder.WebHost.UseUrls("http://localhost:5080");
}

builder.WebHost.UseStaticWebAssets();
if (!builder.Environment.IsDevelopment())
{
    // Only developers need files that appear while the server runs; the fallback route for them would be an endpoint without a permission.
    builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
}

builder.WebHost.ConfigureKestrel(k =>
{
    // Each route bounds what it reads.
    k.Limits.MaxRequestBodySize = null;
    k.Limits.MinRequestBodyDataRate = new(
        ServerOptions.MinBytesPerSecond,
        TimeSpan.FromSeconds(ServerOptions.Of(builder.Configuration).SlowBodySeconds)
    );
});
builder
    .Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
    .AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder
    .Services.AddCore()
    .AddStorage(ServerOptions.Of(builder.Configuration).Data)
    .AddGateway(OutboundRules.Parse(ServerOptions.Of(builder.Configuration).OutboundAllow, out _));
builder.AddAuth();
builder.AddOwnTelemetry();
builder.Services.AddHostedService<RetentionWorker>();
builder.Services.AddHostedService<RecostWorker>();

// After the store, so that it stops before it.
builder.Services.AddHostedService<ExperimentJobWorker>();
builder.Services.AddHostedService<InsightsWorker>();
builder.Services.AddHostedService<WebhookWorker>();
builder.Services.AddUi(context => context.Caller());
builder.Services.AddDatasetWire();
builder.Services.AddOtlp();

var app = builder.Build();
await StorageServices.MigrateAsync(app.Services, CancellationToken.None);
await app.Services.GetRequiredService<PriceBook>().LoadAsync(CancellationToken.None);
app.Services.GetRequiredService<TraceFeed>().Attach(app.Services.GetRequiredService<IRunStore>());
app.Services.GetRequiredService<OtlpPorts>().Attach(app);
app.UseSecurityHeaders();
app.UseExceptionHandler(
    new ExceptionHandlerOptions
    {
        ExceptionHandler = Errors.WriteAsync,
        SuppressDiagnosticsCallback = e => Errors.IsTheirs(e.Exception),
    }
);
app.UseOtlpPaths();
app.Use(
    (context, next) =>
    {
        context.Request.Path = DialectPaths.Canonical(context.Request.Path);
        return next(context);
    }
);
app.UseStatusCodePages(Errors.WriteStatusAsync);
app.UseResponseCompression();
app.UseRouting();
app.UseOwnTelemetry();
app.UseAuthentication();
app.UseMiddleware<CallerMiddleware>();
app.UseRateLimiter();
app.UseAntiforgery();
app.MapInfo();
app.MapRuns();
app.MapRunDeletion();
app.MapRunStats();
app.MapThreadPreview();
app.MapFeedback();
app.MapSessions();
app.MapSessionsV2();
app.MapInsights();
app.MapModelPrices();
app.MapShares();
app.MapPublicRuns();
app.MapAccess();
app.MapSignIn();
app.MapRunsV2();
app.MapThreadsV2();
app.MapPublicV2();
app.MapProductLinks();
app.MapPrompts();
app.MapPlaygroundSettings();
app.MapDatasetWire();
app.MapPlatformEvaluators();
app.MapOtlp();
app.MapLangfuseMedia();
app.MapOpenAIAgentTraces();
app.MapStaticAssets().IsOpen();
app.MapUi()
    .Finally(page =>
        page.Metadata.Add(
            new RequiredPermission(
                page.Metadata.OfType<AllowAnonymousAttribute>().Any()
                    ? null
                    : page.Metadata.OfType<PageNeedsAttribute>().LastOrDefault()?.Permission
                        ?? Permission.Read
            )
        )
    );
await StartUp.RunAsync(app);

/// <summary>The host; visible to tests.</summary>
public sealed partial class Program;
