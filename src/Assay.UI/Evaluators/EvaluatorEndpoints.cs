using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Experiments.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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

    /// <summary>Has a judge compared with people in the background.</summary>
    private static Task<IResult> CalibrateAsync(
        Guid id,
        CalibrateBody body,
        CalibrationStarts starts,
        CurrentCaller caller
    ) =>
        EvaluatorProblems.AnswerAsync(async () =>
        {
            var job = await starts.StartAsync(
                caller.Value,
                id,
                new CalibrationRequest
                {
                    HumanKey = body.Key ?? "",
                    ProjectId = body.Project,
                    Most = body.Most ?? 100,
                },
                caller.Aborted
            );
            return Results.Json(new { job = job.Id });
        });

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
