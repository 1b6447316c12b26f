using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsvHelper;
using Parquet;

namespace Assay.Core.Datasets;

/// <summary>Reads files of examples row by row, whatever their size: CSV, JSON Lines, JSON, Parquet. Stateless.</summary>
public static class ExampleFileFormats
{
    private const int MaxLine = 64 << 20;

    /// <summary>The format that a file name tells; null when it tells none.</summary>
    public static string? OfName(string name) =>
        Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => "csv",
            ".jsonl" or ".ndjson" => "jsonl",
            ".json" => "json",
            ".parquet" => "parquet",
            _ => null,
        };

    /// <summary>The rows of a file.</summary>
    /// <param name="format"><c>csv</c>, <c>jsonl</c>, <c>json</c> (a list of objects) or <c>parquet</c>.</param>
    /// <param name="file">The file; Parquet needs it seekable.</param>
    /// <param name="mapping">Which columns become what.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">The format is unknown or the file as a whole cannot be read.</exception>
    public static IAsyncEnumerable<ImportRow> ReadAsync(
        string format,
        Stream file,
        RowMapping mapping,
        CancellationToken cancellationToken
    ) =>
        format switch
        {
            "csv" => CsvAsync(file, mapping, cancellationToken),
            "jsonl" => JsonLinesAsync(file, mapping, cancellationToken),
            "json" => JsonAsync(file, mapping, cancellationToken),
            "parquet" => ParquetAsync(file, mapping, cancellationToken),
            _ => throw DatasetProblemException.Invalid(
                $"format: '{format}' is not csv, jsonl, json or parquet"
            ),
        };

    private static async IAsyncEnumerable<ImportRow> CsvAsync(
        Stream file,
        RowMapping mapping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? broken = null;
        await using var csv = CsvReader.Create(
            file,
            new CsvReaderOptions
            {
                TrackLineNumbers = true,
                MaxRecordSize = MaxLine,
                MalformedData = CsvMalformedDataHandling.Recover,
                FieldCountMismatch = CsvFieldCountHandling.Allow,
                OnMalformedRecord = bad => broken = $"bad CSV: {bad.Reason}",
            },
            leaveOpen: true
        );
        await csv.ReadHeaderAsync(cancellationToken);
        var header = csv.Headers;
        if (header.Count == 0)
        {
            throw DatasetProblemException.Invalid("file: has no header line");
        }

        if (header.Distinct(StringComparer.Ordinal).Count() != header.Count)
        {
            throw DatasetProblemException.Invalid("file: two columns have the same name");
        }

        while (await NextAsync(csv, cancellationToken))
        {
            var line = csv.LineNumber;
            if (broken is not null || csv.FieldCount != header.Count)
            {
                yield return new ImportRow(line)
                {
                    Problem = broken ?? $"has {csv.FieldCount} columns instead of {header.Count}",
                };
                broken = null;
                continue;
            }

            var values = new JsonObject();
            for (var i = 0; i < header.Count; i++)
            {
                values[header[i]] = csv.GetString(i);
            }

            yield return mapping.Map(line, values);
        }
    }

    private static async ValueTask<bool> NextAsync(
        CsvReader csv,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await csv.ReadAsync(cancellationToken);
        }
        catch (CsvFormatException e)
        {
            throw DatasetProblemException.Invalid($"file: line {e.LineNumber}: {e.Message}");
        }
    }

    private static async IAsyncEnumerable<ImportRow> JsonLinesAsync(
        Stream file,
        RowMapping mapping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var text = new StreamReader(file, Encoding.UTF8);
        var number = 0L;
        while (await text.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (line.AsSpan().Trim().Length == 0)
            {
                continue;
            }

            yield return line.Length > MaxLine
                ? new ImportRow(number) { Problem = "the line is too long" }
                : Object(number, line, mapping);
        }
    }

    private static async IAsyncEnumerable<ImportRow> JsonAsync(
        Stream file,
        RowMapping mapping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var number = 0L;
        await using var items = JsonSerializer
            .DeserializeAsyncEnumerable<JsonNode>(file, cancellationToken: cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (JsonException e)
            {
                throw DatasetProblemException.Invalid(
                    $"file: not a JSON list of objects: {e.Message}"
                );
            }

            number++;
            yield return items.Current is JsonObject values
                ? mapping.Map(number, values)
                : new ImportRow(number) { Problem = "is not a JSON object" };
        }
    }

    private static async IAsyncEnumerable<ImportRow> ParquetAsync(
        Stream file,
        RowMapping mapping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var reader = await OpenParquetAsync(file, cancellationToken);
        var number = 0L;
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            var columns = await ParquetColumns.ReadAsync(reader, group, cancellationToken);
            for (var row = 0; row < columns.RowCount; row++)
            {
                yield return mapping.Map(++number, columns.Row(row));
            }
        }
    }

    private static async Task<ParquetReader> OpenParquetAsync(
        Stream file,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ParquetReader.CreateAsync(file, cancellationToken: cancellationToken);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ParquetException)
        {
            throw DatasetProblemException.Invalid($"file: not a Parquet file: {e.Message}");
        }
    }

    private static ImportRow Object(long number, string line, RowMapping mapping)
    {
        try
        {
            return
                JsonNode.Parse(
                    line,
                    documentOptions: new JsonDocumentOptions
                    {
                        MaxDepth = 128,
                        AllowDuplicateProperties = false,
                    }
                )
                    is JsonObject values
                ? mapping.Map(number, values)
                : new ImportRow(number) { Problem = "is not a JSON object" };
        }
        catch (JsonException e)
        {
            return new ImportRow(number) { Problem = $"invalid JSON: {e.Message}" };
        }
    }
}
