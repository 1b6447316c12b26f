using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>Projects, which LangSmith's wire calls sessions.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/sessions", CreateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/sessions", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/sessions/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/sessions/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/sessions/{id:guid}", DeleteAsync).Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        if (json.Text("name") is not { Length: > 0 and <= ProjectDirectory.MaxNameLength } name)
        {
            return Errors.Invalid(
                $"name: must have 1 to {ProjectDirectory.MaxNameLength} characters"
            );
        }

        var caller = context.Caller();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var id = json.Id("id") ?? Guid.CreateVersion7(now);
        var known = await db.Projects.FirstOrDefaultAsync(
            p => p.WorkspaceId == caller.WorkspaceId && (p.Name == name || p.Id == id),
            context.RequestAborted
        );
        if (known is not null)
        {
            return context
                .Request.Query["upsert"]
                .ToString()
                .Equals("true", StringComparison.OrdinalIgnoreCase)
                ? await AnswerAsync(context, known, null)
                : Errors.Detail(
                    StatusCodes.Status409Conflict,
                    $"Session with name '{name}' already exists"
                );
        }

        if (!Wire.TryTime(json.Field("start_time"), out var start))
        {
            return Errors.Invalid("start_time: must be an ISO 8601 time");
        }

        var project = new Project
        {
            Id = id,
            WorkspaceId = caller.WorkspaceId,
            Name = name,
            Description = json.Text("description"),
            ExtraJson = json.RawObject("extra"),
            StartTime = start ?? now,
            ReferenceDatasetId = json.Id("reference_dataset_id"),
            DefaultDatasetId = json.Id("default_dataset_id"),
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Projects.Add(project);
        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
        }
        catch (DbUpdateException)
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                $"Session with name '{name}' already exists"
            );
        }

        return await AnswerAsync(context, project, null);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        var q = context.Request.Query;
        var caller = context.Caller();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var projects = db.Projects.AsNoTracking().Where(p => p.WorkspaceId == caller.WorkspaceId);
        if (q["name"].ToString() is { Length: > 0 } name)
        {
            projects = projects.Where(p => p.Name == name);
        }

        if (q["name_contains"].ToString() is { Length: > 0 } part)
        {
            projects = projects.Where(p =>
                EF.Functions.Like(
                    p.Name,
                    "%"
                        + part.Replace("\\", "\\\\", StringComparison.Ordinal)
                            .Replace("%", "\\%", StringComparison.Ordinal)
                            .Replace("_", "\\_", StringComparison.Ordinal)
                        + "%",
                    "\\"
                )
            );
        }

        var ids = q["id"].Where(v => Guid.TryParse(v, out _)).Select(v => Guid.Parse(v!)).ToList();
        if (ids.Count > 0)
        {
            projects = projects.Where(p => ids.Contains(p.Id));
        }

        var datasets = q["reference_dataset"]
            .Where(v => Guid.TryParse(v, out _))
            .Select(v => (Guid?)Guid.Parse(v!))
            .ToList();
        if (datasets.Count > 0)
        {
            projects = projects.Where(p => datasets.Contains(p.ReferenceDatasetId));
        }

        if (q["reference_free"].ToString().Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            projects = projects.Where(p => p.ReferenceDatasetId == null);
        }

        var found = await projects
            .OrderByDescending(p => p.StartTime)
            .ThenBy(p => p.Id)
            .ToListAsync(context.RequestAborted);
        if (q["metadata"].ToString() is { Length: > 0 } metadataJson)
        {
            var wanted = JsonNode.Parse(metadataJson) as JsonObject ?? [];
            found =
            [
                .. found.Where(p =>
                    JsonNode.Parse(p.ExtraJson ?? "{}")?["metadata"] is JsonObject have
                    && wanted.All(w => JsonNode.DeepEquals(have[w.Key], w.Value))
                ),
            ];
        }

        var offset = int.TryParse(
            q["offset"],
            System.Globalization.CultureInfo.InvariantCulture,
            out var o
        )
            ? Math.Max(0, o)
            : 0;
        var limit = int.TryParse(
            q["limit"],
            System.Globalization.CultureInfo.InvariantCulture,
            out var l
        )
            ? Math.Clamp(l, 1, 100)
            : 100;
        var page = found.Skip(offset).Take(limit).ToList();
        var stats = q["include_stats"]
            .ToString()
            .Equals("false", StringComparison.OrdinalIgnoreCase)
            ? new Dictionary<Guid, RunStats>()
            : await queries.ProjectStatsAsync(
                caller,
                [.. page.Select(p => p.Id)],
                null,
                null,
                rootsOnly: true,
                context.RequestAborted
            );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var project in page)
            {
                Write(w, project, stats.GetValueOrDefault(project.Id));
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return await FindAsync(db, context, id) is { } project
            ? await AnswerAsync(context, project, queries)
            : Errors.NotFound("Session");
    }

    private static async Task<IResult> PatchAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        ProjectDirectory directory,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } project)
        {
            return Errors.NotFound("Session");
        }

        if (!Wire.TryTime(json.Field("end_time"), out var end))
        {
            return Errors.Invalid("end_time: must be an ISO 8601 time");
        }

        // Null means "leave as it is"; extra replaces, because clients send it merged.
        project.Name = json.Text("name") ?? project.Name;
        project.Description = json.Text("description") ?? project.Description;
        project.ExtraJson = json.RawObject("extra") ?? project.ExtraJson;
        project.EndTime = end ?? project.EndTime;
        project.ModifiedAt = time.GetUtcNow();
        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
        }
        catch (DbUpdateException)
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                "Another session has that name already"
            );
        }

        directory.Forget(project.WorkspaceId, project.Id);
        return await AnswerAsync(context, project, null);
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        ProjectDirectory directory,
        IRunStore store,
        ShareLinks links
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } project)
        {
            return Errors.NotFound("Session");
        }

        db.Projects.Remove(project);
        await db.SaveChangesAsync(context.RequestAborted);
        directory.Forget(project.WorkspaceId, project.Id);
        await store.SettleAsync(context.RequestAborted);
        await store.DeleteProjectRunsAsync(project.WorkspaceId, project.Id, context.RequestAborted);
        await links.DropAsync(project.WorkspaceId, [], [], project.Id, context.RequestAborted);
        return Results.Json(
            new { message = "Session deleted" },
            statusCode: StatusCodes.Status202Accepted
        );
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context,
        Project project,
        TraceQueries? queries
    )
    {
        var stats = queries is null
            ? null
            : (
                await queries.ProjectStatsAsync(
                    context.Caller(),
                    [project.Id],
                    null,
                    null,
                    rootsOnly: true,
                    context.RequestAborted
                )
            ).GetValueOrDefault(project.Id);
        return WireResult.Json(w => Write(w, project, stats));
    }

    private static void Write(Utf8JsonWriter w, Project project, RunStats? stats)
    {
        w.WriteStartObject();
        w.WriteString("id", project.Id);
        w.WriteString("tenant_id", project.WorkspaceId);
        w.WriteString("name", project.Name);
        w.WriteString("description", project.Description);
        w.WriteString("start_time", Wire.Time(project.StartTime));
        w.WriteTime("end_time", project.EndTime);
        w.WriteJson("extra", project.ExtraJson);
        w.WriteId("reference_dataset_id", project.ReferenceDatasetId);
        w.WriteId("default_dataset_id", project.DefaultDatasetId);
        w.WriteString("trace_tier", "longlived");
        if (stats is not null)
        {
            StatsOut.Write(w, stats);
        }

        w.WriteEndObject();
    }

    private static Task<Project?> FindAsync(MetadataContext db, HttpContext context, Guid id)
    {
        var workspace = context.Caller().WorkspaceId;
        return db.Projects.FirstOrDefaultAsync(
            p => p.WorkspaceId == workspace && p.Id == id,
            context.RequestAborted
        );
    }
}
