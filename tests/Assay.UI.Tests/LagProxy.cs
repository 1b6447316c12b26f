using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Assay.UI.Tests;

/// <summary>A TCP proxy that holds every byte back for a while in each direction, as a far network does; bandwidth stays what it is.</summary>
public sealed class LagProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _target;
    private readonly TimeSpan _lag;
    private readonly Task _accepting;

    public LagProxy(Uri target, TimeSpan lag)
    {
        _target = target.Port;
        _lag = lag;
        _listener.Start();
        Address = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    public string Address { get; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (Exception e)
            when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            near.NoDelay = far.NoDelay = true;
            await Task.WhenAny(
                PumpAsync(near.GetStream(), far.GetStream()),
                PumpAsync(far.GetStream(), near.GetStream())
            );
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // One side hung up; so does the other.
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var waiting = Channel.CreateUnbounded<(long Due, byte[] Bytes)>();
        var writing = WriteAsync(waiting.Reader, to);
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _end.Token) is var read and > 0)
            {
                await waiting.Writer.WriteAsync(
                    (
                        TimeProvider.System.GetTimestamp()
                            + (long)(_lag.TotalSeconds * TimeProvider.System.TimestampFrequency),
                        buffer[..read]
                    ),
                    _end.Token
                );
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The browser closes connections it no longer needs.
        }

        waiting.Writer.Complete();
        await writing;
    }

    private async Task WriteAsync(ChannelReader<(long Due, byte[] Bytes)> waiting, NetworkStream to)
    {
        try
        {
            await foreach (var (due, bytes) in waiting.ReadAllAsync(_end.Token))
            {
                var left = TimeProvider.System.GetElapsedTime(
                    TimeProvider.System.GetTimestamp(),
                    due
                );
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, _end.Token);
                }

                await to.WriteAsync(bytes, _end.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // As above.
        }
    }
}
