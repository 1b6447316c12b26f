using Assay.Core.Access;
using Assay.Server.Auth;

namespace Assay.Server;

/// <summary>Starts the host and tells a newcomer in a few lines how to get in.</summary>
internal static class StartUp
{
    public static async Task RunAsync(WebApplication app)
    {
        var (workspace, isNew) = await app
            .Services.GetRequiredService<Bootstrap>()
            .EnsureWorkspaceAsync(CancellationToken.None);
        var keys = app.Services.GetRequiredService<ApiKeys>();
        var keyLine = "API key    as printed at the first start; make another in Settings";
        if (app.Configuration["ASSAY_API_KEY"] is { Length: > 0 } chosen)
        {
            if (chosen.Length < 16)
            {
                throw new InvalidOperationException(
                    "ASSAY_API_KEY must have at least 16 characters."
                );
            }

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

        await app.StartAsync();
        var address = app
            .Urls.First()
            .Replace("[::]", "localhost", StringComparison.Ordinal)
            .Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
        var link = app.Services.GetRequiredService<LoginLinks>().Create(workspace.Id);
        // Not through the logger: this is for the person at the terminal, and a key does not belong in a log.
        await Console.Out.WriteLineAsync(
            $"""

              Assay is ready.
              Open       {address}/auth/link/{link}   (signs you in, once, within 24 hours)
              {keyLine}
              Endpoint   LANGSMITH_ENDPOINT={address}/api/v1

            """
        );
        await app.WaitForShutdownAsync();
    }
}
