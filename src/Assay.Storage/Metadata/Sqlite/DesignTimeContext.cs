using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Assay.Storage.Metadata.Sqlite;

/// <summary>Lets <c>dotnet ef migrations add NAME --project src/Assay.Storage</c> see the model without a host.</summary>
internal sealed class DesignTimeContext : IDesignTimeDbContextFactory<MetadataContext>
{
    public MetadataContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<MetadataContext>();
        StorageServices.UseMetadata(options, "design.db");
        return new MetadataContext(options.Options);
    }
}
