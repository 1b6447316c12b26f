using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Evaluators;

/// <summary>How an evaluator works. The numbers are stored.</summary>
public enum EvaluatorKind : byte
{
    /// <summary>One of the built-in evaluators that only compute.</summary>
    BuiltIn = 0,

    /// <summary>A model judges by a prompt.</summary>
    Judge = 1,

    /// <summary>A program of the workspace judges.</summary>
    Code = 2,
}

/// <summary>
/// An evaluator of a workspace: a name, the one feedback key its scores appear under, and settings that live in numbered versions. The key is
/// fixed, because scores of two meanings under one key cannot be compared.
/// </summary>
public sealed class EvaluatorDefinition
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name on screen, unique in the workspace.</summary>
    public required string Name { get; set; }

    /// <summary>The feedback key of its scores, unique in the workspace.</summary>
    public required string FeedbackKey { get; init; }

    /// <summary>How it works.</summary>
    public EvaluatorKind Kind { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; set; }

    /// <summary>Metadata that a client attached, a JSON object; null without any.</summary>
    public string? MetadataJson { get; set; }

    /// <summary>Number of the current version, from 1.</summary>
    public int Version { get; set; }

    /// <summary>What a judge must reach to count as trusted, as JSON; null for the usual rules.</summary>
    public string? TrustJson { get; set; }

    /// <summary>Who made it.</summary>
    public required string Author { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>The settings of an evaluator as they were from one change to the next.</summary>
public sealed class EvaluatorVersion
{
    /// <summary>The evaluator.</summary>
    public Guid EvaluatorId { get; init; }

    /// <summary>The number, from 1.</summary>
    public int Number { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The settings in canonical form, a JSON object; what is in it depends on the kind.</summary>
    public required string SettingsJson { get; init; }

    /// <summary>What its author says about the change.</summary>
    public string? Note { get; init; }

    /// <summary>Who made the change.</summary>
    public required string Author { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An evaluator that cannot be stored, built or run as given.</summary>
public sealed class InvalidEvaluatorException(string field, string reason, Exception? inner = null)
    : Exception($"{field}: {reason}", inner)
{
    /// <summary>The field.</summary>
    public string Field { get; } = field;
}

/// <summary>Another evaluator has that name or key, or somebody else changed it meanwhile.</summary>
public sealed class EvaluatorConflictException(string message) : Exception(message);

internal sealed class EvaluatorMapping
    : IEntityTypeConfiguration<EvaluatorDefinition>,
        IEntityTypeConfiguration<EvaluatorVersion>
{
    public void Configure(EntityTypeBuilder<EvaluatorDefinition> builder)
    {
        builder.ToTable("evaluator");
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.Property(e => e.Version).IsConcurrencyToken();
        builder.HasIndex(e => new { e.WorkspaceId, e.Name }).IsUnique();
        builder.HasIndex(e => new { e.WorkspaceId, e.FeedbackKey }).IsUnique();
    }

    public void Configure(EntityTypeBuilder<EvaluatorVersion> builder)
    {
        builder.ToTable("evaluator_version");
        builder.HasKey(v => new { v.EvaluatorId, v.Number });
        builder.HasOne<EvaluatorDefinition>().WithMany().HasForeignKey(v => v.EvaluatorId);
    }
}
