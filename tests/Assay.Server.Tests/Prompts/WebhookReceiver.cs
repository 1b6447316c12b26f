using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Prompts;

/// <summary>The other side of a webhook on a real socket: answers what it is told to and keeps what it was told.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Told> _told = Channel.CreateUnbounded<Told>();

    private WebhookReceiver(WebApplication app) => _app = app;

    /// <summary>The status it answers with.</summary>
    public int Status { get; set; } = 200;

    public string Address { get; private set; } = "";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.MapPost("/hook", receiver.TakeAsync);
        await app.StartAsync();
        receiver.Address =
            app.Services.GetRequiredService<IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.First() + "/hook";
        return receiver;
    }

    /// <summary>The next thing it is told.</summary>
    public async Task<Told> NextAsync() =>
        await _told.Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>True when it was told nothing that was not looked at.</summary>
    public bool IsQuiet => _told.Reader.Count == 0;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        context.Response.StatusCode = Status;
        await _told.Writer.WriteAsync(
            new Told(
                body,
                context.Request.Headers.ToDictionary(
                    h => h.Key,
                    h => h.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                )
            )
        );
    }
}

/// <summary>One request.</summary>
public sealed record Told(string Body, IReadOnlyDictionary<string, string> Headers);
