using System.Net;
using System.Text.Json;

namespace Assay.Server.Tests.Datasets;

/// <summary>Fields of the description of datasets that clients send beside those every test uses.</summary>
public sealed class DatasetWireTests(PythonShapes.Server server) : PythonShapes(server)
{
    [Fact]
    public async Task Datasets_and_experiments_bear_tags_from_the_start_and_are_found_by_them()
    {
        var key = Id(
            await Py.GoodAsync(
                "POST",
                "workspaces/current/tag-keys",
                new { key = $"team {Guid.NewGuid()}" }
            )
        );
        var red = Id(
            await Py.GoodAsync(
                "POST",
                $"workspaces/current/tag-keys/{key}/tag-values",
                new { value = "red" }
            )
        );
        var dataset = Id(
            await Py.GoodAsync(
                "POST",
                "datasets",
                new { name = $"tagged {Guid.NewGuid()}", tag_value_ids = new[] { red } }
            )
        );
        _ = await DatasetAsync($"bare {Guid.NewGuid()}", 0);
        Assert.Equal([dataset], (await Py.AllAsync($"datasets?tag_value_id={red}")).Select(Id));
        Assert.Empty(await Py.AllAsync($"datasets?tag_value_id={Guid.NewGuid()}"));
        var experiment = Id(
            await Py.GoodAsync(
                "POST",
                "sessions",
                new
                {
                    name = $"tagged {Guid.NewGuid()}",
                    reference_dataset_id = dataset,
                    tag_value_ids = new[] { red },
                }
            )
        );
        Assert.Equal([experiment], (await Py.AllAsync($"sessions?tag_value_id={red}")).Select(Id));
        var listed = (await Py.GoodAsync("GET", "workspaces/current/taggings"))
            .EnumerateArray()
            .Single(t => t.GetProperty("tag_value_id").GetGuid() == red)
            .GetProperty("resources");
        Assert.Equal((1, 1), (Count(listed, "datasets"), Count(listed, "experiments")));
        var unknown = $"unknown {Guid.NewGuid()}";
        Assert.Equal(
            HttpStatusCode.NotFound,
            (
                await Py.CallAsync(
                    "POST",
                    "datasets",
                    new { name = unknown, tag_value_ids = new[] { Guid.NewGuid() } }
                )
            ).Status
        );
        Assert.Empty(await Py.AllAsync($"datasets?name={PythonClient.Query(unknown)}"));
    }

    [Fact]
    public async Task Lists_of_datasets_say_which_question_they_do_not_understand()
    {
        foreach (
            var question in (string[])
                ["sort_by=colour", "data_type=table", "metadata=[]", "id=x", "limit=many"]
        )
        {
            var (status, body) = await Py.CallAsync("GET", $"datasets?{question}");
            Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{question}: {status}");
            Assert.StartsWith(
                question.Split('=')[0],
                body.GetProperty("detail").GetString(),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task A_baseline_is_set_and_taken_away()
    {
        var dataset = await DatasetAsync($"baseline {Guid.NewGuid()}", 0);
        var experiment = Id(
            await Py.GoodAsync(
                "POST",
                "sessions",
                new { name = $"first {Guid.NewGuid()}", reference_dataset_id = dataset }
            )
        );
        await Py.GoodAsync(
            "PATCH",
            $"datasets/{dataset}",
            new { baseline_experiment_id = experiment }
        );
        await Py.GoodAsync(
            "PATCH",
            $"datasets/{dataset}",
            new { description = "said nothing of the baseline" }
        );
        Assert.Equal(
            experiment,
            (await Py.GoodAsync("GET", $"datasets/{dataset}"))
                .GetProperty("baseline_experiment_id")
                .GetGuid()
        );
        await Py.GoodAsync(
            "PATCH",
            $"datasets/{dataset}",
            new { baseline_experiment_id = (Guid?)null }
        );
        Assert.Equal(
            JsonValueKind.Null,
            (await Py.GoodAsync("GET", $"datasets/{dataset}"))
                .GetProperty("baseline_experiment_id")
                .ValueKind
        );
    }

    [Fact]
    public async Task Grouped_experiments_are_narrowed_as_lists_of_sessions_are()
    {
        var dataset = await DatasetAsync($"grouped {Guid.NewGuid()}", 1);
        var example = Id((await Py.AllAsync($"examples?dataset={dataset}"))[0]);
        foreach (
            var (model, version) in ((string, string)[])
                [("small", "v1"), ("large", "v1"), ("large", "v2")]
        )
        {
            var name = $"{model}-{version}-{Guid.NewGuid():N}";
            await Py.GoodAsync(
                "POST",
                "sessions",
                new
                {
                    name,
                    reference_dataset_id = dataset,
                    extra = new { metadata = new { model, dataset_version = version } },
                }
            );
            var run = new PythonRun(example, name, 0);
            await Py.IngestAsync([.. run.Post(), .. run.Patch()]);
            await Py.GoodAsync(
                "POST",
                "feedback",
                new
                {
                    run_id = run.Id,
                    key = "correct",
                    score = model == "large" ? 1 : 0,
                }
            );
        }

        Assert.Equal(
            ["large:2", "small:1"],
            await GroupsAsync(new { metadata_keys = new[] { "model" } })
        );
        Assert.Equal(
            ["large:1"],
            await GroupsAsync(new { metadata_keys = new[] { "model" }, dataset_version = "v2" })
        );
        Assert.Equal(
            ["large:1", "small:1"],
            await GroupsAsync(new { metadata_keys = new[] { "model" }, name_contains = "-V1-" })
        );
        Assert.Equal(
            ["large:2"],
            await GroupsAsync(
                new
                {
                    metadata_keys = new[] { "model" },
                    filter = """and(eq(metadata_key, "model"), eq(metadata_value, "large"))""",
                }
            )
        );
        Assert.Equal(
            ["large:1"],
            await GroupsAsync(new { metadata_keys = new[] { "model" }, experiment_limit = 1 })
        );

        async Task<IEnumerable<string>> GroupsAsync(object body) =>
            (await Py.GoodAsync("POST", $"datasets/{dataset}/experiments/grouped", body))
                .GetProperty("groups")
                .EnumerateArray()
                .Select(g =>
                {
                    var model = g.GetProperty("metadata").GetProperty("model").GetString();
                    Assert.All(
                        g.GetProperty("sessions").EnumerateArray(),
                        s =>
                            Assert.Equal(
                                model == "large" ? 1 : 0,
                                Average(s, "feedback_stats", "correct")
                            )
                    );
                    return $"{model}:{g.GetProperty("count").GetInt32()}";
                })
                .Order(StringComparer.Ordinal);
    }
}
