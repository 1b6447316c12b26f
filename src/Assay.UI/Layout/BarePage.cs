using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace Assay.UI.Layout;

/// <summary>What a browser gets instead of a page: nothing is there, or the page cannot be made. Needs neither a caller nor a store.</summary>
public static class BarePage
{
    /// <summary>True when it is a person who waits for a page: programs and scripts do not ask for HTML.</summary>
    public static bool IsWanted(HttpContext http) =>
        HttpMethods.IsGet(http.Request.Method)
        && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);

    /// <summary>Writes it; the status stays as it is set.</summary>
    /// <param name="http">The request.</param>
    /// <param name="heading">What is the matter, in two or three words.</param>
    /// <param name="words">A sentence or two; shown as text.</param>
    public static Task WriteAsync(HttpContext http, string heading, string words)
    {
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
            <!DOCTYPE html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1.0"><title>{heading} · Assay</title><link rel="stylesheet" href="/_content/Assay.UI/app.css"><link rel="icon" type="image/svg+xml" href="/_content/Assay.UI/favicon.svg"></head>
            <body><main class="bare" id="content"><h1>{heading}</h1><p>{HtmlEncoder.Default.Encode(
                words
            )}</p><p><a class="btn" href="/">Projects</a></p></main></body></html>
            """,
            http.RequestAborted
        );
    }
}
