using System.Threading.Channels;
using Assay.Core.Access;
using Assay.Core.Datasets;

namespace Assay.Core.Experiments.Jobs;

/// <summary>
/// One turn of a job: rows are fed a page ahead, done by as many workers as the plan says, and their ends written a few times a second. What
/// is lost with the process is found again in the run store.
/// </summary>
internal sealed class JobExecution(
    ExperimentJob job,
    JobPlan plan,
    Caller caller,
    JobRows rows,
    IRowTask task,
    ExampleReader examples,
    JobStop stop,
    TimeProvider time
)
{
    private const int Page = 100;

    // So many failures and not one answer: something is wrong with the prompt or the model, and going on only costs.
    private const int HopelessAfter = 20;

    private static readonly TimeSpan s_flush = TimeSpan.FromMilliseconds(200);
    private readonly Channel<RowOutcome> _outcomes = Channel.CreateUnbounded<RowOutcome>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private int _failures;
    private int _answers;
    private string? _halt;
    private Exception? _fault;

    public async Task RunAsync(bool isFirst, CancellationToken stopping)
    {
        await task.ReconcileAsync(isFirst, stopping);
        var feed = Channel.CreateBounded<(ExperimentJobRow Row, Example? Example)>(
            new BoundedChannelOptions(plan.Concurrency) { SingleWriter = true }
        );
        var writing = WriteOutcomesAsync();
        var workers = Enumerable
            .Range(0, plan.Concurrency)
            .Select(_ => Task.Run(() => WorkAsync(feed.Reader), CancellationToken.None))
            .ToList();
        try
        {
            await FeedAsync(feed.Writer);
        }
        catch (OperationCanceledException) when (stop.NoMore.IsCancellationRequested)
        {
            // Told to start nothing more.
        }
        catch (Exception e)
        {
            Break(e);
        }

        feed.Writer.Complete();
        await Task.WhenAll(workers);
        _outcomes.Writer.Complete();
        await writing;
        if (_fault is { } fault)
        {
            throw fault;
        }

        if (_halt is { } reason)
        {
            await rows.EndAsync(ExperimentJobState.Paused, reason, CancellationToken.None);
        }
        else if (!await rows.AnyWaitingAsync(CancellationToken.None))
        {
            await task.CompleteAsync(CancellationToken.None);
        }

        await rows.EndAsync(ExperimentJobState.Done, null, CancellationToken.None);
    }

    private async Task FeedAsync(ChannelWriter<(ExperimentJobRow, Example?)> feed)
    {
        var after = -1;
        while (true)
        {
            var page = await rows.WaitingAsync(after, Page, stop.NoMore);
            if (page.Count == 0)
            {
                return;
            }

            var ids = page.Select(r => r.ExampleId).OfType<Guid>().Distinct().ToList();
            var read =
                ids.Count == 0
                    ? []
                    : (
                        await examples.ListAsync(
                            caller,
                            new ExampleQuery
                            {
                                DatasetId = job.DatasetId,
                                Ids = ids,
                                AsOf = plan.AsOf,
                                Limit = ids.Count,
                            },
                            stop.NoMore
                        )
                    ).ToDictionary(e => e.Id);
            foreach (var row in page)
            {
                await feed.WriteAsync(
                    (row, row.ExampleId is { } id ? read.GetValueOrDefault(id) : null),
                    stop.NoMore
                );
            }

            after = page[^1].Number;
        }
    }

    private async Task WorkAsync(ChannelReader<(ExperimentJobRow Row, Example? Example)> feed)
    {
        await foreach (var (row, example) in feed.ReadAllAsync(CancellationToken.None))
        {
            if (stop.NoMore.IsCancellationRequested)
            {
                continue;
            }

            try
            {
                if (await task.DoAsync(row, example, stop) is { } outcome)
                {
                    await _outcomes.Writer.WriteAsync(outcome, CancellationToken.None);
                    Judge(outcome);
                }
            }
            catch (OperationCanceledException) when (stop.NoMore.IsCancellationRequested)
            {
                // The row stays waiting.
            }
            catch (JobHaltException e)
            {
                _halt ??= e.Message;
                stop.Ask(isAtOnce: false);
            }
            catch (Exception e)
            {
                Break(e);
            }
        }
    }

    private void Judge(RowOutcome outcome)
    {
        if (outcome.State != JobRowState.Failed)
        {
            Interlocked.Increment(ref _answers);
        }
        else if (
            Interlocked.Increment(ref _failures) == HopelessAfter
            && Volatile.Read(ref _answers) == 0
            && job.Total > HopelessAfter
        )
        {
            _halt ??= $"The first {HopelessAfter} rows all failed, the last with: {outcome.Error}";
            stop.Ask(isAtOnce: false);
        }
    }

    private void Break(Exception fault)
    {
        Interlocked.CompareExchange(ref _fault, fault, null);
        stop.Ask(isAtOnce: false);
    }

    private async Task WriteOutcomesAsync()
    {
        var batch = new List<RowOutcome>();
        while (await _outcomes.Reader.WaitToReadAsync(CancellationToken.None))
        {
            try
            {
                while (_outcomes.Reader.TryRead(out var outcome))
                {
                    batch.Add(outcome);
                }

                await rows.FinishAsync(batch, CancellationToken.None);
                batch.Clear();
                await Task.Delay(s_flush, time, stop.NoMore);
            }
            catch (OperationCanceledException) when (stop.NoMore.IsCancellationRequested)
            {
                // No need for patience any more.
            }
            catch (Exception e)
            {
                // What could not be written is found in the run store next time.
                Break(e);
                batch.Clear();
            }
        }
    }
}
