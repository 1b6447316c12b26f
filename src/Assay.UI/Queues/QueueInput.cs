using Assay.Core.Annotation;
using Assay.Core.Feedback;

namespace Assay.UI.Queues;

/// <summary>What the form of a queue holds.</summary>
public sealed class QueueInput
{
    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary><c>single</c> or <c>pairwise</c>; only for a new queue.</summary>
    public string? Kind { get; set; }

    /// <summary>Description.</summary>
    public string? Description { get; set; }

    /// <summary>Instructions, Markdown.</summary>
    public string? Instructions { get; set; }

    /// <summary>The rubric as the editor holds it, JSON.</summary>
    public string? Rubric { get; set; }

    /// <summary>People per item.</summary>
    public int Reviewers { get; set; } = 1;

    /// <summary><c>any</c> or <c>assigned</c>.</summary>
    public string Access { get; set; } = "any";

    /// <summary>Who is assigned.</summary>
    public List<Guid>? Assigned { get; set; }

    /// <summary>Items are reserved.</summary>
    public bool Reserve { get; set; }

    /// <summary>Minutes a reservation holds.</summary>
    public int Minutes { get; set; } = 15;

    /// <summary>Nobody sees others' answers first.</summary>
    public bool Blind { get; set; }

    /// <summary>Where examples go.</summary>
    public Guid? Dataset { get; set; }

    internal static QueueInput Of(
        AnnotationQueue queue,
        IReadOnlyDictionary<string, FeedbackScale> scales
    ) =>
        new()
        {
            Name = queue.Name,
            Kind = queue.IsPairwise ? "pairwise" : "single",
            Description = queue.Description,
            Instructions = queue.Instructions,
            Rubric = queue.RubricJson is null
                ? null
                : RubricDraft.ToJson(
                    Core.Annotation.Rubric.Questions(queue, scales).Select(RubricDraft.Of)
                ),
            Reviewers = queue.ReviewersPerItem ?? 1,
            Access = queue.AccessMode,
            Assigned = [.. queue.Reviewers],
            Reserve = queue.HasReservations,
            Minutes = queue.ReservationMinutes,
            Blind = queue.IsBlind,
            Dataset = queue.DefaultDatasetId,
        };

    internal void Apply(AnnotationQueue queue, IReadOnlyList<RubricQuestion> questions)
    {
        queue.Name = Name.Trim();
        queue.Description = Text(Description);
        queue.Instructions = Text(Instructions);
        queue.RubricJson = Core.Annotation.Rubric.Write(queue.RubricJson, questions);
        queue.ReviewersPerItem = Reviewers;
        queue.AccessMode = Access;
        queue.Reviewers.Clear();
        queue.Reviewers.AddRange((Assigned ?? []).Distinct());
        queue.HasReservations = Reserve;
        queue.ReservationMinutes = Minutes;
        queue.IsBlind = Blind;
        queue.DefaultDatasetId = Dataset;
    }

    private static string? Text(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
