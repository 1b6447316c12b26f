using System.Globalization;
using Assay.Core.Traces;
using Assay.Storage.Filters;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Pages of runs sorted by what no index has, see <see cref="RunOrder"/>.</summary>
internal static class SortedRuns
{
    /// <summary>
    /// The SQL of a question that no index sorts: the value of each run is taken once, kept aside, and only the page is read whole.
    /// </summary>
    /// <param name="command">Takes the parameters; the runs in question are counted with it first.</param>
    /// <param name="where">The condition on <c>run r</c>.</param>
    /// <param name="query">The question.</param>
    /// <param name="order">What is sorted by.</param>
    /// <param name="limit">Rows of the page; one more is read.</param>
    /// <exception cref="TooManyToSortException">More runs are in question than are sorted.</exception>
    public static string Sql(
        SqliteCommand command,
        string where,
        RunQuery query,
        RunOrder order,
        int limit
    )
    {
        if (query.Cursor is null)
        {
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT count(*) FROM (SELECT 1 FROM run r WHERE {where} LIMIT {RunOrder.MaxRuns + 1})"
            );
            if (command.ExecuteScalar() is > (long)RunOrder.MaxRuns)
            {
                throw new TooManyToSortException();
            }
        }

        var direction = query.Ascending ? "ASC" : "DESC";
        var after = query.Cursor is { } cursor
            ? RunCursor.After(command, cursor, "r.key", direction)
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            WITH s AS MATERIALIZED (SELECT r.pk AS pk, {SqliteOrder.Expression(
                command,
                order
            )} AS key FROM run r WHERE {where})
            SELECT {RunReaderRows.RunColumns}{RunReaderRows.DetailColumns}, k.key
            FROM (SELECT r.pk AS found, r.key AS key FROM s r WHERE 1{after} ORDER BY r.key {direction}, r.pk {direction} LIMIT {limit
                + 1}) k
            CROSS JOIN run r ON r.pk = k.found CROSS JOIN detail d ON d.pk = k.found
            """
        );
    }
}
