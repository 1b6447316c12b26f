using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests.Hostile;

/// <summary>What clients should not send: each gets a clear 4xx, its neighbours are kept, the server goes on.</summary>
public sealed class HostileInputTests(HostileServer server) : IClassFixture<HostileServer>
{
    public static TheoryData<string> BrokenRuns() =>
        [
            "null",
            "7",
            "[]",
            "{}",
            """{"id":"nope"}""",
            """{"id":7}""",
            """{"id":"00000000-0000-0000-0000-000000000000"}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","run_type":"magic"}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","start_time":"soon"}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","start_time":-1e14}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","start_time":1e999}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","end_time":{}}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","trace_id":[]}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","parent_run_id":"x"}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","parent_run_id":"018f0000-0000-7000-8000-0000000000aa"}""",
            """{"id":"018f0000-0000-7000-8000-0000000000aa","session_id":"018f0000-0000-7000-8000-0000000000ff"}""",
            $$"""{"id":"018f0000-0000-7000-8000-0000000000aa","session_name":"{{new string('x', 5_000)}}"}""",
        ];

    [Theory]
    [MemberData(nameof(BrokenRuns))]
    public async Task A_broken_run_is_refused_with_its_reason_and_its_neighbours_are_kept(
        string run
    )
    {
        foreach (var isChunked in (bool[])[false, true])
        {
            var (before, after) = (Guid.CreateVersion7(), Guid.CreateVersion7());
            var body = Bodies.Batch(Bodies.Run(before), run, Bodies.Run(after));
            var (status, answer) = await server.SendAsync(
                "/runs/batch",
                isChunked ? Chunked(body) : new StringContent(body)
            );
            Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{status}: {answer}");
            using var detail = JsonDocument.Parse(answer);
            Assert.Equal(1, detail.RootElement.GetProperty("detail").GetArrayLength());
            Assert.NotNull(await server.RunAsync(before));
            Assert.NotNull(await server.RunAsync(after));
        }
    }

    [Theory]
    [InlineData("name", "[1,{}]")]
    [InlineData("tags", "\"x\"")]
    [InlineData("tags", "[1,null,\"t\"]")]
    [InlineData("inputs", "\"text\"")]
    [InlineData("inputs", "[[[]]]")]
    [InlineData("extra", "7")]
    [InlineData("extra", """{"metadata":7}""")]
    [InlineData("extra", """{"metadata":{"a":1e400,"b":123456789012345678901234567890}}""")]
    [InlineData("events", """[7,{"name":"new_token","time":"x"},{"time":1}]""")]
    [InlineData(
        "outputs",
        """{"usage_metadata":{"input_tokens":1e30,"output_tokens":-5,"total_tokens":"x"}}"""
    )]
    [InlineData(
        "outputs",
        """{"usage_metadata":{"input_tokens":1,"output_tokens":2,"input_cost":1e300,"total_cost":"NaN"}}"""
    )]
    [InlineData("outputs", """{"usage":{"prompt_tokens":99999999999999999999}}""")]
    [InlineData("outputs", """{"llm_output":{"token_usage":[]}}""")]
    [InlineData("error", """{"code":7}""")]
    [InlineData("unknown_field", """{"a":[1,2,3]}""")]
    [InlineData("dotted_order", "\"...\"")]
    [InlineData("dotted_order", "\"20260301T100000000000Zxx.20260301T100000000000Zyy\"")]
    [InlineData("start_time", "\"0001-01-01T00:00:00Z\"")]
    [InlineData("end_time", "\"9999-12-31T23:59:59.999999Z\"")]
    [InlineData("name", "\"a\\u0000b\"")]
    [InlineData("session_name", "\"a\\u0000b\"")]
    [InlineData("name", "\"half \\ud83d of\"")]
    [InlineData("tags", "[\"\\udc00\"]")]
    [InlineData("inputs", """{"\ud800":"\udfff\\ud800"}""")]
    [InlineData("extra", """{"metadata":{"\ud800\u0000":"\ud83d\u0000","thread_id":"\ud800"}}""")]
    [InlineData("error", "\"\\ud83d\"")]
    public async Task Odd_values_are_taken_or_refused_and_never_break_reading(
        string field,
        string value
    )
    {
        var (id, neighbour) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (status, answer) = await server.SendAsync(
            "/runs/batch",
            Bodies.Batch(Bodies.Run(id, $",\"{field}\":{value}"), Bodies.Run(neighbour))
        );
        Assert.True(
            status is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity,
            $"{status}: {answer}"
        );
        Assert.NotNull(await server.RunAsync(neighbour));
        Assert.Equal(status == HttpStatusCode.Accepted, await server.RunAsync(id) is not null);
        var (read, body) = await server.SendAsync(
            "/runs/query",
            $$"""{"id":["{{id}}","{{neighbour}}"]}"""
        );
        Assert.True(read == HttpStatusCode.OK, body);
        (read, body) = await server.SendAsync("/runs/stats", $$"""{"id":["{{id}}"]}""");
        Assert.True(read == HttpStatusCode.OK, body);

        // The same by multipart.
        (id, neighbour) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var isPart = field is "inputs" or "outputs" or "extra" or "events" or "error";
        (status, answer) = await server.SendAsync(
            "/runs/multipart",
            Bodies.Form(
                Bodies.Multipart([
                    Bodies.Part(
                        $"post.{id}",
                        Bodies.Run(id, isPart ? "" : $",\"{field}\":{value}")
                    ),
                    .. isPart
                        ? [Bodies.Part($"post.{id}.{field}", value)]
                        : Array.Empty<(string, string, byte[])>(),
                    Bodies.Part($"post.{neighbour}", Bodies.Run(neighbour)),
                ])
            )
        );
        Assert.True(
            status is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity,
            $"{status}: {answer}"
        );
        Assert.NotNull(await server.RunAsync(neighbour));
    }

    [Fact]
    public async Task Texts_of_half_a_character_come_back_as_the_replacement_character()
    {
        var id = Guid.CreateVersion7();
        var (status, answer) = await server.SendAsync(
            "/runs",
            Bodies.Run(id, """,  "inputs": {"q":"a\ud83d","ok":"\ud83d\ude00 \\ud800"}""")
        );
        Assert.True(status == HttpStatusCode.Accepted, answer);
        var inputs = (await server.RunAsync(id))!.Value.GetProperty("inputs");
        Assert.Equal("a\uFFFD", inputs.GetProperty("q").GetString());
        Assert.Equal("😀 \\ud800", inputs.GetProperty("ok").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]x")]
    [InlineData("{\"post\":[}")]
    [InlineData("nonsense")]
    [InlineData("\u0000")]
    public async Task Broken_JSON_is_400_in_the_shape_of_the_dialect(string body)
    {
        foreach (
            var path in (string[])
                [
                    "/runs",
                    "/runs/batch",
                    "/runs/query",
                    "/runs/stats",
                    "/feedback",
                    "/sessions",
                    "/examples",
                    "/datasets",
                ]
        )
        {
            var (status, answer) = await server.SendAsync(path, body);
            Assert.True(
                status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity,
                $"{path} {status}: {answer}"
            );
            using var json = JsonDocument.Parse(answer);
            Assert.True(json.RootElement.TryGetProperty("detail", out _), answer);
        }
    }

    [Fact]
    public async Task Runs_before_a_break_are_kept_and_the_answer_says_so()
    {
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (status, answer) = await server.SendAsync(
            "/runs/batch",
            $$"""{"post":[{{Bodies.Run(first)}},{{Bodies.Run(second)}},{"id":"""
        );
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("2 runs before that were accepted", answer, StringComparison.Ordinal);
        Assert.NotNull(await server.RunAsync(first));
        Assert.NotNull(await server.RunAsync(second));

        var (whole, torn) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var form = Bodies.Multipart([
            Bodies.Part($"post.{whole}", Bodies.Run(whole)),
            Bodies.Part($"post.{torn}", Bodies.Run(torn)),
            Bodies.Part($"post.{torn}.inputs", """{"a":"long enough to be cut"}"""),
        ]);
        (status, _) = await server.SendAsync("/runs/multipart", Bodies.Form(form[..^60]));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotNull(await server.RunAsync(whole));
        Assert.Null(await server.RunAsync(torn));
    }

    [Fact]
    public async Task Invalid_UTF8_is_refused_where_it_is_and_the_neighbours_are_kept()
    {
        foreach (var isChunked in (bool[])[false, true])
        {
            var (bad, worse, good) = (
                Guid.CreateVersion7(),
                Guid.CreateVersion7(),
                Guid.CreateVersion7()
            );
            var body = Encoding.UTF8.GetBytes(
                Bodies.Batch(
                    Bodies.Run(bad, ",\"inputs\":{\"a\":\"#\"}"),
                    Bodies.Run(worse, ",\"outputs\":{\"#\":1}"),
                    Bodies.Run(good)
                )
            );
            body.AsSpan().Replace((byte)'#', (byte)0xFF);
            var (status, answer) = await server.SendAsync(
                "/runs/batch",
                isChunked
                    ? new StreamContent(new MemoryStream(body))
                    {
                        Headers = { ContentLength = null },
                    }
                    : new ByteArrayContent(body)
            );
            Assert.True(status == HttpStatusCode.UnprocessableEntity, answer);
            Assert.Null(await server.RunAsync(bad));
            Assert.Null(await server.RunAsync(worse));
            Assert.NotNull(await server.RunAsync(good));
        }

        var query = "{\"filter\":\"eq(name, '#')\"}"u8.ToArray();
        query.AsSpan().Replace((byte)'#', (byte)0xC0);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await server.SendAsync("/runs/query", new ByteArrayContent(query))).Status
        );
    }

    [Fact]
    public async Task Deep_nesting_is_refused_for_the_run_alone()
    {
        foreach (var isChunked in (bool[])[true, false])
        {
            var (deep, good) = (Guid.CreateVersion7(), Guid.CreateVersion7());
            var nested = new string('[', 1_000) + new string(']', 1_000);
            var body = Bodies.Batch(Bodies.Run(deep, $",\"inputs\":{nested}"), Bodies.Run(good));
            var (status, answer) = await server.SendAsync(
                "/runs/batch",
                isChunked ? Chunked(body) : new StringContent(body)
            );
            Assert.True(status == HttpStatusCode.UnprocessableEntity, answer);
            Assert.NotNull(await server.RunAsync(good));
            Assert.Null(await server.RunAsync(deep));
        }

        var depths = new string('[', 100_000);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await server.SendAsync("/runs/batch", depths)).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await server.SendAsync("/runs/query", depths)).Status
        );
    }

    [Fact]
    public async Task Payloads_nested_as_deep_as_allowed_can_be_read_filtered_and_searched()
    {
        var id = Guid.CreateVersion7();
        var nested =
            string.Concat(Enumerable.Repeat("{\"a\":", 200))
            + "\"deepword\""
            + new string('}', 200);
        var (status, answer) = await server.SendAsync(
            "/runs",
            Bodies.Run(id, $",\"inputs\":{nested},\"extra\":{{\"metadata\":{{\"x\":1}}}}")
        );
        Assert.True(status == HttpStatusCode.Accepted, answer);
        Assert.NotNull(await server.RunAsync(id));
        foreach (
            var filter in (string[])
                ["search(deepword)", "eq(input_value, deepword)", "has(metadata, '{\\\"x\\\":1}')"]
        )
        {
            var (read, body) = await server.SendAsync(
                "/runs/query",
                $$"""{"trace":"{{id}}","filter":"{{filter}}","select":["id"]}"""
            );
            Assert.True(read == HttpStatusCode.OK, body);
            Assert.Contains(id.ToString(), body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Parts_that_are_no_JSON_or_have_no_name_cost_only_themselves()
    {
        var ids = Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7()).ToArray();
        var (status, answer) = await server.SendAsync(
            "/runs/multipart",
            Bodies.Form(
                Bodies.Multipart([
                    Bodies.Part($"post.{ids[0]}", Bodies.Run(ids[0])),
                    Bodies.Part($"post.{ids[1]}", "{not json"),
                    Bodies.Part($"post.{ids[1]}.inputs", "{}"),
                    Bodies.Part($"post.{ids[2]}", Bodies.Run(ids[2])),
                    Bodies.Part($"post.{ids[2]}.inputs", "{\"a\":"),
                    Bodies.Part($"post.{ids[3]}", Bodies.Run(ids[3])),
                    Bodies.Part($"post.{ids[3]}.error", "broken"),
                    Bodies.Part("post", "{}"),
                    Bodies.Part("strange.name.here", "{}"),
                    Bodies.Part($"feedback.{Guid.CreateVersion7()}", "{\"key\":"),
                    Bodies.Part($"feedback.{Guid.CreateVersion7()}", "{}"),
                    Bodies.Part($"post.{ids[5]}", Bodies.Run(ids[5])),
                ])
            )
        );
        Assert.True(status == HttpStatusCode.UnprocessableEntity, answer);
        Assert.NotNull(await server.RunAsync(ids[0]));
        Assert.Null(await server.RunAsync(ids[1]));
        Assert.Null(await server.RunAsync(ids[2]));
        Assert.NotNull(await server.RunAsync(ids[5]));
        await server.AnswersAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task Damaged_and_cut_compression_is_400(string encoding)
    {
        var id = Guid.CreateVersion7();
        var form = Bodies.Multipart([
            Bodies.Part($"post.{id}", Bodies.Run(id)),
            Bodies.Part($"post.{id}.inputs", JsonSerializer.Serialize(Enumerable.Range(0, 20_000))),
        ]);
        var packed = encoding == "gzip" ? Gzip(form) : Zstd(form);
        var (status, answer) = await server.SendAsync(
            "/runs/multipart",
            Bodies.Form(packed[..(packed.Length / 2)], encoding)
        );
        Assert.True(status == HttpStatusCode.BadRequest, $"{status} {answer}");
        // In the heads of frame and block: damage inside a block may go unseen, because clients send no checksums.
        packed.AsSpan(4, 40).Fill(0x5A);
        (status, answer) = await server.SendAsync("/runs/multipart", Bodies.Form(packed, encoding));
        Assert.True(status == HttpStatusCode.BadRequest, $"{status} {answer}");
        (status, answer) = await server.SendAsync(
            "/runs/batch",
            Bodies.Packed("not packed at all"u8.ToArray(), encoding)
        );
        Assert.True(status == HttpStatusCode.BadRequest, $"{status} {answer}");
        (status, _) = await server.SendAsync("/runs/batch", Bodies.Packed([1, 2, 3], "compress"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, status);
        await server.AnswersAsync();
    }

    [Fact]
    public async Task A_cycle_of_parents_is_taken_and_read()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        var (status, answer) = await server.SendAsync(
            "/runs/batch",
            Bodies.Batch(
                ids.Select(
                    (id, i) =>
                        $$"""{"id":"{{id}}","trace_id":"{{ids[0]}}","parent_run_id":"{{ids[(i + 1) % 3]}}","name":"c","run_type":"chain","session_name":"hostile"}"""
                )
            )
        );
        Assert.True(status == HttpStatusCode.Accepted, answer);
        foreach (var id in ids)
        {
            Assert.NotNull(await server.RunAsync(id));
        }

        var (read, body) = await server.SendAsync(
            "/runs/query",
            $$"""{"trace":"{{ids[0]}}","select":["child_run_ids","id"]}"""
        );
        Assert.True(read == HttpStatusCode.OK, body);
    }

    [Fact]
    public async Task The_same_id_in_two_projects_and_in_two_workspaces_stays_apart()
    {
        var id = Guid.CreateVersion7();
        foreach (var project in (string[])["one", "two"])
        {
            var (status, answer) = await server.SendAsync(
                "/runs",
                Bodies.Run(id).Replace("\"hostile\"", $"\"{project}\"", StringComparison.Ordinal)
            );
            Assert.True(status == HttpStatusCode.Accepted, answer);
        }

        using var stranger = await server.StrangerAsync();
        var (foreign, _) = await server.SendAsync(
            $"/runs/{id}",
            new StringContent("""{"error":"foreign"}"""),
            HttpMethod.Patch,
            stranger
        );
        Assert.True((int)foreign < 500);
        using var hidden = await stranger.GetAsync(
            $"/api/v1/runs/{id}",
            TestContext.Current.CancellationToken
        );
        Assert.DoesNotContain(
            "hostile",
            await hidden.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
        Assert.Equal(
            JsonValueKind.Null,
            (await server.RunAsync(id))!.Value.GetProperty("error").ValueKind
        );
        var (_, both) = await server.SendAsync("/runs/query", $$"""{"id":["{{id}}"]}""");
        using var found = JsonDocument.Parse(both);
        Assert.Equal(2, found.RootElement.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task Bodies_that_trickle_are_given_up_and_hold_nobody_else_up()
    {
        // More of them than large bodies are read at once.
        var trickles = Enumerable.Range(0, 20).Select(_ => TrickleAsync()).ToList();
        var id = Guid.CreateVersion7();
        var (status, _) = await server.SendAsync("/runs", Bodies.Run(id));
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.NotNull(await server.RunAsync(id));
        foreach (var answer in await Task.WhenAll(trickles))
        {
            Assert.Matches("^HTTP/1.1 (408|429)", answer);
        }

        async Task<string> TrickleAsync()
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(
                server.Address.Host,
                server.Address.Port,
                TestContext.Current.CancellationToken
            );
            var stream = socket.GetStream();
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST /api/v1/runs/batch HTTP/1.1\r\nHost: localhost\r\nx-api-key: {server.Key}\r\nContent-Length: 5000000\r\n\r\n"
                ),
                TestContext.Current.CancellationToken
            );
            using var reader = new StreamReader(stream);
            var answer = reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            while (!answer.IsCompleted)
            {
                // Ten bytes a second: never still, never done.
                await Task.WhenAny(answer, Task.Delay(100, TestContext.Current.CancellationToken));
                try
                {
                    await stream.WriteAsync(" "u8.ToArray(), TestContext.Current.CancellationToken);
                }
                catch (IOException)
                {
                    // Closed: the answer is on its way or has come.
                    break;
                }
            }

            return await answer ?? "";
        }
    }

    [Fact]
    public async Task Large_values_of_refused_runs_leave_nothing_behind()
    {
        var before = server.Blobs();
        var id = Guid.CreateVersion7();
        var large = $"\"inputs\":{{\"text\":\"{new string('x', 5 << 20)}\"}}";
        // Its own parent: found out after its values were stored.
        var (single, _) = await server.SendAsync(
            "/runs/batch",
            $$"""{"post":[{"id":"{{id}}","name":"a","run_type":"chain","parent_run_id":"{{id}}",{{large}}}]}"""
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, single);
        using var form = new MultipartFormDataContent
        {
            {
                new StringContent(
                    $$"""{"id":"{{id}}","name":"a","run_type":"chain","parent_run_id":"{{id}}"}"""
                ),
                $"post.{id}"
            },
            { new StringContent($"{{{large[9..]}"), $"post.{id}.inputs" },
            { new ByteArrayContent(new byte[64 << 10]), $"attachment.{id}.file" },
        };
        var (parts, body) = await server.SendAsync("/runs/multipart", form);
        Assert.True(parts == HttpStatusCode.UnprocessableEntity, body);

        // Cut in the middle of the second large value.
        var cut = Encoding.UTF8.GetBytes(
            $$"""{"post":[{"id":"{{Guid.CreateVersion7()}}","name":"a","run_type":"chain",{{large}},"outputs":{"text":"{{new string('y', 5 << 20)}}"""
        );
        var (torn, _) = await server.SendAsync("/runs/batch", new ByteArrayContent(cut));
        Assert.Equal(HttpStatusCode.BadRequest, torn);
        Assert.Equal(before, server.Blobs());
    }

    [Fact]
    public async Task A_body_that_stalls_is_given_up()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(
            server.Address.Host,
            server.Address.Port,
            TestContext.Current.CancellationToken
        );
        var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /api/v1/runs/batch HTTP/1.1\r\nHost: localhost\r\nx-api-key: {server.Key}\r\nContent-Length: 5000\r\n\r\n{{"
            ),
            TestContext.Current.CancellationToken
        );
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        await server.AnswersAsync();
    }

    [Theory]
    [InlineData("""{"filter":"eq(nam, 1)"}""", "Did you mean")]
    [InlineData("""{"filter":"and("}""", "position")]
    [InlineData("""{"cursor":"%%%"}""", "cursor")]
    public async Task Bad_questions_say_what_is_wrong(string fields, string expected)
    {
        var (status, answer) = await server.SendAsync(
            "/runs/query",
            $$"""{"trace":"{{Guid.CreateVersion7()}}",{{fields[1..]}}"""
        );
        Assert.True(status == HttpStatusCode.BadRequest, $"{status} {answer}");
        Assert.Contains(expected, answer, StringComparison.Ordinal);
    }

    private static StreamContent Chunked(string body) =>
        new(new UnknownLength(Encoding.UTF8.GetBytes(body)));

    private static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(bytes).ToArray();
    }
}
