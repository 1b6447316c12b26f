using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>Experiments of a dataset grouped by what their metadata says.</summary>
internal static class GroupedExperiments
{
    private const int MaxExperiments = 1_000;

    public static void MapGroupedExperiments(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets/{id:guid}/experiments/grouped", GroupAsync)
            .Needs(Permission.Read);
    }

    private static async Task<IResult> GroupAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (json.Names("metadata_keys") is not { Count: > 0 } keys)
        {
            return Errors.Invalid("metadata_keys: must name at least one key");
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var list = new SessionList(context.Caller(), Conditions(id, json), db, queries);
        var experiments = await list.NewestAsync(
            Math.Clamp(json.Number("experiment_limit") ?? MaxExperiments, 1, MaxExperiments),
            context.RequestAborted
        );
        var figures = await list.FiguresAsync(experiments, context.RequestAborted);
        var groups = experiments
            .GroupBy(p => Values(p, keys))
            .Select(g => (Key: JsonNode.Parse(g.Key)!, Items: g.ToList()));
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("groups");
            foreach (var (key, items) in groups)
            {
                w.WriteStartObject();
                w.WriteJson("metadata", key.ToJsonString());
                w.WriteNumber("count", items.Count);
                w.WriteStartArray("sessions");
                foreach (var item in items)
                {
                    SessionOut.Write(w, item, figures[item.Id]);
                }

                w.WriteEndArray();
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    /// <summary>The conditions of the body as those of <c>GET /sessions</c>, which they are.</summary>
    private static QueryCollection Conditions(Guid dataset, JsonElement json)
    {
        var conditions = new Dictionary<string, StringValues>(StringComparer.Ordinal)
        {
            ["reference_dataset"] = dataset.ToString(),
            ["tag_value_id"] = json.Uuids("tag_value_id").Select(t => t.ToString()).ToArray(),
        };
        foreach (
            var name in (string[])["name_contains", "dataset_version", "filter", "stats_start_time"]
        )
        {
            if (json.StrictText(name) is { Length: > 0 } text)
            {
                conditions[name] = text;
            }
        }

        return new QueryCollection(conditions);
    }

    private static string Values(Project experiment, IReadOnlyList<string> keys)
    {
        var metadata = ExperimentResults.MetadataOf(experiment);
        var picked = new JsonObject();
        foreach (var key in keys)
        {
            picked[key] = metadata[key]?.DeepClone();
        }

        return picked.ToJsonString();
    }
}
