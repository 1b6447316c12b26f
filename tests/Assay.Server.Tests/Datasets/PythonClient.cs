using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ZstdSharp;

namespace Assay.Server.Tests.Datasets;

/// <summary>
/// Sends what the Python SDK sends: its headers, its spelling of queries (<c>True</c>, repeated keys, <c>+</c> for a space), its multipart
/// bodies without file names, its zstd frames of unknown length. Taken from the published sources of langsmith 0.11.1, not run with it.
/// </summary>
internal sealed class PythonClient(string address, string key) : IDisposable
{
    private readonly HttpClient _http = new(
        new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }
    )
    {
        BaseAddress = new Uri(address.TrimEnd('/') + "/api/v1/"),
        DefaultRequestHeaders =
        {
            { "User-Agent", "langsmith-py/0.11.1" },
            { "x-api-key", key },
            { "Accept", "application/json" },
        },
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A call with a JSON body, or with none but its content type as httpx sends it.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> CallAsync(
        string method,
        string path,
        object? body = null
    )
    {
        using var content = new StringContent(
            body is null ? "" : JsonSerializer.Serialize(body),
            Encoding.UTF8
        );
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null || method == "DELETE")
        {
            request.Content = content;
        }

        return await SendAsync(request);
    }

    /// <summary>The same, demanding success.</summary>
    public async Task<JsonElement> GoodAsync(string method, string path, object? body = null)
    {
        var (status, answer) = await CallAsync(method, path, body);
        Assert.True((int)status is >= 200 and < 300, $"{method} {path}: {status} {answer}");
        return answer;
    }

    /// <summary>Every page of a list by <c>limit</c> and <c>offset</c>, until one is short: the SDK's own rule.</summary>
    public async Task<List<JsonElement>> AllAsync(string path)
    {
        var all = new List<JsonElement>();
        while (true)
        {
            var page = await GoodAsync("GET", $"{path}&offset={all.Count}&limit=100");
            all.AddRange(page.EnumerateArray());
            if (page.GetArrayLength() < 100)
            {
                return all;
            }
        }
    }

    /// <summary>Examples as <c>MultipartEncoder</c> of requests-toolbelt writes them: no file names; files with a length after their type.</summary>
    public Task<(HttpStatusCode Status, JsonElement Body)> ExamplesAsync(
        string method,
        string path,
        params (string Name, object Value)[] parts
    )
    {
        var body = new MemoryStream();
        var boundary = Guid.NewGuid().ToString("N");
        foreach (var (name, value) in parts)
        {
            var (type, bytes) = value is byte[] file
                ? ($"text/plain; length={file.Length}", file)
                : ("application/json", JsonSerializer.SerializeToUtf8Bytes(value));
            Write(
                body,
                $"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {type}\r\n\r\n"
            );
            body.Write(bytes);
            Write(body, "\r\n");
        }

        Write(body, $"--{boundary}--\r\n");
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.TryAddWithoutValidation(
            "Content-Type",
            $"multipart/form-data; boundary={boundary}"
        );
        return SendAsync(
            new HttpRequestMessage(new HttpMethod(method), path) { Content = content }
        );
    }

    /// <summary>Runs and feedback as the tracing thread sends them: parts with lengths of their own, all of it one zstd frame.</summary>
    public async Task IngestAsync(params (string Name, object Value)[] parts)
    {
        var plain = new MemoryStream();
        var boundary = Guid.NewGuid().ToString("N");
        foreach (var (name, value) in parts)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(value);
            Write(
                plain,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json\r\nContent-Length: {bytes.Length}\r\n\r\n"
                )
            );
            plain.Write(bytes);
            Write(plain, "\r\n");
        }

        Write(plain, $"--{boundary}--\r\n");
        var packed = new MemoryStream();
        await using (var zstd = new CompressionStream(packed, 3, leaveOpen: true))
        {
            await zstd.WriteAsync(plain.ToArray(), Cancel);
        }

        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.TryAddWithoutValidation(
            "Content-Type",
            $"multipart/form-data; boundary={boundary}"
        );
        content.Headers.ContentEncoding.Add("zstd");
        var request = new HttpRequestMessage(HttpMethod.Post, "runs/multipart")
        {
            Content = content,
        };
        request.Headers.Add(
            "X-Pre-Compressed-Size",
            plain.Length.ToString(CultureInfo.InvariantCulture)
        );
        request.Headers.Add(
            "X-Post-Compressed-Size",
            packed.Length.ToString(CultureInfo.InvariantCulture)
        );
        var (status, answer) = await SendAsync(request);
        Assert.True(status == HttpStatusCode.Accepted, answer.ToString());
    }

    /// <summary>A form as requests writes <c>data=</c> and <c>files=</c>.</summary>
    public Task<(HttpStatusCode Status, JsonElement Body)> FormAsync(
        string path,
        string fileName,
        string file,
        params (string Name, string Value)[] fields
    )
    {
        var form = new MultipartFormDataContent(Guid.NewGuid().ToString("N"));
        foreach (var (name, value) in fields)
        {
            var field = new StringContent(value);
            field.Headers.ContentType = null;
            form.Add(field, $"\"{name}\"");
        }

        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(file)), "\"file\"", $"\"{fileName}\"");
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = form });
    }

    /// <summary>A file as the body.</summary>
    public Task<(HttpStatusCode Status, JsonElement Body)> BytesAsync(string path, byte[] body) =>
        SendAsync(
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) }
        );

    /// <summary>A time as <c>isoformat()</c> writes it, encoded by <c>urlencode</c>.</summary>
    public static string Query(string value) =>
        Uri.EscapeDataString(value).Replace("%20", "+", StringComparison.Ordinal);

    /// <summary>Bytes behind an address that came in an answer, fetched as the SDK does: without a key.</summary>
    public static async Task<byte[]> FetchAsync(string url)
    {
        using var http = new HttpClient();
        return await http.GetByteArrayAsync(new Uri(url), Cancel);
    }

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpRequestMessage request
    )
    {
        using (request)
        {
            using var response = await _http.SendAsync(request, Cancel);
            var text = await response.Content.ReadAsStringAsync(Cancel);
            return (
                response.StatusCode,
                text.Length == 0 ? default : JsonDocument.Parse(text).RootElement
            );
        }
    }

    private static void Write(MemoryStream to, string text) =>
        to.Write(Encoding.UTF8.GetBytes(text));
}
