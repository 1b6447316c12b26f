using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Playground;
using Assay.Core.Prompts;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>Commits, histories of tags and directories of the hub on LangSmith's wire.</summary>
internal static class CommitEndpoints
{
    private const int MaxExamples = 5;
    private const string Commits = "/api/v1/commits/{owner}/{repo}";
    private const string Directories = "/api/v1/platform/hub/repos/{owner}/{repo}/directories";

    public static void MapCommits(this IEndpointRouteBuilder app)
    {
        app.MapGet(Commits, ListAsync).Needs(Permission.Read);
        app.MapPost(Commits, CommitAsync).Needs(Permission.Write);
        app.MapGet(Commits + "/{reference}", PullAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/repos/{owner}/{repo}/tags/{name}/history", HistoryAsync)
            .Needs(Permission.Read);
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
        var hasStats = context.Request.Query.Flag("include_stats") ?? true;
        var (prompt, commits, total) = await history.ListAsync(
            context.Caller(),
            new(owner, repo),
            context.Request.Query.Word("tag"),
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
                    context.Caller(),
                    hasStats
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
        return WireResult.Json(
            w =>
            {
                w.WriteStartObject();
                w.WritePropertyName("commit");
                Write(w, prompt, commit, parent, context.Caller());
                w.WriteEndObject();
            },
            StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> PullAsync(
        string owner,
        string repo,
        string reference,
        HttpContext context,
        PromptHistory history,
        PromptIncludes includes,
        PromptFigures figures
    )
    {
        var query = context.Request.Query;
        var optional = query.Word("include")?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        var (commit, isTrial) = await history.PullAsync(
            context.Caller(),
            new(owner, repo),
            reference,
            context.Request.Headers["X-Assay-Rollout-Key"] is [{ Length: > 0 } given]
                ? given
                : query.Word("rollout_key"),
            query.Flag("is_view") == true,
            context.RequestAborted
        );
        if (isTrial is { } trial)
        {
            context.Response.Headers["X-Assay-Rollout"] = trial ? "trial" : "stable";
        }

        using var stored = JsonDocument.Parse(commit.Manifest);
        var (manifest, included) =
            query.Flag("resolve_includes") == false
                ? (stored.RootElement, [])
                : await includes.ResolveAsync(
                    context.Caller(),
                    new(owner, repo),
                    stored.RootElement,
                    context.RequestAborted
                );
        var withModel = query.Flag("include_model") == true || optional.Contains("model");
        var shown = (withModel ? manifest : PromptManifest.WithoutModel(manifest)).GetRawText();
        var model =
            withModel && SerializedModel.Of(manifest) is { } serialized
                ? SerializedModel.Described(serialized)
                : null;
        IReadOnlyList<Run> examples =
            query.Flag("get_examples") == true
                ? await figures.NewestAsync(
                    context.Caller(),
                    commit.Hash,
                    MaxExamples,
                    context.RequestAborted
                )
                : [];
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteString("commit_hash", commit.Hash);
            w.WriteJson("manifest", shown);
            w.WriteStartArray("examples");
            foreach (var run in examples)
            {
                w.WriteStartObject();
                w.WriteString("id", run.Id);
                w.WriteString("session_id", run.ProjectId);
                w.WriteTime("start_time", run.StartTime);
                RunOut.Payload(w, "inputs", run, PayloadKind.Inputs, "{}");
                RunOut.Payload(w, "outputs", run, PayloadKind.Outputs, "null");
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteString("description", commit.Description);
            w.WriteBoolean("is_draft", false);
            if (model is { } parts)
            {
                w.WriteString("model_provider", parts.Provider);
                w.WriteJson("model_config", parts.Config.ToJsonString());
            }

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

    private static async Task<IResult> HistoryAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    )
    {
        var (limit, offset) = PromptEndpoints.Page(context.Request.Query, usual: 50);
        var (moves, total) = await tags.TagHistoryAsync(
            context.Caller(),
            new(owner, repo),
            name,
            limit,
            offset,
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                transitions = moves.Select(m => new
                {
                    id = m.Move.Id,
                    repo_id = m.Move.PromptId,
                    tag_name = m.Move.Name,
                    from_commit_id = m.Move.FromCommitId,
                    from_commit_hash = m.From,
                    to_commit_id = m.Move.ToCommitId,
                    to_commit_hash = m.To,
                    performed_by = m.Move.Actor,
                    performed_by_name = m.Move.Actor,
                    created_at = Wire.Time(m.Move.At),
                }),
                total,
            }
        );
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
        Caller caller,
        bool hasStats = true
    )
    {
        w.WriteStartObject();
        w.WriteString("id", commit.Id);
        w.WriteString("commit_hash", commit.Hash);
        w.WriteId("parent_id", commit.ParentId);
        w.WriteString("parent_commit_hash", parentHash);
        w.WriteString("repo_id", commit.PromptId);
        w.WriteString("manifest_id", commit.Id);
        // Who the members of another workspace are is theirs to know.
        w.WriteString("full_name", prompt.WorkspaceId == caller.WorkspaceId ? commit.Author : null);
        w.WriteJson("manifest", commit.Manifest);
        w.WriteStartArray("manifest_sha");
        foreach (var part in SHA256.HashData(Encoding.UTF8.GetBytes(commit.Manifest)))
        {
            w.WriteNumberValue(part);
        }

        w.WriteEndArray();
        w.WriteString("description", commit.Description);
        w.WriteIds("example_run_ids", []);
        w.WriteNumber("num_downloads", hasStats ? commit.Downloads : 0);
        w.WriteNumber("num_views", hasStats ? commit.Views : 0);
        w.WriteTime("created_at", commit.CreatedAt);
        w.WriteTime("updated_at", commit.CreatedAt);
        w.WriteEndObject();
    }
}
