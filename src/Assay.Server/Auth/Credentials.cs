using System.Net.Http.Headers;
using System.Text;

namespace Assay.Server.Auth;

/// <summary>Where clients put their API key: <c>x-api-key</c> (LangSmith), a Bearer token (OpenTelemetry, OpenAI), or the password of Basic authentication (Langfuse).</summary>
internal static class Credentials
{
    public static string? Key(HttpRequest request)
    {
        if (request.Headers["x-api-key"].ToString() is { Length: > 0 } key)
        {
            return key;
        }

        if (
            !AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            || header.Parameter is not { Length: > 0 } parameter
        )
        {
            return null;
        }

        return header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? parameter.Trim()
            : header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
                ? Pair(parameter)?.Password
            : null;
    }

    /// <summary>Name and password of Basic authentication; null when the request has none.</summary>
    public static (string Name, string Password)? Basic(HttpRequest request) =>
        AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
        && header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
        && header.Parameter is { Length: > 0 } parameter
            ? Pair(parameter)
            : null;

    private static (string Name, string Password)? Pair(string parameter)
    {
        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter.Trim(), bytes, out var length))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && colon + 1 < text.Length ? (text[..colon], text[(colon + 1)..]) : null;
    }
}
