using System.Text;

namespace Assay.Server.Auth;

/// <summary>
/// Where clients put their API key: <c>x-api-key</c> (LangSmith), <c>api_key</c> (Phoenix), a Bearer token (OpenTelemetry, OpenAI), the password
/// of Basic authentication (Langfuse), or the bare <c>Authorization</c> header (Logfire). A blank that somebody wrote as <c>%20</c> in
/// <c>OTEL_EXPORTER_OTLP_HEADERS</c> and an SDK did not decode counts as one.
/// </summary>
internal static class Credentials
{
    public static string? Key(HttpRequest request)
    {
        if (request.Headers["x-api-key"].ToString() is { Length: > 0 } key)
        {
            return key;
        }

        if (request.Headers["api_key"].ToString() is { Length: > 0 } phoenix)
        {
            return phoenix;
        }

        var (scheme, parameter) = Authorization(request);
        return parameter.Length == 0 ? null
            : scheme.Length == 0 ? parameter
            : scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? parameter
            : scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? Pair(parameter)?.Password
            : null;
    }

    /// <summary>Name and password of Basic authentication; null when the request has none.</summary>
    public static (string Name, string Password)? Basic(HttpRequest request) =>
        Authorization(request) is var (scheme, parameter)
        && scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
        && parameter.Length > 0
            ? Pair(parameter)
            : null;

    /// <summary>Scheme and what follows it; the scheme is empty when there is none.</summary>
    private static (string Scheme, string Parameter) Authorization(HttpRequest request)
    {
        var text = request
            .Headers.Authorization.ToString()
            .Trim()
            .Replace("%20", " ", StringComparison.Ordinal);
        var blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank < 0 ? ("", text) : (text[..blank], text[(blank + 1)..].Trim());
    }

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
