using Microsoft.AspNetCore.Http;

namespace Assay.UI.Layout;

/// <summary>What a browser gets at an address that is no page.</summary>
public static class UnknownAddress
{
    /// <summary>Writes the page when a browser asks for one; programs keep the bare status.</summary>
    public static Task WriteAsync(HttpContext http)
    {
        if (
            http.Response.StatusCode != StatusCodes.Status404NotFound
            || !HttpMethods.IsGet(http.Request.Method)
            || !http
                .Request.Headers.Accept.ToString()
                .Contains("text/html", StringComparison.Ordinal)
        )
        {
            return Task.CompletedTask;
        }

        http.Response.ContentType = "text/html; charset=utf-8";
        // Of the cookie only these two words reach the page.
        var theme = http.Request.Cookies["theme"] switch
        {
            "light" => "light",
            "dark" => "dark",
            _ => "system",
        };
        return http.Response.WriteAsync(
            $"""
            <!DOCTYPE html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1.0"><title>Nothing here · Assay</title><link rel="stylesheet" href="/_content/Assay.UI/app.css"><link rel="icon" type="image/svg+xml" href="/_content/Assay.UI/favicon.svg"></head>
            <body><main class="bare" id="content"><h1>Nothing here</h1><p>There is no page at this address.</p><p><a class="btn" href="/">Projects</a></p></main></body></html>
            """,
            http.RequestAborted
        );
    }
}
