using System.Text.Json;

namespace Assay.Server.LangSmith.Runs;

/// <summary>A request's JSON body in rented memory: the document and everything that points into it are valid until it is disposed.</summary>
internal sealed class JsonBody : IDisposable
{
    /// <summary>Larger bodies are read by <see cref="JsonRuns"/>, run by run.</summary>
    public const long MaxBytes = 4L << 20;
    private readonly ByteArena _memory;
    private readonly JsonDocument? _document;

    private JsonBody(ByteArena memory, ReadOnlyMemory<byte> utf8, JsonDocument? document)
    {
        _memory = memory;
        _document = document;
        Utf8 = utf8;
    }

    /// <summary>The body as it was sent, unpacked.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>False when it cannot be read as JSON; there is no root then.</summary>
    public bool IsJson => _document is not null;

    public JsonElement Root => _document?.RootElement ?? default;

    /// <summary>Small, and known to be.</summary>
    public static bool IsSmall(HttpRequest request) =>
        request.ContentLength is <= MaxBytes && request.Headers.ContentEncoding.Count == 0;

    /// <summary>Reads the body as JSON, whatever the content type says: JavaScript clients send some of it as text.</summary>
    public static async Task<JsonBody> ReadAsync(HttpContext context)
    {
        var memory = new ByteArena();
        try
        {
            await using var body = RequestBody.Open(context.Request);
            if (context.Request.ContentLength is { } length and > 0 and <= MaxBytes)
            {
                // One byte more, so that the read that finds the end does not make the memory grow.
                memory.Room((int)length + 1);
            }

            var utf8 = await RequestBody.ReadAsync(body, MaxBytes, memory, context.RequestAborted);
            JsonSurrogates.Mend(utf8);
            return new JsonBody(memory, utf8, Parse(utf8));
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return JsonDocument.Parse(utf8, RequestBody.Deep);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _document?.Dispose();
        _memory.Dispose();
    }
}
