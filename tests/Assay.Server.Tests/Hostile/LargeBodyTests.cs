using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Assay.Server.Tests.Hostile;

/// <summary>Bodies of hundreds of megabytes against the real binary: its memory stays flat whatever they hold.</summary>
public sealed class LargeBodyTests : IAsyncLifetime
{
    /// <summary>What the process may hold at most; it idles at about 200 MiB.</summary>
    private const long MaxResident = 900L << 20;

    private RunningServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_batch_of_hundreds_of_megabytes_is_taken_run_by_run()
    {
        var ids = new List<Guid>();
        var big = Guid.CreateVersion7();
        using var response = await SendAsync(
            "/api/v1/runs/batch",
            null,
            async body =>
            {
                await body.WriteAsync("{\"post\":["u8.ToArray(), Token);
                // One run with a payload of 150 MB, then many of 1 MB.
                await body.WriteAsync(
                    Encoding.UTF8.GetBytes(Bodies.Run(big, ",\"inputs\":{\"text\":\"")[..^1]),
                    Token
                );
                await FillAsync(body, 150);
                await body.WriteAsync("\"}}"u8.ToArray(), Token);
                for (var i = 0; i < 150; i++)
                {
                    ids.Add(Guid.CreateVersion7());
                    await body.WriteAsync(
                        Encoding.UTF8.GetBytes(
                            "," + Bodies.Run(ids[^1], ",\"inputs\":{\"text\":\"")[..^1]
                        ),
                        Token
                    );
                    await FillAsync(body, 1);
                    await body.WriteAsync("\"}}"u8.ToArray(), Token);
                }

                await body.WriteAsync("]}"u8.ToArray(), Token);
            }
        );
        Assert.True(
            response.StatusCode == HttpStatusCode.Accepted,
            await response.Content.ReadAsStringAsync(Token)
        );
        Assert.InRange(_server.PeakResident, 1, MaxResident);
        var found = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/query",
            new { id = new[] { big, ids[0], ids[^1] }, select = new[] { "id" } }
        );
        Assert.Equal(3, found.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task Many_large_uploads_at_once_are_taken_with_flat_memory()
    {
        var uploads = Enumerable
            .Range(0, 24)
            .Select(async _ =>
            {
                var id = Guid.CreateVersion7();
                while (true)
                {
                    using var response = await SendAsync(
                        "/api/v1/runs/batch",
                        null,
                        async body =>
                        {
                            await body.WriteAsync(
                                Encoding.UTF8.GetBytes(
                                    "{\"post\":[" + Bodies.Run(id, ",\"inputs\":{\"text\":\"")[..^1]
                                ),
                                Token
                            );
                            await FillAsync(body, 25);
                            await body.WriteAsync("\"}}]}"u8.ToArray(), Token);
                        }
                    );
                    if (response.StatusCode == HttpStatusCode.Accepted)
                    {
                        return id;
                    }

                    // Told to come back when too many come at once, never anything else.
                    Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
                    Assert.NotNull(response.Headers.RetryAfter);
                }
            });
        var ids = await Task.WhenAll(uploads);
        Assert.InRange(_server.PeakResident, 1, MaxResident);
        var found = await _server.JsonAsync(
            HttpMethod.Post,
            "/runs/query",
            new { id = ids, select = new[] { "id" } }
        );
        Assert.Equal(ids.Length, found.GetProperty("runs").GetArrayLength());
    }

    [Theory]
    [InlineData("/api/v1/runs/query", 413)]
    [InlineData("/api/v1/feedback", 413)]
    [InlineData("/api/v1/runs/batch", 400)]
    public async Task A_gigabyte_is_refused_without_being_held(string path, int status)
    {
        HttpStatusCode? answer = null;
        try
        {
            using var response = await SendAsync(path, null, body => FillAsync(body, 1_024));
            answer = response.StatusCode;
        }
        catch (HttpRequestException)
        {
            // The server has answered and closed while we were still sending.
        }

        Assert.True(answer is null || (int)answer == status, $"{answer}");
        Assert.InRange(_server.PeakResident, 1, MaxResident);
        await _server.JsonAsync(HttpMethod.Get, "/info");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task A_bomb_unpacks_to_nothing_that_is_held(string encoding)
    {
        // 3 GiB of blanks in front of nothing: valid so far, until it is too much.
        var packed = new MemoryStream();
        await using (
            Stream pack =
                encoding == "gzip"
                    ? new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)
                    : new ZstdSharp.CompressionStream(packed, 1, leaveOpen: true)
        )
        {
            var blanks = new byte[1 << 20];
            blanks.AsSpan().Fill((byte)' ');
            for (var i = 0; i < 3 << 10; i++)
            {
                await pack.WriteAsync(blanks, Token);
            }
        }

        using var content = Bodies.Packed(packed.ToArray(), encoding);
        using var response = await _server.Client.PostAsync("/api/v1/runs/batch", content, Token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        using var again = Bodies.Packed(packed.ToArray(), encoding);
        using var query = await _server.Client.PostAsync("/api/v1/runs/query", again, Token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, query.StatusCode);
        Assert.InRange(_server.PeakResident, 1, MaxResident);
        await _server.JsonAsync(HttpMethod.Get, "/info");
    }

    private async Task<HttpResponseMessage> SendAsync(
        string path,
        string? encoding,
        Func<Stream, Task> write
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new WrittenContent(write),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (encoding is not null)
        {
            request.Content.Headers.ContentEncoding.Add(encoding);
        }

        return await _server.Client.SendAsync(request, Token);
    }

    private static async Task FillAsync(Stream body, int megabytes)
    {
        var piece = new byte[1 << 20];
        piece.AsSpan().Fill((byte)'x');
        for (var i = 0; i < megabytes; i++)
        {
            await body.WriteAsync(piece, Token);
        }
    }

    private sealed class WrittenContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
