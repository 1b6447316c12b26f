using System.Text;
using System.Text.Json;
using Assay.Core.Blobs;
using Assay.Core.Datasets;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>
/// Reads examples sent as multipart: <c>ID</c>, <c>ID.inputs</c>, <c>ID.outputs</c>, <c>ID.attachment.NAME</c>,
/// <c>ID.attachments_operations</c>, in any order. Files go straight to the blob store; when the whole is refused they are taken out again.
/// </summary>
internal sealed class MultipartExamples(ExampleWriter writer, IBlobStore blobs, TimeProvider time)
{
    private const long MaxPart = 64L << 20;
    private const long MaxJson = 256L << 20;

    public async Task<ExampleReceipt> WriteAsync(
        HttpContext context,
        Guid? datasetId,
        ExampleWriteMode mode
    )
    {
        if (
            !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value
                is not { Length: > 0 and <= 200 } boundary
        )
        {
            throw BodyFields.Wrong("Content-Type", "multipart/form-data with a boundary");
        }

        var files = new List<string>();
        try
        {
            await using var body = RequestBody.Open(context.Request);
            var drafts = await ReadAsync(context, body, boundary, files);
            return await writer.WriteAsync(
                context.Caller(),
                [.. drafts.Select(d => d.Build(datasetId, mode))],
                context.RequestAborted
            );
        }
        catch
        {
            foreach (var key in files)
            {
                await blobs.DeleteAsync(key, CancellationToken.None);
            }

            throw;
        }
    }

    private async Task<List<Draft>> ReadAsync(
        HttpContext context,
        Stream body,
        string boundary,
        List<string> files
    )
    {
        var reader = new MultipartReader(boundary, body, 64 << 10)
        {
            HeadersLengthLimit = 32 << 10,
        };
        var drafts = new Dictionary<Guid, Draft>();
        var order = new List<Draft>();
        var bytes = 0L;
        while (await reader.ReadNextSectionAsync(context.RequestAborted) is { } section)
        {
            var name = ContentDispositionHeaderValue.TryParse(
                section.ContentDisposition,
                out var disposition
            )
                ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString()
                : "";
            var parts = name.Split('.', 3);
            if (!Guid.TryParse(parts[0], out var id))
            {
                throw BodyFields.Wrong($"part '{name}'", "named by a UUID");
            }

            if (!drafts.TryGetValue(id, out var draft))
            {
                drafts[id] = draft = new Draft(id);
                order.Add(draft);
            }

            if (parts is [_, "attachment", { Length: > 0 } file])
            {
                var key = BlobKeys.New(
                    context.Caller().WorkspaceId,
                    "attachment",
                    time.GetUtcNow()
                );
                files.Add(key);
                var length = await blobs.PutAsync(key, section.Body, context.RequestAborted);
                draft.Files.Add(
                    new Attachment(
                        file,
                        section.ContentType?.Split("; length=", 2)[0] ?? "application/octet-stream",
                        key,
                        length
                    )
                );
                continue;
            }

            var json = await RequestBody.ReadAsync(section.Body, MaxPart, context.RequestAborted);
            bytes += json.Length;
            if (bytes > MaxJson)
            {
                throw new BadRequestBodyException(
                    StatusCodes.Status413PayloadTooLarge,
                    $"The examples of one request may have {MaxJson >> 20} MiB without their files."
                );
            }

            draft.Take(name, parts.ElementAtOrDefault(1), Encoding.UTF8.GetString(json.Span));
        }

        return order;
    }

    private sealed class Draft(Guid id)
    {
        private ExampleWrite _write = new();
        private bool _isAnnounced;

        public List<Attachment> Files { get; } = [];

        public void Take(string name, string? field, string json)
        {
            switch (field)
            {
                case null:
                    using (var document = JsonDocument.Parse(json))
                    {
                        var head = ExampleBody.Create(document.RootElement, id);
                        _isAnnounced = true;
                        _write = head with
                        {
                            InputsJson = _write.InputsJson ?? head.InputsJson,
                            OutputsJson = _write.OutputsJson ?? head.OutputsJson,
                            Operations = _write.Operations,
                        };
                    }

                    break;
                case "inputs":
                    _write = _write with { InputsJson = Given(json) };
                    break;
                case "outputs":
                    _write = _write with { OutputsJson = Given(json) };
                    break;
                case "attachments_operations":
                    using (var document = JsonDocument.Parse(json))
                    {
                        _write = _write with
                        {
                            Operations = ExampleBody.Operations(document.RootElement),
                        };
                    }

                    break;
                default:
                    throw BodyFields.Wrong(
                        $"part '{name}'",
                        "ID, ID.inputs, ID.outputs, ID.attachment.NAME or ID.attachments_operations"
                    );
            }
        }

        public ExampleWrite Build(Guid? datasetId, ExampleWriteMode mode)
        {
            if (!_isAnnounced && mode == ExampleWriteMode.Create)
            {
                throw BodyFields.Wrong($"part '{id}'", "there for every example");
            }

            return _write with
            {
                Id = id,
                Mode = mode,
                DatasetId = datasetId ?? _write.DatasetId,
                Attachments = Files,
            };
        }

        private static string? Given(string json) => json.Trim() == "null" ? null : json;
    }
}
