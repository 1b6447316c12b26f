using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>Owners of prompts on LangSmith's wire.</summary>
internal static class OwnerEndpoints
{
    private const string Owners = "/api/v1/repos/{owner}/{repo}/owners";

    public static void MapPromptOwners(this IEndpointRouteBuilder app)
    {
        app.MapGet(Owners, ListAsync).Needs(Permission.Read);
        app.MapPost(Owners, AddAsync).Needs(Permission.Write);
        app.MapDelete(Owners, RemoveAsync).Needs(Permission.Write);
    }

    private static async Task<IResult> ListAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptOwners owners
    ) =>
        Results.Json(
            new
            {
                owners = (
                    await owners.ListAsync(
                        context.Caller(),
                        new(owner, repo),
                        context.RequestAborted
                    )
                ).Select(o => Owner(o.Owner, o.Member)),
            }
        );

    private static async Task<IResult> AddAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptOwners owners
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var (added, member) = await owners.AddAsync(
            context.Caller(),
            new(owner, repo),
            document.AsObject().Text("email")
                ?? throw new InvalidPromptException("email: is required"),
            context.RequestAborted
        );
        return Results.Json(Owner(added, member));
    }

    private static async Task<IResult> RemoveAsync(
        string owner,
        string repo,
        HttpContext context,
        PromptOwners owners
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await owners.RemoveAsync(
            context.Caller(),
            new(owner, repo),
            document.AsObject().Id("identity_id")
                ?? throw new InvalidPromptException("identity_id: is required"),
            context.RequestAborted
        )
            ? Results.Json(new { message = "Owner removed" })
            : Errors.NotFound("Owner");
    }

    private static object Owner(PromptOwner owner, Member member) =>
        new
        {
            identity_id = member.Id,
            ls_user_id = member.Id,
            email = member.Email,
            full_name = member.DisplayName,
            created_at = Wire.Time(owner.CreatedAt),
        };
}
