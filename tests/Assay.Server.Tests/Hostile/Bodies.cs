using System.Text;

namespace Assay.Server.Tests.Hostile;

/// <summary>Bodies of ingest as clients send them, to be spoilt by tests.</summary>
internal static class Bodies
{
    public const string Boundary = "----LangSmithFormBoundaryTest";

    public static string Run(Guid id, string more = "") =>
        $$"""{"id":"{{id}}","trace_id":"{{id}}","dotted_order":"20260301T100000000000Z{{id}}","name":"n","run_type":"chain","session_name":"hostile","start_time":"2026-03-01T10:00:00Z"{{more}}}""";

    public static string Batch(params IEnumerable<string> runs) =>
        $$"""{"post":[{{string.Join(",", runs)}}]}""";

    public static byte[] Multipart(
        params IEnumerable<(string Name, string Type, byte[] Content)> parts
    )
    {
        var body = new MemoryStream();
        foreach (var (name, type, content) in parts)
        {
            body.Write(
                Encoding.ASCII.GetBytes(
                    $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {type}\r\n\r\n"
                )
            );
            body.Write(content);
            body.Write("\r\n"u8);
        }

        body.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        return body.ToArray();
    }

    public static (string, string, byte[]) Part(string name, string json) =>
        (name, "application/json", Encoding.UTF8.GetBytes(json));

    public static HttpContent Form(byte[] body, string? encoding = null)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation(
            "Content-Type",
            $"multipart/form-data; boundary={Boundary}"
        );
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        return content;
    }

    public static HttpContent Packed(byte[] body, string encoding)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentEncoding.Add(encoding);
        return content;
    }
}
