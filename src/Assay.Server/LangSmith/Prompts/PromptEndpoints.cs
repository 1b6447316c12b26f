using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>The hub on LangSmith's wire: repositories, likes and comments. Commits and tags are <see cref="CommitEndpoints"/>.</summary>
internal static class PromptEndpoints
{
    private const int MaxDeletions = 100;
    private const string Repo = "/api/v1/repos/{owner}/{repo}";

    public static void MapPrompts(this IEndpointRouteBuilder routes)
    {
        var app = routes.MapRepositories();
        app.MapGet("/api/v1/repos", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/repos/tags", TopicsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/repos", CreateAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/repos", DeleteManyAsync).Needs(Permission.Delete);
        app.MapGet(Repo, GetAsync).Needs(Permission.Read);
        app.MapPatch(Repo, UpdateAsync).Needs(Permission.Write);
        app.MapDelete(Repo, DeleteAsync).Needs(Permission.Delete);
        app.MapPost(Repo + "/fork", ForkAsync).Needs(Permission.Write);
        app.MapPost("/api/v1/likes/{owner}/{repo}", LikeAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/comments/{owner}/{repo}", CommentsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/comments/{owner}/{repo}", CommentAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/comments/{owner}/{repo}/{parent:guid}", CommentsAsync)
            .Needs(Permission.Read);
        app.MapPost("/api/v1/comments/{owner}/{repo}/{parent:guid}", CommentAsync)
            .Needs(Permission.Write);
        app.MapPost("/api/v1/comments/{owner}/{repo}/{parent:guid}/like", LikeCommentAsync)
            .Needs(Permission.Read);
        app.MapDelete("/api/v1/comments/{owner}/{repo}/{parent:guid}/like", UnlikeCommentAsync)
            .Needs(Permission.Read);
        app.MapPromptTags();
        app.MapPromptOwners();
        app.MapPromptWebhooks();
        var versions = routes.MapVersions();
        versions.MapCommits();
        versions.MapHubEnvironments();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        PromptHub hub,
        PromptHistory history
    )
    {
        var (items, total) = await hub.ListAsync(
            context.Caller(),
            Query(context.Request.Query),
            context.RequestAborted
        );
        var heads = new Dictionary<Guid, PromptCommit>();
        if (context.Request.Query.Flag("with_latest_manifest") == true)
        {
            heads = (
                await history.HeadsAsync(
                    context.Caller(),
                    [.. items.Select(i => i.Prompt.Id)],
                    context.RequestAborted
                )
            ).ToDictionary(c => c.PromptId);
        }

        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("repos");
            foreach (var item in items)
            {
                Write(w, item, heads.GetValueOrDefault(item.Prompt.Id));
            }

            w.WriteEndArray();
            w.WriteNumber("total", total);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> TopicsAsync(HttpContext context, PromptHub hub)
    {
        var (items, _) = await hub.ListAsync(
            context.Caller(),
            Query(context.Request.Query) with
            {
                Offset = 0,
                Limit = int.MaxValue,
            },
            context.RequestAborted
        );
        var (limit, offset) = Page(context.Request.Query);
        return Results.Json(
            new
            {
                tags = items
                    .SelectMany(i => i.Prompt.Topics)
                    .CountBy(t => t)
                    .OrderByDescending(t => t.Value)
                    .ThenBy(t => t.Key, StringComparer.Ordinal)
                    .Skip(offset)
                    .Take(limit)
                    .Select(t => new { tag = t.Key, count = t.Value }),
            }
        );
    }

    private static async Task<IResult> CreateAsync(HttpContext context, PromptHub hub)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var listing = await hub.CreateAsync(
            context.Caller(),
            Draft(document.AsObject()),
            context.RequestAborted
        );
        return Wrapped(listing);
    }

    private static async Task<IResult> GetAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHub hub
    ) => Wrapped(await hub.GetAsync(context.Caller(), new(owner, repo), context.RequestAborted));

    private static async Task<IResult> UpdateAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHub hub
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        return Wrapped(
            await hub.UpdateAsync(
                context.Caller(),
                new(owner, repo),
                new PromptChange(
                    json.Text("description"),
                    json.Text("readme"),
                    json.Field("tags").IsSaid() ? json.Texts("tags") : null,
                    json.Bool("is_public"),
                    json.Bool("is_archived"),
                    json.Bool("restricted_mode")
                ),
                context.RequestAborted
            )
        );
    }

    private static async Task<IResult> DeleteAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHub hub
    )
    {
        await hub.DeleteAsync(context.Caller(), new(owner, repo), context.RequestAborted);
        // The JavaScript client parses the answer, so it needs a body.
        return Results.Json(new { message = "Prompt deleted" });
    }

    /// <summary>Several at once by <c>repo_ids</c>: 200 when all are gone, 207 when some could not be deleted.</summary>
    private static async Task<IResult> DeleteManyAsync(HttpContext context, PromptHub hub)
    {
        var given = context.Request.Query["repo_ids"].OfType<string>().ToList();
        if (given.Count is 0 or > MaxDeletions)
        {
            throw new InvalidPromptException($"repo_ids: 1 to {MaxDeletions} are needed");
        }

        var ids = given.Select(text =>
            Guid.TryParse(text, out var id)
                ? id
                : throw new InvalidPromptException($"repo_ids: '{text}' is not a UUID")
        );
        var results = await hub.DeleteManyAsync(context.Caller(), [.. ids], context.RequestAborted);
        return Results.Json(
            new
            {
                deleted = results.Where(r => r.Problem is null).Select(r => r.Id),
                failed = results
                    .Where(r => r.Problem is not null)
                    .Select(r => new
                    {
                        id = r.Id,
                        repo_handle = r.Handle,
                        error = r.Problem,
                    }),
            },
            statusCode: results.All(r => r.Problem is null)
                ? StatusCodes.Status200OK
                : StatusCodes.Status207MultiStatus
        );
    }

    private static async Task<IResult> ForkAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHub hub
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return Wrapped(
            await hub.ForkAsync(
                context.Caller(),
                new(owner, repo),
                Draft(document.AsObject()),
                context.RequestAborted
            )
        );
    }

    private static async Task<IResult> LikeAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptHub hub
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var like =
            document.AsObject().Bool("like")
            ?? throw new InvalidPromptException("like: must be true or false");
        return Results.Json(
            new
            {
                likes = await hub.LikeAsync(
                    context.Caller(),
                    new(owner, repo),
                    like,
                    context.RequestAborted
                ),
            }
        );
    }

    private static async Task<IResult> CommentsAsync(
        string owner,
        string repo,
        Guid? parent,
        HttpContext context,
        PromptComments comments
    )
    {
        var (limit, offset) = Page(context.Request.Query);
        var (items, total) = await comments.ListAsync(
            context.Caller(),
            new(owner, repo),
            parent,
            limit,
            offset,
            context.RequestAborted
        );
        var figures = await comments.FiguresAsync(
            context.Caller(),
            [.. items.Select(c => c.Id)],
            context.RequestAborted
        );
        return Results.Json(new { comments = items.Select(c => Comment(c, figures[c.Id])), total });
    }

    private static async Task<IResult> CommentAsync(
        string owner,
        string repo,
        Guid? parent,
        HttpContext context,
        PromptComments comments
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var comment = await comments.AddAsync(
            context.Caller(),
            new(owner, repo),
            parent,
            document.AsObject().Text("content") ?? "",
            context.RequestAborted
        );
        return Results.Json(Comment(comment, default));
    }

    internal static (int Limit, int Offset) Page(IQueryCollection query, int usual = 20)
    {
        // Beyond their bounds they are moved to the nearest, not refused: clients ask for whole pages of a thousand.
        return (query.Whole("limit", usual, 1, 100), query.Whole("offset", 0, 0, int.MaxValue));
    }

    private static Task<IResult> LikeCommentAsync(
        string owner,
        string repo,
        Guid parent,
        HttpContext context,
        PromptComments comments
    ) => SetCommentLikeAsync(new(owner, repo), parent, true, context, comments);

    private static Task<IResult> UnlikeCommentAsync(
        string owner,
        string repo,
        Guid parent,
        HttpContext context,
        PromptComments comments
    ) => SetCommentLikeAsync(new(owner, repo), parent, false, context, comments);

    private static async Task<IResult> SetCommentLikeAsync(
        PromptKey key,
        Guid comment,
        bool like,
        HttpContext context,
        PromptComments comments
    ) =>
        Results.Json(
            new
            {
                likes = await comments.LikeAsync(
                    context.Caller(),
                    key,
                    comment,
                    like,
                    context.RequestAborted
                ),
            }
        );

    private static object Comment(
        PromptComment comment,
        (int Likes, bool IsLiked, int Answers) figures
    ) =>
        new
        {
            id = comment.Id,
            comment_by = comment.ActorId,
            comment_by_name = comment.Author,
            comment_on = comment.PromptId,
            parent_id = comment.ParentId,
            content = comment.Content,
            created_at = Wire.Time(comment.CreatedAt),
            updated_at = Wire.Time(comment.CreatedAt),
            num_sub_comments = figures.Answers,
            num_likes = figures.Likes,
            liked_by_auth_user = figures.IsLiked,
        };

    private static PromptListQuery Query(IQueryCollection query)
    {
        var (limit, offset) = Page(query);
        switch (query.Word("source"))
        {
            case null or "internal":
                break;
            case "external":
                // Everything here was made here.
                return new PromptListQuery { Kinds = [] };
            default:
                throw BodyFields.Wrong("source", "internal or external");
        }

        string[] kinds = [.. query["repo_type"].Concat(query["repo_types"]).OfType<string>()];
        return new PromptListQuery
        {
            Kinds = kinds.Length == 0 ? [PromptKind.Prompt] : [.. kinds.Select(Kind)],
            IsPublic = query.Flag("is_public"),
            // "allow" means both, nothing means what is not archived.
            IsArchived = query["is_archived"].ToString() switch
            {
                "allow" => null,
                _ => query.Flag("is_archived") ?? false,
            },
            HasCommits = query.Flag("has_commits"),
            OwnerHandle = query.Word("tenant_handle"),
            OwnerId = query.Id("tenant_id"),
            TagValues = query.Uuids("tag_value_id"),
            ForkedFrom = query["upstream_repo_handle"] is [{ Length: > 0 } upstream]
                ? new(
                    query["upstream_repo_owner"] is [{ Length: > 0 } of] ? of : PromptHub.Self,
                    upstream
                )
                : null,
            Text = query.Word("query"),
            IsPrefix = query.Flag("match_prefix") == true,
            Topics = query.Words("tags"),
            SortField = query.Word("sort_field") switch
            {
                null or "updated_at" => PromptSort.Updated,
                "num_downloads" => PromptSort.Downloads,
                "num_views" => PromptSort.Views,
                "num_likes" => PromptSort.Likes,
                "relevance" => PromptSort.Relevance,
                _ => throw BodyFields.Wrong(
                    "sort_field",
                    "num_likes, num_downloads, num_views, updated_at or relevance"
                ),
            },
            IsDescending = query.Word("sort_direction") switch
            {
                null or "desc" => true,
                "asc" => false,
                _ => throw BodyFields.Wrong("sort_direction", "asc or desc"),
            },
            Limit = limit,
            Offset = offset,
        };
    }

    private static PromptDraft Draft(JsonElement json) =>
        new(
            json.Text("repo_handle") ?? throw new InvalidPromptException("repo_handle: is required")
        )
        {
            Kind = Kind(json.Text("repo_type") ?? "prompt"),
            Description = json.Text("description"),
            Readme = json.Text("readme"),
            Topics = json.Field("tags").IsSaid() ? json.Texts("tags") : null,
            IsPublic = json.Bool("is_public") ?? false,
            IsRestricted = json.Bool("restricted_mode") ?? false,
        };

    private static PromptKind Kind(string text) =>
        text switch
        {
            "prompt" => PromptKind.Prompt,
            "file" => PromptKind.File,
            "agent" => PromptKind.Agent,
            "skill" => PromptKind.Skill,
            _ => throw new InvalidPromptException(
                "repo_type: must be prompt, file, agent or skill"
            ),
        };

    private static IResult Wrapped(PromptListing listing) =>
        WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("repo");
            Write(w, listing);
            w.WriteEndObject();
        });

    private static void Write(Utf8JsonWriter w, PromptListing listing, PromptCommit? head = null)
    {
        var prompt = listing.Prompt;
        w.WriteStartObject();
        w.WriteString("id", prompt.Id);
        w.WriteString("repo_handle", prompt.Handle);
        w.WriteString("tenant_id", prompt.WorkspaceId);
        w.WriteString("owner", listing.OwnerHandle);
        w.WriteString("full_name", $"{listing.OwnerHandle}/{prompt.Handle}");
        w.WriteString("description", prompt.Description);
        w.WriteString("readme", prompt.Readme);
        w.WriteString("repo_type", Name(prompt.Kind));
        w.WriteString("source", "internal");
        w.WriteBoolean("is_public", prompt.IsPublic);
        w.WriteBoolean("is_archived", prompt.IsArchived);
        w.WriteBoolean("restricted_mode", prompt.IsRestricted);
        w.WriteTexts("tags", prompt.Topics);
        w.WriteTexts("commit_tags", listing.Tags);
        w.WriteId("original_repo_id", prompt.ForkedFromId);
        w.WriteId("upstream_repo_id", prompt.ForkedFromId);
        w.WriteString("original_repo_full_name", listing.ForkedFrom);
        w.WriteString("upstream_repo_full_name", listing.ForkedFrom);
        w.WriteNumber("num_likes", listing.Likes);
        w.WriteNumber("num_downloads", prompt.Downloads);
        w.WriteNumber("num_views", prompt.Views);
        w.WriteBoolean("liked_by_auth_user", listing.IsLiked);
        w.WriteString("last_commit_hash", listing.HeadHash);
        w.WriteNumber("num_commits", prompt.CommitCount);
        // Who the members of another workspace are is theirs to know.
        w.WriteString("created_by", listing.IsOwn ? prompt.CreatedBy : null);
        w.WriteTime("created_at", prompt.CreatedAt);
        w.WriteTime("updated_at", prompt.UpdatedAt);
        if (head is null)
        {
            w.WriteNull("latest_commit_manifest");
        }
        else
        {
            w.WriteStartObject("latest_commit_manifest");
            w.WriteString("commit_hash", head.Hash);
            w.WriteJson("manifest", head.Manifest);
            w.WriteStartArray("examples");
            w.WriteEndArray();
            w.WriteEndObject();
        }

        w.WriteEndObject();
    }

    private static string Name(PromptKind kind) =>
        kind switch
        {
            PromptKind.File => "file",
            PromptKind.Agent => "agent",
            PromptKind.Skill => "skill",
            _ => "prompt",
        };
}
