using System.Security.Cryptography;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.Otlp;

/// <summary>
/// Langfuse's SDKs cut files out of a span before they send it, leave <c>@@@langfuseMedia:type=…|id=…|source=…@@@</c> in their place, and hand
/// the bytes over here: they announce a file (<c>POST /api/public/media</c>), put it to the address they are given, and tell how that went. The
/// file becomes an attachment of the span's run under the id that the text names, so that the screens can put the two together.
/// </summary>
internal static class LangfuseMedia
{
    /// <summary>Length of a media id: the beginning of the content's SHA-256 in base64url. SDKs compute it themselves.</summary>
    private const int IdLength = 22;

    private const long MaxBytes = 256L << 20;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    public static void MapLangfuseMedia(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/public/media", AnnounceAsync).Needs(Permission.Ingest);
        app.MapPatch("/api/v1/public/media/{id}", (string id) => Results.Json(new { id }))
            .Needs(Permission.Ingest);
        app.MapGet("/api/v1/public/media/{id}", LangfuseMediaFile.GetAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/public/projects", ProjectsAsync).Needs(Permission.Ingest);
        // The address itself is the permission: signed, for one file, for an hour.
        app.MapPut("/media-uploads/{token}", UploadAsync).IsOpen();
    }

    private static async Task<IResult> AnnounceAsync(
        HttpContext context,
        IDataProtectionProvider protection,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var body = document.RootElement;
        if (body.ValueKind != JsonValueKind.Object)
        {
            return Errors.Detail(StatusCodes.Status400BadRequest, "body: must be an object");
        }

        if (
            body.Text("traceId") is not { Length: 32 } trace
            || !IsHex(trace)
            || (body.Text("observationId") is { } said && !(said.Length == 16 && IsHex(said)))
        )
        {
            return Errors.Detail(
                StatusCodes.Status400BadRequest,
                "traceId must be 32 hexadecimal digits, observationId 16"
            );
        }

        var hash = new byte[32];
        if (
            body.Text("sha256Hash") is not { } hashText
            || !Convert.TryFromBase64String(hashText, hash, out var hashLength)
            || hashLength != hash.Length
        )
        {
            return Errors.Detail(
                StatusCodes.Status400BadRequest,
                "sha256Hash must be the content's SHA-256 in base64"
            );
        }

        if (
            !body.TryGetProperty("contentLength", out var lengthJson)
            || lengthJson.ValueKind != JsonValueKind.Number
            || !lengthJson.TryGetInt64(out var length)
            || length is <= 0 or > MaxBytes
        )
        {
            return Errors.Detail(
                StatusCodes.Status400BadRequest,
                $"contentLength must be from 1 to {MaxBytes}"
            );
        }

        var workspace = context.Caller().WorkspaceId;
        var upload = new Upload(
            workspace,
            trace,
            body.Text("observationId"),
            body.Text("contentType") is { Length: > 0 and <= 200 } type
                ? type
                : "application/octet-stream",
            length,
            hash,
            BlobKeys.New(workspace, "attachment", time.GetUtcNow())
        );
        var token = Protector(protection).Protect(JsonSerializer.Serialize(upload), Lifetime);
        var request = context.Request;
        return Results.Json(
            new
            {
                mediaId = MediaId(hash),
                uploadUrl = $"{request.Scheme}://{request.Host}/media-uploads/{token}",
            },
            statusCode: StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> UploadAsync(
        string token,
        HttpContext context,
        IBlobStore blobs,
        TraceIngest ingest,
        TraceMemory memory,
        IDataProtectionProvider protection
    )
    {
        Upload? upload;
        try
        {
            upload = JsonSerializer.Deserialize<Upload>(Protector(protection).Unprotect(token));
        }
        catch (CryptographicException)
        {
            upload = null;
        }

        if (upload is null)
        {
            return Errors.Detail(
                StatusCodes.Status403Forbidden,
                "The address is not valid or has expired."
            );
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var content = new HashedStream(context.Request.Body, hash, upload.Length);
        await blobs.PutAsync(upload.BlobKey, content, context.RequestAborted);
        if (
            content.Total != upload.Length
            || !hash.GetHashAndReset().AsSpan().SequenceEqual(upload.Hash)
        )
        {
            await blobs.DeleteAsync(upload.BlobKey, CancellationToken.None);
            return Errors.Detail(
                StatusCodes.Status400BadRequest,
                "The content is not the one that was announced: its length or its SHA-256 differs."
            );
        }

        await LangfuseMediaFile.NoteAsync(
            blobs,
            upload.WorkspaceId,
            MediaId(upload.Hash),
            upload.TraceId,
            upload.SpanId,
            context.RequestAborted
        );
        await AttachAsync(upload, ingest, memory, context.RequestAborted);
        return Results.Ok();
    }

    private static async Task AttachAsync(
        Upload upload,
        TraceIngest ingest,
        TraceMemory memory,
        CancellationToken cancellationToken
    )
    {
        var file = new Attachment(
            MediaId(upload.Hash),
            upload.ContentType,
            upload.BlobKey,
            upload.Length
        );
        var traceId = Convert.FromHexString(upload.TraceId);
        var state = memory.Of(upload.WorkspaceId, SpanIds.Trace(traceId));
        Guid run;
        lock (state.Lock)
        {
            if (upload.SpanId is { } span)
            {
                run = SpanBatch.RunId(state, traceId, Convert.ToUInt64(span, 16));
            }
            else if (state.Root is { } root)
            {
                run = root;
            }
            else
            {
                // Of the trace as a whole, whose root has not come.
                state.Files.Add(file);
                return;
            }
        }

        var caller = new Caller(upload.WorkspaceId, Permission.Ingest, Name: "media upload");
        await ingest.AcceptAsync(
            caller,
            new IngestBatch(
                [
                    new RunWrite
                    {
                        Operation = RunOperation.Update,
                        RunId = run,
                        TraceId = state.TraceId ?? SpanIds.Trace(traceId),
                        Attachments = [file],
                    },
                ],
                []
            ),
            cancellationToken
        );
    }

    /// <summary>What Langfuse's SDKs ask to see whether their key is right.</summary>
    private static async Task<IResult> ProjectsAsync(HttpContext context, Workspaces workspaces)
    {
        var caller = context.Caller();
        var workspace = await workspaces.GetAsync(caller, context.RequestAborted);
        return Results.Json(
            new
            {
                data = new[]
                {
                    new
                    {
                        id = workspace.Id,
                        name = workspace.Name,
                        metadata = new { },
                    },
                },
            }
        );
    }

    private static string MediaId(byte[] hash) =>
        Convert.ToBase64String(hash).Replace('+', '-').Replace('/', '_')[..IdLength];

    private static bool IsHex(string text) => text.All(char.IsAsciiHexDigit);

    private static ITimeLimitedDataProtector Protector(IDataProtectionProvider provider) =>
        provider.CreateProtector("Assay.LangfuseMedia").ToTimeLimitedDataProtector();

    /// <summary>What a signed address stands for.</summary>
    private sealed record Upload(
        Guid WorkspaceId,
        string TraceId,
        string? SpanId,
        string ContentType,
        long Length,
        byte[] Hash,
        string BlobKey
    );

    /// <summary>Reads on while it hashes, and not beyond what was announced.</summary>
    private sealed class HashedStream(Stream inner, IncrementalHash hash, long limit)
        : ForwardStream
    {
        public long Total { get; private set; }

        public override long Position
        {
            get => Total;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            Total += count;
            if (Total > limit)
            {
                throw new BadRequestBodyException(
                    StatusCodes.Status400BadRequest,
                    "The content is longer than was announced."
                );
            }

            hash.AppendData(buffer.Span[..count]);
            return count;
        }
    }
}
