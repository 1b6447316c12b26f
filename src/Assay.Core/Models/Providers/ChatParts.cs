using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>
/// Parts of chat messages as JSON, and back: texts, images, sound and files, as OpenAI (<c>image_url</c>, <c>input_audio</c>, <c>file</c>), Anthropic
/// (<c>image</c> and <c>document</c> with a <c>source</c>) and LangChain (<c>image</c>, <c>audio</c>, <c>file</c> with <c>url</c> or <c>data</c>) write
/// them. Pure.
/// </summary>
public static class ChatParts
{
    /// <summary>The longest image or file in a message, as characters of its <c>data:</c> address: 5 MB of bytes.</summary>
    public const int MaxData = 7 * 1024 * 1024;

    /// <summary>Reads a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="at">Where it stands, for the error.</param>
    /// <exception cref="FormatException">It is none that a model could be sent; the message says which.</exception>
    public static AIContent Read(JsonElement part, string at)
    {
        var type = part.Text("type");
        switch (type)
        {
            case "text" or "input_text" or "output_text" when part.Field("text").IsSaid():
                return new TextContent(part.Field("text").ToString());
            case "image_url" or "input_image" when part.Field("image_url").IsSaid():
                return Content(
                    part.Field("image_url").Text("url") ?? part.Field("image_url").ToString(),
                    "image",
                    at
                );
            case "input_audio" when part.Field("input_audio").Text("data") is { } sound:
                return Content(
                    Data(
                        part.Field("input_audio").Text("format") switch
                        {
                            "mp3" => "audio/mpeg",
                            var format => $"audio/{format ?? "wav"}",
                        },
                        sound
                    ),
                    "sound",
                    at
                );
            case "image"
            or "audio"
            or "file"
            or "document"
            or "input_file" when AddressOf(part, type) is { } address:
                var content = Content(address, type, at);
                if (content is DataContent data)
                {
                    data.Name = NameOf(part);
                }

                return content;
            default:
                throw new FormatException(
                    $"{at}: a part of type {type ?? "(none)"} cannot be sent to a model from here"
                );
        }
    }

    /// <summary>An image, sound or file as runs keep it.</summary>
    public static JsonObject Write(AIContent content)
    {
        var (address, type) = content switch
        {
            DataContent data => (data.Uri, data.MediaType),
            UriContent uri => (uri.Uri.ToString(), uri.MediaType),
            _ => throw new ArgumentOutOfRangeException(nameof(content), "no image, sound or file"),
        };
        if (type.StartsWith("image/", StringComparison.OrdinalIgnoreCase))
        {
            return new JsonObject
            {
                ["type"] = "image_url",
                ["image_url"] = new JsonObject { ["url"] = address },
            };
        }

        if (
            content is DataContent sound
            && type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase)
        )
        {
            return new JsonObject
            {
                ["type"] = "input_audio",
                ["input_audio"] = new JsonObject
                {
                    ["data"] = sound.Base64Data.ToString(),
                    ["format"] = type.EndsWith("/mpeg", StringComparison.OrdinalIgnoreCase)
                        ? "mp3"
                        : type["audio/".Length..],
                },
            };
        }

        var file = new JsonObject { [content is DataContent ? "file_data" : "url"] = address };
        if (content is DataContent { Name: { } name })
        {
            file["filename"] = name;
        }

        return new JsonObject { ["type"] = "file", ["file"] = file };
    }

    private static string? AddressOf(JsonElement part, string type)
    {
        // OpenAI and LangChain keep the bytes in or beside the part, Anthropic in its source.
        foreach (var holder in (JsonElement[])[part.Field("file"), part.Field("source"), part])
        {
            if (
                (holder.Text("file_data") ?? holder.Text("file_url") ?? holder.Text("url")) is
                { } address
            )
            {
                return address;
            }

            if ((holder.Text("data") ?? holder.Text("base64")) is { } bytes)
            {
                return Data(
                    holder.Text("media_type")
                        ?? holder.Text("mime_type")
                        ?? holder.Text("mimeType")
                        ?? type switch
                        {
                            "image" => "image/png",
                            "audio" => "audio/wav",
                            _ => "application/pdf",
                        },
                    bytes
                );
            }
        }

        return null;
    }

    private static string? NameOf(JsonElement part) =>
        part.Field("file").Text("filename") ?? part.Text("filename") ?? part.Text("title");

    private static string Data(string type, string bytes) =>
        bytes.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
            ? bytes
            : $"data:{type};base64,{bytes}";

    private static AIContent Content(string address, string what, string at)
    {
        if (!address.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return Uri.TryCreate(address, UriKind.Absolute, out var uri)
                ? new UriContent(
                    uri,
                    what switch
                    {
                        "image" => "image/*",
                        "audio" or "sound" => "audio/*",
                        _ => "application/pdf",
                    }
                )
                : throw new FormatException($"{at}: the {what} has no usable address");
        }

        if (address.Length > MaxData)
        {
            throw new FormatException(
                $"{at}: the {what} is larger than {MaxData / 4 * 3 / 1024 / 1024} MB"
            );
        }

        try
        {
            return new DataContent(address);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new FormatException($"{at}: the {what} is no readable data: address", e);
        }
    }
}
