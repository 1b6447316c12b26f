using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Hostile;

/// <summary>A careless other side on a real socket: refuses everything and repeats all headers it was sent, as an error message and as text.</summary>
public sealed class EchoServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _calls;

    private EchoServer(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>How often it was called.</summary>
    public int Calls => _calls;

    public static async Task<EchoServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var echo = new EchoServer(app);
        app.Run(echo.RefuseAsync);
        await app.StartAsync();
        echo.Address = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        return echo;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task RefuseAsync(HttpContext context)
    {
        Interlocked.Increment(ref _calls);
        var said = string.Join(", ", context.Request.Headers.Select(h => $"{h.Key}: {h.Value}"));
        context.Response.StatusCode = 401;
        context.Response.Headers["X-Said"] = context.Request.Headers.Authorization.ToString();
        return context.Response.WriteAsJsonAsync(
            new { error = new { message = $"Refused. You said {said}", type = "refused" } }
        );
    }
}
