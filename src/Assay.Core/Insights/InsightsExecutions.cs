using Assay.Core.Access;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Metadata;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Insights;

/// <summary>Takes a report from wherever it stands to its end, or to where it is stopped. Thread-safe for different reports.</summary>
public sealed class InsightsExecutions(
    IDbContextFactory<MetadataContext> metadata,
    ModelCalls calls,
    TraceIngest ingest,
    TraceQueries queries,
    TraceContent content,
    InsightsReports reports,
    TimeProvider time
)
{
    /// <summary>Makes the report.</summary>
    /// <param name="id">The report.</param>
    /// <param name="stop">Ends when a person gives it up or the server stops.</param>
    internal async Task RunAsync(Guid id, CancellationToken stop)
    {
        var rows = new InsightsRows(metadata, id, time);
        if (await rows.BeginAsync(stop) is not { } job)
        {
            return;
        }

        // Nobody's request: the report has the rights it needs, in its own workspace, under the name of who asked for it.
        var caller = new Caller(
            job.WorkspaceId,
            Permission.Ingest | Permission.Read | Permission.Write,
            job.UserId,
            Name: job.Actor
        );
        var trace = new InsightsTrace(caller, job, ingest, time);
        await trace.StartAsync(stop);
        var state = InsightsState.Failed;
        string? reason = null;
        try
        {
            await new InsightsExecution(
                job,
                InsightsPlan.Of(job),
                caller,
                rows,
                new InsightsAsking(caller, job, trace.Parent, calls, time),
                queries,
                content,
                reports
            ).RunAsync(stop);
            state = InsightsState.Done;
        }
        catch (JobHaltException e)
        {
            reason = e.Message;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await trace.EndAsync("stopped", null);
            throw;
        }

        await trace.EndAsync(state == InsightsState.Done ? "done" : "failed", reason);
        await rows.EndAsync(state, reason, CancellationToken.None);
    }

    /// <summary>Ends a report that this server cannot make.</summary>
    internal Task GiveUpAsync(Guid id) =>
        new InsightsRows(metadata, id, time).EndAsync(
            InsightsState.Failed,
            "This server made an error, several times; its log says which.",
            CancellationToken.None
        );
}

/// <summary>The run that the calls of a report hang below.</summary>
internal sealed class InsightsTrace(
    Caller caller,
    InsightsJob job,
    TraceIngest ingest,
    TimeProvider time
)
{
    /// <summary>The project of reports' calls.</summary>
    public const string Project = "insights";

    private readonly string _order = RunNormalizer.OrderSegment(job.CreatedAt, job.TraceRunId);

    public RunParent Parent => new(job.TraceRunId, job.TraceRunId, _order);

    /// <summary>Begins it; a report that goes on begins it again, which changes nothing.</summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        AcceptAsync(
            new RunWrite
            {
                Operation = RunOperation.Create,
                RunId = job.TraceRunId,
                TraceId = job.TraceRunId,
                DottedOrder = _order,
                ProjectName = Project,
                Name = job.Name,
                Kind = RunKind.Chain,
                StartTime = job.CreatedAt,
                Inputs = Json(
                    new
                    {
                        project = job.ProjectId,
                        runs = job.Total,
                        of = job.Matched,
                    }
                ),
                Extra = Json(
                    new
                    {
                        metadata = new { insights_job_id = job.Id, target_project = job.ProjectId },
                    }
                ),
                Tags = ["insights"],
            },
            cancellationToken
        );

    /// <summary>
    /// Ends it. Not with the caller's token: what was asked is recorded all the same. Why it ended is an output and no error: what goes on again
    /// could not take an error back.
    /// </summary>
    public Task EndAsync(string status, string? reason) =>
        AcceptAsync(
            new RunWrite
            {
                Operation = RunOperation.Update,
                RunId = job.TraceRunId,
                TraceId = job.TraceRunId,
                ProjectName = Project,
                EndTime = time.GetUtcNow(),
                Outputs = Json(new { status, reason }),
            },
            CancellationToken.None
        );

    private static Payload Json(object value) =>
        Payload.FromUtf8(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value));

    private async Task AcceptAsync(RunWrite write, CancellationToken cancellationToken) =>
        await ingest.AcceptAsync(caller, new IngestBatch([write], []), cancellationToken);
}

/// <summary>How a report asks its models: with their pace, and giving up where every question would fail the same way. Thread-safe.</summary>
internal sealed class InsightsAsking(
    Caller caller,
    InsightsJob job,
    RunParent parent,
    ModelCalls calls,
    TimeProvider time
)
{
    private const int MaxTries = 5;
    private readonly JobPace _pace = new(null, time);
    private readonly StructuredCalls _structured = new(calls);

    /// <summary>Asks; there may be no answer, with the reason in <see cref="StructuredReply{T}.Words"/>.</summary>
    /// <exception cref="JobHaltException">What is wrong would be wrong with every question.</exception>
    public async Task<StructuredReply<T>> AskAsync<T>(
        InsightsModel model,
        string name,
        InsightsQuestion<T> question,
        Guid? about,
        CancellationToken stop
    )
        where T : class
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["insights_job_id"] = job.Id.ToString(),
        };
        if (about is { } run)
        {
            metadata["target_run_id"] = run.ToString();
        }

        for (var attempt = 1; ; attempt++)
        {
            await _pace.WaitAsync(stop);
            var reply = await _structured.AskAsync(
                caller,
                new ModelCall
                {
                    ProviderId = model.ProviderId,
                    Model = model.Model,
                    Messages = question.Messages,
                    Options = question.Options,
                    ProjectName = InsightsTrace.Project,
                    RunName = name,
                    Parent = parent,
                    Metadata = metadata,
                    Tags = ["insights"],
                },
                answer => question.Read(AnswerText.Object(answer)),
                question.Form,
                stop
            );
            switch (reply.Failure)
            {
                case {
                    Failure: ModelCallFailure.Authentication
                        or ModelCallFailure.LimitReached
                        or ModelCallFailure.UnknownProvider
                        or ModelCallFailure.AddressRefused
                } everybodys:
                    throw new JobHaltException(everybodys.Message);
                case { Failure: ModelCallFailure.RateLimited } when attempt < MaxTries:
                    _pace.Rest();
                    continue;
                case null:
                    _pace.Went();
                    return reply;
                default:
                    return reply;
            }
        }
    }
}
