using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Assay.Core;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Models.Prices;
using Assay.Core.Models.Providers;
using Assay.Gateway;
using Assay.Gateway.Outbound;
using Assay.Storage;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Assay.Bench;

/// <summary>
/// A prompt on a dataset with evaluators, against the simulated model: what a row costs besides the model's own time. The services of a server
/// in this process, without HTTP.
/// </summary>
internal static class JobBench
{
    private static readonly (string Key, string Settings)[] s_builtIn =
    [
        ("exact", """{"type":"exact_match"}"""),
        ("f1", """{"type":"token_f1"}"""),
        ("edit", """{"type":"levenshtein_similarity"}"""),
        ("pattern", """{"type":"regex_match","pattern":"question \\d+"}"""),
        ("fast", """{"type":"limit","limit":"latency","most":1}"""),
    ];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var rows = arguments.Number("rows", 1_000);
        var concurrency = arguments.Number("concurrency", 8);
        var latency = arguments.Number("latency", 50);
        var isCode = arguments.Number("code", 0) > 0;
        var data = Directory.CreateTempSubdirectory("assay-bench-jobs").FullName;
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider())
            .AddCore()
            .AddStorage(data)
            .AddGateway(OutboundRules.Parse("", out _))
            .AddHostedService<ExperimentJobWorker>()
            .BuildServiceProvider();
        await StorageServices.MigrateAsync(services, CancellationToken.None);
        await services.GetRequiredService<PriceBook>().LoadAsync(CancellationToken.None);
        var hosted = services.GetServices<IHostedService>().ToList();
        foreach (var service in hosted)
        {
            await service.StartAsync(CancellationToken.None);
        }

        try
        {
            var (workspace, _) = await services
                .GetRequiredService<Bootstrap>()
                .EnsureWorkspaceAsync(CancellationToken.None);
            var caller = new Caller(workspace.Id, Grants.Of(Role.Owner), Name: "bench");
            var dataset = await FillAsync(services, caller, rows);
            var evaluators = await EvaluatorsAsync(services, caller, isCode);
            // Once to warm up, once to measure.
            await OnceAsync(services, caller, dataset, evaluators, 50, concurrency, latency);
            GC.Collect();
            using var process = Process.GetCurrentProcess();
            var (before, allocated, resident) = (
                process.TotalProcessorTime,
                GC.GetTotalAllocatedBytes(),
                process.WorkingSet64
            );
            var (took, peak, job) = await OnceAsync(
                services,
                caller,
                dataset,
                evaluators,
                rows,
                concurrency,
                latency
            );
            process.Refresh();
            var ideal = TimeSpan.FromMilliseconds((double)rows * latency / concurrency);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    rows {rows}, evaluators {evaluators.Count} ({(
                        isCode ? "code" : "built in"
                    )}), model {latency} ms, {concurrency} at a time: done {job.Done}, failed {job.Failed}, unscored {job.Unscored}
                    took                {took.TotalSeconds:0.00} s ({rows / took.TotalSeconds:0} rows/s); the model alone {ideal.TotalSeconds:0.00} s
                    overhead per row    {(took - ideal).TotalMilliseconds * concurrency / rows:0.0} ms of a worker, {(process.TotalProcessorTime - before).TotalMilliseconds / rows:0.00} ms of processor
                    allocated per row   {(GC.GetTotalAllocatedBytes() - allocated) / 1024.0 / rows:0} KB
                    resident            {resident >> 20} MB before, at most {peak >> 20} MB
                    """
                )
            );
            return job.Done == rows ? 0 : 1;
        }
        finally
        {
            hosted.Reverse();
            foreach (var service in hosted)
            {
                await service.StopAsync(CancellationToken.None);
            }

            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<Guid> FillAsync(IServiceProvider services, Caller caller, int rows)
    {
        var dataset = await services
            .GetRequiredService<DatasetCatalog>()
            .CreateAsync(caller, new DatasetDraft { Name = "bench" }, CancellationToken.None);
        foreach (var chunk in Enumerable.Range(0, rows).Chunk(500))
        {
            await services
                .GetRequiredService<ExampleWriter>()
                .WriteAsync(
                    caller,
                    [
                        .. chunk.Select(i => new ExampleWrite
                        {
                            DatasetId = dataset.Id,
                            InputsJson =
                                $$"""{"question":"question {{i}}: how long does shipping take to the islands, and what does it cost?"}""",
                            OutputsJson =
                                $$"""{"answer":"question {{i}}: how long does shipping take to the islands, and what does it cost?"}""",
                        }),
                    ],
                    CancellationToken.None
                );
        }

        return dataset.Id;
    }

    private static async Task<IReadOnlyList<Guid>> EvaluatorsAsync(
        IServiceProvider services,
        Caller caller,
        bool isCode
    )
    {
        var made = new List<Guid>();
        foreach (var (key, settings) in s_builtIn)
        {
            made.Add(
                (
                    await services
                        .GetRequiredService<EvaluatorCatalog>()
                        .CreateAsync(
                            caller,
                            new EvaluatorDraft
                            {
                                Name = key,
                                FeedbackKey = key,
                                Kind = isCode ? EvaluatorKind.Code : EvaluatorKind.BuiltIn,
                                SettingsJson = isCode
                                    ? """{"code":"(run, example) => run.outputs.output === example.outputs.answer"}"""
                                    : settings,
                            },
                            CancellationToken.None
                        )
                ).Id
            );
        }

        return made;
    }

    private static async Task<(TimeSpan Took, long Peak, ExperimentJob Job)> OnceAsync(
        IServiceProvider services,
        Caller caller,
        Guid dataset,
        IReadOnlyList<Guid> evaluators,
        int rows,
        int concurrency,
        int latency
    )
    {
        var jobs = services.GetRequiredService<ExperimentJobs>();
        var began = Stopwatch.GetTimestamp();
        var job = await services
            .GetRequiredService<ExperimentJobStarts>()
            .StartRunAsync(
                caller,
                dataset,
                JsonSerializer.SerializeToElement(
                    new
                    {
                        variant = new
                        {
                            provider = ModelProvider.Simulated.Id,
                            model = string.Create(
                                CultureInfo.InvariantCulture,
                                $"sim-echo?latency={latency}"
                            ),
                            messages = new[] { new { role = "user", content = "{question}" } },
                        },
                        limit = rows,
                        concurrency,
                        evaluators,
                    }
                ),
                CancellationToken.None
            );
        using var process = Process.GetCurrentProcess();
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        long peak = 0;
        while (!job.IsFinal && await look.WaitForNextTickAsync())
        {
            process.Refresh();
            peak = Math.Max(peak, process.WorkingSet64);
            job = (await jobs.FindAsync(caller, job.Id, CancellationToken.None))!;
        }

        return (Stopwatch.GetElapsedTime(began), peak, job);
    }
}
