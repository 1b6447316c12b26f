using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Assay.UI.Layout;

/// <summary>What the command palette finds beyond the pages it knows: projects, prompts and evaluators by name, runs and traces by id.</summary>
internal static class PaletteEndpoints
{
    private const int MaxProjects = 12;
    private const int MaxPrompts = 8;

    public static void MapPalette(this IEndpointRouteBuilder ui) =>
        ui.MapGet("/palette", FindAsync);

    private static async Task<IResult> FindAsync(
        string? q,
        IDbContextFactory<MetadataContext> metadata,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        var text = q?.Trim() ?? "";
        var found = new List<Hit>();
        if (
            Guid.TryParse(text, out var id)
            && await queries.FindAsync(caller.Value, id, null, RunParts.None, caller.Aborted)
                is { } run
        )
        {
            found.Add(new Hit(run.Name, $"/r/{id}", "Run", "list", run.Model));
        }

        var workspace = caller.Value.WorkspaceId;
        var lower = text.ToLowerInvariant();
        await using var db = await metadata.CreateDbContextAsync(caller.Aborted);
        var projects = await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == workspace && p.ReferenceDatasetId == null)
#pragma warning disable CA1304, CA1311, CA1862, MA0011 // Translated to SQL's lower(), which knows no cultures.
            .Where(p => p.Name.ToLower().Contains(lower))
#pragma warning restore CA1304, CA1311, CA1862, MA0011
            .OrderByDescending(p => p.StartTime)
            .Take(MaxProjects)
            .ToListAsync(caller.Aborted);
        found.AddRange(
            projects.Select(p => new Hit(p.Name, $"/projects/{p.Id}", "Projects", "runs", null))
        );
        var prompts = await db
            .Prompts.AsNoTracking()
            .Where(p => p.WorkspaceId == workspace && !p.IsArchived)
#pragma warning disable CA1304, CA1311, CA1862, MA0011 // Translated to SQL's lower(), which knows no cultures.
            .Where(p => p.Handle.ToLower().Contains(lower))
#pragma warning restore CA1304, CA1311, CA1862, MA0011
            .OrderByDescending(p => p.UpdatedAt)
            .Take(MaxPrompts)
            .Select(p => p.Handle)
            .ToListAsync(caller.Aborted);
        found.AddRange(
            prompts.Select(p => new Hit(
                p,
                $"/prompts/{Uri.EscapeDataString(p)}",
                "Prompts",
                "prompt",
                null
            ))
        );
        var evaluators = await db
            .Evaluators.AsNoTracking()
            .Where(e => e.WorkspaceId == workspace)
#pragma warning disable CA1304, CA1311, CA1862, MA0011 // Translated to SQL's lower(), which knows no cultures.
            .Where(e => e.Name.ToLower().Contains(lower))
#pragma warning restore CA1304, CA1311, CA1862, MA0011
            .OrderBy(e => e.Name)
            .Take(MaxProjects)
            .Select(e => new
            {
                e.Id,
                e.Name,
                e.FeedbackKey,
            })
            .ToListAsync(caller.Aborted);
        found.AddRange(
            evaluators.Select(e => new Hit(
                e.Name,
                $"/evaluators/{e.Id}",
                "Evaluators",
                "pct",
                e.FeedbackKey
            ))
        );
        return Results.Json(found);
    }

    private sealed record Hit(string Title, string Href, string Group, string Mark, string? Note);
}
