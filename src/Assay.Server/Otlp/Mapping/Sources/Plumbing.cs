using System.Text.Json.Nodes;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Spans of no language model: HTTP, databases, messaging. They stay plain runs, with what they asked and got where the conventions say it.</summary>
internal static class Plumbing
{
    private static readonly string[] s_prefixes =
    [
        "http.",
        "url.",
        "db.",
        "rpc.",
        "messaging.",
        "net.",
        "network.",
        "dns.",
        "tls.",
        "faas.",
        "aspnetcore.",
        "signalr.",
    ];

    private static readonly string[] s_scopes =
    [
        "System.Net.",
        "Experimental.System.Net.",
        "Microsoft.AspNetCore",
        "OpenTelemetry.Instrumentation.",
        "@opentelemetry/instrumentation-http",
        "@opentelemetry/instrumentation-undici",
        "@opentelemetry/instrumentation-express",
        "@opentelemetry/instrumentation-net",
        "@opentelemetry/instrumentation-dns",
        "@opentelemetry/instrumentation-pg",
        "@opentelemetry/instrumentation-redis",
        "opentelemetry.instrumentation.asgi",
        "opentelemetry.instrumentation.fastapi",
        "opentelemetry.instrumentation.flask",
        "opentelemetry.instrumentation.httpx",
        "opentelemetry.instrumentation.requests",
        "opentelemetry.instrumentation.urllib3",
        "Npgsql",
    ];

    private static readonly string[] s_vectorStores =
    [
        "pinecone",
        "qdrant",
        "chroma",
        "weaviate",
        "milvus",
        "lancedb",
        "marqo",
        "pgvector",
    ];

    public static bool IsOwn(SpanView span)
    {
        foreach (var scope in s_scopes)
        {
            if (span.Scope.Name.StartsWith(scope, StringComparison.Ordinal))
            {
                return true;
            }
        }

        foreach (var prefix in s_prefixes)
        {
            if (span.HasPrefix(prefix))
            {
                return true;
            }
        }

        return false;
    }

    public static Content? Input(SpanView span, RunKind kind)
    {
        var query = span.Text(["db.query.text", "db.statement"]);
        if (query is not null)
        {
            return Content.Of(new JsonObject { ["query"] = query });
        }

        var url = span.Text(["url.full", "http.url", "http.target", "url.path"]);
        return span.Text(["http.request.method", "http.method"]) is not { } method
            ? null
            : Content.Of(new JsonObject { ["method"] = method, ["url"] = url });
    }

    public static Content? Output(SpanView span, RunKind kind) =>
        span.Has("gen_ai.operation.name")
        || (span.Count("http.response.status_code") ?? span.Count("http.status_code"))
            is not { } status
            ? null
            : Content.Of(new JsonObject { ["status_code"] = status });

    /// <summary>A question to a vector store is a retrieval.</summary>
    public static RunKind? Kind(SpanView span)
    {
        if (span.HasPrefix("db.vector."))
        {
            return RunKind.Retriever;
        }

        var system = span.Text(["db.system.name", "db.system"])?.ToLowerInvariant();
        var operation = span.Text(["db.operation.name", "db.operation"])?.ToLowerInvariant();
        return
            system is not null
            && s_vectorStores.Contains(system)
            && operation is "query" or "search" or "get" or "retrieve" or "query_points"
            ? RunKind.Retriever
            : null;
    }
}
