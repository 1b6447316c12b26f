using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Evaluators.Judges;

/// <summary>One comparison of a judge's version with what people said about the same runs.</summary>
public sealed class JudgeCalibration
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The judge.</summary>
    public Guid EvaluatorId { get; init; }

    /// <summary>The version that was compared.</summary>
    public int Version { get; init; }

    /// <summary>The feedback key people answered under.</summary>
    public required string HumanKey { get; init; }

    /// <summary>What people and judge said about each run, JSON.</summary>
    public required string ItemsJson { get; init; }

    /// <summary>Runs that both judged.</summary>
    public int Compared { get; init; }

    /// <summary>Runs the judge gave no verdict about.</summary>
    public int Unjudged { get; init; }

    /// <summary>Cohen's kappa; null when chance explains everything or nothing was compared.</summary>
    public double? Kappa { get; init; }

    /// <summary>Lower bound of its 95 % interval.</summary>
    public double? KappaLow { get; init; }

    /// <summary>Upper bound.</summary>
    public double? KappaHigh { get; init; }

    /// <summary>The share of runs both say the same about.</summary>
    public double? Agreement { get; init; }

    /// <summary>The hub's commit the judge's prompt was at; null for an own prompt.</summary>
    public string? PromptCommit { get; init; }

    /// <summary>US dollars it cost, where known.</summary>
    public decimal? UsDollars { get; init; }

    /// <summary>Who compared.</summary>
    public required string Author { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class JudgeCalibrationMapping : IEntityTypeConfiguration<JudgeCalibration>
{
    public void Configure(EntityTypeBuilder<JudgeCalibration> builder)
    {
        builder.ToTable("judge_calibration");
        builder.Property(c => c.Id).ValueGeneratedNever();
        builder.HasOne<EvaluatorDefinition>().WithMany().HasForeignKey(c => c.EvaluatorId);
        builder.HasIndex(c => new
        {
            c.WorkspaceId,
            c.EvaluatorId,
            c.CreatedAt,
        });
    }
}
