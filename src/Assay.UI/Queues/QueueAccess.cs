using Assay.Core.Access;
using Assay.Core.Annotation;

namespace Assay.UI.Queues;

/// <summary>Who sees what others answered.</summary>
internal static class QueueAccess
{
    /// <summary>In a blind queue only those who manage the workspace see the answers of all; reviewers see an item's after their own.</summary>
    public static bool SeesOthers(Caller caller, AnnotationQueue queue) =>
        !queue.IsBlind || caller.May(Permission.Manage);
}
