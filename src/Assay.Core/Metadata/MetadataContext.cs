using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Experiments;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Feedback;
using Assay.Core.Insights;
using Assay.Core.Models.Prices;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Projects;
using Assay.Core.Prompts;
using Assay.Core.Sharing;
using Assay.Core.Views;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Metadata;

/// <summary>
/// The port for metadata: everything small, relational and transactional. EF Core is the port; providers and migrations live in Storage.
/// Entities are configured by <see cref="IEntityTypeConfiguration{TEntity}"/> classes beside them (<c>*Mapping.cs</c>) and found by scanning this assembly.
/// Take one per unit of work from <c>IDbContextFactory&lt;MetadataContext&gt;</c>. Every query names its workspace; there is no global query filter.
/// </summary>
public sealed class MetadataContext(DbContextOptions<MetadataContext> options)
    : IdentityDbContext<Member, IdentityRole<Guid>, Guid>(options),
        IDataProtectionKeyContext
{
    /// <summary>Projects and experiments.</summary>
    public DbSet<Project> Projects => Set<Project>();

    /// <summary>Organizations.</summary>
    public DbSet<Organization> Organizations => Set<Organization>();

    /// <summary>Workspaces.</summary>
    public DbSet<Workspace> Workspaces => Set<Workspace>();

    /// <summary>Who is in which workspace.</summary>
    public DbSet<WorkspaceMember> WorkspaceMembers => Set<WorkspaceMember>();

    /// <summary>Invitations into workspaces.</summary>
    public DbSet<Invitation> Invitations => Set<Invitation>();

    /// <summary>Secrets of workspaces.</summary>
    public DbSet<WorkspaceSecret> WorkspaceSecrets => Set<WorkspaceSecret>();

    /// <summary>Keys of resource tags.</summary>
    public DbSet<ResourceTagKey> ResourceTagKeys => Set<ResourceTagKey>();

    /// <summary>Values of resource tags.</summary>
    public DbSet<ResourceTagValue> ResourceTagValues => Set<ResourceTagValue>();

    /// <summary>What bears which resource tag.</summary>
    public DbSet<ResourceTagging> ResourceTaggings => Set<ResourceTagging>();

    /// <summary>API keys.</summary>
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    /// <summary>The audit log.</summary>
    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    /// <summary>Workspaces' own model prices.</summary>
    public DbSet<ModelPrice> ModelPrices => Set<ModelPrice>();

    /// <summary>Re-costings of past calls.</summary>
    public DbSet<RecostJob> RecostJobs => Set<RecostJob>();

    /// <summary>Ways to models.</summary>
    public DbSet<ModelProvider> ModelProviders => Set<ModelProvider>();

    /// <summary>What models cost, by month.</summary>
    public DbSet<ModelSpend> ModelSpends => Set<ModelSpend>();

    /// <summary>What workspaces may spend on models.</summary>
    public DbSet<SpendLimit> SpendLimits => Set<SpendLimit>();

    /// <summary>Evaluators of workspaces.</summary>
    public DbSet<EvaluatorDefinition> Evaluators => Set<EvaluatorDefinition>();

    /// <summary>Settings of evaluators, version by version.</summary>
    public DbSet<EvaluatorVersion> EvaluatorVersions => Set<EvaluatorVersion>();

    /// <summary>Verdicts of judges that are kept.</summary>
    public DbSet<JudgeVerdict> JudgeVerdicts => Set<JudgeVerdict>();

    /// <summary>Judges compared with people.</summary>
    public DbSet<JudgeCalibration> JudgeCalibrations => Set<JudgeCalibration>();

    /// <summary>Public links to runs.</summary>
    public DbSet<ShareLink> ShareLinks => Set<ShareLink>();

    /// <summary>Saved views of lists.</summary>
    public DbSet<SavedView> SavedViews => Set<SavedView>();

    /// <summary>Prompts.</summary>
    public DbSet<Prompt> Prompts => Set<Prompt>();

    /// <summary>Commits of prompts.</summary>
    public DbSet<PromptCommit> PromptCommits => Set<PromptCommit>();

    /// <summary>Tags of commits.</summary>
    public DbSet<PromptTag> PromptTags => Set<PromptTag>();

    /// <summary>What happened to tags.</summary>
    public DbSet<PromptTagMove> PromptTagMoves => Set<PromptTagMove>();

    /// <summary>Likes of prompts.</summary>
    public DbSet<PromptLike> PromptLikes => Set<PromptLike>();

    /// <summary>Remarks on prompts.</summary>
    public DbSet<PromptComment> PromptComments => Set<PromptComment>();

    /// <summary>Likes of remarks.</summary>
    public DbSet<PromptCommentLike> PromptCommentLikes => Set<PromptCommentLike>();

    /// <summary>Who answers for prompts.</summary>
    public DbSet<PromptOwner> PromptOwners => Set<PromptOwner>();

    /// <summary>Requests for protected tags.</summary>
    public DbSet<PromptTagRequest> PromptTagRequests => Set<PromptTagRequest>();

    /// <summary>Roll-outs by share.</summary>
    public DbSet<PromptRollout> PromptRollouts => Set<PromptRollout>();

    /// <summary>Webhooks of prompts.</summary>
    public DbSet<PromptWebhook> PromptWebhooks => Set<PromptWebhook>();

    /// <summary>What webhooks are told.</summary>
    public DbSet<PromptDelivery> PromptDeliveries => Set<PromptDelivery>();

    /// <summary>What workspaces decided about their prompts.</summary>
    public DbSet<HubSettings> HubSettings => Set<HubSettings>();

    /// <summary>Datasets.</summary>
    public DbSet<Dataset> Datasets => Set<Dataset>();

    /// <summary>Versions of datasets.</summary>
    public DbSet<DatasetVersion> DatasetVersions => Set<DatasetVersion>();

    /// <summary>Tags of versions.</summary>
    public DbSet<DatasetTag> DatasetTags => Set<DatasetTag>();

    /// <summary>Every state of every example.</summary>
    public DbSet<ExampleRevision> ExampleRevisions => Set<ExampleRevision>();

    /// <summary>Comparative experiments.</summary>
    public DbSet<ComparativeExperiment> ComparativeExperiments => Set<ComparativeExperiment>();

    /// <summary>Metrics over steps of experiments.</summary>
    public DbSet<MetricPoint> MetricPoints => Set<MetricPoint>();

    /// <summary>Files of experiments.</summary>
    public DbSet<ExperimentArtifact> ExperimentArtifacts => Set<ExperimentArtifact>();

    /// <summary>How columns of experiments are shown.</summary>
    public DbSet<ExperimentView> ExperimentViews => Set<ExperimentView>();

    /// <summary>What feedback keys mean.</summary>
    public DbSet<FeedbackConfig> FeedbackConfigs => Set<FeedbackConfig>();

    /// <summary>Computed scores.</summary>
    public DbSet<FeedbackFormula> FeedbackFormulas => Set<FeedbackFormula>();

    /// <summary>Links to give feedback by.</summary>
    public DbSet<FeedbackToken> FeedbackTokens => Set<FeedbackToken>();

    /// <summary>Annotation queues.</summary>
    public DbSet<AnnotationQueue> AnnotationQueues => Set<AnnotationQueue>();

    /// <summary>Items of annotation queues.</summary>
    public DbSet<QueueItem> QueueItems => Set<QueueItem>();

    /// <summary>Reservations and reviews of items.</summary>
    public DbSet<QueueReview> QueueReviews => Set<QueueReview>();

    /// <summary>Background work on experiments.</summary>
    public DbSet<ExperimentJob> ExperimentJobs => Set<ExperimentJob>();

    /// <summary>Rows of that work.</summary>
    public DbSet<ExperimentJobRow> ExperimentJobRows => Set<ExperimentJobRow>();

    /// <summary>Reports about projects.</summary>
    public DbSet<InsightsJob> InsightsJobs => Set<InsightsJob>();

    /// <summary>Their runs.</summary>
    public DbSet<InsightsRun> InsightsRuns => Set<InsightsRun>();

    /// <summary>Their clusters.</summary>
    public DbSet<InsightsCluster> InsightsClusters => Set<InsightsCluster>();

    /// <summary>Saved playground settings.</summary>
    public DbSet<PlaygroundSetting> PlaygroundSettings => Set<PlaygroundSetting>();

    /// <summary>Keys of ASP.NET Core Data Protection.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(MetadataContext).Assembly);
    }

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // One representation for every provider: UTC microseconds, sortable and comparable in SQL.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcMicroseconds>();
    }
}
