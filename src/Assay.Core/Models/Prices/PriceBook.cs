using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Models.Prices;

/// <summary>
/// Every price in force, for the ingest path: an immutable snapshot that is swapped when somebody edits a price. A workspace's own price wins over a
/// shipped one; among equals the one that started last before the call. Thread-safe. <see cref="LoadAsync"/> is called once before the first look-up.
/// </summary>
public sealed class PriceBook(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromMilliseconds(50);
    private const int MaxCached = 10_000;
    private const int MaxPatternLength = 500;
    private Snapshot _current = new(FrozenDictionary<Guid, ImmutableArray<Compiled>>.Empty);

    /// <summary>Reads the workspaces' own prices.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var own = await db.ModelPrices.AsNoTracking().ToListAsync(cancellationToken);
        _current = new Snapshot(
            own.GroupBy(p => p.WorkspaceId)
                .ToFrozenDictionary(
                    g => g.Key,
                    g => g.Select(p => new Compiled(p)).ToImmutableArray()
                )
        );
    }

    /// <summary>The price of a model at a moment; null when none matches.</summary>
    public ModelPrice? Find(Guid workspaceId, string? model, string? provider, DateTimeOffset at) =>
        Pick(Candidates(_current, workspaceId, model, provider), at);

    /// <summary>The look-up of the ingest path, see <see cref="PriceLookup"/>.</summary>
    public RunCost? Cost(
        Guid workspaceId,
        string? model,
        string? provider,
        TokenUsage usage,
        DateTimeOffset at
    ) =>
        usage.PromptTokens + usage.CompletionTokens > 0
        && Find(workspaceId, model, provider, at) is { } price
            ? CostCalculator.Compute(usage, price)
            : null;

    /// <summary>The look-up as it would be with a change of a workspace's prices that nobody has stored.</summary>
    /// <param name="workspaceId">The workspace.</param>
    /// <param name="removed">A price of its own that would be gone (or replaced).</param>
    /// <param name="added">A price that would be there.</param>
    /// <exception cref="InvalidPriceException">Name or expression of the added price is unusable.</exception>
    public PriceLookup With(Guid workspaceId, Guid? removed, ModelPrice? added)
    {
        if (added is not null)
        {
            Check(added);
        }

        var own = _current
            .Own.GetValueOrDefault(workspaceId, [])
            .Where(p => p.Price.Id != removed)
            .Concat(added is null ? [] : [new Compiled(added)])
            .ToImmutableArray();
        var imagined = new Snapshot(
            new Dictionary<Guid, ImmutableArray<Compiled>>
            {
                [workspaceId] = own,
            }.ToFrozenDictionary()
        );
        return (workspace, model, provider, usage, at) =>
            usage.PromptTokens + usage.CompletionTokens > 0
            && Pick(Candidates(imagined, workspace, model, provider), at) is { } price
                ? CostCalculator.Compute(usage, price)
                : null;
    }

    /// <summary>A workspace's own prices, newest first, then the shipped ones by name.</summary>
    public async Task<IReadOnlyList<ModelPrice>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var own = await db
            .ModelPrices.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId)
            .OrderByDescending(p => p.CreatedAt)
            .ToListAsync(cancellationToken);
        return [.. own, .. ShippedPrices.All.OrderBy(p => p.Name, StringComparer.Ordinal)];
    }

    /// <summary>Adds a price, or with an id replaces one of the workspace's own.</summary>
    /// <returns>The price as stored; null when the id is not one of the workspace's own.</returns>
    /// <exception cref="InvalidPriceException">Name or expression is unusable.</exception>
    public async Task<ModelPrice?> PutAsync(
        Caller caller,
        Guid? id,
        ModelPrice price,
        CancellationToken cancellationToken
    )
    {
        Check(price);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = id is { } known
            ? await db.ModelPrices.FirstOrDefaultAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == known,
                cancellationToken
            )
            : null;
        if (id is not null && stored is null)
        {
            return null;
        }

        if (stored is null)
        {
            stored = new ModelPrice
            {
                Id = Guid.CreateVersion7(now),
                WorkspaceId = caller.WorkspaceId,
                CreatedAt = now,
                Name = price.Name,
                MatchPattern = price.MatchPattern,
                Prices = price.Prices,
            };
            db.ModelPrices.Add(stored);
        }

        stored.Name = price.Name;
        stored.Provider = price.Provider;
        stored.MatchPattern = price.MatchPattern;
        stored.MatchPath = price.MatchPath;
        stored.StartTime = price.StartTime;
        stored.Prices = price.Prices;
        stored.LongContext = price.LongContext;
        stored.BatchFactor = price.BatchFactor;
        Audit(
            db,
            caller,
            id is null ? "model_price.create" : "model_price.update",
            stored.Name,
            now
        );
        await db.SaveChangesAsync(cancellationToken);
        await LoadAsync(cancellationToken);
        return stored;
    }

    /// <summary>Deletes one of the workspace's own prices; false when there is none of that id.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = await db.ModelPrices.FirstOrDefaultAsync(
            p => p.WorkspaceId == caller.WorkspaceId && p.Id == id,
            cancellationToken
        );
        if (stored is null)
        {
            return false;
        }

        db.ModelPrices.Remove(stored);
        Audit(db, caller, "model_price.delete", stored.Name, time.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        await LoadAsync(cancellationToken);
        return true;
    }

    private static void Audit(
        MetadataContext db,
        Caller caller,
        string action,
        string subject,
        DateTimeOffset now
    ) =>
        db.AuditEntries.Add(
            new AuditEntry
            {
                Id = Guid.CreateVersion7(now),
                WorkspaceId = caller.WorkspaceId,
                At = now,
                Actor = caller.Name,
                Action = action,
                Subject = subject,
            }
        );

    private static void Check(ModelPrice price)
    {
        if (string.IsNullOrWhiteSpace(price.Name) || price.Name.Length > 200)
        {
            throw new InvalidPriceException("name", "must have 1 to 200 characters");
        }

        if (price.MatchPattern.Length is 0 or > MaxPatternLength)
        {
            throw new InvalidPriceException("match_pattern", "must have 1 to 500 characters");
        }

        try
        {
            _ = Compiled.Pattern(price.MatchPattern);
        }
        catch (ArgumentException e)
        {
            throw new InvalidPriceException("match_pattern", e.Message);
        }
    }

    private static ImmutableArray<Compiled> Candidates(
        Snapshot snapshot,
        Guid workspaceId,
        string? model,
        string? provider
    )
    {
        if (string.IsNullOrEmpty(model))
        {
            return [];
        }

        var key = (workspaceId, model, provider);
        if (snapshot.ByModel.TryGetValue(key, out var known))
        {
            return known;
        }

        var bare = ModelName.Bare(model);
        ImmutableArray<Compiled> found =
        [
            .. snapshot
                .Own.GetValueOrDefault(workspaceId, [])
                .Where(p => p.Matches(model, bare, provider))
                .OrderByDescending(p => p.Price.StartTime ?? DateTimeOffset.MinValue)
                .ThenByDescending(p => p.Price.CreatedAt),
            .. s_shipped
                .Value.Where(p => p.Matches(bare, bare, provider))
                .OrderByDescending(p => p.Price.Provider is not null)
                .ThenByDescending(p => p.Price.StartTime),
        ];
        // Names come from clients: a stream of invented ones must not fill the memory.
        if (snapshot.ByModel.Count >= MaxCached)
        {
            snapshot.ByModel.Clear();
        }

        snapshot.ByModel[key] = found;
        return found;
    }

    private static ModelPrice? Pick(ImmutableArray<Compiled> candidates, DateTimeOffset at)
    {
        foreach (var candidate in candidates)
        {
            if (candidate.Price.StartTime is not { } start || start <= at)
            {
                return candidate.Price;
            }
        }

        // A call from before the first known price: the oldest shipped one is nearer to the truth than nothing.
        return candidates.LastOrDefault()?.Price is { } oldest && oldest.WorkspaceId == Guid.Empty
            ? oldest
            : null;
    }

    private static readonly Lazy<ImmutableArray<Compiled>> s_shipped = new(() =>
        [.. ShippedPrices.All.Select(p => new Compiled(p))]
    );

    private sealed record Snapshot(FrozenDictionary<Guid, ImmutableArray<Compiled>> Own)
    {
        public ConcurrentDictionary<
            (Guid Workspace, string Model, string? Provider),
            ImmutableArray<Compiled>
        > ByModel { get; } = new();
    }

    private sealed class Compiled(ModelPrice price)
    {
        private readonly Lazy<Regex?> _pattern = new(() =>
        {
            try
            {
                return Pattern(price.MatchPattern);
            }
            catch (ArgumentException)
            {
                // Checked when it was stored; a pattern from another version that no longer parses matches nothing.
                return null;
            }
        });

        public ModelPrice Price => price;

        public static Regex Pattern(string pattern) =>
            new(
                pattern,
                RegexOptions.NonBacktracking
                    | RegexOptions.IgnoreCase
                    | RegexOptions.CultureInvariant,
                s_patternTimeout
            );

        public bool Matches(string model, string bare, string? provider)
        {
            if (
                price.Provider is { Length: > 0 } only
                && !string.Equals(only, provider, StringComparison.OrdinalIgnoreCase)
            )
            {
                return false;
            }

            return _pattern.Value is { } pattern
                && (pattern.IsMatch(model) || (bare != model && pattern.IsMatch(bare)));
        }
    }
}

/// <summary>A price that cannot be stored.</summary>
/// <param name="field">The field at fault, as LangSmith's wire names it.</param>
/// <param name="reason">Why.</param>
public sealed class InvalidPriceException(string field, string reason)
    : Exception($"{field}: {reason}");
