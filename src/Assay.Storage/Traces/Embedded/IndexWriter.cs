namespace Assay.Storage.Traces.Embedded;

/// <summary>Changes of the index that do not come by the journal: one at a time, each in a transaction that is durable when it is done.</summary>
internal sealed class IndexWriter(IndexDatabase index, Applier applier, ExperimentCache experiments)
{
    public async Task<T> WriteAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await index.WriteLock.WaitAsync(cancellationToken);
        try
        {
            var runs = applier.RunCount;
            IndexDatabase.Execute(index.Writer, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
            try
            {
                var result = work();
                IndexDatabase.Execute(index.Writer, "COMMIT");
                return result;
            }
            catch
            {
                applier.RollBack(runs);
                throw;
            }
        }
        finally
        {
            index.WriteLock.Release();
        }
    }

    /// <summary>Takes runs out of the index and brings what is left of their traces up to date.</summary>
    public async Task<long> RemoveAsync(
        Func<List<RunRow>> find,
        CancellationToken cancellationToken
    )
    {
        var removed = await WriteAsync(
            () =>
            {
                var rows = find().DistinctBy(r => r.Pk).ToList();
                var removed = applier.Remove(rows);
                applier.Settle(rows.Select(r => (r.Project, r.State.TraceId)).Distinct());
                return removed;
            },
            cancellationToken
        );
        if (removed > 0)
        {
            experiments.Clear();
        }

        return removed;
    }
}
