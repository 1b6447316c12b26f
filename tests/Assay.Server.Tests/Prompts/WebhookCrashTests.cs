namespace Assay.Server.Tests.Prompts;

/// <summary>What webhooks are still to be told survives the real process being killed.</summary>
public sealed class WebhookCrashTests
{
    [Fact]
    public async Task A_delivery_that_was_not_taken_before_a_kill_is_sent_after_it()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = 500;
        await using var server = await RunningServer.StartAsync(
            ("ASSAY_OUTBOUND_ALLOW", "127.0.0.1")
        );
        await server.JsonAsync(
            HttpMethod.Post,
            "/repos",
            new { repo_handle = "p", is_public = false }
        );
        await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/prompt-webhooks",
            new { url = receiver.Address }
        );
        await server.JsonAsync(
            HttpMethod.Post,
            "/commits/-/p",
            new
            {
                manifest = new
                {
                    id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                    kwargs = new { template = "one" },
                },
            }
        );
        var first = await receiver.NextAsync();
        await server.KillAsync();
        receiver.Status = 200;
        await server.StartAgainAsync();
        // Ten seconds after the first try, by whichever process runs then.
        var again = await receiver.NextAsync();
        Assert.Equal(first.Headers["X-Assay-Delivery"], again.Headers["X-Assay-Delivery"]);
        Assert.Equal(first.Body, again.Body);
    }
}
