using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Assay.Server.Otlp;

/// <summary>
/// The ports where exporters look when nobody tells them otherwise: 4318 (HTTP) and 4317 (gRPC). They run on listeners of their own over the
/// host's pipeline, because a port that is taken (by a collector, or by another Assay) must not keep the host from starting.
/// </summary>
internal sealed partial class OtlpPorts(
    IConfiguration configuration,
    IServiceProvider services,
    IHttpContextFactory contexts,
    ILoggerFactory loggers
) : IHostedLifecycleService
{
    private readonly ILogger _logger = loggers.CreateLogger<OtlpPorts>();
    private readonly List<KestrelServer> _servers = [];
    private RequestDelegate? _pipeline;

    /// <summary>Where HTTP is taken; null when it is off or the port was taken.</summary>
    public string? HttpAddress { get; private set; }

    /// <summary>Where gRPC is taken; null when it is off or the port was taken.</summary>
    public string? GrpcAddress { get; private set; }

    /// <summary>Goes first: what follows is what these ports serve.</summary>
    public void Attach(WebApplication app) =>
        app.Use(next =>
        {
            _pipeline = next;
            return next;
        });

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var options = OtlpOptions.Of(configuration);
        HttpAddress = await ListenAsync(
            options.Http,
            HttpProtocols.Http1,
            "ASSAY_OTLP_HTTP_URL",
            cancellationToken
        );
        GrpcAddress = await ListenAsync(
            options.Grpc,
            HttpProtocols.Http2,
            "ASSAY_OTLP_GRPC_URL",
            cancellationToken
        );
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        foreach (var server in _servers)
        {
            await server.StopAsync(cancellationToken);
            server.Dispose();
        }

        _servers.Clear();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<string?> ListenAsync(
        Uri? address,
        HttpProtocols protocols,
        string setting,
        CancellationToken cancellationToken
    )
    {
        if (address is null || _pipeline is not { } pipeline)
        {
            return null;
        }

        var kestrel = new KestrelServerOptions { ApplicationServices = services };
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.AddServerHeader = false;
        Bind(kestrel, address, protocols);
        var server = new KestrelServer(
            Options.Create(kestrel),
            services.GetRequiredService<IConnectionListenerFactory>(),
            loggers
        );
        try
        {
            await server.StartAsync(new PortApplication(contexts, pipeline), cancellationToken);
        }
        catch (Exception e)
            when (e
                    is IOException
                        or System.Net.Sockets.SocketException
                        or InvalidOperationException
            )
        {
            Log.NotListening(_logger, address.ToString(), e.Message, setting);
            server.Dispose();
            return null;
        }

        _servers.Add(server);
        return server
            .Features.Get<IServerAddressesFeature>()
            ?.Addresses.First()
            .Replace("[::]", "localhost", StringComparison.Ordinal)
            .Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
    }

    private static void Bind(KestrelServerOptions kestrel, Uri address, HttpProtocols protocols)
    {
        void Configure(ListenOptions listen) => listen.Protocols = protocols;
        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
        {
            kestrel.Listen(ip, address.Port, Configure);
        }
        else if (address.IsLoopback)
        {
            kestrel.ListenLocalhost(address.Port, Configure);
        }
        else
        {
            kestrel.ListenAnyIP(address.Port, Configure);
        }
    }

    private sealed class PortApplication(IHttpContextFactory contexts, RequestDelegate pipeline)
        : IHttpApplication<HttpContext>
    {
        private static readonly OtlpPortFeature s_mark = new();

        public HttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            contextFeatures.Set(s_mark);
            return contexts.Create(contextFeatures);
        }

        public Task ProcessRequestAsync(HttpContext context) => pipeline(context);

        public void DisposeContext(HttpContext context, Exception? exception) =>
            contexts.Dispose(context);
    }

    private static partial class Log
    {
        [LoggerMessage(
            3101,
            LogLevel.Warning,
            "OTLP is not taken at {Address}: {Reason}. The main port takes OTLP over HTTP all the same; set {Setting} to another address, or to off"
        )]
        public static partial void NotListening(
            ILogger logger,
            string address,
            string reason,
            string setting
        );
    }
}
