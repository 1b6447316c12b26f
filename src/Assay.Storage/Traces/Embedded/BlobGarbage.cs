using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Blobs that no run points to any more. They are noted in the transaction that lets go of them and deleted afterwards, so that a crash
/// between the two leaves no file behind for ever.
/// </summary>
internal static class BlobGarbage
{
    private const int Step = 500;

    /// <summary>The blobs a row holds.</summary>
    public static List<string> Of(RunRow row) =>
        [
            .. row.State.Attachments.Select(a => a.BlobKey),
            .. row.Refs.Where(r => r.BlobKey is not null).Select(r => r.BlobKey ?? ""),
        ];

    public static void Note(SqliteConnection db, IEnumerable<string> keys, long pk)
    {
        foreach (var key in keys)
        {
            using var command = db.CreateCommand();
            command.CommandText = "INSERT OR IGNORE INTO blob_garbage(key, pk) VALUES($key, $pk)";
            command.Parameters.AddWithValue("$key", key);
            command.Parameters.AddWithValue("$pk", pk);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>The next blobs to delete. One that its run holds after all (a piece came twice) is let off.</summary>
    public static List<(string Key, bool IsHeld)> Next(SqliteConnection db)
    {
        using var command = db.CreateCommand();
        command.CommandText =
            $"SELECT g.key, d.refs, d.attachments FROM blob_garbage g LEFT JOIN detail d ON d.pk = g.pk LIMIT {Step}";
        using var rows = command.ExecuteReader();
        var found = new List<(string, bool)>();
        while (rows.Read())
        {
            var key = rows.GetString(0);
            found.Add(
                (
                    key,
                    PayloadRefs
                        .Decode(rows.IsDBNull(1) ? null : rows.GetFieldValue<byte[]>(1))
                        .Exists(r => r.BlobKey == key)
                        || Columns.ReadText(rows, 2)?.Contains(key, StringComparison.Ordinal)
                            == true
                )
            );
        }

        return found;
    }

    public static bool Forget(SqliteConnection db, IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            using var command = db.CreateCommand();
            command.CommandText = "DELETE FROM blob_garbage WHERE key = $key";
            command.Parameters.AddWithValue("$key", key);
            command.ExecuteNonQuery();
        }

        return true;
    }
}
