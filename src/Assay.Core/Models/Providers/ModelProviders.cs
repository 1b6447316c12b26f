using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Models.Providers;

/// <summary>The providers of a workspace and what it may spend on them. Thread-safe.</summary>
public sealed class ModelProviders(
    IDbContextFactory<MetadataContext> metadata,
    WorkspaceSecrets secrets,
    IModelClients clients,
    TimeProvider time
)
{
    private const string OpenAIKey = "OPENAI_API_KEY";
    private const string AnthropicKey = "ANTHROPIC_API_KEY";
    private static readonly SemaphoreSlim s_monthBegins = new(1, 1);

    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 100;

    /// <summary>The most models a provider's own list may name.</summary>
    public const int MaxModels = 100;

    /// <summary>The workspace's own providers by name, then the simulated one.</summary>
    public async Task<IReadOnlyList<ModelProvider>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var own = await db
            .ModelProviders.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId)
            .OrderBy(p => p.Name)
            .ToListAsync(cancellationToken);
        return [.. own, ModelProvider.Simulated];
    }

    /// <summary>One provider of the workspace, or the simulated one; null when there is none of that id.</summary>
    public async Task<ModelProvider?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        if (id == ModelProvider.Simulated.Id)
        {
            return ModelProvider.Simulated;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ModelProviders.AsNoTracking()
            .FirstOrDefaultAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == id,
                cancellationToken
            );
    }

    /// <summary>Adds a provider, or with an id changes one; a key that is given is written as the workspace's secret.</summary>
    /// <returns>The provider; null when the id is not one of the workspace's.</returns>
    /// <exception cref="InvalidProviderException">Something in the draft is unusable.</exception>
    public async Task<ModelProvider?> PutAsync(
        Caller caller,
        Guid? id,
        ProviderDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        draft.Check();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = id is { } known
            ? await db.ModelProviders.FirstOrDefaultAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == known,
                cancellationToken
            )
            : null;
        if (id is not null && stored is null)
        {
            return null;
        }

        var name = draft.Name.Trim();
        if (
            name == ModelProvider.Simulated.Name
            || await db.ModelProviders.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Name == name && p.Id != id,
                cancellationToken
            )
        )
        {
            throw new InvalidProviderException("name", $"there is a provider '{name}' already");
        }

        if (stored is null)
        {
            stored = new ModelProvider
            {
                Id = Guid.CreateVersion7(now),
                WorkspaceId = caller.WorkspaceId,
                CreatedAt = now,
                Name = name,
            };
            db.ModelProviders.Add(stored);
        }

        stored.Name = name;
        stored.Kind = draft.Kind;
        stored.BaseUrl = draft.BaseUrl is { Length: > 0 } url ? url.Trim().TrimEnd('/') : null;
        stored.Models = draft.Models;
        stored.TimeoutSeconds = draft.TimeoutSeconds;
        stored.MaxRetries = draft.MaxRetries;
        stored.SecretName = draft.SecretName is { Length: > 0 } secret ? secret.Trim() : null;
        stored.ModifiedAt = now;
        if (draft.Key is { Length: > 0 } key)
        {
            stored.SecretName ??= await SecretNameAsync(db, stored, cancellationToken);
            await secrets.WriteAsync(
                caller,
                new Dictionary<string, string?> { [stored.SecretName] = key.Trim() },
                cancellationToken
            );
        }

        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                id is null ? "model_provider.create" : "model_provider.update",
                name,
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
        return stored;
    }

    /// <summary>Deletes a provider; its secret stays, other things may use it. False when there is none of that id.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = await db.ModelProviders.FirstOrDefaultAsync(
            p => p.WorkspaceId == caller.WorkspaceId && p.Id == id,
            cancellationToken
        );
        if (stored is null)
        {
            return false;
        }

        db.ModelProviders.Remove(stored);
        db.AuditEntries.Add(
            AuditEntry.Of(caller, "model_provider.delete", stored.Name, time.GetUtcNow())
        );
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// What can be chosen as a model: the provider's own list when it can be asked, with the configured names first. This is also the test of a
    /// connection: it needs the address and the key to be right and costs nothing.
    /// </summary>
    /// <exception cref="ModelCallException">The provider could not be asked.</exception>
    public async Task<IReadOnlyList<string>> ModelsAsync(
        Caller caller,
        ModelProvider provider,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var listed = await clients.ListModelsAsync(
            provider,
            await KeyAsync(caller.WorkspaceId, provider, cancellationToken),
            cancellationToken
        );
        return [.. provider.Models.Concat(listed).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What this month's calls cost so far, and the limit if there is one.</summary>
    public async Task<(ModelSpend Spend, decimal? Limit)> SpendAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await SpendAsync(db, caller.WorkspaceId, cancellationToken);
    }

    /// <summary>Sets or (null) takes away the monthly limit.</summary>
    /// <exception cref="InvalidProviderException">The limit is negative or absurd.</exception>
    public async Task LimitAsync(
        Caller caller,
        decimal? monthlyDollars,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        if (monthlyDollars is < 0 or > 10_000_000)
        {
            throw new InvalidProviderException("limit", "must be between 0 and 10,000,000 dollars");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = await db.SpendLimits.FirstOrDefaultAsync(
            l => l.WorkspaceId == caller.WorkspaceId,
            cancellationToken
        );
        if (monthlyDollars is not { } dollars)
        {
            if (stored is not null)
            {
                db.SpendLimits.Remove(stored);
            }
        }
        else if (stored is not null)
        {
            stored.MonthlyDollars = dollars;
        }
        else
        {
            db.SpendLimits.Add(
                new SpendLimit { WorkspaceId = caller.WorkspaceId, MonthlyDollars = dollars }
            );
        }

        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "spend_limit.set",
                monthlyDollars is { } limit
                    ? FormattableString.Invariant($"${limit} per month")
                    : "none",
                time.GetUtcNow()
            )
        );
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Refuses when the limit is reached.</summary>
    /// <exception cref="ModelCallException">It is.</exception>
    internal async Task CheckLimitAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (spend, limit) = await SpendAsync(db, workspaceId, cancellationToken);
        if (limit is { } dollars && spend.Dollars >= dollars)
        {
            throw new ModelCallException(
                ModelCallFailure.LimitReached,
                FormattableString.Invariant(
                    $"This workspace's limit of ${dollars:0.##} a month is reached (${spend.Dollars:0.####} spent). An admin can raise it under Settings, Model providers."
                )
            );
        }
    }

    /// <summary>Adds a call to the month. One statement, so that calls at the same time add up.</summary>
    internal async Task AddSpendAsync(
        Guid workspaceId,
        decimal? dollars,
        bool isUnpriced,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var month = MonthOf(time.GetUtcNow());
        var unpriced = isUnpriced ? 1 : 0;
        var cost = dollars ?? 0;
        Task<int> AddAsync() =>
            db
                .ModelSpends.Where(s => s.WorkspaceId == workspaceId && s.Month == month)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(s => s.Dollars, s => s.Dollars + cost)
                            .SetProperty(s => s.Calls, s => s.Calls + 1)
                            .SetProperty(s => s.UnpricedCalls, s => s.UnpricedCalls + unpriced),
                    cancellationToken
                );
        if (await AddAsync() > 0)
        {
            return;
        }

        // The first call of a month makes its row; calls at the same time wait for it instead of making another.
        await s_monthBegins.WaitAsync(cancellationToken);
        try
        {
            if (await AddAsync() == 0)
            {
                db.ModelSpends.Add(
                    new ModelSpend
                    {
                        WorkspaceId = workspaceId,
                        Month = month,
                        Dollars = cost,
                        Calls = 1,
                        UnpricedCalls = unpriced,
                    }
                );
                await db.SaveChangesAsync(cancellationToken);
            }
        }
        finally
        {
            s_monthBegins.Release();
        }
    }

    internal async Task<string?> KeyAsync(
        Guid workspaceId,
        ModelProvider provider,
        CancellationToken cancellationToken
    ) =>
        provider.SecretName is { } name
            ? await secrets.FindAsync(workspaceId, name, cancellationToken)
                ?? throw new ModelCallException(
                    ModelCallFailure.Authentication,
                    $"The secret {name} of provider '{provider.Name}' is not set in this workspace."
                )
            : null;

    private async Task<(ModelSpend Spend, decimal? Limit)> SpendAsync(
        MetadataContext db,
        Guid workspaceId,
        CancellationToken cancellationToken
    )
    {
        var month = MonthOf(time.GetUtcNow());
        var spend = await db
            .ModelSpends.AsNoTracking()
            .FirstOrDefaultAsync(
                s => s.WorkspaceId == workspaceId && s.Month == month,
                cancellationToken
            );
        var limit = await db
            .SpendLimits.AsNoTracking()
            .FirstOrDefaultAsync(l => l.WorkspaceId == workspaceId, cancellationToken);
        return (
            spend ?? new ModelSpend { WorkspaceId = workspaceId, Month = month },
            limit?.MonthlyDollars
        );
    }

    private static int MonthOf(DateTimeOffset at) =>
        (at.UtcDateTime.Year * 100) + at.UtcDateTime.Month;

    /// <summary>For the makers' own addresses the names that LangSmith's playground looks for; any other server's key must not end up there, nor where a secret is already.</summary>
    private static async Task<string> SecretNameAsync(
        MetadataContext db,
        ModelProvider provider,
        CancellationToken cancellationToken
    )
    {
        switch (provider)
        {
            case { BaseUrl: null, Kind: ProviderKind.OpenAI or ProviderKind.OpenAIResponses }:
                return OpenAIKey;
            case { BaseUrl: null, Kind: ProviderKind.Anthropic }:
                return AnthropicKey;
        }

        var taken = await db
            .WorkspaceSecrets.AsNoTracking()
            .Where(s => s.WorkspaceId == provider.WorkspaceId)
            .Select(s => s.Key)
            .ToHashSetAsync(StringComparer.OrdinalIgnoreCase, cancellationToken);
        taken.UnionWith([OpenAIKey, AnthropicKey]);
        var words = string.Join(
            '_',
            provider
                .Name.ToUpperInvariant()
                .Split([
                    .. provider.Name.ToUpperInvariant().Where(c => !char.IsAsciiLetterOrDigit(c)),
                ])
                .Where(w => w.Length > 0)
        );
        var name = words.Length == 0 ? "MODEL" : words;
        return Enumerable
            .Range(1, taken.Count + 1)
            .Select(n => n == 1 ? $"{name}_API_KEY" : $"{name}_{n}_API_KEY")
            .First(n => !taken.Contains(n));
    }
}

/// <summary>What a person says about a provider.</summary>
public sealed record ProviderDraft
{
    /// <summary>Name on screen.</summary>
    public required string Name { get; init; }

    /// <summary>The dialect.</summary>
    public ProviderKind Kind { get; init; }

    /// <summary>Where it is; empty for the maker's own address.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>A new key; empty keeps the old one.</summary>
    public string? Key { get; init; }

    /// <summary>Name of the secret that holds the key; empty for a usual one when a key is given.</summary>
    public string? SecretName { get; init; }

    /// <summary>Models to offer.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Longest silence in seconds, 1 to 600.</summary>
    public int TimeoutSeconds { get; init; } = 60;

    /// <summary>Tries after the first, 0 to 10.</summary>
    public int MaxRetries { get; init; } = 2;

    internal void Check()
    {
        if (Name.Trim().Length is 0 or > ModelProviders.MaxNameLength)
        {
            throw new InvalidProviderException(
                "name",
                $"must have 1 to {ModelProviders.MaxNameLength} characters"
            );
        }

        if (!Enum.IsDefined(Kind) || Kind == ProviderKind.Simulated)
        {
            throw new InvalidProviderException("kind", "is not one that can be added");
        }

        if (
            BaseUrl is { Length: > 0 } url
            && !(
                Uri.TryCreate(url.Trim(), UriKind.Absolute, out var address)
                && address.Scheme is "http" or "https"
                && address.UserInfo.Length == 0
            )
        )
        {
            throw new InvalidProviderException(
                "base_url",
                "must be an http or https address without a user name"
            );
        }

        if (Kind == ProviderKind.Ollama && string.IsNullOrWhiteSpace(BaseUrl))
        {
            throw new InvalidProviderException("base_url", "is needed for Ollama");
        }

        if (SecretName?.Length > WorkspaceSecrets.MaxKeyLength)
        {
            throw new InvalidProviderException("secret", "has too long a name");
        }

        if (Key?.Length > WorkspaceSecrets.MaxValueLength)
        {
            throw new InvalidProviderException("key", "is too long");
        }

        if (Models.Count > ModelProviders.MaxModels || Models.Any(m => m.Length is 0 or > 200))
        {
            throw new InvalidProviderException(
                "models",
                $"at most {ModelProviders.MaxModels} names of 1 to 200 characters"
            );
        }

        if (TimeoutSeconds is < 1 or > 600)
        {
            throw new InvalidProviderException("timeout", "must be 1 to 600 seconds");
        }

        if (MaxRetries is < 0 or > 10)
        {
            throw new InvalidProviderException("retries", "must be 0 to 10");
        }
    }
}

/// <summary>A provider that cannot be stored as given.</summary>
public sealed class InvalidProviderException(string field, string reason)
    : Exception($"{field}: {reason}")
{
    /// <summary>The field.</summary>
    public string Field { get; } = field;
}
