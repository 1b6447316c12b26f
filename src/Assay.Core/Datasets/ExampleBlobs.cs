using System.Text;
using System.Text.Json;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Puts large values of examples and their files where they belong, and reads rows back as examples.</summary>
internal static class ExampleBlobs
{
    /// <summary>Texts longer than this go to the blob store, so that a page of rows stays small.</summary>
    public const int MaxInline = 1 << 20;

    public static async Task<(string Inline, string? Key)> StoreAsync(
        IBlobStore blobs,
        Guid workspaceId,
        string json,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (json.Length <= MaxInline)
        {
            return (json, null);
        }

        var key = BlobKeys.New(workspaceId, "example", now);
        await using var content = new MemoryStream(Encoding.UTF8.GetBytes(json));
        await blobs.PutAsync(key, content, cancellationToken);
        return ("", key);
    }

    public static async Task<Example> ReadAsync(
        IBlobStore blobs,
        ExampleRevision row,
        string datasetName,
        CancellationToken cancellationToken
    ) =>
        new()
        {
            Id = row.ExampleId,
            DatasetId = row.DatasetId,
            Name = $"#{row.ExampleId.ToString()[..4]} @ {datasetName}",
            InputsJson =
                await LoadAsync(blobs, row.InputsBlobKey, cancellationToken) ?? row.InputsJson,
            OutputsJson =
                await LoadAsync(blobs, row.OutputsBlobKey, cancellationToken) ?? row.OutputsJson,
            MetadataJson = row.MetadataJson,
            Splits = Splits(row.Splits),
            SourceRunId = row.SourceRunId,
            Attachments = Files(row.AttachmentsJson),
            CreatedAt = row.CreatedAt,
            ModifiedAt = Metadata.UtcMicroseconds.FromMicroseconds(row.ValidFrom),
        };

    public static IReadOnlyList<string> Splits(string stored) =>
        stored.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static IReadOnlyList<Attachment> Files(string? json) =>
        json is null ? [] : JsonSerializer.Deserialize<List<Attachment>>(json) ?? [];

    public static string? Files(IReadOnlyList<Attachment> files) =>
        files.Count == 0 ? null : JsonSerializer.Serialize(files);

    /// <summary>Every blob that rows point at.</summary>
    public static async Task<List<string>> KeysAsync(
        IQueryable<ExampleRevision> rows,
        CancellationToken cancellationToken
    )
    {
        var found = await rows.Where(r =>
                r.InputsBlobKey != null || r.OutputsBlobKey != null || r.AttachmentsJson != null
            )
            .Select(r => new
            {
                r.InputsBlobKey,
                r.OutputsBlobKey,
                r.AttachmentsJson,
            })
            .ToListAsync(cancellationToken);
        return
        [
            .. found
                .SelectMany(r =>
                    Files(r.AttachmentsJson)
                        .Select(f => f.BlobKey)
                        .Append(r.InputsBlobKey)
                        .Append(r.OutputsBlobKey)
                )
                .OfType<string>()
                .Distinct(StringComparer.Ordinal),
        ];
    }

    private static async Task<string?> LoadAsync(
        IBlobStore blobs,
        string? key,
        CancellationToken cancellationToken
    )
    {
        if (key is null)
        {
            return null;
        }

        await using var stream = await blobs.OpenAsync(key, cancellationToken);
        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
