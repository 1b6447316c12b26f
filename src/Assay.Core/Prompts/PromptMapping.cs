using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Prompts;

internal sealed class PromptMapping
    : IEntityTypeConfiguration<Prompt>,
        IEntityTypeConfiguration<PromptCommit>,
        IEntityTypeConfiguration<PromptTag>,
        IEntityTypeConfiguration<PromptTagMove>,
        IEntityTypeConfiguration<PromptLike>,
        IEntityTypeConfiguration<PromptComment>
{
    public void Configure(EntityTypeBuilder<Prompt> builder)
    {
        builder.ToTable("prompt");
        builder.Property(p => p.Id).ValueGeneratedNever();
        builder.Property(p => p.Revision).IsConcurrencyToken();
        builder
            .Property(p => p.Topics)
            .HasConversion(
                topics => JsonSerializer.Serialize(topics, JsonSerializerOptions.Default),
                text =>
                    JsonSerializer.Deserialize<List<string>>(text, JsonSerializerOptions.Default)
                    ?? new List<string>(),
                new ValueComparer<IReadOnlyList<string>>(
                    (a, b) => a!.SequenceEqual(b!),
                    topics => topics.Count,
                    topics => topics
                )
            );
        builder.HasIndex(p => new { p.WorkspaceId, p.Handle }).IsUnique();
    }

    public void Configure(EntityTypeBuilder<PromptCommit> builder)
    {
        builder.ToTable("prompt_commit");
        builder.Property(c => c.Id).ValueGeneratedNever();
        builder.HasOne<Prompt>().WithMany().HasForeignKey(c => c.PromptId);
        builder.HasIndex(c => new { c.PromptId, c.Number }).IsUnique();
        builder.HasIndex(c => new { c.PromptId, c.Hash });
    }

    public void Configure(EntityTypeBuilder<PromptTag> builder)
    {
        builder.ToTable("prompt_tag");
        builder.Property(t => t.Id).ValueGeneratedNever();
        builder.HasOne<Prompt>().WithMany().HasForeignKey(t => t.PromptId);
        builder.HasIndex(t => new { t.PromptId, t.Name }).IsUnique();
    }

    public void Configure(EntityTypeBuilder<PromptTagMove> builder)
    {
        builder.ToTable("prompt_tag_move");
        builder.Property(m => m.Id).ValueGeneratedNever();
        builder.HasOne<Prompt>().WithMany().HasForeignKey(m => m.PromptId);
        builder.HasIndex(m => new { m.PromptId, m.Name });
    }

    public void Configure(EntityTypeBuilder<PromptLike> builder)
    {
        builder.ToTable("prompt_like");
        builder.HasKey(l => new { l.PromptId, l.ActorId });
        builder.HasOne<Prompt>().WithMany().HasForeignKey(l => l.PromptId);
    }

    public void Configure(EntityTypeBuilder<PromptComment> builder)
    {
        builder.ToTable("prompt_comment");
        builder.Property(c => c.Id).ValueGeneratedNever();
        builder.HasOne<Prompt>().WithMany().HasForeignKey(c => c.PromptId);
        builder.HasIndex(c => new { c.PromptId, c.ParentId });
    }
}
