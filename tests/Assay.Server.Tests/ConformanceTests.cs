using System.Diagnostics;

namespace Assay.Server.Tests;

/// <summary>Runs official JavaScript packages against the server; see <c>tests/conformance</c>.</summary>
public sealed class ConformanceTests
{
    [Fact]
    public Task The_langsmith_package_works_unmodified() => PassesAsync("", "langsmith");

    [Fact]
    public Task OpenTelemetrys_exporters_and_instrumentations_work_unmodified() =>
        PassesAsync("otel", "openlit");

    [Fact]
    public Task Vitest_and_jest_suites_of_langsmith_work_unmodified() =>
        PassesAsync("runners", "vitest");

    private static async Task PassesAsync(string folder, string package)
    {
        // Receivers of webhooks stand on this machine.
        await using var server = await RunningServer.StartAsync(
            ("ASSAY_OUTBOUND_ALLOW", "127.0.0.1")
        );
        var directory = Path.Combine(Repository.Root, "tests", "conformance", folder);
        if (!Directory.Exists(Path.Combine(directory, "node_modules", package)))
        {
            var (installed, log) = await RunAsync(
                directory,
                "npm",
                ["ci", "--no-audit", "--no-fund"],
                server
            );
            Assert.True(installed == 0, log);
        }

        var files = Directory.GetFiles(directory, "*.test.js").Select(f => Path.GetFileName(f));
        var (code, output) = await RunAsync(directory, "node", ["--test", .. files], server);
        Assert.True(code == 0, output);
        Assert.Contains("# fail 0", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(
        string directory,
        string command,
        string[] arguments,
        RunningServer server
    )
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["ASSAY_URL"] = server.Address;
        start.Environment["ASSAY_KEY"] = RunningServer.Key;
        start.Environment["ASSAY_OTLP_HTTP"] = server.OtlpHttp;
        start.Environment["ASSAY_OTLP_GRPC"] = server.OtlpGrpc;
        using var process =
            Process.Start(start)
            ?? throw new InvalidOperationException($"{command} did not start.");
        var output = await process.StandardOutput.ReadToEndAsync(
            TestContext.Current.CancellationToken
        );
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }
}
