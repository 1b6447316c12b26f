using System.Globalization;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>Projects as clients since npm <c>langsmith</c> 0.12 list and find them: pages by cursor, words in capitals, costs as numbers.</summary>
internal static class SessionsV2
{
    private const string Project = "PROJECT";
    private const string Agent = "AGENT";
    private const string Experiment = "EXPERIMENT";
    private const string Evaluator = "EVALUATOR";
    private const int UsualPage = 20;
    private const int LargestPage = 100;

    private static readonly string[] s_sorts =
    [
        "NAME",
        "START_TIME",
        "LAST_RUN_START_TIME",
        "ERROR_RATE",
        "LATENCY_P50",
        "LATENCY_P99",
        "FEEDBACK",
    ];

    // What has another name in the first version, whose list does the work.
    private static readonly Dictionary<string, string> s_older = new(StringComparer.Ordinal)
    {
        ["reference_dataset_id"] = "reference_dataset",
        ["include_facets"] = "facets",
    };

    public static void MapSessionsV2(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v2/sessions", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/sessions/resolutions", ResolveAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        var q = context.Request.Query;
        var offset = OffsetCursor.Read(q.Word("cursor"));
        var size = q.Whole("page_size", UsualPage, 1, LargestPage);
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var list = new SessionList(
            context.Caller(),
            Older(q, offset, size),
            db,
            queries,
            IsExperiment(q)
        );
        var (page, total) = await list.ReadAsync(context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var (project, figures) in page)
            {
                SessionOut.WriteV2(w, project, figures);
            }

            w.WriteEndArray();
            w.WriteString("next_cursor", OffsetCursor.Next(offset, size, offset + size < total));
            w.WriteEndObject();
        });
    }

    private static QueryCollection Older(IQueryCollection q, int offset, int size)
    {
        var asked = q.Where(p => !p.Key.StartsWith("sort_", StringComparison.Ordinal))
            .ToDictionary(p => s_older.GetValueOrDefault(p.Key, p.Key), p => p.Value);
        asked["offset"] = offset.ToString(CultureInfo.InvariantCulture);
        asked["limit"] = size.ToString(CultureInfo.InvariantCulture);
        asked.TryAdd("include_stats", "false");
        var sort = q.Word("sort_by") ?? "START_TIME";
        if (!s_sorts.Contains(sort, StringComparer.OrdinalIgnoreCase))
        {
            throw BodyFields.Wrong("sort_by", string.Join(", ", s_sorts));
        }

        if (sort.Equals("FEEDBACK", StringComparison.OrdinalIgnoreCase))
        {
            if (q.Word("sort_by_feedback_key") is null || q["reference_dataset_id"].Count == 0)
            {
                throw BodyFields.Wrong(
                    "sort_by",
                    "FEEDBACK only together with sort_by_feedback_key and reference_dataset_id"
                );
            }

            asked["sort_by_feedback_key"] = q["sort_by_feedback_key"];
            asked["sort_by_feedback_source"] = Lower(q["sort_by_feedback_source"]);
        }

        asked["sort_by"] = Lower(sort);
        asked["sort_by_desc"] = q.Word("sort_order") switch
        {
            null or "desc" => "true",
            "asc" => "false",
            _ => throw BodyFields.Wrong("sort_order", "asc or desc"),
        };
        return new QueryCollection(asked);
    }

    /// <summary>Experiments, or the others; null for both. Agents are projects here.</summary>
    private static bool? IsExperiment(IQueryCollection q)
    {
        var types = q["type"].OfType<string>().Select(t => t.ToUpperInvariant()).ToHashSet();
        if (types.FirstOrDefault(t => t is not (Project or Agent or Experiment)) is { } wrong)
        {
            throw BodyFields.Wrong("type", $"{Project}, {Agent} or {Experiment}, not '{wrong}'");
        }

        return types.Count == 0 || (types.Contains(Experiment) && types.Count > 1)
            ? null
            : types.Contains(Experiment);
    }

    private static StringValues Lower(StringValues given) =>
        given.ToString().ToLowerInvariant() is { Length: > 0 } text ? text : StringValues.Empty;

    /// <summary>The project an address names. There is no registry of agents here, so an address of one is not found.</summary>
    private static async Task<IResult> ResolveAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var q = context.Request.Query;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var mine = db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == context.Caller().WorkspaceId);
        Project? found;
        switch (q.Word("kind")?.ToUpperInvariant())
        {
            case Experiment:
                var id = q.Id("id") ?? throw BodyFields.Wrong("id", "the id of an experiment");
                found = await mine.FirstOrDefaultAsync(
                    p => p.Id == id && p.ReferenceDatasetId != null,
                    context.RequestAborted
                );
                break;
            case Evaluator:
                found = await mine.FirstOrDefaultAsync(
                    p => p.Name == EvaluatorCatalog.Project,
                    context.RequestAborted
                );
                break;
            case Agent:
                found = null;
                break;
            default:
                throw BodyFields.Wrong("kind", $"{Agent}, {Experiment} or {Evaluator}");
        }

        return found is null
            ? Errors.NotFound("Session")
            : Results.Json(new { session_id = found.Id });
    }
}
