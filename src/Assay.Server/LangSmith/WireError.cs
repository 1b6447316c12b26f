using Assay.Server.Otlp;
using Microsoft.AspNetCore.WebUtilities;

namespace Assay.Server.LangSmith;

/// <summary>
/// An error in the shape that the route's clients read: <c>{"detail": "…"}</c> in v1, with the same as <c>error</c> below <c>/platform</c>, a problem document (RFC 9457) with the same
/// <c>detail</c> in v2, google.rpc.Status for OTLP.
/// </summary>
internal sealed class WireError(int status, string detail) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, status, detail);

    public static async Task WriteAsync(HttpContext context, int status, string detail)
    {
        if (OtlpAnswer.Fits(context.Request))
        {
            await OtlpAnswer.WriteErrorAsync(context, status, detail);
            return;
        }

        context.Response.StatusCode = status;
        if (context.Request.Path.StartsWithSegments("/api/v1/platform", StringComparison.Ordinal))
        {
            await context.Response.WriteAsJsonAsync(
                new { detail, error = detail },
                context.RequestAborted
            );
            return;
        }

        if (!context.Request.Path.StartsWithSegments("/api/v2", StringComparison.Ordinal))
        {
            await context.Response.WriteAsJsonAsync(new { detail }, context.RequestAborted);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new
            {
                type = "about:blank",
                title = ReasonPhrases.GetReasonPhrase(status),
                status,
                detail,
            },
            options: null,
            "application/problem+json",
            context.RequestAborted
        );
    }
}
