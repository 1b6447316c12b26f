using System.Net;

namespace Assay.Server.Otlp;

/// <summary>
/// Where OTLP listens besides the main port: <c>ASSAY_OTLP_HTTP_URL</c> (4318 unless said otherwise) and <c>ASSAY_OTLP_GRPC_URL</c> (4317),
/// each an http address or <c>off</c>. Without a word, on the host that the main address names.
/// </summary>
internal sealed class OtlpOptions
{
    private const string HttpSetting = "ASSAY_OTLP_HTTP_URL";
    private const string GrpcSetting = "ASSAY_OTLP_GRPC_URL";

    /// <summary>Null when it is off.</summary>
    public Uri? Http { get; private init; }

    /// <summary>Null when it is off.</summary>
    public Uri? Grpc { get; private init; }

    public static OtlpOptions Of(IConfiguration configuration) =>
        new()
        {
            Http = Address(configuration, HttpSetting, 4318),
            Grpc = Address(configuration, GrpcSetting, 4317),
        };

    /// <summary>What is wrong with the settings, in words for the operator.</summary>
    public static IEnumerable<string> Problems(IConfiguration configuration)
    {
        foreach (var setting in (string[])[HttpSetting, GrpcSetting])
        {
            var value = configuration[setting];
            if (
                value is { Length: > 0 }
                && !IsOff(value)
                && !(
                    Uri.TryCreate(Plain(value), UriKind.Absolute, out var address)
                    && address.Scheme == Uri.UriSchemeHttp
                )
            )
            {
                yield return $"{setting} must be an http address such as http://0.0.0.0:4318, or off.";
            }
        }
    }

    private static Uri? Address(IConfiguration configuration, string setting, int port)
    {
        if (configuration[setting] is { Length: > 0 } value)
        {
            return IsOff(value) ? null : new Uri(Plain(value));
        }

        var main = configuration["urls"]?.Split(';')[0] ?? "http://localhost";
        var host = Uri.TryCreate(Plain(main), UriKind.Absolute, out var uri)
            ? uri.Host
            : "localhost";
        return new UriBuilder(Uri.UriSchemeHttp, host, port).Uri;
    }

    private static bool IsOff(string value) =>
        value.Trim().Equals("off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Kestrel's words for every address are no hosts of a URI.</summary>
    private static string Plain(string url) =>
        url.Trim()
            .Replace("://*", $"://{IPAddress.Any}", StringComparison.Ordinal)
            .Replace("://+", $"://{IPAddress.Any}", StringComparison.Ordinal);
}
