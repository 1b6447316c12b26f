using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Evaluators;

/// <summary>What the screens of evaluators ask for: saving, comparing with people, examples.</summary>
internal static class EvaluatorEndpoints
{
    public static void MapEvaluators(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/evaluators", CreateAsync).PageNeeds(Permission.Write);
        ui.MapPut("/evaluators/{id:guid}", SaveAsync).PageNeeds(Permission.Write);
        ui.MapPost("/evaluators/{id:guid}/calibrate", CalibrateAsync).PageNeeds(Permission.Write);
        ui.MapPost("/evaluators/{id:guid}/example", ExampleAsync).PageNeeds(Permission.Write);
        ui.MapPreviews();
    }

    private static Task<IResult> CreateAsync(
        DraftBody body,
        EvaluatorCatalog catalog,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
        {
            var made = await catalog.CreateAsync(caller.Value, body.ToDraft(), caller.Aborted);
            return Results.Json(new { made.Id, made.Version });
        });

    private static Task<IResult> SaveAsync(
        Guid id,
        int? basedOn,
        DraftBody body,
        EvaluatorCatalog catalog,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
            await catalog.SaveAsync(caller.Value, id, body.ToDraft(), basedOn, caller.Aborted)
                is { } saved
                ? Results.Json(new { saved.Id, saved.Version })
                : EvaluatorProblems.Gone()
        );

    /// <summary>Compares a judge with people; events <c>step</c> and, last, <c>done</c> or <c>problem</c>.</summary>
    private static ServerSentEventsResult<string> CalibrateAsync(
        Guid id,
        CalibrateBody body,
        Calibrations calibrations,
        CurrentCaller caller
    ) =>
        TypedResults.ServerSentEvents(
            StepsAsync(
                calibrations,
                caller.Value,
                id,
                new CalibrationRequest
                {
                    HumanKey = body.Key ?? "",
                    ProjectId = body.Project,
                    Most = body.Most ?? 100,
                },
                caller.Aborted
            )
        );

    private static async IAsyncEnumerable<SseItem<string>> StepsAsync(
        Calibrations calibrations,
        Caller caller,
        Guid id,
        CalibrationRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var steps = calibrations
            .RunAsync(caller, id, request, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            string? problem = null;
            try
            {
                if (!await steps.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (InvalidEvaluatorException e)
            {
                problem = e.Message;
            }

            if (problem is not null)
            {
                yield return Event("problem", new { detail = problem });
                yield break;
            }

            var step = steps.Current;
            yield return step.Saved is { } saved
                ? Event("done", new { id = saved.Id })
                : Event("step", new { done = step.Done, total = step.Total });
        }
    }

    private static SseItem<string> Event(string name, object data) =>
        new(JsonSerializer.Serialize(data), name);

    private static Task<IResult> ExampleAsync(
        Guid id,
        ExampleOf body,
        Calibrations calibrations,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
        {
            var saved = await calibrations.AddExampleAsync(
                caller.Value,
                id,
                body.Calibration,
                body.Run,
                caller.Aborted
            );
            return Results.Json(new { saved.Version });
        });

    private sealed record CalibrateBody(string? Key, Guid? Project, int? Most);

    private sealed record ExampleOf(Guid Calibration, Guid Run);
}
