using System.Diagnostics;

namespace Assay.Server.Tests;

/// <summary>The .NET samples, run as a reader would run them; those in JavaScript are run by <c>tests/conformance</c>.</summary>
public sealed class SampleTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Hello_tracing_leaves_a_trace_with_its_tool_call()
    {
        var (code, output) = await RunAsync("HelloTracing");
        Assert.True(code == 0, output);
        Assert.Contains("It is 18 °C in Paris.", output, StringComparison.Ordinal);

        var sessions = await _server.JsonAsync(
            HttpMethod.Get,
            "/api/v1/sessions?name=hello-tracing"
        );
        var runs = await _server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/runs/query",
            new { session = new[] { Assert.Single(sessions.EnumerateArray()).GetProperty("id") } }
        );
        var types = runs.GetProperty("runs")
            .EnumerateArray()
            .Select(r => r.GetProperty("run_type").GetString())
            .ToList();
        Assert.Equal(2, types.Count(t => t == "llm"));
        Assert.Single(types, "tool");
    }

    [Fact]
    public async Task Compare_versions_ends_with_a_verdict_and_two_experiments_on_one_dataset()
    {
        var (code, output) = await RunAsync("CompareVersions");
        Assert.True(code == 0, output);
        Assert.Contains("token_f1", output, StringComparison.Ordinal);
        Assert.Contains("n = 12: Better", output, StringComparison.Ordinal);
        var (again, second) = await RunAsync("CompareVersions");
        Assert.True(again == 0, second);

        var dataset = Assert.Single(
            (
                await _server.JsonAsync(
                    HttpMethod.Get,
                    "/api/v1/datasets?name=sample%3A%20shop%20questions"
                )
            ).EnumerateArray()
        );
        Assert.Equal(12, dataset.GetProperty("example_count").GetInt32());
        var experiments = await _server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions?reference_dataset={dataset.GetProperty("id").GetString()}&include_stats=true"
        );
        Assert.Equal(4, experiments.GetArrayLength());
        Assert.All(
            experiments.EnumerateArray(),
            e =>
                Assert.Equal(
                    12,
                    e.GetProperty("feedback_stats")
                        .GetProperty("token_f1")
                        .GetProperty("n")
                        .GetInt32()
                )
        );
    }

    private async Task<(int Code, string Output)> RunAsync(string sample)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.GetFullPath(
                    Path.Combine(
                        AppContext.BaseDirectory,
                        "..",
                        "..",
                        sample,
                        configuration,
                        $"{sample}.dll"
                    )
                ),
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["ASSAY_URL"] = _server.Address;
        start.Environment["ASSAY_API_KEY"] = RunningServer.Key;
        using var process =
            Process.Start(start)
            ?? throw new InvalidOperationException("The sample did not start.");
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }
}
