using System.Text;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;

namespace Assay.Core.Datasets;

/// <summary>Fills an example from the run it is made of: inputs, outputs, files, tools. Files are copied, so that the example outlives the run. Thread-safe.</summary>
public sealed class SourceRuns(TraceQueries queries, IBlobStore blobs, TimeProvider time)
{
    /// <summary>The write with everything it wants of its run.</summary>
    /// <exception cref="DatasetProblemException">It wants something and the run is not there.</exception>
    public async Task<ExampleWrite> FillAsync(
        Caller caller,
        ExampleWrite write,
        IEnumerable<IReadOnlyList<string>> toolPaths,
        CancellationToken cancellationToken
    )
    {
        var paths = toolPaths.ToList();
        if (
            write.SourceRunId is not { } runId
            || (
                !write.UseSourceRunIo
                && write.UseSourceRunAttachments.Count == 0
                && paths.Count == 0
            )
        )
        {
            return write.UseSourceRunIo
                ? throw DatasetProblemException.Invalid("use_source_run_io: needs a source_run_id")
                : write;
        }

        var run = await queries.FindAsync(
            caller,
            runId,
            null,
            RunParts.Details | RunParts.Inputs | RunParts.Outputs | RunParts.Extra,
            cancellationToken
        );
        if (run is null)
        {
            throw DatasetProblemException.NotFound("Source run");
        }

        if (write.UseSourceRunIo)
        {
            write = write with
            {
                InputsJson = Object(Text(run, PayloadKind.Inputs), "input") ?? "{}",
                OutputsJson = Object(Text(run, PayloadKind.Outputs), "output"),
            };
        }

        if (write.UseSourceRunAttachments.Count > 0)
        {
            write = write with
            {
                Attachments =
                [
                    .. write.Attachments,
                    .. await CopyAsync(
                        caller.WorkspaceId,
                        [
                            .. run.Attachments.Where(a =>
                                write.UseSourceRunAttachments.Contains(a.Name)
                            ),
                        ],
                        cancellationToken
                    ),
                ],
            };
        }

        return paths.Count == 0 ? write : WithTools(write, run, paths);
    }

    /// <summary>Copies files under new keys.</summary>
    public async Task<IReadOnlyList<Attachment>> CopyAsync(
        Guid workspaceId,
        IReadOnlyList<Attachment> files,
        CancellationToken cancellationToken
    )
    {
        var copies = new List<Attachment>(files.Count);
        foreach (var file in files)
        {
            await using var content =
                await blobs.OpenAsync(file.BlobKey, cancellationToken)
                ?? throw DatasetProblemException.NotFound($"Attachment '{file.Name}'");
            var key = BlobKeys.New(workspaceId, "attachment", time.GetUtcNow());
            copies.Add(
                file with
                {
                    BlobKey = key,
                    Length = await blobs.PutAsync(key, content, cancellationToken),
                }
            );
        }

        return copies;
    }

    private static ExampleWrite WithTools(
        ExampleWrite write,
        Run run,
        List<IReadOnlyList<string>> paths
    )
    {
        if (
            Text(run, PayloadKind.Extra) is not { } extra
            || JsonNode.Parse(extra)?["invocation_params"]?["tools"] is not JsonArray tools
        )
        {
            return write;
        }

        foreach (var path in paths)
        {
            var isInput = path[0] == "inputs";
            var json = isInput ? write.InputsJson : write.OutputsJson;
            if (path.Count < 2 || json is null || JsonNode.Parse(json) is not JsonObject root)
            {
                continue;
            }

            var at = root;
            foreach (var step in path.Skip(1).SkipLast(1))
            {
                at = at[step] as JsonObject ?? (JsonObject)(at[step] = new JsonObject())!;
            }

            at[path[^1]] = tools.DeepClone();
            write = isInput
                ? write with
                {
                    InputsJson = root.ToJsonString(),
                }
                : write with
                {
                    OutputsJson = root.ToJsonString(),
                };
        }

        return write;
    }

    /// <summary>Examples hold objects; a run may hold anything.</summary>
    private static string? Object(string? json, string name) =>
        json is null or "null" ? null
        : json.AsSpan().TrimStart().StartsWith("{") ? json
        : $"{{\"{name}\":{json}}}";

    private static string? Text(Run run, PayloadKind kind) =>
        run.Payloads.TryGetValue(kind, out var json) ? Encoding.UTF8.GetString(json.Span) : null;
}
