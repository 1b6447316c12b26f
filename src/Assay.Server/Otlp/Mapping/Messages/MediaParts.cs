using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>
/// Images, sound, films and files of any dialect as parts of the normal form: <c>image_url</c>, <c>input_audio</c> (or <c>audio</c> by
/// address), <c>video</c>, <c>file</c>. Bytes stay base64 inside a data URI. Pure.
/// </summary>
internal static class MediaParts
{
    /// <summary>The part; null when it is no medium.</summary>
    public static JsonObject? Read(JsonObject part)
    {
        var type = part.Text("type") ?? "";
        var mime = Mime(part);
        switch (type)
        {
            case "image_url" or "input_image":
                return FromHolder(part.Get("image_url", "url", "file_id"), "image", mime, part);
            case "input_audio":
                return Audio(
                    part.Get("input_audio").Text("data"),
                    part.Get("input_audio").Text("format")
                );
            case "blob":
                return Of(
                    part.Text("modality"),
                    mime,
                    null,
                    part.Text("content", "data"),
                    null,
                    part.Text("filename", "name")
                );
            case "uri":
                return Of(part.Text("modality"), mime, part.Text("uri", "url"), null, null, null);
            case "media":
                return Of(null, mime, part.Text("url", "uri"), part.Text("data"), null, null);
            case "image" or "audio" or "video" or "document" or "file" or "input_file":
                return FromHolder(
                    part.Get("source", "image", "image_url", "audio", "video", "file", "document")
                        ?? part,
                    type is "document" or "input_file" ? "file" : type,
                    mime,
                    part
                );
        }

        if (part.Get("inlineData", "inline_data") is JsonObject inline)
        {
            return Of(null, Mime(inline) ?? mime, null, inline.Text("data"), null, null);
        }

        if (part.Get("fileData", "file_data") is JsonObject linked)
        {
            return Of(
                null,
                Mime(linked) ?? mime,
                linked.Text("fileUri", "file_uri"),
                null,
                null,
                null
            );
        }

        if (part.Get("media") is JsonObject media)
        {
            return Of(null, Mime(media) ?? mime, media.Text("url"), null, null, null);
        }

        foreach (var kind in (ReadOnlySpan<string>)["image", "document", "video", "audio"])
        {
            if (part.Get(kind) is JsonObject holder && type.Length == 0)
            {
                return FromHolder(holder, kind == "document" ? "file" : kind, mime, part);
            }
        }

        return null;
    }

    private static JsonObject? FromHolder(
        JsonNode? holder,
        string kind,
        string? mime,
        JsonObject part
    )
    {
        if (holder.Text() is { Length: > 0 } text)
        {
            return IsAddress(text)
                ? Of(kind, mime, text, null, null, null)
                : Of(kind, mime, null, text, null, part.Text("filename"));
        }

        // OpenInference writes image.image.url and audio.audio.url; Bedrock writes image.source.bytes.
        holder = holder.Get("image", "audio", "source") as JsonObject ?? holder;
        if (holder is not JsonObject found)
        {
            return null;
        }

        mime =
            Mime(found)
            ?? mime
            ?? (part.Get(kind).Text("format") is { } format ? $"{kind}/{format}" : null);
        var url = found.Text("url", "uri", "fileUri", "file_url", "image_url");
        var data = found.Text("data", "base64", "file_data", "content", "bytes");
        if (data is not null && IsAddress(data))
        {
            (url, data) = (data, null);
        }

        return Of(
            kind,
            mime,
            url,
            data,
            found.Text("file_id", "fileId"),
            Name(found) ?? Name(part)
        );
    }

    private static JsonObject? Of(
        string? kind,
        string? mime,
        string? url,
        string? data,
        string? fileId,
        string? name
    )
    {
        if (url is not null && !IsAddress(url))
        {
            (url, data) = (null, url);
        }

        if (url is null && data is null && fileId is null)
        {
            return null;
        }

        mime ??=
            url is not null && url.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
                ? url[5..Math.Min(url.Length, 100)].Split(';', ',')[0]
                : null;
        kind = KindOf(mime) ?? kind;
        if (kind == "audio" && data is not null)
        {
            return Audio(data, mime?[(mime.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        }

        url ??= data is null ? null : $"data:{mime ?? DefaultMime(kind)};base64,{data}";
        switch (kind)
        {
            case "image" when url is not null:
                return new JsonObject
                {
                    ["type"] = "image_url",
                    ["image_url"] = new JsonObject { ["url"] = url },
                };
            case "audio" or "video" when url is not null:
                return new JsonObject
                {
                    ["type"] = kind,
                    [kind] = new JsonObject { ["url"] = url },
                };
            default:
                var file = new JsonObject();
                if (url is not null)
                {
                    file[data is null ? "url" : "file_data"] = url;
                }

                if (fileId is not null)
                {
                    file["file_id"] = fileId;
                }

                if (name is not null)
                {
                    file["filename"] = name;
                }

                if (mime is not null)
                {
                    file["mime_type"] = mime;
                }

                return new JsonObject { ["type"] = "file", ["file"] = file };
        }
    }

    private static JsonObject? Audio(string? data, string? format) =>
        data is not { Length: > 0 }
            ? null
            : new JsonObject
            {
                ["type"] = "input_audio",
                ["input_audio"] = new JsonObject
                {
                    ["data"] = data,
                    ["format"] = format is "mpeg" ? "mp3" : format ?? "wav",
                },
            };

    private static bool IsAddress(string text) =>
        text.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("@@@langfuseMedia:", StringComparison.Ordinal)
        || text.AsSpan(0, Math.Min(text.Length, 12)).Contains("://", StringComparison.Ordinal);

    private static string? KindOf(string? mime) =>
        mime is null ? null
        : mime.StartsWith("image/", StringComparison.OrdinalIgnoreCase) ? "image"
        : mime.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) ? "audio"
        : mime.StartsWith("video/", StringComparison.OrdinalIgnoreCase) ? "video"
        : null;

    private static string DefaultMime(string? kind) =>
        kind switch
        {
            "image" => "image/png",
            "video" => "video/mp4",
            "audio" => "audio/wav",
            _ => "application/octet-stream",
        };

    private static string? Mime(JsonNode part) =>
        part.Text("mime_type", "mimeType", "media_type", "mediaType", "contentType");

    private static string? Name(JsonNode part) =>
        part.Text("filename", "file_name", "name", "title");
}
