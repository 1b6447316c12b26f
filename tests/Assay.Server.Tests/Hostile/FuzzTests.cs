using System.Net;
using System.Text;
using CsCheck;

namespace Assay.Server.Tests.Hostile;

/// <summary>
/// Valid bodies with random bytes changed, taken out, doubled or put in: the answer is never a 5xx, the server goes on, and the neighbours
/// that the change left whole are kept.
/// </summary>
public sealed class FuzzTests(HostileServer server) : IClassFixture<HostileServer>
{
    private static readonly byte[][] s_bits =
    [
        "null"u8.ToArray(),
        "{"u8.ToArray(),
        "}"u8.ToArray(),
        "]"u8.ToArray(),
        "\""u8.ToArray(),
        ","u8.ToArray(),
        "\\ud800"u8.ToArray(),
        "\\u0000"u8.ToArray(),
        "1e999"u8.ToArray(),
        "-99999999999999999999"u8.ToArray(),
        "\r\n--"u8.ToArray(),
        [0xFF],
        [0xED, 0xA0, 0x80],
        [0],
    ];

    private static readonly int s_border = $"--{Bodies.Boundary}\r\n".Length;

    /// <summary>A change: where (as a share of the body), what, and how much is cut there.</summary>
    private static readonly Gen<(double At, int Bit, int Cut)[]> s_changes = Gen.Select(
        Gen.Double[0, 1],
        Gen.Int[-2, 13],
        Gen.Int[0, 12]
    ).Array[1, 4];

    [Fact]
    public Task Batches() =>
        FuzzAsync(
            (first, last) =>
                (
                    "/runs/batch",
                    HttpMethod.Post,
                    $$"""{"post":[{{Bodies.Run(first)}},""",
                    Rich(Guid.CreateVersion7()),
                    $$""",{{Bodies.Run(last)}}]}"""
                ),
            keepsFirst: true,
            isMultipart: false
        );

    [Fact]
    public Task Single_runs() =>
        FuzzAsync(
            (_, _) => ("/runs", HttpMethod.Post, "", Rich(Guid.CreateVersion7()), ""),
            keepsFirst: false,
            isMultipart: false
        );

    [Fact]
    public Task Changes_of_runs() =>
        FuzzAsync(
            (_, _) =>
                (
                    $"/runs/{Guid.CreateVersion7()}",
                    HttpMethod.Patch,
                    "",
                    Rich(Guid.CreateVersion7()),
                    ""
                ),
            keepsFirst: false,
            isMultipart: false
        );

    [Fact]
    public Task Multipart_runs() =>
        FuzzAsync(
            (first, last) =>
            {
                var id = Guid.CreateVersion7();
                var before = Form(Bodies.Part($"post.{first}", Bodies.Run(first)));
                var middle = Form(
                    Bodies.Part($"post.{id}", Bodies.Run(id)),
                    Bodies.Part(
                        $"post.{id}.inputs",
                        """{"messages":[{"role":"user","content":"é😀"}]}"""
                    ),
                    Bodies.Part($"post.{id}.extra", """{"metadata":{"a":1,"thread_id":"t"}}"""),
                    Bodies.Part($"post.{id}.error", "\"boom\""),
                    ($"attachment.{id}.file", "text/plain; length=3", "abc"u8.ToArray()),
                    Bodies.Part(
                        $"feedback.{Guid.CreateVersion7()}",
                        $$"""{"key":"k","score":0.5,"run_id":"{{id}}","trace_id":"{{id}}"}"""
                    )
                );
                return (
                    "/runs/multipart",
                    HttpMethod.Post,
                    // The border belongs to the neighbour: without it that part does not end.
                    before + middle[..s_border],
                    middle[s_border..],
                    Form(Bodies.Part($"post.{last}", Bodies.Run(last)))
                        + $"--{Bodies.Boundary}--\r\n"
                );
            },
            keepsFirst: true,
            isMultipart: true
        );

    [Fact]
    public Task Feedback() =>
        FuzzAsync(
            (_, _) =>
                (
                    "/feedback",
                    HttpMethod.Post,
                    "",
                    $$"""{"id":"{{Guid.CreateVersion7()}}","run_id":"{{Guid.CreateVersion7()}}","trace_id":"{{Guid.CreateVersion7()}}","key":"k","score":0.5,"value":{"a":[1,"x"]},"comment":"c","correction":{"b":2},"feedback_source":{"type":"api","metadata":{"z":1} },"created_at":"2026-03-01T10:00:00Z","extra":{"e":1} }""",
                    ""
                ),
            keepsFirst: false,
            isMultipart: false
        );

    [Fact]
    public async Task Examples()
    {
        var (status, answer) = await server.SendAsync(
            "/datasets",
            $$"""{"name":"fuzz {{Guid.NewGuid()}}"}"""
        );
        Assert.True((int)status < 300, answer);
        using var dataset = System.Text.Json.JsonDocument.Parse(answer);
        var id = dataset.RootElement.GetProperty("id").GetString();
        await FuzzAsync(
            (_, _) =>
                (
                    "/examples/bulk",
                    HttpMethod.Post,
                    "",
                    $$"""[{"id":"{{Guid.CreateVersion7()}}","dataset_id":"{{id}}","inputs":{"q":"x","n":[1,2.5e3]},"outputs":{"a":"é"},"metadata":{"k":"v"},"split":["train"],"created_at":"2026-03-01T10:00:00Z"}]""",
                    ""
                ),
            keepsFirst: false,
            isMultipart: false
        );
        await FuzzAsync(
            (_, _) =>
            {
                var example = Guid.CreateVersion7();
                return (
                    $"/v1/platform/datasets/{id}/examples",
                    HttpMethod.Post,
                    "",
                    Form(
                        Bodies.Part($"{example}", """{"metadata":{"k":1},"split":"test"}"""),
                        Bodies.Part($"{example}.inputs", """{"q":1}"""),
                        Bodies.Part($"{example}.outputs", """{"a":1}"""),
                        ($"{example}.attachment.f", "text/plain", "abc"u8.ToArray())
                    ),
                    $"--{Bodies.Boundary}--\r\n"
                );
            },
            keepsFirst: false,
            isMultipart: true
        );
    }

    [Fact]
    public Task Questions() =>
        FuzzAsync(
            (_, _) =>
                (
                    "/runs/query",
                    HttpMethod.Post,
                    "",
                    $$"""{"trace":"{{Guid.CreateVersion7()}}","filter":"and(eq(name, \"x\"), gt(latency, \"5s\"), in(tags, [\"a\"]), has(metadata, \"{}\"))","start_time":"2026-03-01T10:00:00Z","limit":10,"select":["id"],"order":"asc","is_root":true}""",
                    ""
                ),
            keepsFirst: false,
            isMultipart: false
        );

    private async Task FuzzAsync(
        Func<
            Guid,
            Guid,
            (string Path, HttpMethod Method, string Before, string Middle, string After)
        > make,
        bool keepsFirst,
        bool isMultipart
    )
    {
        await s_changes.SampleAsync(
            async changes =>
            {
                var (first, last) = (Guid.CreateVersion7(), Guid.CreateVersion7());
                var (path, method, before, middle, after) = make(first, last);
                byte[] body =
                [
                    .. Encoding.UTF8.GetBytes(before),
                    .. Spoil(Encoding.UTF8.GetBytes(middle), changes),
                    .. Encoding.UTF8.GetBytes(after),
                ];
                var content =
                    isMultipart ? Bodies.Form(body)
                    : changes.Length % 2 == 0 ? new StreamContent(new UnknownLength(body))
                    : new ByteArrayContent(body);
                var (status, answer) = await server.SendAsync(path, content, method);
                Assert.True(
                    (int)status < 500,
                    $"{status} {answer} for {Encoding.UTF8.GetString(body)}"
                );
                if (keepsFirst)
                {
                    Assert.True(
                        await server.RunAsync(first) is not null,
                        $"lost its neighbour, {status} {answer} for {Encoding.UTF8.GetString(body)}"
                    );
                    if (status is HttpStatusCode.Accepted)
                    {
                        Assert.True(
                            await server.RunAsync(last) is not null
                                || !Encoding
                                    .UTF8.GetString(body)
                                    .Contains(last.ToString(), StringComparison.Ordinal)
                                || isMultipart,
                            $"lost its last neighbour for {Encoding.UTF8.GetString(body)}"
                        );
                    }
                }
            },
            iter: 150,
            threads: 1
        );
        await server.AnswersAsync();
        var (read, list) = await server.SendAsync("/runs/query", await EverythingAsync());
        Assert.True(read == HttpStatusCode.OK, list);
    }

    /// <summary>A question whose answer writes out everything that was let in.</summary>
    private async Task<string> EverythingAsync()
    {
        var sessions = await server.Client.GetStringAsync(
            "/api/v1/sessions?limit=100",
            TestContext.Current.CancellationToken
        );
        using var json = System.Text.Json.JsonDocument.Parse(sessions);
        var ids = json.RootElement.EnumerateArray().Select(s => $"\"{s.GetProperty("id")}\"");
        return $$"""{"session":[{{string.Join(",", ids)}}],"limit":100}""";
    }

    private static string Rich(Guid id) =>
        Bodies.Run(
            id,
            ""","inputs":{"messages":[{"role":"user","content":"é😀 \" \\ \n"}]},"outputs":{"usage_metadata":{"input_tokens":5,"output_tokens":7,"total_tokens":12}},"extra":{"metadata":{"a":1,"b":{"c":"d"},"thread_id":"t"},"invocation_params":{"model":"m"}},"events":[{"name":"new_token","time":"2026-03-01T10:00:01Z"}],"tags":["x","y"],"error":"boom","end_time":1772359200000,"serialized":{"id":["a"]}"""
        );

    private static string Form(params (string, string, byte[])[] parts)
    {
        var text = Encoding.UTF8.GetString(Bodies.Multipart(parts));
        return text[..^$"--{Bodies.Boundary}--\r\n".Length];
    }

    private static byte[] Spoil(byte[] body, (double At, int Bit, int Cut)[] changes)
    {
        var bytes = body.ToList();
        foreach (var (share, bit, cut) in changes)
        {
            var at = (int)(share * bytes.Count);
            bytes.RemoveRange(at, Math.Min(cut, bytes.Count - at));
            if (bit >= 0)
            {
                bytes.InsertRange(at, s_bits[bit]);
            }
            else if (bit == -1)
            {
                bytes.InsertRange(at, [.. bytes.Skip(at).Take(40)]);
            }
        }

        return [.. bytes];
    }
}
