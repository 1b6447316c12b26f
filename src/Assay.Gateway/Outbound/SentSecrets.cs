namespace Assay.Gateway.Outbound;

/// <summary>
/// Takes out of what the other side says what was sent to it in confidence: servers repeat keys and tokens in their errors, and errors end up in
/// runs, logs and exports. Pure.
/// </summary>
internal static class SentSecrets
{
    /// <summary>What stands in place of a secret.</summary>
    public const string Mark = "[secret]";

    // What is shorter is no secret, and replacing it would tear ordinary words apart.
    private const int Shortest = 6;

    private static readonly string[] s_headers =
    [
        "Authorization",
        "Proxy-Authorization",
        "X-Api-Key",
        "Api-Key",
        "X-Goog-Api-Key",
    ];

    /// <summary>The secrets that the usual headers of a request carry.</summary>
    public static IEnumerable<string> Of(HttpRequestMessage request) =>
        s_headers.SelectMany(name =>
            request.Headers.TryGetValues(name, out var values) ? values : []
        );

    /// <summary>A text without the secrets; of a header's value with a scheme (<c>Bearer …</c>), what follows the scheme is one as well.</summary>
    public static string Redact(string text, IEnumerable<string> secrets)
    {
        foreach (
            var secret in secrets
                .SelectMany(s => s.Split(' ').Append(s))
                .Where(s => s.Length >= Shortest && s is not "Bearer")
                .OrderByDescending(s => s.Length)
        )
        {
            text = text.Replace(secret, Mark, StringComparison.Ordinal);
        }

        return text;
    }
}
