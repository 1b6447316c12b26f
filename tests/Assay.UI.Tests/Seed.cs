using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Assay.Server.Tests;

namespace Assay.UI.Tests;

/// <summary>Runs as a client sends them: made here, sent over LangSmith's wire in batches.</summary>
public sealed class Seed(string project)
{
    private const int BatchSize = 2_500;
    private readonly List<JsonObject> _runs = [];
    private Guid _last;
    private readonly Dictionary<Guid, (Guid Trace, string Order)> _places = [];

    /// <summary>When everything happened; a quarter of an hour ago, so that traces count as finished.</summary>
    public DateTimeOffset Start { get; init; } = TimeProvider.System.GetUtcNow().AddMinutes(-15);

    /// <summary>Adds a run that starts at <paramref name="at"/> milliseconds and takes <paramref name="took"/>; returns its id.</summary>
    public Guid Add(
        string name,
        string type = "chain",
        Guid? parent = null,
        double at = 0,
        double? took = 100,
        object? inputs = null,
        object? outputs = null,
        string? error = null,
        object? extra = null,
        IReadOnlyList<string>? tags = null
    )
    {
        var start = Start.AddMilliseconds(at);
        var id = Guid.CreateVersion7(start);
        var segment =
            start.UtcDateTime.ToString("yyyyMMdd'T'HHmmssffffff'Z'", CultureInfo.InvariantCulture)
            + id;
        var place = parent is { } p
            ? (_places[p].Trace, $"{_places[p].Order}.{segment}")
            : (id, segment);
        _places[id] = place;
        var run = new JsonObject
        {
            ["id"] = id,
            ["trace_id"] = place.Item1,
            ["dotted_order"] = place.Item2,
            ["name"] = name,
            ["run_type"] = type,
            ["session_name"] = project,
            ["start_time"] = Iso(start),
            ["inputs"] = Node(inputs ?? new { }),
        };
        if (parent is not null)
        {
            run["parent_run_id"] = parent;
        }

        if (took is { } ms)
        {
            run["end_time"] = Iso(start.AddMilliseconds(ms));
            run["outputs"] = Node(outputs ?? new { });
        }

        if (error is not null)
        {
            run["error"] = error;
        }

        if (extra is not null)
        {
            run["extra"] = Node(extra);
        }

        if (tags is not null)
        {
            run["tags"] = Node(tags);
        }

        _runs.Add(run);
        _last = id;
        return id;
    }

    /// <summary>A call of a model with the tokens it reported.</summary>
    public Guid AddCall(
        string model,
        string question,
        string answer,
        Guid? parent = null,
        double at = 0,
        double took = 400,
        int prompt = 120,
        int completion = 30,
        string name = "ChatOpenAI"
    ) =>
        Add(
            name,
            "llm",
            parent,
            at,
            took,
            new
            {
                model,
                messages = new[]
                {
                    new { role = "system", content = "Answer briefly." },
                    new { role = "user", content = question },
                },
            },
            new
            {
                role = "assistant",
                content = answer,
                usage_metadata = new
                {
                    input_tokens = prompt,
                    output_tokens = completion,
                    total_tokens = prompt + completion,
                },
            },
            extra: new { metadata = new { ls_model_name = model, ls_provider = "openai" } }
        );

    /// <summary>Sends everything and waits until the server reads it back.</summary>
    public async Task SendAsync(RunningServer server)
    {
        var cancel = TestContext.Current.CancellationToken;
        foreach (var batch in _runs.Chunk(BatchSize))
        {
            await PostAsync(server, batch, cancel);
        }

        await ReadableAsync(server, _last, cancel);
        _runs.Clear();
    }

    /// <summary>Waits until a run can be read.</summary>
    public static async Task ReadableAsync(RunningServer server, Guid run, CancellationToken cancel)
    {
        using var retry = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await retry.WaitForNextTickAsync(cancel))
        {
            using var answer = await server.Client.GetAsync($"/api/v1/runs/{run}", cancel);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return;
            }
        }
    }

    private static async Task PostAsync(
        RunningServer server,
        JsonObject[] batch,
        CancellationToken cancel
    )
    {
        using var retry = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var body = new JsonObject
        {
            ["post"] = new JsonArray([.. batch]),
            ["patch"] = new JsonArray(),
        };
        while (true)
        {
            using var answer = await server.Client.PostAsJsonAsync("/runs/batch", body, cancel);
            // An overloaded server says so, and clients come again.
            if (
                answer.StatusCode
                is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            )
            {
                answer.EnsureSuccessStatusCode();
                return;
            }

            await retry.WaitForNextTickAsync(cancel);
        }
    }

    private static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static JsonNode? Node(object value) =>
        System.Text.Json.JsonSerializer.SerializeToNode(value);
}
