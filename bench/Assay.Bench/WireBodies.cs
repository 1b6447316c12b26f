using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Assay.Bench;

/// <summary>Request bodies as LangSmith's clients send them.</summary>
internal static class WireBodies
{
    private const string Boundary = "assay-bench-boundary";

    public static WireBody Batch(
        IReadOnlyList<SampleRun> posts,
        IReadOnlyList<SampleRun> patches,
        string project
    )
    {
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream))
        {
            w.WriteStartObject();
            w.WriteStartArray("post");
            foreach (var run in posts)
            {
                Post(w, run, project, isWhole: true);
            }

            w.WriteEndArray();
            w.WriteStartArray("patch");
            foreach (var run in patches)
            {
                Patch(w, run, isWhole: true);
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        return new WireBody("api/v1/runs/batch", stream.ToArray(), "application/json", null);
    }

    public static WireBody Multipart(
        IReadOnlyList<SampleRun> posts,
        IReadOnlyList<SampleRun> patches,
        string project
    )
    {
        using var stream = new MemoryStream();
        foreach (var run in posts)
        {
            Part(stream, $"post.{run.Id}", Json(w => Post(w, run, project, isWhole: false)));
            Part(stream, $"post.{run.Id}.inputs", run.Inputs);
            Part(stream, $"post.{run.Id}.extra", run.Extra);
        }

        foreach (var run in patches)
        {
            Part(stream, $"patch.{run.Id}", Json(w => Patch(w, run, isWhole: false)));
            Part(stream, $"patch.{run.Id}.outputs", run.Outputs);
        }

        stream.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        using var compressor = new ZstdSharp.Compressor(1);
        return new WireBody(
            "api/v1/runs/multipart",
            compressor.Wrap(stream.ToArray()).ToArray(),
            $"multipart/form-data; boundary={Boundary}",
            "zstd"
        );
    }

    private static void Part(MemoryStream stream, string name, byte[] value)
    {
        stream.Write(
            Encoding.ASCII.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json; length={value.Length}\r\n\r\n"
                )
            )
        );
        stream.Write(value);
        stream.Write("\r\n"u8);
    }

    private static void Post(Utf8JsonWriter w, SampleRun run, string project, bool isWhole)
    {
        w.WriteStartObject();
        Ids(w, run);
        w.WriteString("name", run.Name);
        w.WriteString("run_type", run.Type);
        w.WriteString("session_name", project);
        w.WriteString("start_time", run.Start.UtcDateTime);
        w.WriteStartArray("tags");
        foreach (var tag in run.Tags)
        {
            w.WriteStringValue(tag);
        }

        w.WriteEndArray();
        if (isWhole)
        {
            w.WritePropertyName("inputs");
            w.WriteRawValue(run.Inputs, skipInputValidation: true);
            w.WritePropertyName("extra");
            w.WriteRawValue(run.Extra, skipInputValidation: true);
        }

        w.WriteEndObject();
    }

    private static void Patch(Utf8JsonWriter w, SampleRun run, bool isWhole)
    {
        w.WriteStartObject();
        Ids(w, run);
        w.WriteString("end_time", run.End.UtcDateTime);
        if (run.Error is not null)
        {
            w.WriteString("error", run.Error);
        }

        if (isWhole)
        {
            w.WritePropertyName("outputs");
            w.WriteRawValue(run.Outputs, skipInputValidation: true);
        }

        w.WriteEndObject();
    }

    private static void Ids(Utf8JsonWriter w, SampleRun run)
    {
        w.WriteString("id", run.Id);
        w.WriteString("trace_id", run.Trace);
        if (run.Parent is { } parent)
        {
            w.WriteString("parent_run_id", parent);
        }

        w.WriteString("dotted_order", run.Order);
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            write(writer);
        }

        return stream.ToArray();
    }
}

/// <summary>A body ready to be sent.</summary>
internal sealed record WireBody(string Path, byte[] Bytes, string ContentType, string? Encoding)
{
    public HttpRequestMessage Request()
    {
        var content = new ByteArrayContent(Bytes);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(ContentType);
        if (Encoding is not null)
        {
            content.Headers.ContentEncoding.Add(Encoding);
        }

        return new HttpRequestMessage(HttpMethod.Post, Path) { Content = content };
    }
}
