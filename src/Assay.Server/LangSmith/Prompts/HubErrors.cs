using Assay.Core.Access;
using Assay.Core.Prompts;

namespace Assay.Server.LangSmith.Prompts;

/// <summary>
/// Errors of the hub as its two halves on LangSmith's side word them: repositories, likes, comments, tags, owners and webhooks answer 422 with
/// <c>detail</c>; commits, histories, directories and environments answer 400 with <c>error</c> (and <c>detail</c>, which our pages and older
/// clients read).
/// </summary>
internal static class HubErrors
{
    /// <summary>A group whose refusals are 422.</summary>
    public static RouteGroupBuilder MapRepositories(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("");
        group.AddEndpointFilter(
            async (context, next) =>
            {
                try
                {
                    return await next(context);
                }
                catch (InvalidPromptException e)
                {
                    return Errors.Invalid(e.Message);
                }
            }
        );
        return group;
    }

    /// <summary>A group whose refusals are said under <c>error</c>.</summary>
    public static RouteGroupBuilder MapVersions(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("");
        group.AddEndpointFilter(
            async (context, next) =>
            {
                try
                {
                    return await next(context);
                }
                catch (Exception e)
                    when (e
                            is InvalidPromptException
                                or PromptNotFoundException
                                or PromptConflictException
                                or AccessDeniedException
                    )
                {
                    return Said(
                        e switch
                        {
                            PromptNotFoundException => StatusCodes.Status404NotFound,
                            PromptConflictException => StatusCodes.Status409Conflict,
                            AccessDeniedException => StatusCodes.Status403Forbidden,
                            _ => StatusCodes.Status400BadRequest,
                        },
                        e.Message
                    );
                }
            }
        );
        return group;
    }

    /// <summary>A refusal under both names.</summary>
    public static IResult Said(int status, string error) =>
        Results.Json(new { error, detail = error }, statusCode: status);
}
