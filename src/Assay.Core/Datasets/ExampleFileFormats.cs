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
            ".csv" => "csv",
            ".tsv" or ".tab" => "tsv",
            ".jsonl" or ".ndjson" => "jsonl",
            ".json" => "json",
            ".parquet" => "parquet",
            _ => null,
        };

    /// <summary>The rows of a file.</summary>
    /// <param name="format"><c>csv</c> (the separator is found), <c>tsv</c>, <c>jsonl</c>, <c>json</c> (a list of objects) or <c>parquet</c>.</param>
    /// <param name="file">The file; Parquet needs it seekable.</param>
    /// <param name="mapping">Which columns become what.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">The format is unknown or the file as a whole cannot be read.</exception>
    public static IAsyncEnumerable<ImportRow> ReadAsync(
        string format,
        Stream file,
        RowMapping mapping,
        CancellationToken cancellationToken
    ) => ReadAsync(format, file, mapping.Map, cancellationToken);

    /// <summary>
    /// The first rows of a file as they stand in it, and its columns, for people who choose what becomes what.
    /// </summary>
    /// <param name="format">As in <see cref="ReadAsync(string, Stream, RowMapping, CancellationToken)"/>.</param>
    /// <param name="file">The file, or its beginning.</param>
    /// <param name="isWhole">False when <paramref name="file"/> ends somewhere in the middle.</param>
    /// <param name="most">At most this many rows.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">The file cannot be read.</exception>
    public static async Task<FilePreview> PreviewAsync(
        string format,
        Stream file,
        bool isWhole,
        int most,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<JsonObject>();
        var problems = new List<ImportProblem>();
        try
        {
            await foreach (
                var row in ReadAsync(
                    format,
                    file,
                    (line, values) =>
                    {
                        rows.Add(values.DeepClone().AsObject());
                        return new ImportRow(line);
                    },
                    cancellationToken
                )
            )
            {
                if (row.Problem is { } problem)
                {
                    problems.Add(new ImportProblem(row.Line, problem));
                }

                if (rows.Count + problems.Count > most)
                {
                    break;
                }
            }
        }
        catch (DatasetProblemException) when (!isWhole && rows.Count > 0)
        {
            // The beginning of a file ends in the middle of a row.
        }

        if (!isWhole && rows.Count + problems.Count <= most)
        {
            // For the same reason the last row says nothing.
            if (problems.Count > 0)
            {
                problems.RemoveAt(problems.Count - 1);
            }
            else if (rows.Count > 1)
            {
                rows.RemoveAt(rows.Count - 1);
            }
        }

        var columns = new List<string>();
        foreach (var name in rows.SelectMany(r => r.Select(v => v.Key)))
        {
            if (!columns.Contains(name, StringComparer.Ordinal))
            {
                columns.Add(name);
            }
        }

        return new FilePreview(columns, [.. rows.Take(most)], problems);
    }

    private static IAsyncEnumerable<ImportRow> ReadAsync(
        string format,
        Stream file,
        Func<long, JsonObject, ImportRow> mapping,
        CancellationToken cancellationToken
    ) =>
        format switch
        {
            "csv" => CsvAsync(file, null, mapping, cancellationToken),
            "tsv" => CsvAsync(file, '\t', mapping, cancellationToken),
            "jsonl" => JsonLinesAsync(file, mapping, cancellationToken),
            "json" => JsonAsync(file, mapping, cancellationToken),
            "parquet" => ParquetAsync(file, mapping, cancellationToken),
            _ => throw DatasetProblemException.Invalid(
                $"format: '{format}' is not csv, tsv, jsonl, json or parquet"
            ),
        };

    private static async IAsyncEnumerable<ImportRow> CsvAsync(
        Stream file,
        char? separator,
        Func<long, JsonObject, ImportRow> mapping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? broken = null;
        await using var csv = CsvReader.Create(
            file,
            new CsvReaderOptions
            {
                Separator = separator,
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

            yield return mapping(line, values);
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
        Func<long, JsonObject, ImportRow> mapping,
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
        Func<long, JsonObject, ImportRow> mapping,
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
                ? mapping(number, values)
                : new ImportRow(number) { Problem = "is not a JSON object" };
        }
    }

    private static async IAsyncEnumerable<ImportRow> ParquetAsync(
        Stream file,
        Func<long, JsonObject, ImportRow> mapping,
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
                yield return mapping(++number, columns.Row(row));
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

    private static ImportRow Object(
        long number,
        string line,
        Func<long, JsonObject, ImportRow> mapping
    )
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
                ? mapping(number, values)
                : new ImportRow(number) { Problem = "is not a JSON object" };
        }
        catch (JsonException e)
        {
            return new ImportRow(number) { Problem = $"invalid JSON: {e.Message}" };
        }
    }
}

/// <summary>How a file begins.</summary>
/// <param name="Columns">Its columns, in the order they occur.</param>
/// <param name="Rows">Its first rows.</param>
/// <param name="Problems">Rows among them that cannot be read.</param>
public sealed record FilePreview(
    IReadOnlyList<string> Columns,
    IReadOnlyList<JsonObject> Rows,
    IReadOnlyList<ImportProblem> Problems
);
