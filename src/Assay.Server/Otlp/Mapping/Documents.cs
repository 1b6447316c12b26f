using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping;

/// <summary>Retrieved documents in the form LangSmith's clients use: <c>{"documents":[{page_content, metadata, score, id}]}</c>. Pure.</summary>
internal static class Documents
{
    private static readonly string[] s_known =
    [
        "id",
        "document_id",
        "page_content",
        "pageContent",
        "content",
        "text",
        "score",
        "similarity",
        "relevance_score",
        "metadata",
    ];

    /// <summary>The documents of a retriever's answer; null when it is no list of documents.</summary>
    public static JsonObject? Normalize(JsonNode? value)
    {
        var list = value as JsonArray ?? value.Get("documents", "results", "matches") as JsonArray;
        if (list is not { Count: > 0 } || !list.All(d => d is JsonObject))
        {
            return null;
        }

        var documents = new JsonArray();
        foreach (var item in list)
        {
            documents.Add(Normalize((JsonObject)item!));
        }

        return new JsonObject { ["documents"] = documents };
    }

    /// <summary>One document; members of no known name stay where they are.</summary>
    public static JsonObject Normalize(JsonObject document)
    {
        document = document.Get("document") as JsonObject ?? document;
        var normal = new JsonObject();
        if (document.Get("id", "document_id") is { } id)
        {
            normal["id"] = id.DeepClone();
        }

        if (document.Get("page_content", "pageContent", "content", "text") is { } said)
        {
            normal["page_content"] = said.Text() ?? said.Compact();
        }

        if (document.Get("score", "similarity", "relevance_score").Number() is { } score)
        {
            normal["score"] = score;
        }

        if (document.Get("metadata") is { } metadata)
        {
            normal["metadata"] = metadata.Text() is { } text
                ? Decoding.Decode(text, out _).Alone()
                : metadata.DeepClone();
        }

        foreach (var (name, value) in document)
        {
            if (!s_known.Contains(name))
            {
                normal[name] = value?.DeepClone();
            }
        }

        return normal;
    }
}
