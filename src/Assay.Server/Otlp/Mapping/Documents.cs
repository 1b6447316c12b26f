using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping;

/// <summary>Retrieved documents in the form LangSmith's clients use: <c>{"documents":[{page_content, metadata, score, id}]}</c>. Pure.</summary>
internal static class Documents
{
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
        foreach (var (name, value) in document)
        {
            switch (name)
            {
                case "page_content"
                or "pageContent"
                or "content"
                or "text" when !normal.ContainsKey("page_content"):
                    normal["page_content"] =
                        value.Text() ?? (value is null ? null : value.Compact());
                    break;
                case "score" or "similarity" or "relevance_score":
                    normal["score"] = value.Number();
                    break;
                case "metadata" when value.Text() is { } text:
                    normal["metadata"] = Decoding.Decode(text, out _);
                    break;
                default:
                    normal[name] = value?.DeepClone();
                    break;
            }
        }

        return normal;
    }
}
