using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Prompts;

/// <summary>What a workspace decided about its prompts.</summary>
public sealed class HubSettings
{
    /// <summary>What holds until a workspace decides something else.</summary>
    public static readonly IReadOnlyList<string> DefaultEnvironments = ["staging", "production"];

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Names of tags that stand for where a commit runs, in the order commits go through them.</summary>
    public IReadOnlyList<string> Environments { get; set; } = DefaultEnvironments;

    /// <summary>False while the environments are those that every workspace begins with.</summary>
    public bool HasOwnEnvironments => !Environments.SequenceEqual(DefaultEnvironments);

    /// <summary>Names of tags that move only when somebody else approves.</summary>
    public IReadOnlyList<string> ProtectedTags { get; set; } = [];
}

/// <summary>Environments and protected tags of workspaces. Thread-safe.</summary>
public sealed class HubRules(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most environments.</summary>
    public const int MaxEnvironments = 4;

    private const int MaxProtected = 50;

    /// <summary>What the workspace decided, or the defaults.</summary>
    public async Task<HubSettings> GetAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await FindAsync(db, caller.WorkspaceId, cancellationToken)
            ?? new HubSettings { WorkspaceId = caller.WorkspaceId };
    }

    /// <summary>Changes environments or protected tags; null leaves them.</summary>
    /// <exception cref="InvalidPromptException">A name is none, or there are too many.</exception>
    public async Task<HubSettings> UpdateAsync(
        Caller caller,
        IReadOnlyList<string>? environments,
        IReadOnlyList<string>? protectedTags,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        foreach (var name in (environments ?? []).Concat(protectedTags ?? []))
        {
            PromptTags.CheckName(name);
        }

        if (environments is { Count: 0 or > MaxEnvironments })
        {
            throw new InvalidPromptException($"environments: one to {MaxEnvironments} are needed");
        }

        if (protectedTags is { Count: > MaxProtected })
        {
            throw new InvalidPromptException($"protected tags: at most {MaxProtected}");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var settings = await db.HubSettings.FirstOrDefaultAsync(
            s => s.WorkspaceId == caller.WorkspaceId,
            cancellationToken
        );
        if (settings is null)
        {
            settings = new HubSettings { WorkspaceId = caller.WorkspaceId };
            db.HubSettings.Add(settings);
        }

        if (environments is not null)
        {
            settings.Environments = [.. environments.Distinct(StringComparer.Ordinal)];
            Audit("prompt_environments.update", settings.Environments);
        }

        if (protectedTags is not null)
        {
            settings.ProtectedTags = [.. protectedTags.Distinct(StringComparer.Ordinal)];
            Audit("prompt_protection.update", settings.ProtectedTags);
        }

        await db.SaveChangesAsync(cancellationToken);
        return settings;

        void Audit(string action, IReadOnlyList<string> names) =>
            PromptHub.Audit(db, caller, action, string.Join(", ", names), time.GetUtcNow());
    }

    internal static Task<HubSettings?> FindAsync(
        MetadataContext db,
        Guid workspaceId,
        CancellationToken cancellationToken
    ) =>
        db
            .HubSettings.AsNoTracking()
            .FirstOrDefaultAsync(s => s.WorkspaceId == workspaceId, cancellationToken);
}

internal sealed class HubSettingsMapping : IEntityTypeConfiguration<HubSettings>
{
    public void Configure(EntityTypeBuilder<HubSettings> builder)
    {
        builder.ToTable("prompt_settings");
        builder.HasKey(s => s.WorkspaceId);
        builder.Property(s => s.WorkspaceId).ValueGeneratedNever();
        Names(builder.Property(s => s.Environments));
        Names(builder.Property(s => s.ProtectedTags));
    }

    /// <summary>A small list inside the row.</summary>
    internal static void Names<T>(PropertyBuilder<IReadOnlyList<T>> property) =>
        property.HasConversion(
            names => JsonSerializer.Serialize(names, JsonSerializerOptions.Default),
            text =>
                JsonSerializer.Deserialize<List<T>>(text, JsonSerializerOptions.Default) ?? new(),
            new ValueComparer<IReadOnlyList<T>>(
                (a, b) => a!.SequenceEqual(b!),
                names => names.Count,
                names => names
            )
        );
}
