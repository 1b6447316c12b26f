using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
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
        app.MapDelete("/api/v1/sessions", DeleteManyAsync).Needs(Permission.Delete);
        app.MapGet("/api/v1/sessions/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/sessions/{id:guid}/metadata", MetadataAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/sessions/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/sessions/{id:guid}", DeleteAsync)
            .Needs(Permission.Delete)
            .Audited("project.delete");
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        if (!IsName(json.Text("name")))
        {
            return BadName();
        }

        var name = json.Text("name") ?? "";
        var caller = context.Caller();
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var id = json.Id("id") ?? Guid.CreateVersion7(now);
        var known = await db.Projects.FirstOrDefaultAsync(
            p => p.WorkspaceId == caller.WorkspaceId && (p.Name == name || p.Id == id),
            context.RequestAborted
        );
        if (known is not null && context.Request.Query.Bool("upsert") != true)
        {
            return Conflict(name);
        }

        var project =
            known
            ?? new Project
            {
                Id = id,
                WorkspaceId = caller.WorkspaceId,
                Name = name,
                StartTime = json.Time("start_time") ?? now,
                CreatedAt = now,
            };
        if (known is null)
        {
            project.RetentionDays = json.Has("reference_dataset_id")
                ? null
                : await Retention.DefaultAsync(db, caller.WorkspaceId, context.RequestAborted);
            db.Projects.Add(project);
        }

        Apply(project, json, now);
        if (json.Id("reference_dataset_id") is { } dataset && project.ReferenceDatasetId != dataset)
        {
            if (
                !await db.Datasets.AnyAsync(
                    d => d.WorkspaceId == caller.WorkspaceId && d.Id == dataset,
                    context.RequestAborted
                )
            )
            {
                return Errors.NotFound("Dataset");
            }

            project.ReferenceDatasetId = dataset;
            project.ExperimentNumber =
                1
                + await db.Projects.CountAsync(
                    p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == dataset,
                    context.RequestAborted
                );
        }

        if (
            known is null
            && !await ResourceTaggings.TryAddAsync(
                db,
                new ResourceTagging
                {
                    WorkspaceId = caller.WorkspaceId,
                    ResourceType = project.ReferenceDatasetId is null ? "project" : "experiment",
                    ResourceId = project.Id,
                    CreatedAt = now,
                },
                json.Uuids("tag_value_ids"),
                context.RequestAborted
            )
        )
        {
            return Errors.NotFound("Tag value");
        }

        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
        }
        catch (DbUpdateException)
        {
            return Conflict(name);
        }

        return WireResult.Json(w => SessionOut.Write(w, project, null));
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var list = new SessionList(context.Caller(), context.Request.Query, db, queries);
        var (page, total) = await list.ReadAsync(context.RequestAborted);
        context.Response.Headers["X-Pagination-Total"] = total.ToString(
            CultureInfo.InvariantCulture
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var (project, figures) in page)
            {
                SessionOut.Write(w, project, figures);
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
        if (await FindAsync(db, context, id) is not { } project)
        {
            return Errors.NotFound("Session");
        }

        var list = new SessionList(context.Caller(), context.Request.Query, db, queries);
        var figures =
            context.Request.Query.Bool("include_stats") == false
                ? null
                : (await list.FiguresAsync([project], context.RequestAborted))[id];
        return WireResult.Json(w => SessionOut.Write(w, project, figures));
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
        var json = document.AsObject();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } project)
        {
            return Errors.NotFound("Session");
        }

        if (json.Field("name").IsSaid() && !IsName(json.Text("name")))
        {
            return BadName();
        }

        project.Name = json.Text("name") ?? project.Name;
        Apply(project, json, time.GetUtcNow());
        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
        }
        catch (DbUpdateException)
        {
            return Conflict(project.Name);
        }

        directory.Forget(project.WorkspaceId, project.Id);
        return WireResult.Json(w => SessionOut.Write(w, project, null));
    }

    /// <summary>The most frequent values of each metadata key of the project's runs, from what the facets keep.</summary>
    private static async Task<IResult> MetadataAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries
    )
    {
        const string Prefix = "metadata.";
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is null)
        {
            return Errors.NotFound("Session");
        }

        var asked = context.Request.Query;
        var keys = asked["metadata_keys"].OfType<string>().ToHashSet(StringComparer.Ordinal);
        var facets = await queries.FacetsAsync(
            context.Caller(),
            id,
            asked.Time("start_time"),
            null,
            asked.Int("k", 10, 1, 100),
            context.RequestAborted
        );
        return Results.Json(
            facets
                .Where(f => f.Name.StartsWith(Prefix, StringComparison.Ordinal))
                .Select(f => (Key: f.Name[Prefix.Length..], f.Values))
                .Where(f => keys.Count == 0 || keys.Contains(f.Key))
                .ToDictionary(f => f.Key, f => f.Values.Select(v => v.Value))
        );
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } project)
        {
            return Errors.NotFound("Session");
        }

        await RemoveAsync(context, db, project);
        return Results.Json(
            new { message = "Session deleted" },
            statusCode: StatusCodes.Status202Accepted
        );
    }

    private static async Task<IResult> DeleteManyAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var ids = context.Request.Query.Ids("session_ids");
        if (ids.Count == 0)
        {
            return Errors.Invalid("session_ids: must name at least one session");
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        var projects = await db
            .Projects.Where(p => p.WorkspaceId == workspace && ids.Contains(p.Id))
            .ToListAsync(context.RequestAborted);
        if (projects.Count < ids.Distinct().Count())
        {
            return Errors.NotFound("Session");
        }

        foreach (var project in projects)
        {
            await RemoveAsync(context, db, project);
        }

        return Results.Json(
            new { message = "Sessions deleted" },
            statusCode: StatusCodes.Status202Accepted
        );
    }

    private static async Task RemoveAsync(HttpContext context, MetadataContext db, Project project)
    {
        var services = context.RequestServices;
        var store = services.GetRequiredService<IRunStore>();
        db.Projects.Remove(project);
        await db.SaveChangesAsync(context.RequestAborted);
        services.GetRequiredService<ProjectDirectory>().Forget(project.WorkspaceId, project.Id);
        await store.SettleAsync(context.RequestAborted);
        // The project is gone already: its runs go too, whether the client waits for it or not.
        await store.DeleteProjectRunsAsync(project.WorkspaceId, project.Id, CancellationToken.None);
        await services
            .GetRequiredService<ExperimentLog>()
            .DropAsync(project.WorkspaceId, project.Id, CancellationToken.None);
        await services
            .GetRequiredService<ExperimentArtifacts>()
            .DropAsync(project.WorkspaceId, project.Id, CancellationToken.None);
        await services
            .GetRequiredService<ShareLinks>()
            .DropAsync(project.WorkspaceId, [], [], project.Id, context.RequestAborted);
    }

    /// <summary>Null means "leave as it is"; extra replaces, because clients send it merged.</summary>
    private static void Apply(Project project, JsonElement json, DateTimeOffset now)
    {
        project.Description = json.Text("description") ?? project.Description;
        project.ExtraJson = json.RawObject("extra") ?? project.ExtraJson;
        project.EndTime = json.Time("end_time") ?? project.EndTime;
        project.DefaultDatasetId = json.Id("default_dataset_id") ?? project.DefaultDatasetId;
        project.ModifiedAt = now;
    }

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= ProjectDirectory.MaxNameLength };

    private static IResult BadName() =>
        Errors.Invalid($"name: must have 1 to {ProjectDirectory.MaxNameLength} characters");

    private static IResult Conflict(string name) =>
        Errors.Detail(
            StatusCodes.Status409Conflict,
            $"Session with name '{name}' or that id already exists"
        );

    private static Task<Project?> FindAsync(MetadataContext db, HttpContext context, Guid id)
    {
        var workspace = context.Caller().WorkspaceId;
        return db.Projects.FirstOrDefaultAsync(
            p => p.WorkspaceId == workspace && p.Id == id,
            context.RequestAborted
        );
    }
}
