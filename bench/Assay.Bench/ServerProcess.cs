using System.Diagnostics;
using System.Globalization;

namespace Assay.Bench;

/// <summary>The server under load: one that was started here over an empty data directory, or one that runs already (then only what HTTP tells is known).</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Key = "bench-key-0123456789abcdef";
    private readonly Process? _process;
    private readonly string? _data;

    private ServerProcess(Uri address, string key, Process? process, string? data)
    {
        _process = process;
        _data = data;
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(2),
        };
        Client.DefaultRequestHeaders.Add("x-api-key", key);
    }

    public HttpClient Client { get; }

    /// <summary>Processor time of the server so far; zero for one that was not started here.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process?.Refresh();
            return _process?.TotalProcessorTime ?? TimeSpan.Zero;
        }
    }

    /// <summary>Resident memory in bytes.</summary>
    public long Resident
    {
        get
        {
            _process?.Refresh();
            return _process?.WorkingSet64 ?? 0;
        }
    }

    public long DiskBytes =>
        _data is null
            ? 0
            : new DirectoryInfo(_data)
                .EnumerateFiles("*", SearchOption.AllDirectories)
                .Sum(f => f.Length);

    public static async Task<ServerProcess> OpenAsync(Arguments arguments)
    {
        if (arguments.Text("url") is { } url)
        {
            return new ServerProcess(new Uri(url), arguments.Text("key") ?? Key, null, null);
        }

        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var binary =
            arguments.Text("server")
            ?? Path.GetFullPath(
                Path.Combine(
                    AppContext.BaseDirectory,
                    "..",
                    "..",
                    "Assay.Server",
                    configuration,
                    "assay-server.dll"
                )
            );
        var data = Directory.CreateTempSubdirectory("assay-bench").FullName;
        var start = new ProcessStartInfo(
            "dotnet",
            [binary, "--data", data, "--urls", arguments.Text("listen") ?? "http://127.0.0.1:0"]
        )
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["ASSAY_API_KEY"] = Key;
        var process =
            Process.Start(start)
            ?? throw new InvalidOperationException("The server did not start.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var at = line.IndexOf("LANGSMITH_ENDPOINT=", StringComparison.Ordinal);
            if (at >= 0)
            {
                // Somebody has to read on, or the server blocks when the pipe is full.
                _ = process.StandardOutput.ReadToEndAsync();
                return new ServerProcess(
                    new Uri(
                        line[(at + 19)..].Trim().Replace("/api/v1", "/", StringComparison.Ordinal)
                    ),
                    Key,
                    process,
                    data
                );
            }
        }

        throw new InvalidOperationException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The server ended with {process.ExitCode}."
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        if (_data is not null)
        {
            Directory.Delete(_data, recursive: true);
        }
    }
}
