using System.Globalization;

namespace Assay.Core.Blobs;

/// <summary>Makes blob keys: <c>workspace/kind/yyyyMMdd/unique</c>, so that a listing by prefix belongs to one workspace.</summary>
public static class BlobKeys
{
    /// <summary>A fresh key.</summary>
    /// <param name="workspaceId">The workspace the value belongs to.</param>
    /// <param name="kind">A short word: <c>attachment</c>, <c>payload</c>, <c>export</c>.</param>
    /// <param name="now">Gives the day and the sortable unique part.</param>
    public static string New(Guid workspaceId, string kind, DateTimeOffset now) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{workspaceId:N}/{kind}/{now.UtcDateTime:yyyyMMdd}/{Guid.CreateVersion7(now):N}"
        );
}
