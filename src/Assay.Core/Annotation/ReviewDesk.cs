using System.Security.Cryptography;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Core.Annotation;

/// <summary>
/// Takes judgements: checks them against the rubric, writes them as feedback on the runs, and moves the item on. Each answer's feedback has an id
/// made of item, reviewer and key, so that sending it again replaces it. Thread-safe.
/// </summary>
public sealed class ReviewDesk(
    AnnotationQueues queues,
    QueueReviews reviews,
    QueueReader reader,
    FeedbackKeys keys,
    TraceIngest ingest,
    TraceQueries queries,
    IRunStore store,
    ExampleWriter examples,
    TimeProvider time
)
{
    /// <summary>Feedback key of notes.</summary>
    public const string NoteKey = "note";

    /// <summary>Feedback key of corrected outputs.</summary>
    public const string CorrectionKey = "correction";

    /// <summary>The questions of a queue.</summary>
    public async Task<IReadOnlyList<RubricQuestion>> QuestionsAsync(
        Caller caller,
        AnnotationQueue queue,
        CancellationToken cancellationToken
    ) => Rubric.Questions(queue, await keys.ScalesAsync(caller, cancellationToken));

    /// <summary>The caller is done with an item and said this about it. Durable when it returns.</summary>
    /// <exception cref="DatasetProblemException">An answer does not fit, or others have taken the item meanwhile.</exception>
    public async Task<QueueItem> FinishAsync(
        Caller caller,
        Guid itemId,
        ReviewAnswers answers,
        double? seconds,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(answers);
        caller.Demand(Permission.Write);
        var (place, known) = await reader.PlaceAsync(caller, itemId, cancellationToken);
        var queue = await queues.GetAsync(caller, place.Item.QueueId, cancellationToken);
        var fitting = answers.Checked(await QuestionsAsync(caller, queue, cancellationToken));
        var me = QueueReviews.Reviewer(caller);
        var before = ReviewAnswers.Of(known.FirstOrDefault(r => r.ReviewerId == me)?.AnswersJson);
        var given = await GiveAsync(
            caller,
            queue,
            place.Item,
            fitting,
            me,
            isDecision: false,
            cancellationToken
        );
        QueueItem item;
        try
        {
            item = await reviews.CompleteAsync(caller, itemId, fitting, seconds, cancellationToken);
        }
        catch (DatasetProblemException)
        {
            // Somebody else was faster: what was just written must not count.
            await TakeBackAsync(caller, given, cancellationToken);
            throw;
        }

        await TakeBackAsync(caller, Ids(place.Item, me, before).Except(given), cancellationToken);
        return item;
    }

    /// <summary>Takes "done" back: the feedback goes, the answers stay to be mended, and the item is reserved for the caller.</summary>
    public async Task<QueueItem> UndoAsync(
        Caller caller,
        Guid itemId,
        CancellationToken cancellationToken
    )
    {
        var item = await reviews.ReopenAsync(caller, itemId, isReserved: true, cancellationToken);
        var me = QueueReviews.Reviewer(caller);
        var (_, known) = await reader.PlaceAsync(caller, itemId, cancellationToken);
        await TakeBackAsync(
            caller,
            Ids(
                item,
                me,
                ReviewAnswers.Of(known.FirstOrDefault(r => r.ReviewerId == me)?.AnswersJson)
            ),
            cancellationToken
        );
        return item;
    }

    /// <summary>
    /// An adjudicator's decision, or null to take it back. It becomes feedback like a reviewer's, except on gold items, where it is the answer
    /// reviewers are checked against.
    /// </summary>
    public async Task<QueueItem> DecideAsync(
        Caller caller,
        Guid itemId,
        ReviewAnswers? decision,
        bool isGold,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var (place, _) = await reader.PlaceAsync(caller, itemId, cancellationToken);
        var queue = await queues.GetAsync(caller, place.Item.QueueId, cancellationToken);
        var before = Ids(place.Item, Guid.Empty, ReviewAnswers.Of(place.Item.DecisionJson));
        var fitting = decision?.Checked(await QuestionsAsync(caller, queue, cancellationToken));
        IReadOnlyList<Guid> given =
            fitting is null || isGold
                ? []
                : await GiveAsync(
                    caller,
                    queue,
                    place.Item,
                    fitting,
                    Guid.Empty,
                    isDecision: true,
                    cancellationToken
                );
        var item = await reviews.DecideAsync(caller, itemId, fitting, isGold, cancellationToken);
        await TakeBackAsync(caller, before.Except(given), cancellationToken);
        return item;
    }

    /// <summary>Makes an example of the item's run: as it is, or with corrected outputs. It keeps the run as its source.</summary>
    /// <exception cref="DatasetProblemException">The run or the dataset is not there, or the example does not fit the dataset.</exception>
    public async Task<Guid> AddExampleAsync(
        Caller caller,
        Guid itemId,
        Guid datasetId,
        string? correctionJson,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var (place, _) = await reader.PlaceAsync(caller, itemId, cancellationToken);
        var run =
            await RunAsync(
                caller,
                place.Item,
                correctionJson is null ? RunParts.None : RunParts.Inputs,
                cancellationToken
            ) ?? throw DatasetProblemException.NotFound("Run");
        var write = new ExampleWrite
        {
            DatasetId = datasetId,
            SourceRunId = run.Id,
            UseSourceRunIo = correctionJson is null,
            MetadataJson = JsonSerializer.Serialize(
                new { annotation_queue_id = place.Item.QueueId }
            ),
        };
        if (correctionJson is not null)
        {
            write = write with
            {
                InputsJson = Object(
                    run.Payloads.TryGetValue(PayloadKind.Inputs, out var inputs)
                        ? System.Text.Encoding.UTF8.GetString(inputs.Span)
                        : "{}",
                    "input"
                ),
                OutputsJson = Object(correctionJson, "output"),
            };
        }

        return (await examples.WriteAsync(caller, [write], cancellationToken)).Ids[0];
    }

    /// <summary>The run that stands for an item; of a thread its last turn. Null when it is gone or has not arrived.</summary>
    public async Task<Run?> RunAsync(
        Caller caller,
        QueueItem item,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.RunId != Guid.Empty)
        {
            return await queries.FindAsync(
                caller,
                item.RunId,
                item.ProjectId,
                parts,
                cancellationToken
            );
        }

        var page = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = item.ProjectId is { } project ? [project] : [],
                ThreadId = item.ThreadId,
                IsRoot = true,
                Limit = 1,
                Parts = parts,
            },
            cancellationToken
        );
        return page.Runs is [var last] ? last : null;
    }

    private async Task<IReadOnlyList<Guid>> GiveAsync(
        Caller caller,
        AnnotationQueue queue,
        QueueItem item,
        ReviewAnswers answers,
        Guid reviewer,
        bool isDecision,
        CancellationToken cancellationToken
    )
    {
        var run = await RunAsync(caller, item, RunParts.None, cancellationToken);
        var now = time.GetUtcNow();
        var source = new Dictionary<string, object>
        {
            ["annotation_queue_id"] = queue.Id,
            ["queue_item_id"] = item.Id,
        };
        if (isDecision)
        {
            source["decision"] = true;
        }

        var template = new FeedbackRecord
        {
            Id = Guid.Empty,
            Key = "",
            // Feedback may come before its run: then what the item says has to do.
            RunId = run?.Id ?? item.RunId,
            TraceId = run?.TraceId,
            ProjectId = run?.ProjectId ?? item.ProjectId,
            SourceType = "app",
            SourceMetadataJson = JsonSerializer.Serialize(source),
            UserId = caller.UserId,
            ExtraJson = item.ThreadId is { } thread
                ? JsonSerializer.Serialize(new { thread_id = thread })
                : null,
            CreatedAt = now,
            ModifiedAt = now,
        };
        var records = new List<FeedbackRecord>();
        foreach (var (key, answer) in answers.Answers)
        {
            var record = template with
            {
                Id = Id(item, reviewer, key),
                Key = key,
                Score = answer.Score,
                ValueJson = answer.Label is { } label ? JsonSerializer.Serialize(label) : null,
                Comment = answer.Text,
            };
            if (item.OtherRunId is not { } other)
            {
                records.Add(record);
                continue;
            }

            // Of a pair both runs get their share of one point, as comparative experiments do it.
            var group = Id(item, reviewer, $"pair\n{key}");
            var share = answer.Label switch
            {
                ReviewAnswers.First => 1,
                ReviewAnswers.Second => 0,
                _ => 0.5,
            };
            records.Add(record with { Score = share, ValueJson = null, FeedbackGroupId = group });
            records.Add(
                record with
                {
                    Id = Id(item, reviewer, $"other\n{key}"),
                    RunId = other,
                    TraceId = null,
                    ProjectId = null,
                    Score = 1 - share,
                    ValueJson = null,
                    FeedbackGroupId = group,
                }
            );
        }

        if (answers.Note is not null)
        {
            records.Add(
                template with
                {
                    Id = Id(item, reviewer, "note\n"),
                    Key = NoteKey,
                    Comment = answers.Note,
                }
            );
        }

        if (answers.CorrectionJson is not null)
        {
            records.Add(
                template with
                {
                    Id = Id(item, reviewer, "correction\n"),
                    Key = CorrectionKey,
                    CorrectionJson = answers.CorrectionJson,
                }
            );
        }

        if (records.Count > 0)
        {
            await ingest.AcceptAsync(caller, new IngestBatch([], records), cancellationToken);
        }

        return [.. records.Select(r => r.Id)];
    }

    private async Task TakeBackAsync(
        Caller caller,
        IEnumerable<Guid> ids,
        CancellationToken cancellationToken
    )
    {
        List<Guid> gone = [.. ids];
        if (gone.Count == 0)
        {
            return;
        }

        await store.SettleAsync(cancellationToken);
        foreach (var id in gone)
        {
            await store.DeleteFeedbackAsync(caller.WorkspaceId, id, cancellationToken);
        }
    }

    private static List<Guid> Ids(QueueItem item, Guid reviewer, ReviewAnswers? answers)
    {
        var ids = new List<Guid>();
        foreach (var key in answers?.Answers.Keys ?? [])
        {
            ids.Add(Id(item, reviewer, key));
            if (item.OtherRunId is not null)
            {
                ids.Add(Id(item, reviewer, $"other\n{key}"));
            }
        }

        if (answers?.Note is not null)
        {
            ids.Add(Id(item, reviewer, "note\n"));
        }

        if (answers?.CorrectionJson is not null)
        {
            ids.Add(Id(item, reviewer, "correction\n"));
        }

        return ids;
    }

    private static Guid Id(QueueItem item, Guid reviewer, string key)
    {
        var bytes = SHA256.HashData(
            System.Text.Encoding.UTF8.GetBytes($"{item.Id:N}/{reviewer:N}/{key}")
        );
        // RFC 9562, version 8: the layout is ours.
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes.AsSpan(0, 16), bigEndian: true);
    }

    private static string Object(string json, string name) =>
        json.AsSpan().TrimStart().StartsWith("{") ? json : $"{{\"{name}\":{json}}}";
}
