using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Models.Prices;

internal sealed class ModelPriceMapping : IEntityTypeConfiguration<ModelPrice>
{
    public void Configure(EntityTypeBuilder<ModelPrice> builder)
    {
        builder.ToTable("model_price");
        builder.Property(p => p.Id).ValueGeneratedNever();
        builder.HasIndex(p => p.WorkspaceId);
        AsJson(builder.Property(p => p.MatchPath));
        AsJson(builder.Property(p => p.Prices));
        AsJson(builder.Property(p => p.LongContext));
    }

    /// <summary>A value that is read and replaced whole, kept as JSON text.</summary>
    private static void AsJson<T>(PropertyBuilder<T> property) =>
        property.HasConversion(
            value => JsonSerializer.Serialize(value, JsonSerializerOptions.Default),
            text => JsonSerializer.Deserialize<T>(text, JsonSerializerOptions.Default)!,
            new ValueComparer<T>(
                (a, b) =>
                    JsonSerializer.Serialize(a, JsonSerializerOptions.Default)
                    == JsonSerializer.Serialize(b, JsonSerializerOptions.Default),
                value => value == null ? 0 : value.GetHashCode(),
                value => value
            )
        );
}
