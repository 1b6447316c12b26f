using System.Collections.Concurrent;
using Assay.Server.Tests;
using Microsoft.Playwright;

namespace Assay.UI.Tests;

/// <summary>A page that remembers every error it met; disposing it fails the test when there was one.</summary>
public sealed class ScreenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly RunningServer _server;
    private readonly ConcurrentQueue<string> _errors = new();

    public ScreenPage(
        RunningServer server,
        IBrowserContext context,
        IPage page,
        bool mayMeetNotFound = false
    )
    {
        _server = server;
        MayMeetNotFound = mayMeetNotFound;
        _context = context;
        Page = page;
        page.PageError += (_, error) => _errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            // The browser itself logs a page that answers 404; a test that asks for one says so.
            if (
                message.Type == "error"
                && !(
                    MayMeetNotFound
                    && message.Text.Contains("status of 404", StringComparison.Ordinal)
                )
            )
            {
                _errors.Enqueue($"{message.Text} ({message.Location})");
            }
        };
    }

    public IPage Page { get; }

    /// <summary>True when the page asked for is one that does not exist.</summary>
    public bool MayMeetNotFound { get; }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.True(_errors.IsEmpty, $"{string.Join("\n", _errors)}\n{_server.Failures}");
    }
}
