using System.Diagnostics;

namespace Assay.Server.Tests;

public sealed class StartUpTests
{
    [Fact]
    public async Task Wrong_settings_are_all_named_at_once_and_no_secret_is_repeated()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var binary = Path.GetFullPath(
            Path.Combine(
                AppContext.BaseDirectory,
                "..",
                "..",
                "Assay.Server",
                configuration,
                "assay-server.dll"
            )
        );
        var file = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(
                "dotnet",
                [binary, "--data", file, "--urls", "localhost:1"]
            )
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            start.Environment["ASSAY_API_KEY"] = "tooshort77";
            start.Environment["Oidc__Authority"] = "http://idp.example";
            start.Environment["Oidc__AutoJoinRole"] = "Owner";
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(
                TestContext.Current.CancellationToken
            );
            var errors = await process.StandardError.ReadToEndAsync(
                TestContext.Current.CancellationToken
            );
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(1, process.ExitCode);
            foreach (
                var part in (string[])
                    [
                        "ASSAY_API_KEY must have",
                        "--urls: 'localhost:1'",
                        "data directory",
                        "Oidc:Authority must be an https address",
                        "Oidc:ClientId",
                        "Oidc:AutoJoinRole",
                    ]
            )
            {
                Assert.Contains(part, errors, StringComparison.Ordinal);
            }

            Assert.DoesNotContain("tooshort77", errors + await output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
