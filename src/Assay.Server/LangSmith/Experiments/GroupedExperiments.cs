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

namespace Assay.Server.LangSmith.Experiments;

/// <summary>Experiments of a dataset grouped by what their metadata says.</summary>
internal static class GroupedExperiments
{
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

        var caller = context.Caller();
        var part = json.StrictText("name_contains") ?? "";
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var experiments = (
            await db
                .Projects.AsNoTracking()
                .Where(p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == id)
                .OrderByDescending(p => p.StartTime)
                .Take(Math.Clamp(json.Number("experiment_limit") ?? 1_000, 1, 1_000))
                .ToListAsync(context.RequestAborted)
        )
            .Where(p => p.Name.Contains(part, StringComparison.OrdinalIgnoreCase))
            .ToList();
        var stats = await queries.ProjectStatsAsync(
            caller,
            [.. experiments.Select(p => p.Id)],
            null,
            null,
            rootsOnly: true,
            context.RequestAborted
        );
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
                    SessionOut.Write(
                        w,
                        item,
                        SessionFigures.None with
                        {
                            Runs = stats.GetValueOrDefault(item.Id) ?? new RunStats(),
                        }
                    );
                }

                w.WriteEndArray();
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
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
