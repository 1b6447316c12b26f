using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace Assay.Core.Datasets;

/// <summary>
/// Brings many rows into a dataset as one version. Rows are staged in small transactions, invisible to every reader, so that other writers
/// never wait long and memory stays flat; the last step publishes all of them at once. Whatever happens before it, the dataset stays as it was.
/// Thread-safe.
/// </summary>
public sealed class ExampleImport(
    IDbContextFactory<MetadataContext> metadata,
    IBlobStore blobs,
    ExampleWriter writer,
    TimeProvider time
) : IHostedService
{
    private const int StageSize = 1_000;
    private const int MaxReportedProblems = 100;

    /// <summary>Imports rows; bad ones are named by line.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="datasetId">Into this dataset.</param>
    /// <param name="rows">The rows, read once, in order.</param>
    /// <param name="skipBadRows">Leaves bad rows out; otherwise one bad row refuses the whole file.</param>
    /// <param name="progress">Told the number of rows read so far, now and then.</param>
    /// <param name="cancellationToken">Cancels; nothing is imported then.</param>
    /// <exception cref="DatasetProblemException">There is no such dataset, or no good row.</exception>
    public async Task<ImportReceipt> RunAsync(
        Caller caller,
        Guid datasetId,
        IAsyncEnumerable<ImportRow> rows,
        bool skipBadRows,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var importId = Guid.CreateVersion7(time.GetUtcNow());
        var problems = new List<ImportProblem>();
        var (staged, bad) = (0L, 0L);
        try
        {
            var gate = await GateAsync(caller, datasetId, cancellationToken);
            var seen = new HashSet<Guid>();
            var batch = new List<ExampleRevision>(StageSize);
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                var problem = row.Problem;
                if (problem is null)
                {
                    try
                    {
                        batch.Add(
                            await StageAsync(
                                caller,
                                datasetId,
                                importId,
                                staged,
                                row,
                                gate,
                                seen,
                                cancellationToken
                            )
                        );
                        staged++;
                    }
                    catch (DatasetProblemException e)
                    {
                        problem = e.Message;
                    }
                }

                if (problem is not null)
                {
                    bad++;
                    if (problems.Count < MaxReportedProblems)
                    {
                        problems.Add(new ImportProblem(row.Line, problem));
                    }

                    if (!skipBadRows && problems.Count == MaxReportedProblems)
                    {
                        break;
                    }
                }

                if (batch.Count == StageSize)
                {
                    await SaveAsync(batch, cancellationToken);
                    progress?.Report(staged + bad);
                }
            }

            if (bad > 0 && !skipBadRows)
            {
                await DropAsync(importId);
                return new ImportReceipt(0, bad, problems, null);
            }

            await SaveAsync(batch, cancellationToken);
            progress?.Report(staged + bad);
            if (staged == 0)
            {
                return new ImportReceipt(0, bad, problems, null);
            }

            var moment = await PublishAsync(
                caller,
                datasetId,
                importId,
                staged,
                seen.Count > 0,
                cancellationToken
            );
            return new ImportReceipt(
                staged,
                bad,
                problems,
                UtcMicroseconds.FromMicroseconds(moment)
            );
        }
        catch
        {
            await DropAsync(importId);
            throw;
        }
    }

    /// <summary>Takes away what imports and changes of splits had staged when the process died.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await DropAsync(
            db.ExampleRevisions.Where(r =>
                r.ImportId != null && r.ValidTo == ExampleRevision.Staged
            ),
            cancellationToken
        );
        // These share the files of the revisions they were to follow.
        await db
            .ExampleRevisions.Where(r =>
                r.ImportId != null && r.ValidTo == ExampleRevision.Prepared
            )
            .ExecuteDeleteAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<ExampleGate> GateAsync(
        Caller caller,
        Guid datasetId,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return new ExampleGate(
            await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken)
        );
    }

    private async Task<ExampleRevision> StageAsync(
        Caller caller,
        Guid datasetId,
        Guid importId,
        long position,
        ImportRow row,
        ExampleGate gate,
        HashSet<Guid> seen,
        CancellationToken cancellationToken
    )
    {
        if (row.Id is { } given && !seen.Add(given))
        {
            throw DatasetProblemException.Conflict($"id: {given} occurs twice in the file");
        }

        var now = time.GetUtcNow();
        var (inputs, outputs) = gate.Pass(row.InputsJson ?? "{}", row.OutputsJson, "");
        var (metadataJson, splits) = ExampleWriter.TakeSplits(row.MetadataJson, row.Splits, "");
        var storedInputs = await ExampleBlobs.StoreAsync(
            blobs,
            caller.WorkspaceId,
            inputs!,
            now,
            cancellationToken
        );
        (string? Inline, string? Key) storedOutputs = outputs is null
            ? default
            : await ExampleBlobs.StoreAsync(
                blobs,
                caller.WorkspaceId,
                outputs,
                now,
                cancellationToken
            );
        return new ExampleRevision
        {
            WorkspaceId = caller.WorkspaceId,
            DatasetId = datasetId,
            ExampleId = row.Id ?? Guid.CreateVersion7(now),
            ValidFrom = ExampleRevision.Forever,
            ValidTo = ExampleRevision.Staged,
            Position = position,
            CreatedAt = row.CreatedAt ?? now,
            InputsJson = storedInputs.Inline,
            InputsBlobKey = storedInputs.Key,
            OutputsJson = storedOutputs.Inline,
            OutputsBlobKey = storedOutputs.Key,
            MetadataJson = metadataJson,
            Splits = DatasetSplits.Stored(splits ?? []),
            SourceRunId = row.SourceRunId,
            AttachmentsJson = ExampleBlobs.Files(row.Attachments),
            ImportId = importId,
        };
    }

    private async Task SaveAsync(List<ExampleRevision> batch, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        db.ExampleRevisions.AddRange(batch);
        await db.SaveChangesAsync(cancellationToken);
        batch.Clear();
    }

    private async Task<long> PublishAsync(
        Caller caller,
        Guid datasetId,
        Guid importId,
        long count,
        bool hasOwnIds,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var staged = db.ExampleRevisions.Where(r => r.ImportId == importId);
        if (hasOwnIds)
        {
            var taken = await staged
                .Where(s =>
                    db.ExampleRevisions.Any(r =>
                        r.WorkspaceId == caller.WorkspaceId
                        && r.ExampleId == s.ExampleId
                        && r.ValidTo == ExampleRevision.Forever
                    )
                )
                .Select(s => (Guid?)s.ExampleId)
                .FirstOrDefaultAsync(cancellationToken);
            if (taken is { } id)
            {
                throw DatasetProblemException.Conflict($"Example {id} already exists");
            }
        }

        var first = dataset.NextPosition;
        var moment = writer.NextVersion(db, dataset);
        dataset.NextPosition += count;
        dataset.ExampleCount += (int)count;
        await db.SaveChangesAsync(cancellationToken);
        await staged.ExecuteUpdateAsync(
            u =>
                u.SetProperty(r => r.ValidFrom, moment)
                    .SetProperty(r => r.ValidTo, ExampleRevision.Forever)
                    .SetProperty(r => r.Position, r => r.Position + first)
                    .SetProperty(r => r.ImportId, (Guid?)null),
            cancellationToken
        );
        await transaction.CommitAsync(cancellationToken);
        return moment;
    }

    private async Task DropAsync(Guid importId)
    {
        // Whoever cancelled is gone; what was staged must go all the same.
        await using var db = await metadata.CreateDbContextAsync(CancellationToken.None);
        await DropAsync(
            db.ExampleRevisions.Where(r => r.ImportId == importId),
            CancellationToken.None
        );
    }

    private async Task DropAsync(
        IQueryable<ExampleRevision> staged,
        CancellationToken cancellationToken
    )
    {
        var keys = await ExampleBlobs.KeysAsync(staged, cancellationToken);
        await staged.ExecuteDeleteAsync(cancellationToken);
        foreach (var key in keys)
        {
            await blobs.DeleteAsync(key, cancellationToken);
        }
    }
}

/// <summary>One row of a file on its way into a dataset.</summary>
/// <param name="Line">Its line in the file, from 1; for Parquet its row.</param>
public sealed record ImportRow(long Line)
{
    /// <summary>Id, when the file has one.</summary>
    public Guid? Id { get; init; }

    /// <summary>Inputs, JSON object text.</summary>
    public string? InputsJson { get; init; }

    /// <summary>Outputs, JSON object text.</summary>
    public string? OutputsJson { get; init; }

    /// <summary>Metadata, JSON object text.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Splits.</summary>
    public IReadOnlyList<string>? Splits { get; init; }

    /// <summary>The run it comes from.</summary>
    public Guid? SourceRunId { get; init; }

    /// <summary>When it was made; null means the present.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Files, already in the blob store under keys of their own.</summary>
    public IReadOnlyList<Traces.Attachment> Attachments { get; init; } = [];

    /// <summary>Why the row cannot be read; null when it can.</summary>
    public string? Problem { get; init; }
}

/// <summary>What an import did.</summary>
/// <param name="Imported">Examples made; none when a bad row refused the file.</param>
/// <param name="Bad">Bad rows.</param>
/// <param name="Problems">The first of them.</param>
/// <param name="AsOf">The version it made; null when it made none.</param>
public sealed record ImportReceipt(
    long Imported,
    long Bad,
    IReadOnlyList<ImportProblem> Problems,
    DateTimeOffset? AsOf
);

/// <summary>A row that could not be imported.</summary>
/// <param name="Line">Its line.</param>
/// <param name="Reason">Why.</param>
public sealed record ImportProblem(long Line, string Reason);
