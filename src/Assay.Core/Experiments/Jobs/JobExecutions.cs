using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Metadata;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Takes a job from wherever it stands to its end, or to where it is stopped. Thread-safe for different jobs.</summary>
public sealed class JobExecutions(
    IDbContextFactory<MetadataContext> metadata,
    ExampleReader examples,
    ModelCalls calls,
    TraceIngest ingest,
    TraceQueries queries,
    EvaluatorFactory evaluators,
    EvaluationInputs inputs,
    Calibrations calibrations,
    TimeProvider time
)
{
    /// <summary>Does the job.</summary>
    /// <param name="id">The job.</param>
    /// <param name="stop">How people stop it.</param>
    /// <param name="stopping">Ends when the server stops.</param>
    internal async Task RunAsync(Guid id, JobStop stop, CancellationToken stopping)
    {
        var rows = new JobRows(metadata, id, time);
        if (await rows.BeginAsync(stopping) is not { } begun)
        {
            return;
        }

        var (job, isFirst) = begun;
        // Nobody's request: the job has the rights it needs, in its own workspace, under the name of who asked for it.
        var caller = new Caller(
            job.WorkspaceId,
            Permission.Ingest | Permission.Read | Permission.Write | Permission.Delete,
            job.UserId,
            Name: job.Actor
        );
        if (!await rows.SubjectExistsAsync(job, stopping))
        {
            await rows.EndAsync(
                ExperimentJobState.Failed,
                job.Kind == ExperimentJobKind.Calibrate
                    ? "The judge was deleted."
                    : "The experiment or its dataset was deleted.",
                stopping
            );
            return;
        }

        var plan = JobPlan.Of(job);
        var opened = new List<OpenedEvaluator>();
        foreach (var choice in plan.Evaluators)
        {
            string? problem = null;
            try
            {
                if (
                    await evaluators.OpenAsync(caller, choice.Id, choice.Version, stopping) is
                    { } evaluator
                )
                {
                    opened.Add(evaluator);
                }
                else
                {
                    problem = "One of the chosen evaluators was deleted.";
                }
            }
            catch (InvalidEvaluatorException e)
            {
                problem = $"An evaluator cannot be used: {e.Message}";
            }

            if (problem is not null)
            {
                await rows.EndAsync(ExperimentJobState.Paused, problem, stopping);
                return;
            }
        }

        var scorer = new RunScorer(caller, job, opened, ingest, time);
        IRowTask task = job.Kind switch
        {
            ExperimentJobKind.Run => new PromptRows(
                caller,
                job,
                plan,
                scorer,
                calls,
                ingest,
                queries,
                inputs,
                rows,
                time
            ),
            ExperimentJobKind.Calibrate => new CalibrationRows(
                caller,
                job,
                plan,
                opened[0],
                rows,
                calibrations
            ),
            _ => new ScoredRows(caller, scorer, queries, inputs),
        };
        await new JobExecution(job, plan, caller, rows, task, examples, stop, time).RunAsync(
            isFirst,
            stopping
        );
    }
}
