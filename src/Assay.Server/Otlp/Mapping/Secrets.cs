namespace Assay.Server.Otlp.Mapping;

/// <summary>Attributes that carry credentials: request headers and environment entries. They are never stored.</summary>
internal static class Secrets
{
    private static readonly string[] s_headerKeys =
    [
        "langsmith.request.headers",
        "gen_ai.headers",
        "llm.headers",
        "gen_ai.request.headers",
    ];

    private static readonly string[] s_headerPrefixes =
    [
        "ai.request.headers.",
        "http.request.header.",
        "rpc.grpc.request.metadata.",
        "llm.headers.",
        "gen_ai.request.headers.",
    ];

    /// <summary>True when the attribute may be kept.</summary>
    public static bool IsHarmless(string key)
    {
        foreach (var name in s_headerKeys)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        foreach (var prefix in s_headerPrefixes)
        {
            if (key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return !NamesSecret(key.AsSpan(prefix.Length));
            }
        }

        var last = key.AsSpan(key.LastIndexOf('.') + 1);
        return !(
            last.Equals("authorization", StringComparison.OrdinalIgnoreCase)
            || last.Equals("api_key", StringComparison.OrdinalIgnoreCase)
            || last.Equals("apikey", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("_API_KEY", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("_SECRET", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("_PASSWORD", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("_ACCESS_TOKEN", StringComparison.OrdinalIgnoreCase)
            || last.Equals("password", StringComparison.OrdinalIgnoreCase)
        );
    }

    private static bool NamesSecret(ReadOnlySpan<char> header) =>
        header.Contains("auth", StringComparison.OrdinalIgnoreCase)
        || header.Contains("key", StringComparison.OrdinalIgnoreCase)
        || header.Contains("cookie", StringComparison.OrdinalIgnoreCase)
        || header.Contains("token", StringComparison.OrdinalIgnoreCase)
        || header.Contains("secret", StringComparison.OrdinalIgnoreCase);
}
