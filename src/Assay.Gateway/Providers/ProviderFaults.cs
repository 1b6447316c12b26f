using System.Text.Json;
using Assay.Core.Models.Providers;
using Assay.Gateway.Outbound;

namespace Assay.Gateway.Providers;

/// <summary>
/// Turns a provider's refusal into one exception, whatever client library is above: each of them has its own exceptions, and some lose the
/// provider's words. Sits above the retries, so it sees the last answer only.
/// </summary>
internal sealed class ProviderFaults(string provider) : DelegatingHandler
{
    private const int MaxBody = 16 * 1024;
    private const int MaxWords = 500;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var status = (int)response.StatusCode;
            var words = Beginning(
                SentSecrets.Redact(
                    await WordsAsync(response, cancellationToken),
                    SentSecrets.Of(request)
                )
            );
            throw new ModelCallException(
                status switch
                {
                    401 or 403 => ModelCallFailure.Authentication,
                    429 => ModelCallFailure.RateLimited,
                    408 or 504 => ModelCallFailure.TimedOut,
                    >= 500 => ModelCallFailure.Unavailable,
                    _ => ModelCallFailure.BadRequest,
                },
                $"'{provider}' answered {status}{(words.Length > 0 ? ": " + words : ".")}",
                status
            );
        }
    }

    /// <summary>The provider's own message: every dialect has it under error.message, error or message.</summary>
    private static async Task<string> WordsAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[MaxBody];
        int length;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            length = await body.ReadAtLeastAsync(
                buffer,
                buffer.Length,
                throwOnEndOfStream: false,
                cancellationToken
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return "";
        }

        var text = System.Text.Encoding.UTF8.GetString(buffer, 0, length);
        try
        {
            using var json = JsonDocument.Parse(text);
            var root =
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("error", out var error)
                    ? error
                    : json.RootElement;
            text =
                root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("message", out var message)
                    ? message.ToString()
                    : root.ToString();
        }
        catch (JsonException)
        {
            // A proxy's page of HTML, or plain text: its beginning still helps.
        }

        return text.ReplaceLineEndings(" ").Trim();
    }

    private static string Beginning(string text) =>
        text.Length > MaxWords ? text[..MaxWords] + "…" : text;
}
