using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>
/// Makes examples of runs: one, several, or all that a question finds. They come in together as one version, each with the link to its run
/// and copies of its files. Thread-safe.
/// </summary>
public sealed class TraceExamples(
    TraceQueries queries,
    ExampleImport import,
    SourceRuns sources,
    IDbContextFactory<MetadataContext> metadata
)
{
    /// <summary>The most runs in one call.</summary>
    public const int MaxRuns = 50_000;

    private const int Page = 200;
    private const int MaxPreviewed = 5;

    /// <summary>What a few of these runs hold, and what would become of them.</summary>
    public async Task<TracePreview> PreviewAsync(
        Caller caller,
        RunQuery runs,
        TraceMapping mapping,
        CancellationToken cancellationToken
    )
    {
        var page = await queries.QueryAsync(
            caller,
            Ask(runs) with
            {
                Limit = MaxPreviewed,
            },
            cancellationToken
        );
        var fields = new Dictionary<string, TraceField>(StringComparer.Ordinal);
        foreach (var run in page.Runs)
        {
            var parts = Read(run);
            foreach (var (path, value) in Fields(parts))
            {
                fields[path] = fields.TryGetValue(path, out var known)
                    ? known with
                    {
                        Runs = known.Runs + 1,
                    }
                    : new TraceField(path, Cut(value), 1);
            }
        }

        return new TracePreview(
            [.. fields.Values],
            [.. page.Runs.Select((run, i) => Map(i + 1, run, mapping))],
            page.Next is null ? page.Runs.Count : null
        );
    }

    /// <summary>Makes the examples. A run that a live example of the dataset comes from already is left out.</summary>
    /// <returns>The receipt, and how many runs were left out because they are there already.</returns>
    /// <exception cref="DatasetProblemException">There is no such dataset, or a run does not fit its schema and bad ones are not left out.</exception>
    public async Task<(ImportReceipt Receipt, long Known)> AddAsync(
        Caller caller,
        Guid datasetId,
        RunQuery runs,
        TraceMapping mapping,
        bool skipBadRows,
        CancellationToken cancellationToken
    )
    {
        var known = new Known();
        var receipt = await import.RunAsync(
            caller,
            datasetId,
            RowsAsync(caller, datasetId, runs, mapping, known, cancellationToken),
            skipBadRows,
            progress: null,
            cancellationToken
        );
        return (receipt, known.Count);
    }

    private async IAsyncEnumerable<ImportRow> RowsAsync(
        Caller caller,
        Guid datasetId,
        RunQuery runs,
        TraceMapping mapping,
        Known known,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var query = Ask(runs) with { Limit = Page };
        var line = 0L;
        do
        {
            var page = await queries.QueryAsync(caller, query, cancellationToken);
            var here = await HereAsync(
                caller,
                datasetId,
                [.. page.Runs.Select(r => r.Id)],
                cancellationToken
            );
            foreach (var run in page.Runs)
            {
                line++;
                if (here.Contains(run.Id))
                {
                    known.Count++;
                    continue;
                }

                var row = Map(line, run, mapping);
                if (mapping.TakesFiles && run.Attachments.Count > 0 && row.Problem is null)
                {
                    row = row with
                    {
                        Attachments = await sources.CopyAsync(
                            caller.WorkspaceId,
                            run.Attachments,
                            cancellationToken
                        ),
                    };
                }

                yield return row;
            }

            query = query with { Cursor = page.Next };
        } while (query.Cursor is not null && line < MaxRuns);
    }

    private async Task<HashSet<Guid>> HereAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<Guid> runs,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .ExampleRevisions.AsNoTracking()
            .Where(r =>
                r.WorkspaceId == caller.WorkspaceId
                && r.DatasetId == datasetId
                && r.ValidTo == ExampleRevision.Forever
                && r.SourceRunId != null
                && runs.Contains(r.SourceRunId.Value)
            )
            .Select(r => r.SourceRunId!.Value)
            .ToListAsync(cancellationToken);
        return [.. found];
    }

    private static RunQuery Ask(RunQuery runs) =>
        runs with
        {
            Parts = RunParts.Details | RunParts.Inputs | RunParts.Outputs,
            Cursor = null,
        };

    private static ImportRow Map(long line, Run run, TraceMapping mapping)
    {
        var parts = Read(run);
        if (parts["inputs"] is null)
        {
            return new ImportRow(line) { Problem = $"run {run.Id} has no inputs" };
        }

        var inputs =
            mapping.Inputs.Count == 0
                ? Whole(parts["inputs"], "input") ?? []
                : Pick(parts, mapping.Inputs);
        var outputs =
            mapping.Outputs.Count > 0 ? Pick(parts, mapping.Outputs)
            : mapping.TakesOutputs ? Whole(parts["outputs"], "output")
            : null;
        var values = Pick(parts, mapping.Metadata);
        return new ImportRow(line)
        {
            InputsJson = inputs.ToJsonString(),
            OutputsJson = outputs?.ToJsonString(),
            MetadataJson = values.Count == 0 ? null : values.ToJsonString(),
            Splits = mapping.Splits.Count == 0 ? null : mapping.Splits,
            SourceRunId = run.Id,
        };
    }

    private static JsonObject Read(Run run)
    {
        var values = new JsonObject();
        foreach (var (key, value) in run.Metadata)
        {
            values[key] = value;
        }

        return new JsonObject
        {
            ["inputs"] = Json(run, PayloadKind.Inputs),
            ["outputs"] = Json(run, PayloadKind.Outputs),
            ["metadata"] = values,
        };
    }

    private static JsonNode? Json(Run run, PayloadKind kind)
    {
        if (!run.Payloads.TryGetValue(kind, out var bytes))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(bytes.Span);
        }
        catch (JsonException)
        {
            // Kept as the client sent it; as a text it is still something.
            return JsonValue.Create(Encoding.UTF8.GetString(bytes.Span));
        }
    }

    /// <summary>Examples hold objects; a run may hold anything.</summary>
    private static JsonObject? Whole(JsonNode? value, string name) =>
        value switch
        {
            null => null,
            JsonObject whole => whole.DeepClone().AsObject(),
            _ => new JsonObject { [name] = value.DeepClone() },
        };

    private static JsonObject Pick(JsonObject parts, IReadOnlyList<TracePick> picks)
    {
        var picked = new JsonObject();
        foreach (var pick in picks)
        {
            if (At(parts, pick.Path) is { } value)
            {
                picked[pick.Name] = value.DeepClone();
            }
        }

        return picked;
    }

    /// <summary>A value by path: names between points, numbers for lists, from the end when negative.</summary>
    private static JsonNode? At(JsonNode? node, string path)
    {
        foreach (var step in path.Split('.'))
        {
            node = node switch
            {
                JsonObject o => o[step],
                JsonArray a
                    when int.TryParse(
                        step,
                        System.Globalization.CultureInfo.InvariantCulture,
                        out var i
                    ) => (i < 0 ? i + a.Count : i) is var at && at >= 0 && at < a.Count
                    ? a[at]
                    : null,
                _ => null,
            };
        }

        return node;
    }

    private static IEnumerable<(string Path, JsonNode? Value)> Fields(JsonObject parts)
    {
        foreach (var (side, value) in parts)
        {
            if (value is not JsonObject fields)
            {
                if (value is not null)
                {
                    yield return (side, value);
                }

                continue;
            }

            foreach (var (name, field) in fields.Take(40))
            {
                yield return ($"{side}.{name}", field);
                if (
                    field is JsonArray { Count: > 0 } list
                    && list[^1] is JsonObject last
                    && last["content"] is { } content
                )
                {
                    // What a chat was last asked, or last said.
                    yield return ($"{side}.{name}.-1.content", content);
                }
            }
        }
    }

    private static string Cut(JsonNode? value)
    {
        var text =
            value is JsonValue v && v.TryGetValue<string>(out var plain)
                ? plain
                : value?.ToJsonString() ?? "null";
        return text.Length <= 200 ? text : text[..200] + "…";
    }

    private sealed class Known
    {
        public long Count { get; set; }
    }
}

/// <summary>What of a run becomes what of an example. Without picks inputs and outputs are taken whole.</summary>
public sealed record TraceMapping
{
    /// <summary>Fields of the inputs; empty takes the run's inputs as they are.</summary>
    public IReadOnlyList<TracePick> Inputs { get; init; } = [];

    /// <summary>Fields of the reference outputs.</summary>
    public IReadOnlyList<TracePick> Outputs { get; init; } = [];

    /// <summary>Without <see cref="Outputs"/>: takes the run's outputs as they are (true), or none.</summary>
    public bool TakesOutputs { get; init; } = true;

    /// <summary>Fields of the metadata.</summary>
    public IReadOnlyList<TracePick> Metadata { get; init; } = [];

    /// <summary>Copies the run's files.</summary>
    public bool TakesFiles { get; init; } = true;

    /// <summary>Splits; empty means <see cref="Example.DefaultSplit"/>.</summary>
    public IReadOnlyList<string> Splits { get; init; } = [];
}

/// <summary>One value of a run under a name in the example.</summary>
/// <param name="Path">For example <c>inputs.messages.-1.content</c> or <c>metadata.user</c>.</param>
/// <param name="Name">Its name in the example.</param>
public sealed record TracePick(string Path, string Name);

/// <summary>A field that runs have.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Sample">How it begins in the first run that has it.</param>
/// <param name="Runs">How many of the previewed runs have it.</param>
public sealed record TraceField(string Path, string Sample, int Runs);

/// <summary>What runs hold and would become.</summary>
/// <param name="Fields">Their fields.</param>
/// <param name="Rows">The first examples.</param>
/// <param name="Count">How many runs there are, when they are few; null for more than the preview looked at.</param>
public sealed record TracePreview(
    IReadOnlyList<TraceField> Fields,
    IReadOnlyList<ImportRow> Rows,
    int? Count
);
