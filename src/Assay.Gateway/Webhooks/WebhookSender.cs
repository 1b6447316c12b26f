using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;
using Assay.Gateway.Outbound;

namespace Assay.Gateway.Webhooks;

/// <summary>
/// Tells one webhook one event, through the guarded handler: private addresses only where the operator allows them, no redirects. The body is
/// signed: <c>X-Assay-Signature: t=UNIX_SECONDS,v1=HEX</c> with HMAC-SHA256 over <c>t + "." + body</c>. Thread-safe.
/// </summary>
public sealed class WebhookSender(SafeHttp http, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);
    private const int MaxAnswer = 2_000;
    private readonly HttpClient _client = new(http.Handler, disposeHandler: false)
    {
        Timeout = s_timeout,
    };

    /// <summary>One try. Never throws but for cancellation.</summary>
    public async Task<DeliveryResult> SendAsync(
        DueDelivery due,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(due);
        using var request = new HttpRequestMessage(HttpMethod.Post, due.Url);
        request.Content = new StringContent(
            due.Delivery.Payload,
            new UTF8Encoding(false),
            new MediaTypeHeaderValue("application/json")
        );
        foreach (var (name, value) in due.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("assay", "1"));
        request.Headers.Add("X-Assay-Event", due.Delivery.Event);
        request.Headers.Add("X-Assay-Delivery", due.Delivery.Id.ToString());
        request.Headers.Add(
            "X-Assay-Signature",
            Sign(due.Secret, time.GetUtcNow().ToUnixTimeSeconds(), due.Delivery.Payload)
        );
        try
        {
            using var answer = await _client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            var status = (int)answer.StatusCode;
            return answer.IsSuccessStatusCode
                ? new DeliveryResult(status, null)
                : new DeliveryResult(
                    status,
                    $"answered {status}: {await BeginningAsync(answer, due, cancellationToken)}"
                );
        }
        catch (ModelCallException e)
        {
            return new DeliveryResult(null, e.Message, IsFinal: true);
        }
        catch (HttpRequestException e) when (e.InnerException is ModelCallException refused)
        {
            return new DeliveryResult(null, refused.Message, IsFinal: true);
        }
        catch (HttpRequestException e)
        {
            return new DeliveryResult(null, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DeliveryResult(null, $"no answer within {s_timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>The signature of a body.</summary>
    public static string Sign(string secret, long unixSeconds, string body)
    {
        var mac = HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(secret),
            Encoding.UTF8.GetBytes(FormattableString.Invariant($"{unixSeconds}.{body}"))
        );
        return FormattableString.Invariant($"t={unixSeconds},v1={Convert.ToHexStringLower(mac)}");
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>What the other side says, as far as a log should keep it.</summary>
    private static async Task<string> BeginningAsync(
        HttpResponseMessage answer,
        DueDelivery due,
        CancellationToken cancellationToken
    )
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        // More than is kept, so that no secret is cut in two before it is taken out.
        var buffer = new byte[4 * MaxAnswer];
        var read = await body.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken);
        var text = SentSecrets.Redact(
            Encoding.UTF8.GetString(buffer, 0, read),
            due.Headers.Values.Append(due.Secret)
        );
        return text.Length > MaxAnswer ? text[..MaxAnswer] + "…" : text;
    }
}
