using System.Text.Json.Nodes;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// LangSmith's SDKs in OpenTelemetry mode, and anybody who writes the attributes LangSmith documents. Inputs and outputs are the run's own and stay
/// verbatim, as they would on LangSmith's wire. (<c>langsmith.trace.session_*</c> names the project, not a thread.)
/// </summary>
internal static class LangSmithSdk
{
    public static readonly SpanSource Source = new("langsmith", ["langsmith"], ["langsmith.*"]);

    /// <summary>The run's own inputs and outputs come first: written by LangSmith's SDK itself.</summary>
    public static Content? OwnIn(SpanView span, RunKind kind) =>
        IsOwn(span) ? Input(span, kind) : null;

    /// <summary>As <see cref="OwnIn"/>.</summary>
    public static Content? OwnOut(SpanView span, RunKind kind) =>
        IsOwn(span) ? Output(span, kind) : null;

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (span.Json("gen_ai.prompt") is not { } value)
        {
            return null;
        }

        span.Take("gen_ai.prompt", "inputs");
        return IsOwn(span) ? Content.Of(value) : Content.Request(value, kind);
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (span.Json("gen_ai.completion") is not { } value)
        {
            return null;
        }

        span.Take("gen_ai.completion", "outputs");
        if (!IsOwn(span))
        {
            return Content.Response(value, kind);
        }

        // The SDK wraps a retriever's list; LangSmith's own wire has it under documents.
        return
            kind == RunKind.Retriever
            && value is JsonObject { Count: 1 }
            && value.Get("outputs") is JsonArray list
            && Documents.Normalize(list) is { } documents
            ? Content.Of(documents)
            : Content.Of(value);
    }

    public static RunKind? Kind(SpanView span) =>
        span.Text("langsmith.span.kind") is { } kind
        && Enum.TryParse<RunKind>(kind, ignoreCase: true, out var known)
        && Enum.IsDefined(known)
        && !char.IsAsciiDigit(kind[0])
            ? known
            : null;

    /// <summary>Files of the run: <c>[{name, content (base64), mime_type}]</c>.</summary>
    public static IReadOnlyList<MappedFile> Files(SpanView span)
    {
        if (!span.Has("langsmith.attachments"))
        {
            return [];
        }

        var files = new List<MappedFile>();
        foreach (var file in span.Json("langsmith.attachments").Items().OfType<JsonObject>())
        {
            span.Take("langsmith.attachments", "attachments");
            if (
                file.Text("name") is { Length: > 0 } name
                && file.Text("content", "data") is { } content
                && Base64(content) is { } bytes
            )
            {
                files.Add(
                    new MappedFile(
                        name,
                        file.Text("mime_type", "mimeType") ?? "application/octet-stream",
                        bytes
                    )
                );
            }
        }

        return files;
    }

    private static bool IsOwn(SpanView span) =>
        span.Scope.Name == "langsmith" && span.Has("langsmith.span.kind");

    private static byte[]? Base64(string text)
    {
        var bytes = new byte[(text.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }
}
