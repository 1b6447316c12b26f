using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>
/// Tags of prompts on LangSmith's wire; requests for protected tags, roll-outs by share and the list of protected tags are ours. A change of a
/// protected tag is answered with 202 and the request that waits.
/// </summary>
internal static class TagEndpoints
{
    private const int MaxRequests = 200;
    private const string Repo = "/api/v1/repos/{owner}/{repo}";
    private const string Tags = Repo + "/tags";

    public static void MapPromptTags(this IEndpointRouteBuilder app)
    {
        app.MapGet(Tags, TagsAsync).Needs(Permission.Read);
        app.MapPost(Tags, CreateAsync).Needs(Permission.Write);
        app.MapGet(Tags + "/{name}", TagAsync).Needs(Permission.Read);
        app.MapPatch(Tags + "/{name}", MoveAsync).Needs(Permission.Write);
        app.MapDelete(Tags + "/{name}", DeleteAsync).Needs(Permission.Write);
        app.MapPut(Tags + "/{name}/rollout", RollOutAsync).Needs(Permission.Write);
        app.MapDelete(Tags + "/{name}/rollout", EndRolloutAsync).Needs(Permission.Write);
        app.MapGet(Repo + "/rollouts", RolloutsAsync).Needs(Permission.Read);
        app.MapGet(Repo + "/tag-requests", RequestsAsync).Needs(Permission.Read);
        app.MapPost(Repo + "/tag-requests/{id:guid}/approve", ApproveAsync)
            .Needs(Permission.Manage);
        app.MapPost(Repo + "/tag-requests/{id:guid}/reject", RejectAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/hub/protected-tags", ProtectedAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/hub/protected-tags", ProtectAsync).Needs(Permission.Manage);
    }

    /// <summary>Which webhooks a body asks not to tell: true for all, or a list of ids.</summary>
    internal static WebhookSkip Skip(JsonElement json) =>
        json.Field("skip_webhooks").ValueKind switch
        {
            JsonValueKind.True => new WebhookSkip(true, []),
            JsonValueKind.Array => new WebhookSkip(false, json.Ids("skip_webhooks")),
            _ => WebhookSkip.None,
        };

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

    private static async Task<IResult> CreateAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptTags tags
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        return await SetAsync(new(owner, repo), json.Text("tag_name") ?? "", json, context, tags);
    }

    private static async Task<IResult> MoveAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var all = await tags.TagsAsync(context.Caller(), new(owner, repo), context.RequestAborted);
        return all.Any(t => t.Tag.Name == name)
            ? await SetAsync(new(owner, repo), name, document.AsObject(), context, tags)
            : Errors.NotFound("Tag");
    }

    private static async Task<IResult> SetAsync(
        PromptKey key,
        string name,
        JsonElement json,
        HttpContext context,
        PromptTags tags
    )
    {
        var change = await tags.SetTagAsync(
            context.Caller(),
            key,
            name,
            json.Id("commit_id") ?? throw new InvalidPromptException("commit_id: is required"),
            Skip(json),
            context.RequestAborted
        );
        return change.Request is { } request
            ? Waits(request, change.Hash)
            : Results.Json(Tag(change.Tag!, change.Hash!));
    }

    private static async Task<IResult> DeleteAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptTags tags
    ) =>
        await tags.RemoveTagAsync(
            context.Caller(),
            new(owner, repo),
            name,
            context.RequestAborted
        ) switch
        {
            null => Errors.NotFound("Tag"),
            { Request: { } request } => Waits(request, null),
            _ => Results.Json(new { message = "Tag deleted" }),
        };

    private static async Task<IResult> RolloutsAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptRollouts rollouts
    ) =>
        Results.Json(
            (
                await rollouts.ListAsync(context.Caller(), new(owner, repo), context.RequestAborted)
            ).Select(r => new
            {
                tag_name = r.Rollout.Name,
                commit_id = r.Rollout.CommitId,
                commit_hash = r.Hash,
                percent = r.Rollout.Percent,
                set_by = r.Rollout.SetBy,
                updated_at = Wire.Time(r.Rollout.UpdatedAt),
            })
        );

    private static async Task<IResult> RollOutAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptRollouts rollouts
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        return await SetRolloutAsync(
            new(owner, repo),
            name,
            json.Id("commit_id"),
            json.Field("percent") is { ValueKind: JsonValueKind.Number } percent
                ? percent.GetDouble()
                : throw new InvalidPromptException("percent: must be a number"),
            context,
            rollouts
        );
    }

    private static Task<IResult> EndRolloutAsync(
        string owner,
        string repo,
        string name,
        HttpContext context,
        PromptRollouts rollouts
    ) => SetRolloutAsync(new(owner, repo), name, null, 0, context, rollouts);

    private static async Task<IResult> SetRolloutAsync(
        PromptKey key,
        string name,
        Guid? commitId,
        double percent,
        HttpContext context,
        PromptRollouts rollouts
    ) =>
        await rollouts.SetAsync(
            context.Caller(),
            key,
            name,
            commitId,
            percent,
            context.RequestAborted
        )
            is { } request
            ? Waits(request, null)
            : Results.Json(
                new
                {
                    tag_name = name,
                    commit_id = commitId,
                    percent,
                }
            );

    private static async Task<IResult> RequestsAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptTagRequests requests
    ) =>
        Results.Json(
            (
                await requests.ListAsync(
                    context.Caller(),
                    new(owner, repo),
                    MaxRequests,
                    context.RequestAborted
                )
            ).Select(r => Request(r.Request, r.Hash))
        );

    private static Task<IResult> ApproveAsync(
        string owner,
        string repo,
        Guid id,
        HttpContext context,
        PromptTagRequests requests
    ) => DecideAsync(new(owner, repo), id, true, context, requests);

    private static Task<IResult> RejectAsync(
        string owner,
        string repo,
        Guid id,
        HttpContext context,
        PromptTagRequests requests
    ) => DecideAsync(new(owner, repo), id, false, context, requests);

    private static async Task<IResult> DecideAsync(
        PromptKey key,
        Guid id,
        bool isApproved,
        HttpContext context,
        PromptTagRequests requests
    ) =>
        Results.Json(
            Request(
                await requests.DecideAsync(
                    context.Caller(),
                    key,
                    id,
                    isApproved,
                    context.RequestAborted
                ),
                null
            )
        );

    private static async Task<IResult> ProtectedAsync(HttpContext context, HubRules rules) =>
        Results.Json(
            new
            {
                tags = (
                    await rules.GetAsync(context.Caller(), context.RequestAborted)
                ).ProtectedTags,
            }
        );

    private static async Task<IResult> ProtectAsync(HttpContext context, HubRules rules)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var settings = await rules.UpdateAsync(
            context.Caller(),
            null,
            document.AsObject().Texts("tags"),
            context.RequestAborted
        );
        return Results.Json(new { tags = settings.ProtectedTags });
    }

    private static IResult Waits(PromptTagRequest request, string? hash) =>
        Results.Json(Request(request, hash), statusCode: StatusCodes.Status202Accepted);

    private static object Request(PromptTagRequest request, string? hash) =>
        new
        {
            id = request.Id,
            repo_id = request.PromptId,
            tag_name = request.Name,
            commit_id = request.CommitId,
            commit_hash = hash,
            percent = request.Percent,
            status = request.State switch
            {
                TagRequestState.Approved => "approved",
                TagRequestState.Rejected => "rejected",
                _ => "pending_approval",
            },
            requested_by = request.RequestedBy,
            created_at = Wire.Time(request.RequestedAt),
            decided_by = request.DecidedBy,
            updated_at = Wire.Time(request.DecidedAt ?? request.RequestedAt),
        };

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
}
