using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Assay.Gateway.Outbound;
using Assay.Server.Auth;
using Assay.Server.Otlp;
using Microsoft.Extensions.Options;

namespace Assay.Server;

/// <summary>What the operator says at start, checked as a whole before anything is opened.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    private const int MinKeyLength = 16;

    /// <summary>The data directory: <c>--data</c> or <c>ASSAY_DATA</c>.</summary>
    [Required(
        AllowEmptyStrings = false,
        ErrorMessage = "--data (ASSAY_DATA) must name a directory."
    )]
    public string Data { get; init; } = "./data";

    /// <summary>A full-scope key of the operator's choice: <c>ASSAY_API_KEY</c>.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Where to listen: <c>--urls</c>, separated by semicolons.</summary>
    public string? Urls { get; init; }

    /// <summary>Where our own telemetry goes: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
    public string? TelemetryEndpoint { get; init; }

    /// <summary>Private hosts and networks that model providers and webhooks may be at: <c>ASSAY_OUTBOUND_ALLOW</c>, separated by commas.</summary>
    public string? OutboundAllow { get; init; }

    /// <summary>How long a body may come slower than <see cref="MinBytesPerSecond"/>, in seconds: <c>Limits__SlowBodySeconds</c>.</summary>
    [Range(2, 86_400, ErrorMessage = "Limits__SlowBodySeconds must be between 2 and 86400.")]
    public double SlowBodySeconds { get; init; } = 60;

    /// <summary>Bodies that come slower than this are given up; clients upload slowly, but not by hand.</summary>
    public const double MinBytesPerSecond = 32;

    public static ServerOptions Of(IConfiguration configuration) =>
        new()
        {
            Data = configuration["data"] ?? configuration["ASSAY_DATA"] ?? "./data",
            ApiKey = configuration["ASSAY_API_KEY"],
            Urls = configuration["urls"],
            TelemetryEndpoint = configuration["OTEL_EXPORTER_OTLP_ENDPOINT"],
            OutboundAllow = configuration["ASSAY_OUTBOUND_ALLOW"],
            SlowBodySeconds = configuration["Limits:SlowBodySeconds"] is { Length: > 0 } text
                ? double.TryParse(text, CultureInfo.InvariantCulture, out var seconds)
                    ? seconds
                    : double.NaN
                : 60,
        };

    /// <summary>Everything that keeps the server from starting, in words for the operator; secrets are never repeated.</summary>
    public static IReadOnlyList<string> Problems(IConfiguration configuration)
    {
        var problems = new List<string>();
        problems.AddRange(
            new ServerOptionsValidator().Validate(null, Of(configuration)).Failures ?? []
        );
        problems.AddRange(OtlpOptions.Problems(configuration));
        try
        {
            var oidc = configuration.GetSection(OidcOptions.Section).Get<OidcOptions>() ?? new();
            problems.AddRange(new OidcOptionsValidator().Validate(null, oidc).Failures ?? []);
        }
        catch (InvalidOperationException e)
        {
            // A word where a role or a flag belongs.
            problems.Add(e.Message);
        }

        return problems;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ApiKey is { Length: > 0 and < MinKeyLength })
        {
            yield return new ValidationResult(
                $"ASSAY_API_KEY must have at least {MinKeyLength} characters."
            );
        }

        if (ApiKey?.Any(c => char.IsWhiteSpace(c) || !char.IsAscii(c)) == true)
        {
            yield return new ValidationResult(
                "ASSAY_API_KEY must be ASCII without blanks, because it travels in a header."
            );
        }

        foreach (var url in Urls?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (
                !url.Trim().StartsWith("http://", StringComparison.OrdinalIgnoreCase)
                && !url.Trim().StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            )
            {
                yield return new ValidationResult(
                    $"--urls: '{url}' must begin with http:// or https://."
                );
            }
        }

        if (
            TelemetryEndpoint is { Length: > 0 }
            && !(
                Uri.TryCreate(TelemetryEndpoint, UriKind.Absolute, out var endpoint)
                && endpoint.Scheme is "http" or "https"
            )
        )
        {
            yield return new ValidationResult(
                "OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https address."
            );
        }

        OutboundRules.Parse(OutboundAllow, out var outbound);
        if (outbound is not null)
        {
            yield return new ValidationResult(outbound);
        }

        if (DirectoryProblem() is { } problem)
        {
            yield return new ValidationResult(problem);
        }
    }

    private string? DirectoryProblem()
    {
        if (Data.Length == 0)
        {
            return null;
        }

        try
        {
            Directory.CreateDirectory(Data);
            using var probe = new FileStream(
                Path.Combine(Data, ".writable"),
                FileMode.Create,
                FileAccess.Write,
                FileShare.ReadWrite | FileShare.Delete,
                1,
                FileOptions.DeleteOnClose
            );
            return null;
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or ArgumentException
                        or NotSupportedException
            )
        {
            return $"The data directory '{Data}' cannot be written: {e.Message}";
        }
    }
}

[OptionsValidator]
internal sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;
