using Assay.Core.Access;
using Assay.Server.Auth;
using Assay.Server.Otlp;
using Microsoft.AspNetCore.Connections;

namespace Assay.Server;

/// <summary>Starts the host and tells a newcomer in a few lines how to get in.</summary>
internal static class StartUp
{
    /// <summary>Says why the server does not start; the process ends with 1.</summary>
    public static async Task RefuseAsync(IReadOnlyList<string> problems)
    {
        await Console.Error.WriteLineAsync("Assay does not start:");
        foreach (var problem in problems)
        {
            await Console.Error.WriteLineAsync($"  - {problem}");
        }

        Environment.ExitCode = 1;
    }

    public static async Task RunAsync(WebApplication app)
    {
        var (workspace, isNew) = await app
            .Services.GetRequiredService<Bootstrap>()
            .EnsureWorkspaceAsync(CancellationToken.None);
        var keys = app.Services.GetRequiredService<ApiKeys>();
        var keyLine = "API key    as printed at the first start; make another in Settings";
        if (app.Configuration["ASSAY_API_KEY"] is { Length: > 0 } chosen)
        {
            await keys.AddAsync(
                workspace.Id,
                "from the environment",
                KeyScope.Full,
                chosen,
                "start-up",
                CancellationToken.None
            );
            keyLine = "API key    taken from ASSAY_API_KEY";
        }
        else if (isNew)
        {
            var (_, secret) = await keys.CreateAsync(
                workspace.Id,
                "first key",
                KeyScope.Full,
                "start-up",
                CancellationToken.None
            );
            keyLine = $"API key    {secret}   (shown once)";
        }

        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await RefuseAsync([$"{e.Message} Choose another address with --urls."]);
            return;
        }

        var address = app
            .Urls.First()
            .Replace("[::]", "localhost", StringComparison.Ordinal)
            .Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
        var otlp = app.Services.GetRequiredService<OtlpPorts>();
        var link = app.Services.GetRequiredService<LoginLinks>().Create(workspace.Id);
        // Not through the logger: this is for the person at the terminal, and a key does not belong in a log.
        await Console.Out.WriteLineAsync(
            $"""

              Assay is ready.
              Open       {address}/auth/link/{link}   (signs you in, once, within 24 hours)
              {keyLine}
              OTLP       OTEL_EXPORTER_OTLP_ENDPOINT={otlp.HttpAddress
                ?? address}   (gRPC {otlp.GrpcAddress ?? "off"})
              Endpoint   LANGSMITH_ENDPOINT={address}/api/v1

            """
        );
        await app.WaitForShutdownAsync();
    }
}
