using Assay.Core.Traces;

namespace Assay.Core.Datasets;

/// <summary>What becomes of the files of an example when it changes.</summary>
internal static class ExampleFiles
{
    /// <summary>
    /// No operations: new files replace all, none leave all. With operations: what is retained or renamed stays, then new files come, and a
    /// new file wins over a kept one of its name.
    /// </summary>
    /// <exception cref="DatasetProblemException">A name is both retained and renamed, or was not there.</exception>
    public static IReadOnlyList<Attachment> Apply(
        IReadOnlyList<Attachment> old,
        AttachmentOperations? operations,
        IReadOnlyList<Attachment> added
    )
    {
        if (operations is null)
        {
            return added.Count == 0 ? old : Unique([], added);
        }

        if (
            operations
                .Rename.Keys.Concat(operations.Rename.Values)
                .FirstOrDefault(operations.Retain.Contains) is
            { } twice
        )
        {
            throw DatasetProblemException.Invalid(
                $"attachments_operations: '{twice}' is both retained and renamed"
            );
        }

        if (
            operations
                .Retain.Concat(operations.Rename.Keys)
                .FirstOrDefault(n => old.All(f => f.Name != n)) is
            { } missing
        )
        {
            throw DatasetProblemException.Invalid(
                $"attachments_operations: there is no attachment '{missing}'"
            );
        }

        var kept = old.Where(f =>
                operations.Retain.Contains(f.Name) || operations.Rename.ContainsKey(f.Name)
            )
            .Select(f =>
                operations.Rename.TryGetValue(f.Name, out var name) ? f with { Name = name } : f
            )
            .ToList();
        return Unique(kept, added);
    }

    private static List<Attachment> Unique(List<Attachment> kept, IReadOnlyList<Attachment> added)
    {
        kept.RemoveAll(f => added.Any(a => a.Name == f.Name));
        foreach (var file in added)
        {
            kept.RemoveAll(f => f.Name == file.Name);
            kept.Add(file);
        }

        return kept;
    }
}
