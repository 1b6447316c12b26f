using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Evaluators;

/// <summary>The evaluators of a workspace and their versions. Thread-safe.</summary>
public sealed class EvaluatorCatalog(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The project that the work of evaluators is recorded in; LangSmith has one of this name.</summary>
    public const string Project = "evaluators";

    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 200;

    /// <summary>The most evaluators of a workspace.</summary>
    public const int MaxEvaluators = 1_000;

    /// <summary>The longest metadata, in characters.</summary>
    public const int MaxMetadata = 20_000;

    /// <summary>What a draft says to take the metadata away.</summary>
    public const string NoMetadata = "null";

    /// <summary>The longest settings, in characters.</summary>
    public const int MaxSettings = 512 * 1024;

    /// <summary>All of them by name.</summary>
    public async Task<IReadOnlyList<EvaluatorDefinition>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Evaluators.AsNoTracking()
            .Where(e => e.WorkspaceId == caller.WorkspaceId)
            .OrderBy(e => e.Name)
            .ToListAsync(cancellationToken);
    }

    /// <summary>One with the settings of a version (null: the current one); null when there is none.</summary>
    public async Task<(EvaluatorDefinition Definition, EvaluatorVersion Version)?> FindAsync(
        Caller caller,
        Guid id,
        int? version,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .Evaluators.AsNoTracking()
            .FirstOrDefaultAsync(
                e => e.WorkspaceId == caller.WorkspaceId && e.Id == id,
                cancellationToken
            );
        if (found is null)
        {
            return null;
        }

        var number = version ?? found.Version;
        return
            await db
                .EvaluatorVersions.AsNoTracking()
                .FirstOrDefaultAsync(
                    v => v.EvaluatorId == id && v.Number == number,
                    cancellationToken
                )
                is { } settings
            ? (found, settings)
            : null;
    }

    /// <summary>Every version, newest first.</summary>
    public async Task<IReadOnlyList<EvaluatorVersion>> VersionsAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .EvaluatorVersions.AsNoTracking()
            .Where(v => v.WorkspaceId == caller.WorkspaceId && v.EvaluatorId == id)
            .OrderByDescending(v => v.Number)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Makes an evaluator with its first version.</summary>
    /// <exception cref="InvalidEvaluatorException">Something in the draft is unusable.</exception>
    /// <exception cref="EvaluatorConflictException">The name or the key is taken.</exception>
    public async Task<EvaluatorDefinition> CreateAsync(
        Caller caller,
        EvaluatorDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var settings = draft.Check();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await RequireFreeAsync(db, caller, draft, null, cancellationToken);
        if (
            await db.Evaluators.CountAsync(
                e => e.WorkspaceId == caller.WorkspaceId,
                cancellationToken
            ) >= MaxEvaluators
        )
        {
            throw new EvaluatorConflictException(
                $"A workspace has at most {MaxEvaluators:N0} evaluators."
            );
        }

        var made = new EvaluatorDefinition
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Name = draft.Name.Trim(),
            FeedbackKey = draft.FeedbackKey.Trim(),
            Kind = draft.Kind,
            Description = Blank(draft.Description),
            MetadataJson = draft.MetadataJson is NoMetadata ? null : draft.MetadataJson,
            Version = 1,
            Author = caller.Name,
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Evaluators.Add(made);
        db.EvaluatorVersions.Add(Version(caller, made, settings, draft.Note, now));
        db.AuditEntries.Add(AuditEntry.Of(caller, "evaluator.create", made.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return made;
    }

    /// <summary>Changes name, description and settings; settings that differ from the current ones become a new version.</summary>
    /// <param name="caller">Who.</param>
    /// <param name="id">The evaluator.</param>
    /// <param name="draft">How it should be; kind and key must be what they are.</param>
    /// <param name="basedOn">The version the author started from; null to change whatever is current.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The evaluator; null when the workspace has none of that id.</returns>
    /// <exception cref="InvalidEvaluatorException">Something in the draft is unusable.</exception>
    /// <exception cref="EvaluatorConflictException">The name is taken, or there is a newer version than <paramref name="basedOn"/>.</exception>
    public async Task<EvaluatorDefinition?> SaveAsync(
        Caller caller,
        Guid id,
        EvaluatorDraft draft,
        int? basedOn,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var settings = draft.Check();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var stored = await db.Evaluators.FirstOrDefaultAsync(
            e => e.WorkspaceId == caller.WorkspaceId && e.Id == id,
            cancellationToken
        );
        if (stored is null)
        {
            return null;
        }

        if (stored.Kind != draft.Kind)
        {
            throw new InvalidEvaluatorException("kind", "cannot change; make a new evaluator");
        }

        if (stored.FeedbackKey != draft.FeedbackKey.Trim())
        {
            throw new InvalidEvaluatorException(
                "feedback_key",
                "cannot change, or old and new scores would not be comparable; make a new evaluator"
            );
        }

        if (basedOn is { } seen && seen != stored.Version)
        {
            throw new EvaluatorConflictException(
                $"Somebody saved version {stored.Version} meanwhile; you started from version {seen}."
            );
        }

        await RequireFreeAsync(db, caller, draft, id, cancellationToken);
        var current = await db
            .EvaluatorVersions.AsNoTracking()
            .SingleAsync(v => v.EvaluatorId == id && v.Number == stored.Version, cancellationToken);
        stored.Name = draft.Name.Trim();
        stored.Description = Blank(draft.Description);
        stored.MetadataJson = draft.MetadataJson switch
        {
            null => stored.MetadataJson,
            NoMetadata => null,
            var given => given,
        };
        stored.ModifiedAt = now;
        if (current.SettingsJson != settings)
        {
            stored.Version++;
            db.EvaluatorVersions.Add(Version(caller, stored, settings, draft.Note, now));
        }

        db.AuditEntries.Add(AuditEntry.Of(caller, "evaluator.update", stored.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return stored;
    }

    /// <summary>Deletes an evaluator with its versions; scores it gave stay. False when there is none of that id.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var stored = await db.Evaluators.FirstOrDefaultAsync(
            e => e.WorkspaceId == caller.WorkspaceId && e.Id == id,
            cancellationToken
        );
        if (stored is null)
        {
            return false;
        }

        await db
            .EvaluatorVersions.Where(v => v.EvaluatorId == id)
            .ExecuteDeleteAsync(cancellationToken);
        await db
            .JudgeVerdicts.Where(v => v.EvaluatorId == id)
            .ExecuteDeleteAsync(cancellationToken);
        await db
            .JudgeCalibrations.Where(c => c.EvaluatorId == id)
            .ExecuteDeleteAsync(cancellationToken);
        db.Evaluators.Remove(stored);
        db.AuditEntries.Add(
            AuditEntry.Of(caller, "evaluator.delete", stored.Name, time.GetUtcNow())
        );
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static async Task RequireFreeAsync(
        MetadataContext db,
        Caller caller,
        EvaluatorDraft draft,
        Guid? id,
        CancellationToken cancellationToken
    )
    {
        var name = draft.Name.Trim();
        var key = draft.FeedbackKey.Trim();
        var taken = await db
            .Evaluators.AsNoTracking()
            .Where(e =>
                e.WorkspaceId == caller.WorkspaceId
                && e.Id != id
                && (e.Name == name || e.FeedbackKey == key)
            )
            .FirstOrDefaultAsync(cancellationToken);
        if (taken is not null)
        {
            throw new EvaluatorConflictException(
                taken.Name == name
                    ? $"There is an evaluator '{name}' already."
                    : $"The evaluator '{taken.Name}' gives scores under '{key}' already."
            );
        }
    }

    private static EvaluatorVersion Version(
        Caller caller,
        EvaluatorDefinition evaluator,
        string settings,
        string? note,
        DateTimeOffset now
    ) =>
        new()
        {
            EvaluatorId = evaluator.Id,
            Number = evaluator.Version,
            WorkspaceId = caller.WorkspaceId,
            SettingsJson = settings,
            Note = Blank(note),
            Author = caller.Name,
            CreatedAt = now,
        };

    private static string? Blank(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>What a person says about an evaluator.</summary>
public sealed record EvaluatorDraft
{
    /// <summary>Name on screen.</summary>
    public required string Name { get; init; }

    /// <summary>The feedback key.</summary>
    public required string FeedbackKey { get; init; }

    /// <summary>How it works.</summary>
    public EvaluatorKind Kind { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Settings of its kind, a JSON object.</summary>
    public required string SettingsJson { get; init; }

    /// <summary>Metadata, a JSON object; null keeps what there is, <see cref="EvaluatorCatalog.NoMetadata"/> takes it away.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>What the change is about.</summary>
    public string? Note { get; init; }

    /// <summary>Checks everything; returns the settings in canonical form.</summary>
    internal string Check()
    {
        if (Name.Trim().Length is 0 or > EvaluatorCatalog.MaxNameLength)
        {
            throw new InvalidEvaluatorException(
                "name",
                $"must have 1 to {EvaluatorCatalog.MaxNameLength} characters"
            );
        }

        if (FeedbackKey.Trim().Length is 0 or > FeedbackKeys.MaxKeyLength)
        {
            throw new InvalidEvaluatorException(
                "feedback_key",
                $"must have 1 to {FeedbackKeys.MaxKeyLength} characters"
            );
        }

        if (MetadataJson?.Length > EvaluatorCatalog.MaxMetadata)
        {
            throw new InvalidEvaluatorException("metadata", "is too long");
        }

        if (Description?.Length > 4_000 || Note?.Length > 1_000)
        {
            throw new InvalidEvaluatorException("description", "is too long");
        }

        return EvaluatorSettings.Canonical(Kind, FeedbackKey.Trim(), SettingsJson);
    }
}
