using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>
/// The order in which a workspace's commits go live, on LangSmith's wire: there is nothing to read until somebody decides (the pages go by
/// <see cref="HubSettings.DefaultEnvironments"/>), and one list a workspace, so the workspace's id is its id.
/// </summary>
internal static class EnvironmentEndpoints
{
    private const string Environments = "/api/v1/hub/environments";
    private const int MaxName = 64;

    public static void MapHubEnvironments(this IEndpointRouteBuilder app)
    {
        app.MapGet(Environments, GetAsync).Needs(Permission.Read);
        app.MapPost(Environments, CreateAsync).Needs(Permission.Manage);
        app.MapPatch(Environments + "/{id}", ChangeAsync).Needs(Permission.Manage);
        app.MapDelete(Environments + "/{id}", ResetAsync).Needs(Permission.Manage);
    }

    private static async Task<IResult> GetAsync(HttpContext context, HubRules rules)
    {
        var settings = await rules.GetAsync(context.Caller(), context.RequestAborted);
        return settings.HasOwnEnvironments ? Out(settings) : None();
    }

    private static async Task<IResult> CreateAsync(HttpContext context, HubRules rules)
    {
        var names = await NamesAsync(context);
        return (await rules.GetAsync(context.Caller(), context.RequestAborted)).HasOwnEnvironments
            ? throw new PromptConflictException("The workspace has environments of its own already")
            : Out(await rules.UpdateAsync(context.Caller(), names, null, context.RequestAborted));
    }

    private static async Task<IResult> ChangeAsync(string id, HttpContext context, HubRules rules)
    {
        var names = await NamesAsync(context);
        return await IsTheirsAsync(id, context, rules)
            ? Out(await rules.UpdateAsync(context.Caller(), names, null, context.RequestAborted))
            : None();
    }

    private static async Task<IResult> ResetAsync(string id, HttpContext context, HubRules rules)
    {
        if (!await IsTheirsAsync(id, context, rules))
        {
            return None();
        }

        await rules.UpdateAsync(
            context.Caller(),
            HubSettings.DefaultEnvironments,
            null,
            context.RequestAborted
        );
        return Results.Json(new { message = "Environments reset" });
    }

    private static async Task<bool> IsTheirsAsync(string id, HttpContext context, HubRules rules) =>
        (
            Guid.TryParse(id, out var given)
                ? given
                : throw new InvalidPromptException("id: must be a UUID")
        ) == context.Caller().WorkspaceId
        && (await rules.GetAsync(context.Caller(), context.RequestAborted)).HasOwnEnvironments;

    private static async Task<IReadOnlyList<string>> NamesAsync(HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var names = document
            .AsObject()
            .Items("environments")
            .Select(e => e.Text("name") ?? "")
            .ToList();
        return names.Count == 0
                ? throw new InvalidPromptException("environments: at least one is needed")
            : names.Any(n => n.Length is 0 or > MaxName)
                ? throw new InvalidPromptException(
                    $"environments: names have 1 to {MaxName} characters"
                )
            : names;
    }

    private static IResult None() =>
        HubErrors.Said(
            StatusCodes.Status404NotFound,
            "The workspace has no environments of its own"
        );

    private static IResult Out(HubSettings settings) =>
        Results.Json(
            new
            {
                id = settings.WorkspaceId,
                environments = settings.Environments.Select(name => new { name }),
            }
        );
}
