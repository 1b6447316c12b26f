using System.Diagnostics;

namespace Assay.Server.Tests;

/// <summary>Runs the official JavaScript SDK against the server; see <c>tests/conformance</c>.</summary>
public sealed class ConformanceTests
{
    [Fact]
    public async Task The_langsmith_package_works_unmodified()
    {
        await using var server = await RunningServer.StartAsync();
        var directory = Path.Combine(Root(), "tests", "conformance");
        if (!Directory.Exists(Path.Combine(directory, "node_modules", "langsmith")))
        {
            var (installed, log) = await RunAsync(
                directory,
                "npm",
                ["ci", "--no-audit", "--no-fund"],
                server
            );
            Assert.True(installed == 0, log);
        }

        var (code, output) = await RunAsync(directory, "node", ["--test"], server);
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
        using var process =
            Process.Start(start)
            ?? throw new InvalidOperationException($"{command} did not start.");
        var output = await process.StandardOutput.ReadToEndAsync(
            TestContext.Current.CancellationToken
        );
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Assay.slnx")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException("The repository was not found.");
    }
}
