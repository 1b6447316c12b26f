using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Models.Providers;

internal sealed class ModelProviderMapping : IEntityTypeConfiguration<ModelProvider>
{
    public void Configure(EntityTypeBuilder<ModelProvider> builder)
    {
        builder.ToTable("model_provider");
        builder.Property(p => p.Id).ValueGeneratedNever();
        builder.Ignore(p => p.PricedAs);
        builder.PrimitiveCollection(p => p.Models);
        builder.HasIndex(p => new { p.WorkspaceId, p.Name }).IsUnique();
    }
}

internal sealed class ModelSpendMapping : IEntityTypeConfiguration<ModelSpend>
{
    public void Configure(EntityTypeBuilder<ModelSpend> builder)
    {
        builder.ToTable("model_spend");
        builder.HasKey(s => new { s.WorkspaceId, s.Month });
    }
}

internal sealed class SpendLimitMapping : IEntityTypeConfiguration<SpendLimit>
{
    public void Configure(EntityTypeBuilder<SpendLimit> builder)
    {
        builder.ToTable("spend_limit");
        builder.HasKey(s => s.WorkspaceId);
        builder.Property(s => s.WorkspaceId).ValueGeneratedNever();
    }
}
