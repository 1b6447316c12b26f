using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Traces;
using Assay.Evaluation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Evaluators;

/// <summary>An evaluator that is not saved yet, on real rows: what its variables are filled with, and what it says.</summary>
internal static class PreviewEndpoints
{
    private const int Rows = 5;
    private const int MaxShown = 4_000;

    public static void MapPreviews(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/evaluators/check", CheckAsync).PageNeeds(Permission.Write);
        ui.MapPost("/evaluators/rows", RowsAsync).PageNeeds(Permission.Write);
        ui.MapPost("/evaluators/try", TryAsync).PageNeeds(Permission.Write);
    }

    /// <summary>The variables of a judge and where they come from; a draft that is not right yet is no failed request.</summary>
    private static async Task<IResult> CheckAsync(
        DraftBody body,
        EvaluatorFactory factory,
        CurrentCaller caller
    )
    {
        try
        {
            var opened = await factory.TryAsync(caller.Value, body.ToTrial(), caller.Aborted);
            return Results.Json(
                new
                {
                    variables = (
                        opened.Prompt?.Sources ?? new Dictionary<string, VariableSource?>()
                    ).Select(s => new { name = s.Key, source = s.Value?.Text }),
                }
            );
        }
        catch (InvalidEvaluatorException e)
        {
            return Results.Json(new { problem = e.Message, field = e.Field });
        }
    }

    private static Task<IResult> RowsAsync(
        RowsBody body,
        EvaluatorFactory factory,
        RowReader reader,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
        {
            var opened = await factory.TryAsync(caller.Value, Trial(body.Draft), caller.Aborted);
            var page = await reader.PageAsync(
                caller.Value,
                body.Project,
                body.Cursor,
                Rows,
                caller.Aborted
            );
            var rows = new List<object>();
            foreach (var run in page.Runs)
            {
                var input = await reader.InputAsync(
                    caller.Value,
                    run,
                    body.Other,
                    opened.Needs,
                    caller.Aborted
                );
                rows.Add(Row(opened, run, input));
            }

            return Results.Json(new { rows, next = page.Next });
        });

    private static object Row(OpenedEvaluator opened, Run run, EvaluationInput input)
    {
        var (values, missing) = opened.Prompt is { } prompt
            ? prompt.Fill(input)
            : (new Dictionary<string, JsonElement>(), []);
        if (opened.Judge is { Pairwise: true } && input.OtherOutputs is null)
        {
            missing =
            [
                .. missing,
                "there is no second answer; choose an experiment to compare with",
            ];
        }

        string? sent = null;
        if (opened.Prompt is not null && missing.Count == 0)
        {
            sent = string.Join(
                "\n\n",
                opened
                    .Prompt.Render(values, run.Id, "preview")
                    .Messages.Select(m => $"{m.Role.Value.ToUpperInvariant()}\n{m.Text}")
            );
        }

        return new
        {
            run = run.Id,
            trace = run.TraceId,
            project = run.ProjectId,
            title = run.InputsPreview ?? run.Name,
            values = values.ToDictionary(v => v.Key, v => Shown(v.Value)),
            missing,
            output = Shown(AnswerText.Read(input.Outputs) ?? input.Outputs?.GetRawText() ?? ""),
            reference = input.ReferenceOutputs is { } reference
                ? Shown(AnswerText.Read(reference) ?? reference.GetRawText())
                : null,
            sent = sent is null ? null : Shown(sent, MaxShown * 4),
        };
    }

    private static Task<IResult> TryAsync(
        TryBody body,
        EvaluatorFactory factory,
        RowReader reader,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
        {
            var opened = await factory.TryAsync(caller.Value, Trial(body.Draft), caller.Aborted);
            if (
                await reader.FindAsync(caller.Value, body.Run, body.Project, caller.Aborted)
                is not { } run
            )
            {
                return Results.Json(
                    new { detail = "The run is gone." },
                    statusCode: StatusCodes.Status404NotFound
                );
            }

            var result = await opened.EvaluateAsync(
                await reader.InputAsync(
                    caller.Value,
                    run,
                    body.Other,
                    opened.Needs,
                    caller.Aborted
                ),
                caller.Aborted
            );
            var score = result.Scores[0];
            return Results.Json(
                new
                {
                    score.Number,
                    score.Label,
                    score.Passed,
                    score.Reason,
                    failed = score.IsFailed,
                    notes = score.Diagnostics.Select(d => d.Message),
                    replies = score.Evidence,
                    cost = result.Cost?.UsDollars,
                    tokens = Tokens(result.Cost),
                    calls = result.Cost?.ModelCalls,
                    run = result.RunId,
                }
            );
        });

    /// <summary>An embedding model only reads: what it does not write is nothing, not unknown.</summary>
    private static long? Tokens(EvaluationCost? cost) =>
        (cost?.InputTokens, cost?.OutputTokens) switch
        {
            (null, null) => null,
            var (read, written) => (read ?? 0) + (written ?? 0),
        };

    private static EvaluatorDraft Trial(DraftBody? draft) =>
        (draft ?? throw new InvalidEvaluatorException("draft", "is needed")).ToTrial();

    private static string Shown(JsonElement value) =>
        Shown(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());

    private static string Shown(string text, int most = MaxShown) =>
        text.Length > most ? text[..most] + "…" : text;

    private sealed record RowsBody(DraftBody? Draft, Guid Project, Guid? Other, string? Cursor);

    private sealed record TryBody(DraftBody? Draft, Guid Run, Guid Project, Guid? Other);
}

/// <summary>Rows of a project or an experiment, as evaluators look at them.</summary>
internal sealed class RowReader(
    TraceQueries queries,
    ExampleReader examples,
    EvaluationInputs inputs
)
{
    private const RunParts Parts = RunParts.Details | RunParts.Inputs | RunParts.Outputs;

    public Task<RunPage> PageAsync(
        Caller caller,
        Guid project,
        string? cursor,
        int limit,
        CancellationToken cancellationToken
    ) =>
        queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [project],
                IsRoot = true,
                Limit = limit,
                Cursor = cursor,
                Parts = Parts,
            },
            cancellationToken
        );

    public Task<Run?> FindAsync(
        Caller caller,
        Guid run,
        Guid project,
        CancellationToken cancellationToken
    ) => queries.FindAsync(caller, run, project, Parts, cancellationToken);

    /// <param name="caller">Who asks.</param>
    /// <param name="run">The run.</param>
    /// <param name="other">The experiment whose answer to the same example is the second one.</param>
    /// <param name="needs">What else is wanted.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<EvaluationInput> InputAsync(
        Caller caller,
        Run run,
        Guid? other,
        EvaluatorNeeds needs,
        CancellationToken cancellationToken
    )
    {
        var example = run.ReferenceExampleId is { } id
            ? await examples.FindAsync(caller, id, null, AsOf.Now, cancellationToken)
            : null;
        var input = await inputs.OfAsync(caller, run, example, needs, cancellationToken);
        if (other is not { } experiment || run.ReferenceExampleId is not { } same)
        {
            return input;
        }

        var second = (
            await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [experiment],
                    ReferenceExampleIds = [same],
                    IsRoot = true,
                    Limit = 1,
                    Parts = Parts,
                },
                cancellationToken
            )
        ).Runs;
        return second is [var found]
            ? input with
            {
                OtherOutputs = (
                    await inputs.OfAsync(
                        caller,
                        found,
                        null,
                        EvaluatorNeeds.None,
                        cancellationToken
                    )
                ).Outputs,
            }
            : input;
    }
}
