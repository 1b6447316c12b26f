using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Views;

/// <summary>A way to look at a list of runs, under a name that everybody in the workspace sees. It belongs to no project: any list can be looked at so.</summary>
public sealed class SavedView
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name, unique in the workspace.</summary>
    public required string Name { get; set; }

    /// <summary>Which list: <c>traces</c>, <c>runs</c>, <c>llm</c> or <c>threads</c>.</summary>
    public required string List { get; set; }

    /// <summary>The query, as it is typed; empty for none.</summary>
    public required string Query { get; set; }

    /// <summary>Keys of the columns in order, separated by dots; null leaves them to the reader.</summary>
    public string? Columns { get; set; }

    /// <summary>Key of what is sorted by; null for the start.</summary>
    public string? Sort { get; set; }

    /// <summary>Smallest first.</summary>
    public bool IsAscending { get; set; }

    /// <summary>Who saved it, by name at that time.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When it was saved.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

internal sealed class SavedViewMapping : IEntityTypeConfiguration<SavedView>
{
    public void Configure(EntityTypeBuilder<SavedView> builder)
    {
        builder.ToTable("saved_view");
        builder.Property(v => v.Id).ValueGeneratedNever();
        builder.HasIndex(v => new { v.WorkspaceId, v.Name }).IsUnique();
    }
}
