using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Small numbers for projects inside the index; the pair (workspace, project) owns one, so a row's number also says its workspace. The zero
/// project of a workspace holds changes whose run has not been announced yet.
/// </summary>
internal sealed class ProjectNumbers
{
    private readonly ConcurrentDictionary<(Guid Workspace, Guid Project), int> _numbers = new();
    private readonly ConcurrentDictionary<int, (Guid Workspace, Guid Project)> _projects = new();

    public ProjectNumbers(SqliteConnection db) => Load(db);

    /// <summary>Reads the numbers again, after a transaction that may have given some was rolled back; under the write lock.</summary>
    public void Load(SqliteConnection db)
    {
        _numbers.Clear();
        using var command = db.CreateCommand();
        command.CommandText = "SELECT no, workspace, id FROM project";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            Remember(reader.GetInt32(0), Columns.ReadId(reader, 1), Columns.ReadId(reader, 2));
        }
    }

    /// <summary>The number of a project, made on first use; for the writer inside its transaction.</summary>
    public int GetOrAdd(SqliteConnection db, Guid workspace, Guid project)
    {
        if (_numbers.TryGetValue((workspace, project), out var number))
        {
            return number;
        }

        using var command = db.CreateCommand();
        command.CommandText =
            "INSERT INTO project(id, workspace) VALUES($i, $w) ON CONFLICT DO UPDATE SET id = id RETURNING no";
        command.Parameters.AddWithValue("$i", Columns.Id(project));
        command.Parameters.AddWithValue("$w", Columns.Id(workspace));
        number = Convert.ToInt32(
            command.ExecuteScalar(),
            System.Globalization.CultureInfo.InvariantCulture
        );
        Remember(number, workspace, project);
        return number;
    }

    public int? Find(Guid workspace, Guid project) =>
        _numbers.TryGetValue((workspace, project), out var n) ? n : null;

    public (Guid Workspace, Guid Project) this[int number] => _projects[number];

    /// <summary>The numbers of a workspace: all, or those of some projects.</summary>
    public List<int> Of(Guid workspace, IReadOnlyList<Guid> projects) =>
        projects.Count > 0
            ? [.. projects.Select(p => Find(workspace, p)).OfType<int>()]
            : [.. _numbers.Where(n => n.Key.Workspace == workspace).Select(n => n.Value)];

    private void Remember(int number, Guid workspace, Guid project)
    {
        _numbers[(workspace, project)] = number;
        _projects[number] = (workspace, project);
    }
}
