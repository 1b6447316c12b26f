using System.Text.Json;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Embedded;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Search;

/// <summary>Brings the search index up to the runs: what a crash took from its memory, or everything when it has to be built again.</summary>
internal sealed class SearchFeeder(SearchIndex search, IndexDatabase index, Journal journal)
{
    private const int Step = 500;
    private const string Columns = "r.pk, r.name, d.error, d.refs, r.model, d.tags, d.metadata";

    /// <summary>Hands in what the journal brought between the search index's position and the runs'.</summary>
    public async Task CatchUpAsync(JournalPosition applied)
    {
        var (first, last) = search.Unbuilt;
        if (first <= last || search.Through == default || search.Through >= applied)
        {
            return;
        }

        foreach (var batch in journal.Replay(search.Through))
        {
            if (batch.End > applied)
            {
                break;
            }

            var docs = new List<SearchDoc>();
            using (var reader = index.Read())
            {
                using var command = reader.Connection.CreateCommand();
                command.CommandText =
                    $"SELECT {Columns} FROM run r JOIN detail d ON d.pk = r.pk WHERE r.id = $id";
                var id = command.Parameters.Add("$id", SqliteType.Blob);
                foreach (var run in batch.Runs)
                {
                    id.Value = Embedded.Columns.Id(run.Write.RunId);
                    docs.AddRange(Read(command));
                }
            }

            await search.AddAsync(new SearchBatch(batch.End, docs));
        }
    }

    /// <summary>Hands in every row the index says it lacks.</summary>
    public async Task RebuildAsync(CancellationToken cancellationToken)
    {
        var (first, last) = search.Unbuilt;
        while (first <= last)
        {
            List<SearchDoc> docs;
            using (var reader = index.Read())
            {
                using var command = reader.Connection.CreateCommand();
                command.CommandText =
                    $"SELECT {Columns} FROM run r JOIN detail d ON d.pk = r.pk WHERE r.pk >= $a AND r.pk <= $b ORDER BY r.pk LIMIT {Step}";
                command.Parameters.AddWithValue("$a", first);
                command.Parameters.AddWithValue("$b", last);
                docs = Read(command);
            }

            var to = docs.Count < Step ? last : docs[^1].Pk;
            cancellationToken.ThrowIfCancellationRequested();
            await search.AddAsync(new SearchBatch(null, docs, to));
            first = to + 1;
        }
    }

    private static List<SearchDoc> Read(SqliteCommand command)
    {
        var docs = new List<SearchDoc>();
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            docs.Add(
                SearchDoc.Of(
                    rows.GetInt64(0),
                    rows.GetString(1),
                    Embedded.Columns.ReadText(rows, 2),
                    PayloadRefs.Decode(rows.IsDBNull(3) ? null : rows.GetFieldValue<byte[]>(3)),
                    SearchDoc.ValuesOf(
                        rows.GetString(1),
                        Embedded.Columns.ReadText(rows, 4),
                        Json<List<string>>(rows, 5) ?? [],
                        (Json<Dictionary<string, string>>(rows, 6) ?? []).Select(m =>
                            (m.Key, m.Value)
                        )
                    )
                )
            );
        }

        return docs;
    }

    private static T? Json<T>(SqliteDataReader row, int column)
        where T : class =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize<T>(row.GetString(column));
}
