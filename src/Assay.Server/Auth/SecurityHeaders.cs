namespace Assay.Server.Auth;

/// <summary>The headers that tell a browser to trust nothing but this server. An endpoint may set stricter ones.</summary>
internal static class SecurityHeaders
{
    // Inline style attributes carry column widths and bar lengths of the screens; scripts come from files only.
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
        + "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this IApplicationBuilder app) =>
        app.Use(
            (context, next) =>
            {
                // Late, because the exception handler clears headers, and endpoints may have set stricter ones.
                context.Response.OnStarting(
                    static response =>
                    {
                        var headers = ((HttpResponse)response).Headers;
                        headers.TryAdd("Content-Security-Policy", Policy);
                        headers.TryAdd("X-Content-Type-Options", "nosniff");
                        headers.TryAdd("X-Frame-Options", "DENY");
                        // "no-referrer" would make browsers send "Origin: null" with our own forms.
                        headers.TryAdd("Referrer-Policy", "same-origin");
                        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
                        headers.TryAdd(
                            "Permissions-Policy",
                            "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
                        );
                        return Task.CompletedTask;
                    },
                    context.Response
                );
                return next(context);
            }
        );
}
