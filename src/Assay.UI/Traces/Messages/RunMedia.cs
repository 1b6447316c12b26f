using Assay.Core.Traces;

namespace Assay.UI.Traces.Messages;

/// <summary>Where the browser gets what a message of a run shows.</summary>
internal static class RunMedia
{
    /// <summary>The address of a medium: a file of the run, or bytes inside one of its payloads.</summary>
    public static string Address(
        Guid runId,
        Guid? projectId,
        PayloadKind kind,
        MessagePart.Media media
    ) =>
        media.File is { } file
            ? $"/ui/runs/{runId}/files/{Uri.EscapeDataString(file)}?project={projectId}"
            : $"/ui/runs/{runId}/media/{kind}?project={projectId}&at={Uri.EscapeDataString(media.Place ?? "")}&type={Uri.EscapeDataString(media.ContentType ?? "")}";
}
