using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>Commits and directories of the hub on LangSmith's wire.</summary>
internal static class CommitEndpoints
{
    private const string Commits = "/api/v1/commits/{owner}/{repo}";
    private const string Directories = "/api/v1/platform/hub/repos/{owner}/{repo}/directories";

    public static void MapCommits(this IEndpointRouteBuilder app)
    {
        app.MapGet(Commits, ListAsync).Needs(Permission.Read);
        app.MapPost(Commits, CommitAsync).Needs(Permission.Write);
        app.MapGet(Commits + "/{reference}", PullAsync).Needs(Permission.Read);
        app.MapGet(Directories, DirectoryAsync).Needs(Permission.Read);
        app.MapDelete(Directories, DeleteDirectoryAsync).Needs(Permission.Delete);
        app.MapPost(Directories + "/commits", CommitDirectoryAsync).Needs(Permission.Write);
    }

    private static async Task<IResult> ListAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHistory history
    )
    {
        var (limit, offset) = PromptEndpoints.Page(context.Request.Query);
        var (prompt, commits, total) = await history.ListAsync(
            context.Caller(),
            new(owner, repo),
            context.Request.Query["tag"],
            limit,
            offset,
            context.RequestAborted
        );
        var hashes = await history.HashesAsync(
            context.Caller(),
            new(owner, repo),
            [.. commits.Select(c => c.ParentId).OfType<Guid>()],
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("commits");
            foreach (var commit in commits)
            {
                Write(
                    w,
                    prompt,
                    commit,
                    commit.ParentId is { } parent ? hashes.GetValueOrDefault(parent) : null,
                    owner
                );
            }

            w.WriteEndArray();
            w.WriteNumber("total", total);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> CommitAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHistory history
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var (prompt, commit, parent) = await history.CommitAsync(
            context.Caller(),
            new(owner, repo),
            json.Field("manifest"),
            json.Text("parent_commit"),
            json.Text("description"),
            TagEndpoints.Skip(json),
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("commit");
            Write(w, prompt, commit, parent, owner);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> PullAsync(
        string owner,
        string repo,
        string reference,
        HttpContext context,
        PromptHistory history,
        PromptIncludes includes
    )
    {
        var (commit, isTrial) = await history.PullAsync(
            context.Caller(),
            new(owner, repo),
            reference,
            context.Request.Headers["X-Assay-Rollout-Key"] is [{ Length: > 0 } given]
                ? given
                : context.Request.Query["rollout_key"],
            context.RequestAborted
        );
        if (isTrial is { } trial)
        {
            context.Response.Headers["X-Assay-Rollout"] = trial ? "trial" : "stable";
        }

        using var stored = JsonDocument.Parse(commit.Manifest);
        var (manifest, included) = string.Equals(
            context.Request.Query["resolve_includes"],
            "false",
            StringComparison.OrdinalIgnoreCase
        )
            ? (stored.RootElement, [])
            : await includes.ResolveAsync(
                context.Caller(),
                new(owner, repo),
                stored.RootElement,
                context.RequestAborted
            );
        var withModel = string.Equals(
            context.Request.Query["include_model"],
            "true",
            StringComparison.OrdinalIgnoreCase
        );
        var shown = (withModel ? manifest : PromptManifest.WithoutModel(manifest)).GetRawText();
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteString("commit_hash", commit.Hash);
            w.WriteJson("manifest", shown);
            w.WriteStartArray("examples");
            w.WriteEndArray();
            w.WriteString("description", commit.Description);
            w.WriteBoolean("is_draft", false);
            if (included.Count > 0)
            {
                w.WriteStartArray("includes");
                foreach (var (name, hash) in included)
                {
                    w.WriteStartObject();
                    w.WriteString("name", name);
                    w.WriteString("commit_hash", hash);
                    w.WriteEndObject();
                }

                w.WriteEndArray();
            }

            w.WriteEndObject();
        });
    }

    private static async Task<IResult> DirectoryAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptDirectories directories
    )
    {
        var (commit, files) = await directories.GetAsync(
            context.Caller(),
            new(owner, repo),
            context.Request.Query["commit"],
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                commit_id = commit.Id,
                commit_hash = commit.Hash,
                files,
            }
        );
    }

    private static async Task<IResult> CommitDirectoryAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptDirectories directories
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var commit = await directories.CommitAsync(
            context.Caller(),
            new(owner, repo),
            json.Field("files"),
            json.Text("parent_commit"),
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                commit = new
                {
                    id = commit.Id,
                    commit_hash = commit.Hash,
                    created_at = Wire.Time(commit.CreatedAt),
                },
            },
            statusCode: StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> DeleteDirectoryAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptDirectories directories
    )
    {
        await directories.DeleteAsync(context.Caller(), new(owner, repo), context.RequestAborted);
        return Results.NoContent();
    }

    private static void Write(
        Utf8JsonWriter w,
        Prompt prompt,
        PromptCommit commit,
        string? parentHash,
        string owner
    )
    {
        w.WriteStartObject();
        w.WriteString("id", commit.Id);
        w.WriteString("commit_hash", commit.Hash);
        w.WriteId("parent_id", commit.ParentId);
        w.WriteString("parent_commit_hash", parentHash);
        w.WriteString("repo_id", commit.PromptId);
        w.WriteString("manifest_id", commit.Id);
        w.WriteString("full_name", $"{owner}/{prompt.Handle}");
        w.WriteJson("manifest", commit.Manifest);
        w.WriteString("description", commit.Description);
        w.WriteIds("example_run_ids", []);
        w.WriteNumber("num_downloads", commit.Downloads);
        w.WriteNumber("num_views", 0);
        w.WriteTime("created_at", commit.CreatedAt);
        w.WriteTime("updated_at", commit.CreatedAt);
        w.WriteEndObject();
    }
}
