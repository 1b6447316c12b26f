using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>Commits, tags and directories of the hub on LangSmith's wire.</summary>
internal static class CommitEndpoints
{
    private const string Commits = "/api/v1/commits/{owner}/{repo}";
    private const string Tags = "/api/v1/repos/{owner}/{repo}/tags";
    private const string Directories = "/api/v1/platform/hub/repos/{owner}/{repo}/directories";

    public static void MapCommits(this IEndpointRouteBuilder app)
    {
        app.MapGet(Commits, ListAsync).Needs(Permission.Read);
        app.MapPost(Commits, CommitAsync).Needs(Permission.Write);
        app.MapGet(Commits + "/{reference}", PullAsync).Needs(Permission.Read);
        app.MapGet(Tags, TagsAsync).Needs(Permission.Read);
        app.MapPost(Tags, CreateTagAsync).Needs(Permission.Write);
        app.MapGet(Tags + "/{name}", TagAsync).Needs(Permission.Read);
        app.MapPatch(Tags + "/{name}", MoveTagAsync).Needs(Permission.Write);
        app.MapDelete(Tags + "/{name}", DeleteTagAsync).Needs(Permission.Write);
        app.MapGet(Tags + "/{name}/history", TagHistoryAsync).Needs(Permission.Read);
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
        // The parent of each commit is the next one of the list; of the last one it must be looked up by its number.
        var (_, older, _) =
            commits.Count == 0 || commits[^1].ParentId is null
                ? (prompt, [], 0)
                : await history.ListAsync(
                    context.Caller(),
                    new(owner, repo),
                    null,
                    1,
                    total - commits[^1].Number + 1,
                    context.RequestAborted
                );
        var hashes = commits.Concat(older).ToDictionary(c => c.Id, c => c.Hash);
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
        PromptHistory history
    )
    {
        var commit = await history.PullAsync(
            context.Caller(),
            new(owner, repo),
            reference,
            context.RequestAborted
        );
        using var manifest = JsonDocument.Parse(commit.Manifest);
        var withModel = string.Equals(
            context.Request.Query["include_model"],
            "true",
            StringComparison.OrdinalIgnoreCase
        );
        var shown = (
            withModel ? manifest.RootElement : PromptManifest.WithoutModel(manifest.RootElement)
        ).GetRawText();
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteString("commit_hash", commit.Hash);
            w.WriteJson("manifest", shown);
            w.WriteStartArray("examples");
            w.WriteEndArray();
            w.WriteString("description", commit.Description);
            w.WriteBoolean("is_draft", false);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> TagsAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptTags tags
    ) =>
        Results.Json(
            (
                await tags.TagsAsync(context.Caller(), new(owner, repo), context.RequestAborted)
            ).Select(t => Tag(t.Tag, t.Hash))
        );

    private static async Task<IResult> TagAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    )
    {
        var all = await tags.TagsAsync(context.Caller(), new(owner, repo), context.RequestAborted);
        return all.FirstOrDefault(t => t.Tag.Name == name) is { Tag: not null } tag
            ? Results.Json(Tag(tag.Tag, tag.Hash))
            : Errors.NotFound("Tag");
    }

    private static async Task<IResult> CreateTagAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptTags tags
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        return await SetAsync(
            new(owner, repo),
            json.Text("tag_name") ?? "",
            json.Id("commit_id"),
            context,
            tags
        );
    }

    private static async Task<IResult> MoveTagAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await SetAsync(
            new(owner, repo),
            name,
            document.AsObject().Id("commit_id"),
            context,
            tags
        );
    }

    private static async Task<IResult> SetAsync(
        PromptKey key,
        string name,
        Guid? commitId,
        HttpContext context,
        PromptTags tags
    )
    {
        var (tag, hash) = await tags.SetTagAsync(
            context.Caller(),
            key,
            name,
            commitId ?? throw new InvalidPromptException("commit_id: is required"),
            context.RequestAborted
        );
        return Results.Json(Tag(tag, hash));
    }

    private static async Task<IResult> DeleteTagAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    ) =>
        await tags.RemoveTagAsync(context.Caller(), new(owner, repo), name, context.RequestAborted)
            ? Results.Json(new { message = "Tag deleted" })
            : Errors.NotFound("Tag");

    private static async Task<IResult> TagHistoryAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    )
    {
        var (limit, offset) = PromptEndpoints.Page(context.Request.Query);
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
        PromptHub hub
    )
    {
        await hub.DeleteAsync(context.Caller(), new(owner, repo), context.RequestAborted);
        return Results.NoContent();
    }

    private static object Tag(PromptTag tag, string hash) =>
        new
        {
            id = tag.Id,
            repo_id = tag.PromptId,
            commit_id = tag.CommitId,
            commit_hash = hash,
            tag_name = tag.Name,
            created_at = Wire.Time(tag.CreatedAt),
            updated_at = Wire.Time(tag.UpdatedAt),
        };

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
