using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Assay.Server.Tests.Datasets;

/// <summary>One server for a class, and the Python client's calls of it.</summary>
public abstract class PythonShapes(PythonShapes.Server server) : IClassFixture<PythonShapes.Server>
{
    private protected PythonClient Py => server.Client;

    private protected PythonClient Stranger(string key) => server.ClientWith(key);

    private protected async Task MultipartAsync(
        string method,
        string path,
        HttpStatusCode expected,
        params (string Name, object Value)[] parts
    )
    {
        var (status, answer) = await Py.ExamplesAsync(method, path, parts);
        Assert.True(expected == status, $"{method} {path}: {status} {answer}");
    }

    private protected async Task<Guid> DatasetAsync(string name, int examples)
    {
        var made = await Py.GoodAsync(
            "POST",
            "datasets",
            new
            {
                name,
                data_type = "kv",
                created_at = Iso(TimeProvider.System.GetUtcNow()),
                description = (string?)null,
                inputs_schema_definition = (object?)null,
                outputs_schema_definition = (object?)null,
                transformations = (object?)null,
                extra = new
                {
                    metadata = new { runtime = new { sdk = "langsmith-py" } },
                    source = "sdk",
                },
            }
        );
        Assert.Equal(JsonValueKind.Null, made.GetProperty("description").ValueKind);
        Assert.Equal(JsonValueKind.Null, made.GetProperty("inputs_schema_definition").ValueKind);
        Assert.Equal("kv", made.GetProperty("data_type").GetString());
        _ = made.GetProperty("tenant_id").GetGuid();
        _ = made.GetProperty("created_at").GetDateTimeOffset();
        Assert.Equal(
            "langsmith-py",
            made.GetProperty("metadata").GetProperty("runtime").GetProperty("sdk").GetString()
        );
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await Py.CallAsync("POST", "datasets", new { name })).Status
        );
        var parts = new List<(string, object)>();
        for (var i = 0; i < examples; i++)
        {
            var id = Guid.NewGuid();
            parts.Add(($"{id}", new { created_at = Iso(TimeProvider.System.GetUtcNow()) }));
            parts.Add(($"{id}.inputs", new { q = i }));
            parts.Add(($"{id}.outputs", new { a = i }));
        }

        if (parts.Count > 0)
        {
            await MultipartAsync(
                "POST",
                $"platform/datasets/{Id(made)}/examples",
                HttpStatusCode.Created,
                [.. parts]
            );
        }

        return Id(made);
    }

    private protected static Guid Id(JsonElement json) => json.GetProperty("id").GetGuid();

    private protected static int Count(JsonElement json, string name) =>
        json.GetProperty(name).GetArrayLength();

    private protected static double Average(JsonElement session, string stats, string key) =>
        session.GetProperty(stats).GetProperty(key).GetProperty("avg").GetDouble();

    private protected static string Iso(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    /// <summary>One server for all, and a client of it.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private RunningServer? _server;

        internal PythonClient Client { get; private set; } = null!;

        internal PythonClient ClientWith(string key) => new(_server!.Address, key);

        public async ValueTask InitializeAsync()
        {
            _server = await RunningServer.StartAsync();
            Client = ClientWith(RunningServer.Key);
        }

        public async ValueTask DisposeAsync()
        {
            Client?.Dispose();
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }
    }

    /// <summary>A traced call of the target with one child, in the parts that the tracing thread makes of it.</summary>
    private protected sealed class PythonRun(Guid example, string project, int index)
    {
        private readonly Guid _child = Guid.NewGuid();
        private readonly DateTimeOffset _start = TimeProvider
            .System.GetUtcNow()
            .AddSeconds(-5 + index);

        public Guid Id { get; } = Guid.NewGuid();

        public int Index => index;

        private string Order => $"{_start:yyyyMMdd'T'HHmmssffffff}Z{Id}";

        public IEnumerable<(string, object)> Post()
        {
            yield return (
                $"post.{Id}",
                new
                {
                    id = Id,
                    trace_id = Id,
                    dotted_order = Order,
                    name = "target",
                    run_type = "chain",
                    start_time = Iso(_start),
                    session_name = project,
                    reference_example_id = example,
                    parent_run_id = (Guid?)null,
                    tags = Array.Empty<string>(),
                    end_time = (string?)null,
                }
            );
            yield return ($"post.{Id}.inputs", new { inputs = new { q = index } });
            yield return (
                $"post.{Id}.extra",
                new { metadata = new { revision = 7 }, runtime = new { sdk = "langsmith-py" } }
            );
            yield return (
                $"post.{_child}",
                new
                {
                    id = _child,
                    trace_id = Id,
                    parent_run_id = Id,
                    dotted_order = $"{Order}.{_start.AddMilliseconds(1):yyyyMMdd'T'HHmmssffffff}Z{_child}",
                    name = "model",
                    run_type = "llm",
                    start_time = Iso(_start.AddMilliseconds(1)),
                    end_time = Iso(_start.AddMilliseconds(2)),
                    session_name = project,
                }
            );
            yield return (
                $"post.{_child}.inputs",
                new { messages = new[] { new { role = "user", content = "?" } } }
            );
        }

        public IEnumerable<(string, object)> Patch()
        {
            yield return (
                $"patch.{Id}",
                new
                {
                    id = Id,
                    trace_id = Id,
                    dotted_order = Order,
                    parent_run_id = (Guid?)null,
                    end_time = Iso(_start.AddSeconds(1)),
                    name = (string?)null,
                    run_type = (string?)null,
                    tags = (string[]?)null,
                    session_name = (string?)null,
                    extra = (object?)null,
                    error = (string?)null,
                }
            );
            yield return ($"patch.{Id}.outputs", new { output = index });
        }
    }
}
