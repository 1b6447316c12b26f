using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Assay.Storage.Tests.Traces;

/// <summary>The embedded engine, registered as the server registers it.</summary>
public sealed class EmbeddedRunStoreTests : RunStoreContract
{
    private readonly string _directory = Directory.CreateTempSubdirectory("assay-store").FullName;
    private ServiceProvider? _services;

    protected override async Task<IRunStore> OpenAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<PriceLookup>(
            (_, model, _, usage, _) =>
                model is null
                    ? null
                    : new RunCost
                    {
                        Prompt = usage.PromptTokens * 0.001m,
                        Completion = usage.CompletionTokens * 0.002m,
                        Total = (usage.PromptTokens * 0.001m) + (usage.CompletionTokens * 0.002m),
                        Source = FigureSource.Computed,
                    }
        );
        services.AddStorage(_directory);
        _services = services.BuildServiceProvider();
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(Token);
        }

        return _services.GetRequiredService<IRunStore>();
    }

    protected override async Task CloseAsync()
    {
        if (_services is null)
        {
            return;
        }

        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
        _services = null;
    }

    protected override void Remove() => Directory.Delete(_directory, recursive: true);
}
