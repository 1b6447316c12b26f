using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Assay.Server.Tests.Models;

/// <summary>
/// Embeddings in the makers' dialects: a text of the form <c>3 4</c> has the vector (3, 4), any other (1, 0). The model <c>floats</c> answers numbers
/// though base64 is asked for, as several servers do that copy OpenAI; <c>too-few</c> forgets the last text.
/// </summary>
internal static class FakeEmbeddings
{
    public static object Answer(JsonElement asked, PathString path)
    {
        var model = asked.GetProperty("model").GetString();
        var given = asked.GetProperty("input");
        string[] texts =
            given.ValueKind == JsonValueKind.String
                ? [given.GetString()!]
                : [.. given.EnumerateArray().Select(t => t.GetString()!)];
        var vectors = texts
            .Take(model == "too-few" ? texts.Length - 1 : texts.Length)
            .Select(Vector)
            .ToList();
        if (path == "/api/embed")
        {
            return new
            {
                model,
                embeddings = vectors,
                prompt_eval_count = 7,
            };
        }

        var isBase64 =
            model != "floats"
            && asked.TryGetProperty("encoding_format", out var format)
            && format.GetString() == "base64";
        return new
        {
            @object = "list",
            model,
            data = vectors.Select(
                (v, index) =>
                    new
                    {
                        @object = "embedding",
                        index,
                        embedding = isBase64
                            ? (object)Convert.ToBase64String(MemoryMarshal.AsBytes<float>(v))
                            : v,
                    }
            ),
            usage = new { prompt_tokens = 7, total_tokens = 7 },
        };
    }

    private static float[] Vector(string text) =>
        text.Split(' ') is [var x, var y]
        && float.TryParse(x, CultureInfo.InvariantCulture, out var a)
        && float.TryParse(y, CultureInfo.InvariantCulture, out var b)
            ? [a, b]
            : [1, 0];
}
