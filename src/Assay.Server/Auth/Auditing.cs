using Assay.Core.Access;

namespace Assay.Server.Auth;

/// <summary>Writes an audit entry for endpoints whose data are no part of the metadata database, after they succeeded.</summary>
internal static class Auditing
{
    /// <summary>The endpoint is an administrative change: every time it succeeds, the audit log says so. The subject is the path.</summary>
    public static RouteHandlerBuilder Audited(this RouteHandlerBuilder builder, string action) =>
        builder.AddEndpointFilter(
            async (invocation, next) =>
            {
                var result = await next(invocation);
                if (result is not IStatusCodeHttpResult { StatusCode: >= 400 })
                {
                    var context = invocation.HttpContext;
                    // What is done is done, also for a client that has gone away by now.
                    await context
                        .RequestServices.GetRequiredService<AuditLog>()
                        .WriteAsync(
                            context.Caller(),
                            action,
                            context.Request.Path,
                            CancellationToken.None
                        );
                }

                return result;
            }
        );
}
