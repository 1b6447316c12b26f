using System.Net;
using System.Net.Sockets;
using Assay.Core.Models.Providers;

namespace Assay.Gateway.Outbound;

/// <summary>
/// The one handler for addresses that users supply. The check is made on the resolved address, at the moment of connecting, and the
/// connection goes to the very address that was checked, so a name that resolves differently the second time gains nothing. No redirects, no
/// cookies, no proxy (a proxy would connect in our place, unchecked). Thread-safe.
/// </summary>
public sealed class SafeHttp(OutboundRules rules) : IDisposable
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(10);
    private SocketsHttpHandler? _handler;

    /// <summary>The shared handler at the end of every pipeline; never disposed by its users.</summary>
    public HttpMessageHandler Handler =>
        LazyInitializer.EnsureInitialized(
            ref _handler,
            () =>
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    UseProxy = false,
                    ConnectTimeout = s_connectTimeout,
                    PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                    AutomaticDecompression = DecompressionMethods.All,
                    ConnectCallback = ConnectAsync,
                }
        )!;

    /// <inheritdoc/>
    public void Dispose() => _handler?.Dispose();

    private async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken
    )
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(host, cancellationToken);
        var allowed = rules.AllowsHost(host)
            ? addresses
            : Array.FindAll(addresses, rules.AllowsAddress);
        if (allowed.Length == 0)
        {
            throw new ModelCallException(
                ModelCallFailure.AddressRefused,
                $"'{host}' is a private address, which this server does not call unless ASSAY_OUTBOUND_ALLOW names it."
            );
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
