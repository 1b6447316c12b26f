using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Blobs;
using Assay.Storage.Traces.Embedded;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.Storage;

/// <summary>The registration of the engines: the only file that names every one of them.</summary>
public static class StorageServices
{
    /// <summary>Adds the embedded engines over one data directory.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, string directory)
    {
        Directory.CreateDirectory(directory);
        services.AddDbContextFactory<MetadataContext>(options =>
            UseMetadata(options, Path.Combine(directory, "metadata.db"))
        );
        services.AddSingleton<IBlobStore>(new FileBlobStore(Path.Combine(directory, "blobs")));
        services.AddSingleton(provider => new DiskPurpose(
            "blobs",
            provider.GetRequiredService<IBlobStore>().UsedBytesAsync
        ));
        services.AddSingleton(
            new DiskPurpose(
                "metadata",
                _ =>
                    Task.FromResult(
                        new DirectoryInfo(directory)
                            .EnumerateFiles("metadata.db*")
                            .Sum(f => f.Length)
                    )
            )
        );
        services.AddSingleton(provider => new EmbeddedRunStore(
            directory,
            provider.GetRequiredService<IBlobStore>(),
            provider.GetRequiredService<PriceLookup>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.AddSingleton<IRunStore>(provider =>
            provider.GetRequiredService<EmbeddedRunStore>()
        );
        services.AddSingleton<IHostedService>(provider =>
            provider.GetRequiredService<EmbeddedRunStore>()
        );
        return services;
    }

    /// <summary>Brings the metadata database to this version; a failure stops the process.</summary>
    public static async Task MigrateAsync(
        IServiceProvider services,
        CancellationToken cancellationToken
    )
    {
        await using var db = await services
            .GetRequiredService<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
    }

    internal static void UseMetadata(DbContextOptionsBuilder options, string path) =>
        options
            .UseSqlite(
                new SqliteConnectionStringBuilder { DataSource = path }.ToString(),
                o => o.MigrationsAssembly(typeof(StorageServices).Assembly.GetName().Name)
            )
            .UseSnakeCaseNamingConvention();
}
