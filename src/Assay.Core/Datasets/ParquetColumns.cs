using System.Globalization;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Schema;

namespace Assay.Core.Datasets;

/// <summary>The columns of one row group of a Parquet file. Flat columns only: a nested one is refused by name.</summary>
internal sealed class ParquetColumns
{
    private readonly IReadOnlyList<(string Name, Func<int, JsonNode?> Value)> _columns;

    private ParquetColumns(
        IReadOnlyList<(string Name, Func<int, JsonNode?> Value)> columns,
        int rows
    )
    {
        _columns = columns;
        RowCount = rows;
    }

    /// <summary>How many rows.</summary>
    public int RowCount { get; }

    /// <summary>Reads a group.</summary>
    /// <exception cref="DatasetProblemException">A column is nested or of a type that JSON has no word for.</exception>
    public static async Task<ParquetColumns> ReadAsync(
        ParquetReader reader,
        int group,
        CancellationToken cancellationToken
    )
    {
        using var rows = reader.OpenRowGroupReader(group);
        var count = checked((int)rows.RowCount);
        var columns = new List<(string, Func<int, JsonNode?>)>();
        foreach (var field in reader.Schema.Fields)
        {
            if (field is not DataField { IsArray: false } data)
            {
                throw DatasetProblemException.Invalid(
                    $"file: column '{field.Name}' is nested; only flat columns are read"
                );
            }

            columns.Add((field.Name, await ColumnAsync(rows, data, count, cancellationToken)));
        }

        return new ParquetColumns(columns, count);
    }

    /// <summary>One row by name.</summary>
    public JsonObject Row(int index)
    {
        var row = new JsonObject();
        foreach (var (name, value) in _columns)
        {
            row[name] = value(index);
        }

        return row;
    }

    private static Task<Func<int, JsonNode?>> ColumnAsync(
        ParquetRowGroupReader rows,
        DataField field,
        int count,
        CancellationToken cancellationToken
    )
    {
        var type = field.ClrType;
        return type == typeof(string) || type == typeof(ReadOnlyMemory<char>)
                ? TextAsync(rows, field, count, cancellationToken)
            : type == typeof(bool) ? ValuesAsync<bool>(v => v)
            : type == typeof(int) ? ValuesAsync<int>(v => v)
            : type == typeof(long) ? ValuesAsync<long>(v => v)
            : type == typeof(short) ? ValuesAsync<short>(v => v)
            : type == typeof(byte) ? ValuesAsync<byte>(v => v)
            : type == typeof(uint) ? ValuesAsync<uint>(v => v)
            : type == typeof(ulong) ? ValuesAsync<ulong>(v => v)
            : type == typeof(float) ? ValuesAsync<float>(v => float.IsFinite(v) ? v : null)
            : type == typeof(double) ? ValuesAsync<double>(v => double.IsFinite(v) ? v : null)
            : type == typeof(decimal) ? ValuesAsync<decimal>(v => v)
            : type == typeof(Guid) ? ValuesAsync<Guid>(v => v.ToString())
            : type == typeof(DateTime)
                ? ValuesAsync<DateTime>(v => v.ToString("O", CultureInfo.InvariantCulture))
            : throw DatasetProblemException.Invalid(
                $"file: column '{field.Name}' has a type that is not read ({type.Name})"
            );

        async Task<Func<int, JsonNode?>> ValuesAsync<T>(Func<T, JsonNode?> toJson)
            where T : struct
        {
            if (!field.IsNullable)
            {
                var plain = new T[count];
                await rows.ReadAsync<T>(field, plain.AsMemory(), null, cancellationToken);
                return i => toJson(plain[i]);
            }

            var values = new T?[count];
            await rows.ReadAsync<T>(field, values.AsMemory(), null, cancellationToken);
            return i => values[i] is { } value ? toJson(value) : null;
        }
    }

    private static async Task<Func<int, JsonNode?>> TextAsync(
        ParquetRowGroupReader rows,
        DataField field,
        int count,
        CancellationToken cancellationToken
    )
    {
        var texts = new string?[count];
        await rows.ReadAsync(field, texts.AsMemory(), null, cancellationToken);
        return i => texts[i];
    }
}
