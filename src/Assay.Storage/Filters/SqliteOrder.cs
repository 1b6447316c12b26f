using System.Globalization;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Filters;

/// <summary>A <see cref="RunOrder"/> as SQL over the row <c>run r</c>; runs without a value have NULL.</summary>
internal static class SqliteOrder
{
    public static string Expression(SqliteCommand command, RunOrder order)
    {
        switch (order)
        {
            case RunOrder.Inputs:
                return Text("d.inputs_preview");
            case RunOrder.Outputs:
                return Text("coalesce(d.error, d.outputs_preview)");
            case RunOrder.Tags:
                return Text("(SELECT group_concat(j.value, ', ') FROM json_each(d.tags) j)");
            case RunOrder.Score score:
                command.Parameters.AddWithValue("$score", score.Key);
                return "(SELECT avg(f.score) FROM feedback f WHERE f.run = r.id AND f.key = $score AND +f.workspace = (SELECT workspace FROM project WHERE no = r.project))";
            default:
                throw new NotSupportedException(order.GetType().Name);
        }
    }

    private static string Text(string text) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"(SELECT lower(substr({text}, 1, {RunOrder.TextLength})) FROM detail d WHERE d.pk = r.pk)"
        );
}
