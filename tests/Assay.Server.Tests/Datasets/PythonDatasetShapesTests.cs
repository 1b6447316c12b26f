using System.Net;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests.Datasets;

/// <summary>Versions, sharing, files and the older calls as the Python SDK makes them, and the fields it reads from each answer.</summary>
public sealed class PythonDatasetShapesTests(PythonShapes.Server server) : PythonShapes(server)
{
    [Fact]
    public async Task Versions_tags_and_sharing_are_read_as_they_were_written()
    {
        var dataset = await DatasetAsync($"shared {Guid.NewGuid()}", 2);
        var first = (
            await Py.GoodAsync("GET", $"datasets/{dataset}/versions?limit=100&offset=0&search=")
        )[0];
        var asOf = first.GetProperty("as_of").GetString()!;
        await Py.GoodAsync("PUT", $"datasets/{dataset}/tags", new { as_of = asOf, tag = "prod" });
        await Py.GoodAsync(
            "POST",
            "examples",
            new
            {
                dataset_id = dataset,
                inputs = new { q = 9 },
                outputs = (object?)null,
                metadata = (object?)null,
                split = (object?)null,
                created_at = Iso(TimeProvider.System.GetUtcNow()),
            }
        );
        // read_dataset_version sends str(datetime): a space where the T would be.
        var spaced = asOf.Replace('T', ' ');
        var read = await Py.GoodAsync(
            "GET",
            $"datasets/{dataset}/version?as_of={PythonClient.Query(spaced)}"
        );
        Assert.Equal(asOf, read.GetProperty("as_of").GetString());
        Assert.Equal(
            ["prod"],
            read.GetProperty("tags").EnumerateArray().Select(t => t.GetString())
        );
        Assert.Equal(2, (await Py.AllAsync($"examples?dataset={dataset}&as_of=prod")).Count);
        Assert.Equal(3, (await Py.AllAsync($"examples?dataset={dataset}&as_of=latest")).Count);
        var diff = await Py.GoodAsync(
            "GET",
            $"datasets/{dataset}/versions/diff?from_version=prod&to_version=latest"
        );
        Assert.Equal(
            (1, 0, 0),
            (
                Count(diff, "examples_added"),
                Count(diff, "examples_removed"),
                Count(diff, "examples_modified")
            )
        );

        Assert.Equal(
            JsonValueKind.Null,
            (await Py.GoodAsync("GET", $"datasets/{dataset}/share")).ValueKind
        );
        var token = (
            await Py.GoodAsync("PUT", $"datasets/{dataset}/share", new { dataset_id = dataset })
        )
            .GetProperty("share_token")
            .GetGuid();
        using var stranger = Stranger("a-key-of-another-server");
        var open = await stranger.GoodAsync("GET", $"public/{token}/datasets");
        Assert.Equal((dataset, 3), (Id(open), open.GetProperty("example_count").GetInt32()));
        Assert.Equal(
            3,
            (await stranger.AllAsync($"public/{token}/examples?inline_s3_urls=True")).Count
        );
        Assert.Empty(
            await stranger.AllAsync($"public/{token}/datasets/sessions?name_contains=none")
        );
        await Py.GoodAsync("DELETE", $"datasets/{dataset}/share");
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await stranger.CallAsync("GET", $"public/{token}/datasets")).Status
        );
    }

    [Fact]
    public async Task Attachments_come_back_and_are_kept_renamed_and_replaced()
    {
        var dataset = await DatasetAsync($"files {Guid.NewGuid()}", 0);
        var id = Guid.NewGuid();
        var path = $"platform/datasets/{dataset}/examples";
        await MultipartAsync(
            "POST",
            path,
            HttpStatusCode.Created,
            ($"{id}", new { use_source_run_attachments = Array.Empty<string>() }),
            ($"{id}.inputs", new { q = 1 }),
            ($"{id}.attachment.notes.v1.txt", "erste"u8.ToArray()),
            ($"{id}.attachment.b", "zweite"u8.ToArray())
        );
        Assert.Equal(["b=zweite", "notes.v1.txt=erste"], await FilesAsync());
        await MultipartAsync(
            "PATCH",
            path,
            HttpStatusCode.Created,
            ($"{id}", new { }),
            (
                $"{id}.attachments_operations",
                new { rename = new { b = "c" }, retain = new[] { "notes.v1.txt" } }
            ),
            ($"{id}.attachment.d", "dritte"u8.ToArray())
        );
        Assert.Equal(["c=zweite", "d=dritte", "notes.v1.txt=erste"], await FilesAsync());
        await MultipartAsync(
            "PATCH",
            path,
            HttpStatusCode.UnprocessableEntity,
            ($"{id}", new { }),
            (
                $"{id}.attachments_operations",
                new { rename = new { c = "x" }, retain = new[] { "c" } }
            )
        );
        await MultipartAsync(
            "POST",
            "platform/examples/multipart",
            HttpStatusCode.Created,
            ($"{id}", new { dataset_id = dataset }),
            ($"{id}.inputs", new { q = 2 }),
            ($"{id}.attachment.only", "eine"u8.ToArray())
        );
        Assert.Equal(["only=eine"], await FilesAsync());
        await MultipartAsync(
            "PATCH",
            path,
            HttpStatusCode.NotFound,
            ($"{Guid.NewGuid()}", new { })
        );
        var other = await DatasetAsync($"other {Guid.NewGuid()}", 0);
        await MultipartAsync(
            "PATCH",
            $"platform/datasets/{other}/examples",
            HttpStatusCode.Conflict,
            ($"{id}", new { })
        );
        await MultipartAsync(
            "POST",
            $"platform/datasets/{Guid.NewGuid()}/examples",
            HttpStatusCode.NotFound,
            ($"{id}", new { }),
            ($"{id}.inputs", new { })
        );
        var gone = await Py.GoodAsync(
            "POST",
            "platform/datasets/examples/delete",
            new { example_ids = new[] { id }, hard_delete = true }
        );
        Assert.Equal(1, gone.GetProperty("count").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, (await Py.CallAsync("GET", $"examples/{id}")).Status);

        async Task<IEnumerable<string>> FilesAsync()
        {
            var files = new List<string>();
            foreach (
                var file in (await Py.GoodAsync("GET", $"examples/{id}"))
                    .GetProperty("attachment_urls")
                    .EnumerateObject()
            )
            {
                Assert.Equal("text/plain", file.Value.GetProperty("mime_type").GetString());
                var bytes = await PythonClient.FetchAsync(
                    file.Value.GetProperty("presigned_url").GetString()!
                );
                files.Add($"{file.Name["attachment.".Length..]}={Encoding.UTF8.GetString(bytes)}");
            }

            return files.Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public async Task Examples_without_multipart_and_files_of_rows_are_taken()
    {
        var dataset = await DatasetAsync($"legacy {Guid.NewGuid()}", 0);
        var made = await Py.GoodAsync(
            "POST",
            "examples/bulk",
            Enumerable
                .Range(0, 3)
                .Select(i => new
                {
                    dataset_id = dataset,
                    inputs = new { q = i },
                    outputs = new { a = i },
                    metadata = new { i },
                    split = i == 0 ? "test" : null,
                    id = Guid.NewGuid(),
                    source_run_id = (Guid?)null,
                })
        );
        Assert.Equal(3, made.GetArrayLength());
        await Py.GoodAsync(
            "PATCH",
            $"examples/{Id(made[0])}",
            new
            {
                inputs = (object?)null,
                outputs = new { a = 7 },
                metadata = (object?)null,
                split = (object?)null,
                dataset_id = (object?)null,
            }
        );
        var bulk = await Py.GoodAsync(
            "PATCH",
            "examples/bulk",
            new[] { new { id = Id(made[1]), split = new[] { "train" } } }
        );
        Assert.NotEqual("", bulk.GetProperty("message").GetString());
        Assert.Equal(
            ["base", "test", "train"],
            (await Py.GoodAsync("GET", $"datasets/{dataset}/splits?as_of=latest"))
                .EnumerateArray()
                .Select(s => s.GetString())
        );
        await Py.GoodAsync(
            "PUT",
            $"datasets/{dataset}/splits",
            new
            {
                split_name = "test",
                examples = new[] { Id(made[2]) },
                remove = false,
            }
        );
        Assert.Equal(2, (await Py.AllAsync($"examples?dataset={dataset}&splits=test")).Count);
        Assert.Single(
            await Py.AllAsync(
                $"examples?dataset={dataset}&metadata={PythonClient.Query("""{"i": 2}""")}"
            )
        );
        Assert.Single(
            await Py.AllAsync(
                $"examples?dataset={dataset}&filter={PythonClient.Query("""and(exists(metadata, "i"), not(has(metadata, '{"i": 0}')), has("metadata", '{"i": 1}'))""")}"
            )
        );
        await Py.GoodAsync("DELETE", $"examples/{Id(made[0])}");
        await Py.GoodAsync(
            "DELETE",
            $"examples?example_ids={Id(made[1])}&example_ids={Id(made[2])}"
        );
        Assert.Empty(await Py.AllAsync($"examples?dataset={dataset}"));

        var name = $"rows {Guid.NewGuid()}.csv";
        var (status, uploaded) = await Py.FormAsync(
            "datasets/upload",
            name,
            "question,answer\n1+1,2\n\"a,b\",c\n",
            ("input_keys", "question"),
            ("output_keys", "answer"),
            ("name", name),
            ("description", "rows"),
            ("data_type", "kv"),
            ("id", $"{Guid.NewGuid()}")
        );
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            (name, 2),
            (
                uploaded.GetProperty("name").GetString(),
                uploaded.GetProperty("example_count").GetInt32()
            )
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            (
                await Py.FormAsync(
                    "datasets/upload",
                    name,
                    "question,answer\n1,2\n",
                    ("input_keys", "question"),
                    ("name", name)
                )
            ).Status
        );
    }
}
