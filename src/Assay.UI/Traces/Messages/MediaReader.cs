using System.Text.Json;

namespace Assay.UI.Traces.Messages;

/// <summary>Recognizes images, sound, films and files inside messages. Inline data stays in the payload; only its place is kept.</summary>
internal static class MediaReader
{
    public static MessagePart.Media? Read(JsonElement json, string type, string at)
    {
        foreach (
            var (name, kind) in (ReadOnlySpan<(string, string)>)
                [
                    ("image_url", "image"),
                    ("input_audio", "audio"),
                    ("audio_url", "audio"),
                    ("file", "file"),
                    ("inline_data", "file"),
                    ("inlineData", "file"),
                    ("source", type is "image" or "audio" or "video" ? type : "file"),
                    ("image", "image"),
                    ("audio", "audio"),
                    ("video", "video"),
                ]
        )
        {
            if (
                !json.TryGetProperty(name, out var value)
                || (
                    name == "source"
                    && type is not ("image" or "document" or "audio" or "video" or "file")
                )
            )
            {
                continue;
            }

            if (value.ValueKind == JsonValueKind.String)
            {
                return Of(value.GetString() ?? "", kind, $"{at}/{name}", null);
            }

            if (value.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            var contentType =
                MessageReader.Text(value, "media_type")
                ?? MessageReader.Text(value, "mime_type")
                ?? MessageReader.Text(value, "mimeType")
                ?? (MessageReader.Text(value, "format") is { } format ? "audio/" + format : null);
            foreach (var field in (ReadOnlySpan<string>)["url", "data", "file_data"])
            {
                if (MessageReader.Text(value, field) is { Length: > 0 } text)
                {
                    return Of(text, kind, $"{at}/{name}/{field}", contentType);
                }
            }
        }

        if (type is "blob" or "image" or "audio" or "video" or "file" or "input_file")
        {
            var contentType =
                MessageReader.Text(json, "mime_type") ?? MessageReader.Text(json, "media_type");
            foreach (
                var field in (ReadOnlySpan<string>)
                    ["data", "content", "base64", "file_data", "url", "uri"]
            )
            {
                if (MessageReader.Text(json, field) is { Length: > 0 } text)
                {
                    return Of(text, type, $"{at}/{field}", contentType);
                }
            }
        }

        return null;
    }

    private static MessagePart.Media Of(string text, string kind, string at, string? contentType)
    {
        if (MediaTokens.Only(text) is { } handedOver)
        {
            return handedOver;
        }

        if (
            text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
        )
        {
            return new MessagePart.Media(kind, text, null, contentType);
        }

        if (text.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            contentType = text[5..Math.Min(text.Length, 100)].Split(';', ',')[0];
        }

        contentType ??=
            kind == "image" ? "image/png"
            : kind == "audio" ? "audio/wav"
            : "application/octet-stream";
        var slash = contentType.IndexOf('/', StringComparison.Ordinal);
        return new MessagePart.Media(
            slash > 0 && contentType[..slash] is "image" or "audio" or "video"
                ? contentType[..slash]
                : kind,
            null,
            at,
            contentType
        );
    }
}
