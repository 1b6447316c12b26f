using System.Globalization;
using System.Text;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Datasets;
using Assay.UI.Datasets;
using Assay.UI.Kit;
using Assay.UI.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Queues;

/// <summary>Everything that was said in a queue as CSV: a line for each finished review, and one for each decision. Written page by page.</summary>
internal static class QueueExport
{
    private const int Page = 500;

    public static void MapQueueExport(this IEndpointRouteBuilder ui) =>
        ui.MapGet("/queues/{queueId:guid}/export", ExportAsync);

    private static async Task<IResult> ExportAsync(
        Guid queueId,
        AnnotationQueues queues,
        QueueReader reader,
        ReviewDesk desk,
        Members members,
        ApiKeys keys,
        CurrentCaller caller
    )
    {
        AnnotationQueue queue;
        try
        {
            queue = await queues.GetAsync(caller.Value, queueId, caller.Aborted);
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }

        if (!QueueAccess.SeesOthers(caller.Value, queue))
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status403Forbidden,
                "The queue is blind: only those who manage the workspace see everybody’s answers."
            );
        }

        List<string> questions =
        [
            .. (await desk.QuestionsAsync(caller.Value, queue, caller.Aborted)).Select(q => q.Key),
        ];
        var names = await ReviewerNames.LoadAsync(members, keys, caller);
        return Results.Stream(
            async output =>
            {
                await using var writer = new StreamWriter(
                    output,
                    new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                    leaveOpen: true
                );
                await writer.WriteAsync(
                    Line([
                        "item_id",
                        "run_id",
                        "other_run_id",
                        "thread_id",
                        "gold",
                        "reviewer",
                        "finished",
                        "seconds",
                        .. questions,
                        "note",
                        "correction",
                    ])
                );
                QueueMark? mark = null;
                for (var hasMore = true; hasMore; )
                {
                    (var places, hasMore) = await reader.BesideAsync(
                        caller.Value,
                        queueId,
                        QueueSlice.All,
                        mark,
                        isBackward: false,
                        Page,
                        caller.Aborted
                    );
                    var reviews = (
                        await reader.ReviewsAsync(
                            caller.Value,
                            [.. places.Select(p => p.Item.Id)],
                            caller.Aborted
                        )
                    ).ToLookup(r => r.ItemId);
                    foreach (var item in places.Select(p => p.Item))
                    {
                        foreach (var line in Lines(item, reviews[item.Id], questions, names))
                        {
                            await writer.WriteAsync(line);
                        }
                    }

                    mark = places.Count > 0 ? QueueMark.Of(places[^1]) : mark;
                }
            },
            "text/csv; charset=utf-8",
            $"{queue.Name}.csv"
        );
    }

    private static IEnumerable<string> Lines(
        QueueItem item,
        IEnumerable<QueueReview> reviews,
        List<string> questions,
        ReviewerNames names
    )
    {
        foreach (
            var review in reviews.Where(r => r.CompletedAt is not null).OrderBy(r => r.CompletedAt)
        )
        {
            yield return Line(
                item,
                names[review.ReviewerId],
                review.CompletedAt,
                review.Seconds,
                ReviewAnswers.Of(review.AnswersJson),
                questions
            );
        }

        if (item.DecisionJson is not null)
        {
            yield return Line(
                item,
                "decision",
                item.DecidedAt,
                null,
                ReviewAnswers.Of(item.DecisionJson),
                questions
            );
        }
    }

    private static string Line(
        QueueItem item,
        string who,
        DateTimeOffset? at,
        double? seconds,
        ReviewAnswers? said,
        List<string> questions
    ) =>
        Line([
            item.Id.ToString(),
            item.RunId == Guid.Empty ? null : item.RunId.ToString(),
            item.OtherRunId?.ToString(),
            item.ThreadId,
            item.IsGold ? "true" : "false",
            who,
            at is { } time ? Format.Iso(time) : null,
            seconds?.ToString("0.#", CultureInfo.InvariantCulture),
            .. questions.Select(q => Text(said?.Answers.GetValueOrDefault(q))),
            said?.Note,
            said?.CorrectionJson,
        ]);

    private static string? Text(Answer? answer) =>
        answer?.Text
        ?? answer?.Label
        ?? answer?.Score?.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Line(string?[] cells) =>
        string.Join(',', cells.Select(RunCsv.Cell)) + "\r\n";
}
