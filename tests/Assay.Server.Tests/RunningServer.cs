using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Assay.Server.Tests;

/// <summary>The real server binary on a free port with a data directory of its own; can be killed without warning and started again.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    private const int MaxLog = 500_000;
    public const string Key = "test-key-0123456789abcdef";
    private readonly string _data;
    private readonly (string Name, string Value)[] _environment;
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentQueue<string> _firstLines = new();
    private readonly ConcurrentQueue<string> _log = new();
    private Process? _process;

    private RunningServer(string data, (string Name, string Value)[] environment) =>
        (_data, _environment) = (data, environment);

    public HttpClient Client { get; private set; } = new();

    public string Address { get; private set; } = "";

    public string LoginLink { get; private set; } = "";

    /// <summary>The port that takes OTLP over HTTP alone.</summary>
    public string OtlpHttp { get; private set; } = "";

    /// <summary>The port that takes OTLP over gRPC.</summary>
    public string OtlpGrpc { get; private set; } = "";

    /// <summary>Bytes of memory that the server's process occupies now.</summary>
    public long Memory
    {
        get
        {
            _process!.Refresh();
            return _process.WorkingSet64;
        }
    }

    public string Data => _data;

    /// <summary>The line with the words that the server said among its first ones, or will say: logging is slower than answering.</summary>
    public async Task<string> SaidAsync(string words)
    {
        while (true)
        {
            if (
                _firstLines.FirstOrDefault(l => l.Contains(words, StringComparison.Ordinal)) is
                { } line
            )
            {
                return line;
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>All that the server wrote so far.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>What the server logged as failed so far: the first lines of it.</summary>
    public string Failures => string.Join('\n', _failures);

    public static Task<RunningServer> StartAsync(
        params (string Name, string Value)[] environment
    ) => StartAsync(Directory.CreateTempSubdirectory("assay-test").FullName, environment);

    /// <summary>On a data directory, which is deleted with the server.</summary>
    public static async Task<RunningServer> StartAsync(
        string data,
        params (string Name, string Value)[] environment
    )
    {
        var server = new RunningServer(data, environment);
        await server.StartAgainAsync();
        return server;
    }

    private static string Binary =>
        Path.GetFullPath(
            Path.Combine(
                AppContext.BaseDirectory,
                "..",
                "..",
                "Assay.Server",
                new DirectoryInfo(AppContext.BaseDirectory).Name,
                "assay-server.dll"
            )
        );

    /// <summary>Runs one of the binary's commands to its end.</summary>
    public static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var process =
            Process.Start(
                new ProcessStartInfo("dotnet", [Binary, .. arguments])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    UseShellExecute = false,
                }
            ) ?? throw new InvalidOperationException("The command did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    public async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Binary, "--data", _data, "--urls", "http://127.0.0.1:0"]
        )
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["ASSAY_API_KEY"] = Key;
        start.Environment["ASSAY_OTLP_HTTP_URL"] = "http://127.0.0.1:0";
        start.Environment["ASSAY_OTLP_GRPC_URL"] = "http://127.0.0.1:0";
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        _process =
            Process.Start(start)
            ?? throw new InvalidOperationException("The server did not start.");
        var deadline = TimeProvider.System.GetTimestamp();
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _firstLines.Enqueue(line);
            _log.Enqueue(line);
            if (line.Contains("Open  ", StringComparison.Ordinal))
            {
                LoginLink = line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            }

            if (line.Contains("OTEL_EXPORTER_OTLP_ENDPOINT=", StringComparison.Ordinal))
            {
                var words = line.Split(['=', ' ', ')'], StringSplitOptions.RemoveEmptyEntries);
                (OtlpHttp, OtlpGrpc) = (words[2], words[^1]);
            }

            if (line.Contains("LANGSMITH_ENDPOINT=", StringComparison.Ordinal))
            {
                Address = line.Split('=')[1]
                    .Replace("/api/v1", "", StringComparison.Ordinal)
                    .Trim();
                break;
            }

            if (TimeProvider.System.GetElapsedTime(deadline) > TimeSpan.FromMinutes(1))
            {
                break;
            }
        }

        Assert.NotEqual("", Address);
        // Somebody has to read on, or the server blocks when the pipe is full.
        _ = KeepFailuresAsync(_process.StandardOutput);
        Client.Dispose();
        Client = new HttpClient { BaseAddress = new Uri(Address) };
        Client.DefaultRequestHeaders.Add("x-api-key", Key);
    }

    /// <summary>The most memory that the process has held so far, in bytes.</summary>
    public long PeakResident
    {
        get
        {
            _process!.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<JsonElement> JsonAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }

        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(
            TestContext.Current.CancellationToken
        );
    }

    private async Task KeepFailuresAsync(StreamReader log)
    {
        var isFailure = false;
        while (await log.ReadLineAsync() is { } line)
        {
            if (_firstLines.Count < 200)
            {
                _firstLines.Enqueue(line);
            }

            if (_log.Count < MaxLog)
            {
                _log.Enqueue(line);
            }

            isFailure =
                line.StartsWith("fail:", StringComparison.Ordinal)
                || line.StartsWith("crit:", StringComparison.Ordinal)
                || (isFailure && line.StartsWith(' '));
            if (isFailure && _failures.Count < 200)
            {
                _failures.Enqueue(line);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
