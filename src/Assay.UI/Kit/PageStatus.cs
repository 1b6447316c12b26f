using Microsoft.AspNetCore.Http;

namespace Assay.UI.Kit;

/// <summary>Pages that say that something does not exist, with the status that says so too.</summary>
internal static class PageStatus
{
    /// <summary>
    /// Answers 404 with the page. Set when the answer begins and not before: the framework leaves out the page of a response that is a 404
    /// already while it renders.
    /// </summary>
    public static void NotFound(HttpContext? http) =>
        http?.Response.OnStarting(
            static response =>
            {
                ((HttpResponse)response).StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            },
            http.Response
        );
}
