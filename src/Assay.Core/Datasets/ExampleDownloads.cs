using System.Text;
using Assay.Core.Access;
using Parquet;
using Parquet.Schema;

namespace Assay.Core.Datasets;

/// <summary>Whole datasets as files, at any version, in every format an import takes and those that fine-tuning takes. Streams; thread-safe.</summary>
public sealed class ExampleDownloads(ExampleReader reader, DatasetVersions versions)
{
    private const int RowGroup = 10_000;
    private static readonly DataField[] s_parquet =
    [
        new DataField<string>("id"),
        new DataField<string>("inputs"),
        new DataField<string>("outputs"),
        new DataField<string>("metadata"),
        new DataField<string>("split"),
        new DataField<string>("source_run_id"),
    ];

    /// <summary>The formats with the media type and the extension of their files.</summary>
    public static IReadOnlyList<ExampleFormat> Formats { get; } =
    [
        new(
            "csv",
            "CSV",
            "text/csv; charset=utf-8",
            "csv",
            "One column per input, output and metadata key. For spreadsheets."
        ),
        new(
            "jsonl",
            "JSON Lines",
            "application/x-ndjson",
            "jsonl",
            "One object per line, with ids, splits and source runs."
        ),
        new("json", "JSON", "application/json", "json", "The same objects in one list."),
        new(
            "parquet",
            "Parquet",
            "application/vnd.apache.parquet",
            "parquet",
            "Inputs, outputs and metadata as JSON columns. Small and fast to read."
        ),
        new(
            "openai_ft",
            "OpenAI fine-tuning",
            "application/x-ndjson",
            "jsonl",
            "Chats: the messages of the inputs, then those of the outputs."
        ),
        new(
            "sharegpt",
            "ShareGPT",
            "application/x-ndjson",
            "jsonl",
            "The same chats in ShareGPT's form."
        ),
    ];

    /// <summary>The format of that name; null when there is none.</summary>
    public static ExampleFormat? Find(string? key) => Formats.FirstOrDefault(f => f.Key == key);

    /// <summary>Writes a dataset as it was at a version. Whatever is changed meanwhile, the file holds that version.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="datasetId">The dataset.</param>
    /// <param name="asOf">The version.</param>
    /// <param name="splits">Only examples of any of these splits; empty means all.</param>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="output">Where to; stays open.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">There is no such dataset, version or format.</exception>
    public async Task WriteAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        IReadOnlyList<string> splits,
        string format,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        var (moment, _) = await versions.VersionAsync(caller, datasetId, asOf, cancellationToken);
        IAsyncEnumerable<Example> Examples() =>
            In(
                reader.StreamAsync(caller, datasetId, new AsOf(Time: moment), cancellationToken),
                splits
            );

        switch (format)
        {
            case "csv":
                await TextAsync(
                    ExampleExports.CsvAsync(Examples, cancellationToken),
                    output,
                    cancellationToken
                );
                break;
            case "jsonl":
                await TextAsync(
                    Lines(Examples(), ExampleExports.JsonLine),
                    output,
                    cancellationToken
                );
                break;
            case "json":
                await TextAsync(List(Examples()), output, cancellationToken);
                break;
            case "openai_ft":
                await TextAsync(
                    Lines(Examples(), ExampleExports.ChatLine),
                    output,
                    cancellationToken
                );
                break;
            case "sharegpt":
                await TextAsync(
                    Lines(Examples(), ExampleExports.ShareGptLine),
                    output,
                    cancellationToken
                );
                break;
            case "parquet":
                await ParquetAsync(Examples(), output, cancellationToken);
                break;
            default:
                throw DatasetProblemException.Invalid($"format: '{format}' is not known");
        }
    }

    private static async IAsyncEnumerable<Example> In(
        IAsyncEnumerable<Example> examples,
        IReadOnlyList<string> splits
    )
    {
        await foreach (var example in examples)
        {
            if (splits.Count == 0 || example.Splits.Any(splits.Contains))
            {
                yield return example;
            }
        }
    }

    private static async IAsyncEnumerable<string> Lines(
        IAsyncEnumerable<Example> examples,
        Func<Example, string?> line
    )
    {
        await foreach (var example in examples)
        {
            if (line(example) is { } text)
            {
                yield return text + "\n";
            }
        }
    }

    private static async IAsyncEnumerable<string> List(IAsyncEnumerable<Example> examples)
    {
        var before = "[\n";
        await foreach (var example in examples)
        {
            yield return before + ExampleExports.JsonLine(example);
            before = ",\n";
        }

        yield return before == "[\n" ? "[]\n" : "\n]\n";
    }

    private static async Task TextAsync(
        IAsyncEnumerable<string> texts,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        await using var writer = new StreamWriter(
            output,
            new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            64 << 10,
            leaveOpen: true
        );
        await foreach (var text in texts.WithCancellation(cancellationToken))
        {
            await writer.WriteAsync(text.AsMemory(), cancellationToken);
        }
    }

    private static async Task ParquetAsync(
        IAsyncEnumerable<Example> examples,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        // The writer needs to know its position, which a response does not: the file waits on disk, gone when closed.
        await using var file = new FileStream(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            64 << 10,
            FileOptions.DeleteOnClose | FileOptions.Asynchronous
        );
        await using (
            var writer = await ParquetWriter.CreateAsync(
                new ParquetSchema(s_parquet),
                file,
                cancellationToken: cancellationToken
            )
        )
        {
            var rows = new List<Example>(RowGroup);
            await foreach (var example in examples.WithCancellation(cancellationToken))
            {
                rows.Add(example);
                if (rows.Count == RowGroup)
                {
                    await GroupAsync(writer, rows, cancellationToken);
                }
            }

            await GroupAsync(writer, rows, cancellationToken);
        }

        file.Position = 0;
        await file.CopyToAsync(output, cancellationToken);
    }

    private static async Task GroupAsync(
        ParquetWriter writer,
        List<Example> rows,
        CancellationToken cancellationToken
    )
    {
        if (rows.Count == 0)
        {
            return;
        }

        using var group = writer.CreateRowGroup();
        Func<Example, string?>[] values =
        [
            e => e.Id.ToString(),
            e => e.InputsJson,
            e => e.OutputsJson,
            e => e.MetadataJson,
            e => string.Join('|', e.Splits),
            e => e.SourceRunId?.ToString(),
        ];
        for (var i = 0; i < s_parquet.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await group.WriteAsync(s_parquet[i], rows.Select(values[i]).ToList()!, null);
        }

        rows.Clear();
    }
}

/// <summary>A format that datasets are written in.</summary>
/// <param name="Key">Its name in addresses.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Extension">The extension of its files.</param>
/// <param name="Note">What it is good for.</param>
public sealed record ExampleFormat(
    string Key,
    string Title,
    string ContentType,
    string Extension,
    string Note
);
