using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Playground;

/// <summary>A model with its parameters that clients of LangSmith's wire keep under a name, to use it again in playgrounds and evaluators.</summary>
public sealed class PlaygroundSetting
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name.</summary>
    public string? Name { get; set; }

    /// <summary>Description.</summary>
    public string? Description { get; set; }

    /// <summary>The settings as sent, a JSON object: usually a serialized model of LangChain.</summary>
    public required string SettingsJson { get; set; }

    /// <summary>Options as sent, a JSON object (<c>requests_per_second</c>); null for none.</summary>
    public string? OptionsJson { get; set; }

    /// <summary><c>complex</c> or <c>simple</c>, as the client says.</summary>
    public string Type { get; init; } = "complex";

    /// <summary>Offered in playgrounds.</summary>
    public bool IsForPlaygrounds { get; set; } = true;

    /// <summary>Offered in evaluators.</summary>
    public bool IsForEvaluators { get; set; } = true;

    /// <summary>The member who made it.</summary>
    public Guid? CreatedBy { get; init; }

    /// <summary>The member who changed it last.</summary>
    public Guid? UpdatedBy { get; set; }

    /// <summary>Row creation.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

internal sealed class PlaygroundSettingMapping : IEntityTypeConfiguration<PlaygroundSetting>
{
    public void Configure(EntityTypeBuilder<PlaygroundSetting> builder)
    {
        builder.ToTable("playground_setting");
        builder.Property(s => s.Id).ValueGeneratedNever();
        builder.HasIndex(s => new { s.WorkspaceId, s.CreatedAt });
    }
}
