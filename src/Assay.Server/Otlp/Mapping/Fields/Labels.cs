using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>What a span is filed under: thread, user, tags, environment, release, and the metadata that people filter by. Pure.</summary>
internal static class Labels
{
    private const int MaxTags = 50;
    private const int MaxTagLength = 200;
    private const int MaxMetadata = 90;
    private const int MaxValueLength = 1_000;

    /// <summary>Prefixes under which users' own metadata stands, in the order of precedence.</summary>
    private static readonly string[] s_metadataPrefixes =
    [
        "langsmith.metadata.",
        "langfuse.observation.metadata.",
        "ai.telemetry.metadata.",
        "ai.settings.context.",
        "traceloop.association.properties.",
        "mlflow.traceTag.",
    ];

    private const string TraceMetadata = "langfuse.trace.metadata.";

    /// <summary>Vocabularies of instrumentations: their attributes are kept raw and are no metadata of the user's.</summary>
    private static readonly string[] s_vocabulary =
    [
        "gen_ai.",
        "llm.",
        "ai.",
        "langsmith.",
        "langfuse.",
        "traceloop.",
        "openinference.",
        "input.",
        "output.",
        "embedding.",
        "retrieval.",
        "reranker.",
        "document.",
        "tool.",
        "tag.",
        "graph.",
        "guardrail.",
        "mlflow.",
        "gcp.vertex.agent.",
        "genkit:",
        "logfire.",
        "pydantic_ai.",
        "openai.",
        "aws.bedrock.",
        "anthropic.",
        "mcp.",
        "exception.",
        "error.",
        "server.",
        "client.",
        "http.",
        "url.",
        "net.",
        "network.",
        "db.",
        "rpc.",
        "code.",
        "thread.",
        "otel.",
        "telemetry.",
        "process.",
        "host.",
        "os.",
        "agent_loop.",
        "event_loop.",
        "claude_code.",
    ];

    /// <summary>The same by the word before the first dot: every key of every span is looked up here.</summary>
    private static readonly FrozenDictionary<string, string[]> s_vocabularyByWord = s_vocabulary
        .GroupBy(p => FirstWord(p).ToString(), StringComparer.Ordinal)
        .ToFrozenDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);

    private static readonly FrozenSet<string> s_ownKeys = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            "metadata",
            "session.id",
            "user.id",
            "enduser.id",
            "user",
            "events",
            "name",
            "operation.name",
            "resource.name",
            "model",
            "model_name",
            "model_config",
            "model_request_parameters",
            "system_prompt",
            "final_result",
            "all_messages_events",
            "tool_arguments",
            "tool_response",
            "operation.cost",
            "agent_name",
            "service.name",
            "service.version",
            "service.instance.id",
            "deployment.environment",
            "deployment.environment.name",
        ]
    );

    public static string? Thread(SpanView span) =>
        Said(span.Text(Precedence.Thread))
        ?? Said(span.Json("metadata").Text("session_id", "thread_id", "conversation_id"))
        ?? Said(span.Text("mcp.session.id"));

    public static string? User(SpanView span) =>
        Said(span.Text(Precedence.User)) ?? Said(span.Json("metadata").Text("user_id", "userId"));

    /// <summary>The first list of tags that is not empty: an array, JSON of one, or comma-joined text.</summary>
    public static IReadOnlyList<string> Tags(SpanView span)
    {
        foreach (var key in Precedence.Tags)
        {
            if (!span.Has(key))
            {
                continue;
            }

            IEnumerable<string?> found = span.Json(key) switch
            {
                JsonArray list => list.Select(t => t.Scalar()),
                { } text => (text.Text() ?? "").Split(','),
                null => [],
            };
            List<string> tags =
            [
                .. found
                    .Select(t => t?.Trim())
                    .Where(t => t is { Length: > 0 and <= MaxTagLength })
                    .Select(t => t!)
                    .Distinct(StringComparer.Ordinal)
                    .Take(MaxTags),
            ];
            if (tags.Count > 0)
            {
                return tags;
            }
        }

        return [];
    }

    public static string? Environment(SpanView span) => Anywhere(span, Precedence.Environment);

    public static string? Release(SpanView span) => Anywhere(span, Precedence.Release);

    /// <summary>Metadata of the run, the user's own first; at most as many pairs as a run is filtered by.</summary>
    public static List<KeyValuePair<string, JsonNode?>> Metadata(SpanView span)
    {
        var metadata = new Ordered();
        if (span.Json("metadata") is JsonObject own)
        {
            span.Take("metadata", "metadata");
            foreach (var (key, value) in own)
            {
                metadata.Add(key, value?.DeepClone());
            }
        }

        foreach (var prefix in s_metadataPrefixes)
        {
            AddPrefixed(span, prefix, metadata);
        }

        AddPrefixed(span, TraceMetadata, metadata);
        if (span.Json("langfuse.observation.metadata") is JsonObject whole)
        {
            span.Take("langfuse.observation.metadata", "metadata");
            foreach (var (key, value) in whole)
            {
                metadata.Add(key, value?.DeepClone());
            }
        }

        foreach (var (key, value) in span.Own)
        {
            if (!span.IsMoved(key) && IsUsers(key) && AnyValues.Text(value) is { } text)
            {
                metadata.Add(key, Shortened(AnyValues.Json(value), text));
            }
        }

        foreach (var pair in span.Resource.Attributes)
        {
            if (
                IsOfInterest(pair.Key)
                && AnyValues.Text(pair.Value) is { } text
                && !text.StartsWith("unknown_service", StringComparison.Ordinal)
            )
            {
                metadata.Add(pair.Key, Shortened(AnyValues.Json(pair.Value), text));
            }
        }

        return metadata.Pairs;
    }

    /// <summary>Metadata that belongs to the whole trace, as flat text.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> OfTrace(SpanView span)
    {
        if (!span.HasPrefix(TraceMetadata))
        {
            return [];
        }

        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var (key, value) in span.Own)
        {
            if (
                key.StartsWith(TraceMetadata, StringComparison.Ordinal)
                && pairs.Count < MaxMetadata
                && AnyValues.Text(value) is { } text
            )
            {
                pairs.Add(
                    KeyValuePair.Create(key[TraceMetadata.Length..], Cut(Decoding.Unquote(text)))
                );
            }
        }

        return pairs;
    }

    private static void AddPrefixed(SpanView span, string prefix, Ordered metadata)
    {
        if (!span.HasPrefix(prefix))
        {
            return;
        }

        span.Take(prefix + "*", "metadata");
        foreach (var (key, value) in span.Own)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal) || key.Length == prefix.Length)
            {
                continue;
            }

            var name = key[prefix.Length..];
            if (
                !Secrets.IsHarmless(name)
                || name is "usage_metadata" or "ls_invocation_params" or "tags"
            )
            {
                continue;
            }

            // Producers write texts; objects and lists inside are worth a look, "1.0" must stay what it is.
            metadata.Add(
                name,
                value.HasStringValue && value.StringValue is ['{' or '[' or '"', ..]
                    ? Decoding.Decode(value.StringValue, out _).Alone()
                    : AnyValues.Json(value)
            );
        }
    }

    private static ReadOnlySpan<char> FirstWord(string key)
    {
        var end = key.AsSpan().IndexOfAny('.', ':');
        return end < 0 ? key : key.AsSpan(0, end);
    }

    private static bool IsUsers(string key)
    {
        if (s_ownKeys.Contains(key) || !Secrets.IsHarmless(key))
        {
            return false;
        }

        if (
            !s_vocabularyByWord
                .GetAlternateLookup<ReadOnlySpan<char>>()
                .TryGetValue(FirstWord(key), out var prefixes)
        )
        {
            return true;
        }

        foreach (var prefix in prefixes)
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Of a resource: what names the service and where it runs, and whatever no convention knows.</summary>
    private static bool IsOfInterest(string key) =>
        key
            is "service.name"
                or "service.version"
                or "service.namespace"
                or "deployment.environment.name"
        || (IsUsers(key) && key is not "service.instance.id");

    private static string? Anywhere(SpanView span, string[] keys)
    {
        foreach (var key in keys)
        {
            if (Said(AnyValues.Text(span.Find(key))) is { } text)
            {
                return text;
            }
        }

        return null;
    }

    private static string? Said(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : Cut(Decoding.Unquote(text));

    private static JsonNode? Shortened(JsonNode? value, string text) =>
        text.Length <= MaxValueLength ? value : JsonValue.Create(Cut(text));

    private static string Cut(string text) =>
        text.Length <= MaxValueLength
            ? text
            : text[
                ..(
                    char.IsHighSurrogate(text[MaxValueLength - 1])
                        ? MaxValueLength - 1
                        : MaxValueLength
                )
            ];

    /// <summary>Pairs in the order they were said; the first of a name is believed.</summary>
    private sealed class Ordered
    {
        public List<KeyValuePair<string, JsonNode?>> Pairs { get; } = [];

        public void Add(string name, JsonNode? value)
        {
            if (value is not null && Pairs.Count < MaxMetadata && !Pairs.Exists(p => p.Key == name))
            {
                Pairs.Add(KeyValuePair.Create(name, (JsonNode?)value));
            }
        }
    }
}
