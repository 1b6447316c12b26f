using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>
/// An experiment that ran elsewhere, uploaded whole: dataset (made when only named), examples, runs and scores. Everything is checked before
/// anything is written.
/// </summary>
internal static class ExperimentUpload
{
    public static void MapExperimentUpload(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/datasets/upload-experiment", UploadAsync).Needs(Permission.Write);

    private static async Task<IResult> UploadAsync(
        HttpContext context,
        DatasetCatalog catalog,
        ExampleReader reader,
        ExampleWriter writer,
        TraceIngest ingest,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (json.StrictText("experiment_name") is not { Length: > 0 } name)
        {
            return Errors.Invalid("experiment_name: is needed");
        }

        var now = time.GetUtcNow();
        var rows = json.Items("results").Select((r, i) => Row.Read(r, i, now)).ToList();
        if (rows.Count == 0)
        {
            return Errors.Invalid("results: must have at least one row");
        }

        var caller = context.Caller();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (
            await db.Projects.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Name == name,
                context.RequestAborted
            )
        )
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                $"Session with name '{name}' already exists"
            );
        }

        var dataset = await DatasetAsync(context, json, catalog);
        var known = await reader.IdsAsync(caller, dataset.Id, AsOf.Now, context.RequestAborted);
        if (rows.Where(r => !known.Contains(r.ExampleId)).ToList() is { Count: > 0 } added)
        {
            await writer.WriteAsync(
                caller,
                [.. added.Select(r => r.Example with { DatasetId = dataset.Id })],
                context.RequestAborted
            );
        }

        var experiment = new Project
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Name = name,
            Description = json.StrictText("experiment_description"),
            ExtraJson = json.ObjectText("experiment_metadata") is { } extra
                ? $"{{\"metadata\":{extra}}}"
                : null,
            StartTime = json.Moment("experiment_start_time") ?? now,
            EndTime = json.Moment("experiment_end_time") ?? now,
            ReferenceDatasetId = dataset.Id,
            ExperimentNumber =
                await db.Projects.CountAsync(
                    p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == dataset.Id,
                    context.RequestAborted
                ) + 1,
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Projects.Add(experiment);
        await db.SaveChangesAsync(context.RequestAborted);
        var summary = json.Items("summary_experiment_scores")
            .Select(f => FeedbackJson.Read(f, null, now))
            .OfType<FeedbackRecord>()
            .Select(f => f with { ProjectId = experiment.Id, RunId = null });
        await ingest.AcceptAsync(
            caller,
            new IngestBatch(
                [.. rows.Select(r => r.Run(experiment.Id))],
                [.. rows.SelectMany(r => r.Scores(experiment.Id)), .. summary]
            ),
            context.RequestAborted
        );
        var made = await catalog.FindAsync(caller, dataset.Id, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("dataset");
            DatasetOut.Write(w, made ?? dataset, 1, experiment.StartTime);
            w.WritePropertyName("experiment");
            SessionOut.Write(w, experiment, null);
            w.WriteEndObject();
        });
    }

    private static async Task<Dataset> DatasetAsync(
        HttpContext context,
        JsonElement json,
        DatasetCatalog catalog
    )
    {
        var caller = context.Caller();
        if (json.Uuid("dataset_id") is { } id)
        {
            return await catalog.FindAsync(caller, id, context.RequestAborted)
                ?? throw new BadRequestBodyException(
                    StatusCodes.Status404NotFound,
                    "Dataset not found"
                );
        }

        if (json.StrictText("dataset_name") is not { Length: > 0 } name)
        {
            throw BodyFields.Wrong("dataset_id", "given, or dataset_name");
        }

        return
            await catalog.ListAsync(
                caller,
                new DatasetQuery { Name = name },
                context.RequestAborted
            )
                is [var found]
            ? found.Dataset
            : await catalog.CreateAsync(
                caller,
                new DatasetDraft
                {
                    Name = name,
                    Description = json.StrictText("dataset_description"),
                },
                context.RequestAborted
            );
    }

    private sealed record Row(
        Guid ExampleId,
        Guid RunId,
        ExampleWrite Example,
        string Name,
        string? OutputsJson,
        string? Error,
        string? MetadataJson,
        DateTimeOffset Start,
        DateTimeOffset End,
        IReadOnlyList<FeedbackRecord> Feedback
    )
    {
        public static Row Read(JsonElement json, int index, DateTimeOffset now)
        {
            json.MustBeObject();
            var example = json.Uuid("row_id") ?? Guid.CreateVersion7(now);
            var run = Guid.CreateVersion7(now);
            if (json.ObjectText("inputs") is not { } inputs)
            {
                throw BodyFields.Wrong($"results[{index}].inputs", "a JSON object");
            }

            return new Row(
                example,
                run,
                new ExampleWrite
                {
                    Id = example,
                    InputsJson = inputs,
                    OutputsJson = json.ObjectText("expected_outputs"),
                },
                json.StrictText("run_name") ?? "Target",
                json.ObjectText("actual_outputs"),
                json.StrictText("error"),
                json.ObjectText("run_metadata"),
                json.Moment("start_time") ?? now,
                json.Moment("end_time") ?? now,
                [
                    .. json.Items("evaluation_scores")
                        .Select(f =>
                            FeedbackJson.Read(f, null, now)
                            ?? throw BodyFields.Wrong(
                                $"results[{index}].evaluation_scores",
                                "a list of scores with a key"
                            )
                        ),
                ]
            );
        }

        public RunWrite Run(Guid experiment) =>
            new()
            {
                Operation = RunOperation.Create,
                RunId = RunId,
                TraceId = RunId,
                ProjectId = experiment,
                Name = Name,
                Kind = RunKind.Chain,
                StartTime = Start,
                EndTime = End,
                Error = Error,
                Inputs = Utf8(Example.InputsJson),
                Outputs = Utf8(OutputsJson),
                Extra = Utf8(MetadataJson is null ? null : $"{{\"metadata\":{MetadataJson}}}"),
                ReferenceExampleId = ExampleId,
            };

        public IEnumerable<FeedbackRecord> Scores(Guid experiment) =>
            Feedback.Select(f => f with { RunId = RunId, TraceId = RunId, ProjectId = experiment });

        private static Payload? Utf8(string? json) =>
            json is null ? null : Payload.FromUtf8(Encoding.UTF8.GetBytes(json));
    }
}
