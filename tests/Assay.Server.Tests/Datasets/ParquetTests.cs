using System.Net;
using System.Text.Json;
using Parquet.Serialization;

namespace Assay.Server.Tests.Datasets;

/// <summary>Parquet files as other programs write them: typed columns become values of JSON.</summary>
public sealed class ParquetTests(PythonShapes.Server server) : PythonShapes(server)
{
    [Fact]
    public async Task Typed_columns_become_values_and_what_is_missing_is_null()
    {
        var dataset = await DatasetAsync($"parquet {Guid.NewGuid()}", 0);
        using var file = new MemoryStream();
        await ParquetSerializer.SerializeAsync(
            [
                new Row
                {
                    Question = "é🌍",
                    Count = 7,
                    Score = 0.5,
                    IsHard = true,
                    Answer = "eins",
                },
                new Row { Question = "none", Count = -1 },
            ],
            file,
            cancellationToken: TestContext.Current.CancellationToken
        );
        var (status, receipt) = await Py.BytesAsync(
            $"datasets/{dataset}/import?format=parquet&inputs=Question&inputs=Count&inputs=Score&inputs=IsHard&outputs=Answer",
            file.ToArray()
        );
        Assert.True(status == HttpStatusCode.OK, receipt.ToString());
        Assert.Equal(2, receipt.GetProperty("imported").GetInt32());
        var examples = await Py.AllAsync($"examples?dataset={dataset}");
        var first = examples.Single(e => Text(e, "inputs", "Question") == "é🌍");
        Assert.Equal(7, first.GetProperty("inputs").GetProperty("Count").GetInt32());
        Assert.Equal(0.5, first.GetProperty("inputs").GetProperty("Score").GetDouble());
        Assert.True(first.GetProperty("inputs").GetProperty("IsHard").GetBoolean());
        Assert.Equal("eins", Text(first, "outputs", "Answer"));
        var second = examples.Single(e => Text(e, "inputs", "Question") == "none");
        Assert.Equal(
            JsonValueKind.Null,
            second.GetProperty("inputs").GetProperty("Score").ValueKind
        );

        static string? Text(JsonElement e, string side, string name) =>
            e.GetProperty(side).GetProperty(name).GetString();
    }

    [Fact]
    public async Task What_is_no_parquet_is_refused_with_the_reason()
    {
        var dataset = await DatasetAsync($"no parquet {Guid.NewGuid()}", 0);
        var (status, answer) = await Py.BytesAsync(
            $"datasets/{dataset}/import?format=parquet&inputs=Question",
            "PAR1 it is not"u8.ToArray()
        );
        Assert.InRange((int)status, 400, 422);
        Assert.NotEqual("", answer.ToString());
    }

    private sealed class Row
    {
        public string? Question { get; set; }

        public int Count { get; set; }

        public double? Score { get; set; }

        public bool IsHard { get; set; }

        public string? Answer { get; set; }
    }
}
