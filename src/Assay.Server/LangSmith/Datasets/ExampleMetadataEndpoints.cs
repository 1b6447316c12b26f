using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>The same changes of metadata and splits for many examples at once, as LangSmith's newer clients send them: one version.</summary>
internal static class ExampleMetadataEndpoints
{
    private const int MaxExamples = 10_000;
    private const int MaxOperations = 50;
    private const int MaxArrayOperations = 10;
    private const int MaxValues = 1_000;
    private const int MaxName = 255;
    private const int MaxValueBytes = 64 << 10;
    private const int ReadBatch = 500;
    private const string Split = "dataset_split";

    public static void MapExampleMetadata(this IEndpointRouteBuilder app) =>
        app.MapPatch("/api/v1/platform/datasets/{id:guid}/examples/metadata", ChangeAsync)
            .Needs(Permission.Write);

    private static async Task<IResult> ChangeAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog,
        ExampleReader reader,
        ExampleWriter writer
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var ids = json.Uuids("example_ids");
        if (ids.Count is 0 or > MaxExamples)
        {
            throw BodyFields.Wrong("example_ids", $"1 to {MaxExamples} ids");
        }

        var operations = Operations(json);
        var caller = context.Caller();
        if (await catalog.FindAsync(caller, id, context.RequestAborted) is null)
        {
            return Errors.NotFound("Dataset");
        }

        var writes = new Dictionary<Guid, ExampleWrite>();
        foreach (var chunk in ids.Distinct().Chunk(ReadBatch))
        {
            var found = await reader.ListAsync(
                caller,
                new ExampleQuery
                {
                    DatasetId = id,
                    Ids = chunk,
                    Limit = chunk.Length,
                },
                context.RequestAborted
            );
            foreach (var example in found)
            {
                writes[example.Id] = Changed(example, operations);
            }
        }

        if (writes.Count > 0)
        {
            await writer.WriteAsync(caller, [.. writes.Values], context.RequestAborted);
        }

        context.Response.StatusCode = StatusCodes.Status207MultiStatus;
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("statuses");
            foreach (var example in ids)
            {
                w.WriteStartObject();
                w.WriteString("id", example);
                w.WriteString("status", writes.ContainsKey(example) ? "UPDATED" : "NOT_FOUND");
                if (!writes.ContainsKey(example))
                {
                    w.WriteString("description", "The example is not in the dataset.");
                }

                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static ExampleWrite Changed(Example example, IReadOnlyList<Operation> operations)
    {
        var metadata =
            example.MetadataJson is { } json && JsonNode.Parse(json) is JsonObject known
                ? known
                : [];
        var splits = example.Splits.ToList();
        foreach (var operation in operations)
        {
            if (operation.Key == Split)
            {
                splits = operation.Kind switch
                {
                    "SET" => [.. Texts(operation.Value)],
                    "ARRAY_ADD" => [.. splits.Union(operation.Values)],
                    _ => [.. splits.Except(operation.Values)],
                };
                continue;
            }

            if (operation.Kind == "SET")
            {
                metadata[operation.Key] = operation.Value?.DeepClone();
                continue;
            }

            var list = (metadata[operation.Key] as JsonArray ?? [])
                .Select(v => v?.DeepClone())
                .ToList();
            var has = list.OfType<JsonValue>()
                .Select(v => v.TryGetValue<string>(out var text) ? text : null)
                .ToHashSet();
            metadata[operation.Key] =
                operation.Kind == "ARRAY_ADD"
                    ? new JsonArray([
                        .. list,
                        .. operation
                            .Values.Distinct()
                            .Where(v => !has.Contains(v))
                            .Select(v => (JsonNode?)v),
                    ])
                    : new JsonArray([
                        .. list.Where(v =>
                            v is not JsonValue value
                            || !value.TryGetValue<string>(out var text)
                            || !operation.Values.Contains(text)
                        ),
                    ]);
        }

        return new ExampleWrite
        {
            Mode = ExampleWriteMode.Update,
            DatasetId = example.DatasetId,
            Id = example.Id,
            MetadataJson = metadata.ToJsonString(),
            Splits = splits,
        };
    }

    private static List<Operation> Operations(JsonElement json)
    {
        if (
            json.Field("operations") is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() is 0 or > MaxOperations
        )
        {
            throw BodyFields.Wrong("operations", $"a list of 1 to {MaxOperations} operations");
        }

        var operations = new List<Operation>();
        foreach (var item in list.EnumerateArray())
        {
            var where = $"operations[{operations.Count}]";
            if (item.ValueKind != JsonValueKind.Object)
            {
                throw BodyFields.Wrong(where, "an object");
            }

            var key = item.StrictText("key") ?? "";
            if (key.Length == 0 || Encoding.UTF8.GetByteCount(key) > MaxName)
            {
                throw BodyFields.Wrong($"{where}.key", $"a text of 1 to {MaxName} bytes");
            }

            // The endpoint first took small letters, and npm langsmith 0.12 still sends them for servers of that time.
            var kind = item.StrictText("operation")?.ToUpperInvariant();
            if (kind is not ("SET" or "ARRAY_ADD" or "ARRAY_REMOVE"))
            {
                throw BodyFields.Wrong($"{where}.operation", "SET, ARRAY_ADD or ARRAY_REMOVE");
            }

            var values = kind == "SET" ? [] : item.Names("values") ?? [];
            if (
                kind != "SET"
                && (
                    values.Count is 0 or > MaxValues
                    || values.Any(v => Encoding.UTF8.GetByteCount(v) > MaxName)
                )
            )
            {
                throw BodyFields.Wrong(
                    $"{where}.values",
                    $"1 to {MaxValues} texts of at most {MaxName} bytes"
                );
            }

            var value = item.Field("value");
            if (kind == "SET" && value.IsSaid() && value.GetRawText().Length > MaxValueBytes)
            {
                throw BodyFields.Wrong($"{where}.value", "at most 64 KB of JSON");
            }

            operations.Add(
                new Operation(
                    key,
                    kind,
                    kind == "SET" && value.IsSaid() ? JsonNode.Parse(value.GetRawText()) : null,
                    values
                )
            );
        }

        return operations.Count(o => o.Kind != "SET") <= MaxArrayOperations
            ? operations
            : throw BodyFields.Wrong(
                "operations",
                $"at most {MaxArrayOperations} array operations among them"
            );
    }

    private static IEnumerable<string> Texts(JsonNode? value) =>
        value switch
        {
            JsonArray many => many.Select(v => v?.ToString() ?? ""),
            null => [],
            _ => [value.ToString()],
        };

    private sealed record Operation(
        string Key,
        string Kind,
        JsonNode? Value,
        IReadOnlyList<string> Values
    );
}
