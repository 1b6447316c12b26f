using System.Security.Cryptography;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Files of runs under addresses that need no key: absolute, signed, good for twelve hours. Clients hand them to a plain <c>fetch</c>.
/// </summary>
internal static class Attachments
{
    /// <summary>How long an address is good.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    public static void MapAttachments(this IEndpointRouteBuilder app) =>
        app.MapGet("/attachments/{token}", GetAsync).IsOpen();

    /// <summary>Makes addresses on the host that the request was sent to.</summary>
    public static Func<Attachment, string> Url(
        HttpContext context,
        IDataProtectionProvider protection
    )
    {
        var request = context.Request;
        var protector = Protector(protection);
        return file =>
            $"{request.Scheme}://{request.Host}/attachments/{protector.Protect($"{file.BlobKey}\n{file.ContentType}", Lifetime)}";
    }

    private static async Task<IResult> GetAsync(
        string token,
        HttpContext context,
        IBlobStore blobs,
        IDataProtectionProvider protection
    )
    {
        try
        {
            var parts = Protector(protection).Unprotect(token).Split('\n', 2);
            var stream = await blobs.OpenAsync(parts[0], context.RequestAborted);
            if (stream is null)
            {
                return Errors.NotFound("Attachment");
            }

            // Whatever a client uploaded is never run by a browser on our origin.
            context.Response.Headers.ContentSecurityPolicy =
                "sandbox; default-src 'none'; img-src 'self'; media-src 'self'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Results.File(stream, parts[1], enableRangeProcessing: true);
        }
        catch (CryptographicException)
        {
            return Errors.Detail(
                StatusCodes.Status403Forbidden,
                "The link is not valid or has expired."
            );
        }
    }

    private static ITimeLimitedDataProtector Protector(IDataProtectionProvider provider) =>
        provider.CreateProtector("Assay.Attachment").ToTimeLimitedDataProtector();
}
