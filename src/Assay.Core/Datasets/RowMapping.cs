using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Datasets;

/// <summary>Which columns of a file become inputs, outputs, metadata and split. A column may be given another name on the way (<see cref="Names"/>).</summary>
public sealed record RowMapping
{
    /// <summary>Columns of the inputs; empty means every column that is nothing else.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Columns of the outputs.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>Columns of the metadata.</summary>
    public IReadOnlyList<string> Metadata { get; init; } = [];

    /// <summary>Column with the split; null for none.</summary>
    public string? Split { get; init; }

    /// <summary>Column with the example's id; null for none.</summary>
    public string? Id { get; init; }

    /// <summary>Rows that are whole examples keep their ids, which nothing else on the server may have; otherwise they get new ones.</summary>
    public bool KeepsIds { get; init; } = true;

    /// <summary>New names by column.</summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } =
        new Dictionary<string, string>();

    /// <summary>Reads texts that are JSON objects or lists as what they say instead of as text.</summary>
    public bool ReadsJson { get; init; }

    /// <summary>
    /// A row of named values. An object that already has <c>inputs</c> (as our own exports do) is taken as it is, unless columns are named.
    /// </summary>
    public ImportRow Map(long line, JsonObject values)
    {
        var hasColumns = Inputs.Count + Outputs.Count + Metadata.Count > 0;
        if (!hasColumns && Whole(values["inputs"]) is { } inputs)
        {
            return new ImportRow(line)
            {
                Id = KeepsIds && Guid.TryParse(Text(values["id"]), out var known) ? known : null,
                InputsJson = inputs.ToJsonString(),
                OutputsJson = Whole(values["outputs"])?.ToJsonString(),
                MetadataJson = Whole(values["metadata"])?.ToJsonString(),
                Splits = Splits(values["split"]),
                SourceRunId = Guid.TryParse(Text(values["source_run_id"]), out var run)
                    ? run
                    : null,
            };
        }

        if (
            Inputs.Concat(Outputs).Concat(Metadata).FirstOrDefault(c => !values.ContainsKey(c)) is
            { } missing
        )
        {
            return new ImportRow(line) { Problem = $"there is no column '{missing}'" };
        }

        var rest = values
            .Select(v => v.Key)
            .Where(k => !Outputs.Contains(k) && !Metadata.Contains(k) && k != Split && k != Id);
        return new ImportRow(line)
        {
            Id = Id is not null && Guid.TryParse(Text(values[Id]), out var id) ? id : null,
            InputsJson = Pick(values, Inputs.Count > 0 ? Inputs : [.. rest]),
            OutputsJson = Outputs.Count > 0 ? Pick(values, Outputs) : null,
            MetadataJson = Metadata.Count > 0 ? Pick(values, Metadata) : null,
            Splits = Split is null ? null : Splits(values[Split]),
        };
    }

    /// <summary>An object, also as the text that formats without objects hold (Parquet).</summary>
    private static JsonObject? Whole(JsonNode? value)
    {
        if (value is JsonObject whole)
        {
            return whole;
        }

        if (Text(value) is not { Length: > 1 } text || text[0] != '{')
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string Pick(JsonObject values, IReadOnlyList<string> columns)
    {
        var picked = new JsonObject();
        foreach (var column in columns)
        {
            picked[Names.TryGetValue(column, out var name) ? name : column] = Value(values[column]);
        }

        return picked.ToJsonString();
    }

    private JsonNode? Value(JsonNode? value)
    {
        if (!ReadsJson || Text(value) is not { Length: > 1 } text || text[0] is not ('{' or '['))
        {
            return value?.DeepClone();
        }

        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return value?.DeepClone();
        }
    }

    private static IReadOnlyList<string>? Splits(JsonNode? value) =>
        value switch
        {
            JsonArray many => [.. many.Select(m => Text(m) ?? "").Where(m => m.Length > 0)],
            // Flat formats hold several splits as our exports write them.
            JsonValue when Text(value) is { Length: > 0 } one =>
            [
                .. one.Split('|', StringSplitOptions.RemoveEmptyEntries),
            ],
            _ => null,
        };

    private static string? Text(JsonNode? value) =>
        value is not JsonValue v ? null
        : v.TryGetValue<string>(out var text) ? text
        : Convert.ToString(v, CultureInfo.InvariantCulture);
}
