using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Evaluators.Judges;

/// <summary>How far a judge's scores can be relied on.</summary>
public enum TrustState
{
    /// <summary>Its current version was not compared with enough judgements of people.</summary>
    NotCalibrated,

    /// <summary>It was, and agrees too little with them.</summary>
    NotTrusted,

    /// <summary>It agrees with them well enough.</summary>
    Trusted,

    /// <summary>It did agree, and does not any more, or nobody looked for too long.</summary>
    Drifting,
}

/// <summary>
/// What a judge must reach. The usual bar of κ is the lower end of what J. R. Landis and G. G. Koch (1977) call substantial; the bar of its lower bound keeps a
/// lucky small sample out.
/// </summary>
public sealed record TrustRules
{
    /// <summary>The usual rules.</summary>
    public static TrustRules Usual { get; } = new();

    /// <summary>The fewest runs that both judged.</summary>
    public int MinItems { get; init; } = 30;

    /// <summary>The least κ.</summary>
    public double MinKappa { get; init; } = 0.6;

    /// <summary>The least lower bound of its 95 % interval.</summary>
    public double MinKappaLow { get; init; } = 0.4;

    /// <summary>How far κ may fall below the best trusted comparison.</summary>
    public double MaxDrop { get; init; } = 0.15;

    /// <summary>After how many days a comparison is too old.</summary>
    public int MaxDays { get; init; } = 90;

    /// <summary>The rules of a judge.</summary>
    public static TrustRules Of(EvaluatorDefinition judge) => Read(judge.TrustJson);

    private static TrustRules Read(string? json) =>
        json is null
            ? Usual
            : JsonSerializer.Deserialize<TrustRules>(json, JudgeSettings.Json) ?? Usual;

    /// <summary>True when a comparison reaches the bars.</summary>
    public bool Meets(JudgeCalibration calibration) =>
        calibration.Compared >= MinItems
        && calibration.Kappa >= MinKappa
        && calibration.KappaLow >= MinKappaLow;

    internal void Check()
    {
        if (MinItems is < 2 or > 10_000)
        {
            throw new InvalidEvaluatorException("min_items", "must be 2 to 10,000");
        }

        if (
            !(MinKappa is >= 0 and <= 1)
            || !(MinKappaLow is >= -1 and <= 1)
            || MinKappaLow > MinKappa
        )
        {
            throw new InvalidEvaluatorException(
                "min_kappa",
                "must be 0 to 1, its lower bound not above it"
            );
        }

        if (!(MaxDrop is >= 0 and <= 2) || MaxDays is < 1 or > 3_650)
        {
            throw new InvalidEvaluatorException(
                "max_days",
                "days must be 1 to 3,650 and the drop 0 to 2"
            );
        }
    }
}

/// <summary>What a judge's badge says.</summary>
/// <param name="EvaluatorId">The judge.</param>
/// <param name="State">How far to rely on it.</param>
/// <param name="Why">Why, in a sentence.</param>
public sealed record TrustBadge(Guid EvaluatorId, TrustState State, string Why);

/// <summary>Says how far judges can be relied on, from their comparisons with people. Thread-safe.</summary>
public sealed class JudgeTrust(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>Badges of every judge of the workspace by feedback key.</summary>
    public async Task<IReadOnlyDictionary<string, TrustBadge>> BadgesAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var judges = await db
            .Evaluators.AsNoTracking()
            .Where(e => e.WorkspaceId == caller.WorkspaceId && e.Kind == EvaluatorKind.Judge)
            .ToListAsync(cancellationToken);
        if (judges.Count == 0)
        {
            return new Dictionary<string, TrustBadge>();
        }

        var compared = (
            await Figures(db.JudgeCalibrations.Where(c => c.WorkspaceId == caller.WorkspaceId))
                .ToListAsync(cancellationToken)
        ).ToLookup(c => c.EvaluatorId);
        var commits = await CommitsAsync(db, caller, judges, cancellationToken);
        var now = time.GetUtcNow();
        return judges.ToDictionary(
            j => j.FeedbackKey,
            j => Of(j, [.. compared[j.Id]], now, commits.GetValueOrDefault(j.Id)),
            StringComparer.Ordinal
        );
    }

    /// <summary>The badge of one judge, with its comparisons at hand, newest first.</summary>
    public async Task<TrustBadge> BadgeAsync(
        Caller caller,
        EvaluatorDefinition judge,
        IReadOnlyList<JudgeCalibration> compared,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var commits = await CommitsAsync(db, caller, [judge], cancellationToken);
        return Of(judge, compared, time.GetUtcNow(), commits.GetValueOrDefault(judge.Id));
    }

    /// <summary>Which commit the judges that follow a prompt of the hub (its newest commit, or a tag) would be asked with now.</summary>
    private static async Task<Dictionary<Guid, string>> CommitsAsync(
        MetadataContext db,
        Caller caller,
        IReadOnlyList<EvaluatorDefinition> judges,
        CancellationToken cancellationToken
    )
    {
        var current = judges.ToDictionary(j => j.Id, j => j.Version);
        var ids = judges.Select(j => j.Id).ToList();
        var followers = (
            await db
                .EvaluatorVersions.AsNoTracking()
                .Where(v =>
                    v.WorkspaceId == caller.WorkspaceId
                    && ids.Contains(v.EvaluatorId)
                    && v.SettingsJson.Contains("\"hub\":{")
                )
                .ToListAsync(cancellationToken)
        ).Where(v => current[v.EvaluatorId] == v.Number);
        var commits = new Dictionary<Guid, string>();
        foreach (var version in followers)
        {
            if (JudgeSettings.Read(version.SettingsJson).Hub is not { } hub)
            {
                continue;
            }

            var prompts = db.Prompts.Where(p =>
                p.WorkspaceId == caller.WorkspaceId && p.Handle == hub.Handle
            );
            var hash = hub.Commit is null or "" or "latest"
                ? await prompts
                    .Join(db.PromptCommits, p => p.HeadId, c => (Guid?)c.Id, (_, c) => c.Hash)
                    .FirstOrDefaultAsync(cancellationToken)
                : await prompts
                    .Join(
                        db.PromptTags.Where(t => t.Name == hub.Commit),
                        p => p.Id,
                        t => t.PromptId,
                        (_, t) => t.CommitId
                    )
                    .Join(db.PromptCommits, id => id, c => c.Id, (_, c) => c.Hash)
                    .FirstOrDefaultAsync(cancellationToken);
            if (hash is not null)
            {
                commits[version.EvaluatorId] = hash;
            }
        }

        return commits;
    }

    /// <summary>Comparisons without their items, newest first.</summary>
    internal static IQueryable<JudgeCalibration> Figures(IQueryable<JudgeCalibration> all) =>
        all.AsNoTracking()
            .OrderByDescending(c => c.CreatedAt)
            .Select(c => new JudgeCalibration
            {
                Id = c.Id,
                WorkspaceId = c.WorkspaceId,
                EvaluatorId = c.EvaluatorId,
                Version = c.Version,
                HumanKey = c.HumanKey,
                ItemsJson = "",
                Compared = c.Compared,
                Unjudged = c.Unjudged,
                Kappa = c.Kappa,
                KappaLow = c.KappaLow,
                KappaHigh = c.KappaHigh,
                Agreement = c.Agreement,
                PromptCommit = c.PromptCommit,
                UsDollars = c.UsDollars,
                Author = c.Author,
                CreatedAt = c.CreatedAt,
            });

    /// <summary>The badge of a judge from its comparisons, newest first.</summary>
    /// <param name="judge">The judge.</param>
    /// <param name="compared">Its comparisons, newest first.</param>
    /// <param name="now">The moment.</param>
    /// <param name="commit">The commit it would be asked with now, when it follows a prompt of the hub.</param>
    public static TrustBadge Of(
        EvaluatorDefinition judge,
        IReadOnlyList<JudgeCalibration> compared,
        DateTimeOffset now,
        string? commit = null
    )
    {
        var rules = TrustRules.Of(judge);
        var last = compared.FirstOrDefault(c => c.Version == judge.Version);
        if (last is null)
        {
            return new TrustBadge(
                judge.Id,
                TrustState.NotCalibrated,
                compared.Count == 0
                    ? "It was never compared with judgements of people."
                    : $"Version {judge.Version} was not compared with judgements of people; version {compared[0].Version} was."
            );
        }

        if (last.Compared < rules.MinItems)
        {
            return new TrustBadge(
                judge.Id,
                TrustState.NotCalibrated,
                $"Compared on {last.Compared} runs; {rules.MinItems} are needed to say anything."
            );
        }

        var best = compared
            .Where(c => c.CreatedAt < last.CreatedAt && rules.Meets(c))
            .MaxBy(c => c.Kappa);
        var said = Say(last);
        if (!rules.Meets(last))
        {
            return best is null
                ? new TrustBadge(
                    judge.Id,
                    TrustState.NotTrusted,
                    last.Kappa is null
                        ? $"People or judge used one label only on {last.Compared} runs: agreement beyond chance cannot be told."
                        : $"It agrees too little with people: {said}; needed are κ {Number(rules.MinKappa)} and a lower bound of {Number(rules.MinKappaLow)}."
                )
                : new TrustBadge(
                    judge.Id,
                    TrustState.Drifting,
                    $"It agreed with people (κ {Number(best.Kappa)}) and does not any more: {said}."
                );
        }

        if (best is not null && best.Kappa - last.Kappa > rules.MaxDrop)
        {
            return new TrustBadge(
                judge.Id,
                TrustState.Drifting,
                $"Agreement fell from κ {Number(best.Kappa)}: {said}."
            );
        }

        if (commit is not null && last.PromptCommit is { } then && then != commit)
        {
            return new TrustBadge(
                judge.Id,
                TrustState.Drifting,
                $"The prompt it follows changed since it was compared ({then[..8]}, now {commit[..8]}): {said}."
            );
        }

        var days = (now - last.CreatedAt).TotalDays;
        return days > rules.MaxDays
            ? new TrustBadge(
                judge.Id,
                TrustState.Drifting,
                $"Last compared {days:0} days ago, more than {rules.MaxDays}: {said}."
            )
            : new TrustBadge(judge.Id, TrustState.Trusted, $"It agrees with people: {said}.");
    }

    private static string Say(JudgeCalibration c) =>
        $"κ {Number(c.Kappa)} ({Number(c.KappaLow)} to {Number(c.KappaHigh)}) on {c.Compared} runs";

    private static string Number(double? value) =>
        value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "undefined";
}
