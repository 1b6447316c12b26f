namespace Assay.Server.LangSmith;

/// <summary>
/// LangSmith's clients spell one route in many ways: under "", <c>/api</c>, <c>/api/v1</c>, v2 under <c>/v2</c> or <c>/api/v2</c>, platform under
/// <c>/v1/platform</c>, with and without a closing slash. This makes one spelling of them before routing, so that each route is mapped once,
/// under <c>/api/v1</c> or <c>/api/v2</c>. Redirects are no way out: httpx does not follow them.
/// </summary>
internal static class DialectPaths
{
    private static readonly string[] s_bare =
    [
        "/runs",
        "/sessions",
        "/info",
        "/settings",
        "/feedback",
        "/workspaces",
        "/usage-limits",
        "/ttl-settings",
        "/public",
        "/platform",
        "/v1",
        "/v2",
        "/tenants",
        "/orgs",
        "/api-key",
        "/audit-logs",
        "/model-price-map",
        "/repos",
        "/commits",
        "/likes",
        "/comments",
        "/ok",
        "/datasets",
        "/examples",
        "/feedback-configs",
        "/annotation-queues",
    ];

    public static PathString Canonical(PathString path)
    {
        var value = path.Value ?? "/";
        var trimmed = value.Length > 1 ? value.TrimEnd('/') : value;
        var rest = trimmed;
        if (StartsWith(rest, "/api/v1", out var afterV1))
        {
            rest = afterV1;
        }
        else if (StartsWith(rest, "/api", out var afterApi))
        {
            rest = afterApi;
        }
        else if (!s_bare.Any(p => StartsWith(trimmed, p, out _)) || IsPage(trimmed))
        {
            return path;
        }

        if (StartsWith(rest, "/v2", out var afterV2))
        {
            return "/api/v2" + afterV2;
        }

        return "/api/v1" + (StartsWith(rest, "/v1", out var twice) ? twice : rest);
    }

    private static bool IsPage(string path) =>
        (
            path.StartsWith("/settings/", StringComparison.Ordinal)
            && !path.Equals("/settings/handle", StringComparison.Ordinal)
        )
        || path.StartsWith("/public/", StringComparison.Ordinal)
            && (
                path.EndsWith("/r", StringComparison.Ordinal)
                || path.EndsWith("/d", StringComparison.Ordinal)
                || path.Contains("/d/", StringComparison.Ordinal)
            );

    private static bool StartsWith(string path, string prefix, out string rest)
    {
        var matches =
            path.StartsWith(prefix, StringComparison.Ordinal)
            && (path.Length == prefix.Length || path[prefix.Length] == '/');
        rest = matches ? path[prefix.Length..] : path;
        return matches;
    }
}
