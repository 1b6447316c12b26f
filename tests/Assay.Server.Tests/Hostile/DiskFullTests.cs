using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;

namespace Assay.Server.Tests.Hostile;

/// <summary>The real binary on a disk that is really full: a small file system of its own, filled by what is sent.</summary>
public sealed class DiskFullTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_refuses_loses_nothing_and_is_left_behind_when_there_is_room_again()
    {
        var mount = Directory.CreateTempSubdirectory("assay-full").FullName;
        var refusal = await RunAsync("mount", "-t", "tmpfs", "-o", "size=160m", "assay", mount);
        Assert.SkipUnless(
            refusal is null,
            $"A file system of its own could not be mounted here (it needs root and the capability to mount): {refusal}"
        );
        try
        {
            var ballast = Path.Combine(mount, "ballast");
            await File.WriteAllBytesAsync(ballast, new byte[48 << 20], Token);
            await using var server = await RunningServer.StartAsync(Path.Combine(mount, "data"));
            var acknowledged = new List<Guid>();
            while (await SendAsync(server, acknowledged) == HttpStatusCode.Accepted) { }

            Assert.NotEmpty(acknowledged);
            using (var refused = await PostAsync(server, Guid.CreateVersion7()))
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
                Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            }

            using (var ready = await server.Client.GetAsync("/health/ready", Token))
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            }

            File.Delete(ballast);
            var before = acknowledged.Count;
            while (acknowledged.Count == before)
            {
                await SendAsync(server, acknowledged);
            }

            await AssertThereAsync(server, acknowledged);
            await server.KillAsync();
            await server.StartAgainAsync();
            await AssertThereAsync(server, acknowledged);
            using var well = await server.Client.GetAsync("/health/ready", Token);
            Assert.Equal(HttpStatusCode.OK, well.StatusCode);
        }
        finally
        {
            Assert.Null(await RunAsync("umount", "-l", mount));
            Directory.Delete(mount);
        }
    }

    private static async Task<HttpStatusCode> SendAsync(
        RunningServer server,
        List<Guid> acknowledged
    )
    {
        var id = Guid.CreateVersion7();
        using var response = await PostAsync(server, id);
        if (response.StatusCode == HttpStatusCode.Accepted)
        {
            acknowledged.Add(id);
        }
        else
        {
            Assert.Contains(
                response.StatusCode,
                (HttpStatusCode[])
                    [HttpStatusCode.ServiceUnavailable, HttpStatusCode.TooManyRequests]
            );
        }

        // What waits for the index is a reason to wait, not to stop.
        return response.StatusCode == HttpStatusCode.TooManyRequests
            ? HttpStatusCode.Accepted
            : response.StatusCode;
    }

    /// <summary>Half a megabyte that does not compress.</summary>
    private static Task<HttpResponseMessage> PostAsync(RunningServer server, Guid id) =>
        server.Client.PostAsJsonAsync(
            "/runs/batch",
            new
            {
                post = new[]
                {
                    new
                    {
                        id,
                        name = "full",
                        run_type = "chain",
                        inputs = new
                        {
                            text = Convert.ToBase64String(RandomNumberGenerator.GetBytes(400_000)),
                        },
                    },
                },
            },
            Token
        );

    private static async Task AssertThereAsync(RunningServer server, List<Guid> ids)
    {
        foreach (var chunk in ids.Chunk(50))
        {
            var page = await server.JsonAsync(
                HttpMethod.Post,
                "/runs/query",
                new { id = chunk, select = new[] { "id", "inputs" } }
            );
            Assert.Equal(
                chunk.ToHashSet(),
                [
                    .. page.GetProperty("runs")
                        .EnumerateArray()
                        .Where(r =>
                            r.GetProperty("inputs").GetProperty("text").GetString()?.Length
                            > 500_000
                        )
                        .Select(r => r.GetProperty("id").GetGuid()),
                ]
            );
        }
    }

    /// <summary>Runs a command; what it said when it failed.</summary>
    private static async Task<string?> RunAsync(string command, params string[] arguments)
    {
        try
        {
            using var process =
                Process.Start(
                    new ProcessStartInfo(command, arguments)
                    {
                        RedirectStandardError = true,
                        UseShellExecute = false,
                    }
                ) ?? throw new InvalidOperationException($"{command} did not start.");
            var errors = await process.StandardError.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            return process.ExitCode == 0 ? null : errors.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
