using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>A trace as LangSmith's API gives it, in forms that a person can write down and check: an outline, transcripts.</summary>
public sealed class GoldenTrace
{
    private readonly List<GoldenRun> _runs;

    private GoldenTrace(List<GoldenRun> runs) => _runs = runs;

    /// <summary>Runs in the order of the outline.</summary>
    public IReadOnlyList<GoldenRun> Runs => _runs;

    /// <summary>The root.</summary>
    public GoldenRun Root => _runs[0];

    /// <summary>One run a line, children indented under their parents by start: name, type, <c>!</c> when it failed.</summary>
    public string Outline =>
        string.Join(
            '\n',
            _runs.Select(r =>
                $"{new string(' ', r.Depth * 2)}{r.Name} [{r.Type}]{(r.Status == "error" ? "!" : "")}"
            )
        );

    /// <summary>The only run of the name, or the one at a position among them.</summary>
    public GoldenRun this[string name, int? at = null]
    {
        get
        {
            var found = _runs.Where(r => r.Name == name).ToList();
            return at is { } i ? found[i] : Assert.Single(found);
        }
    }

    public static GoldenTrace[] Of(IEnumerable<JsonElement> runs) =>
        [
            .. runs.Select(r => new GoldenRun(r.Clone()))
                .GroupBy(r => r.TraceId)
                .Select(g => new GoldenTrace(Ordered([.. g])))
                .OrderBy(t => t.Root.Start),
        ];

    private static List<GoldenRun> Ordered(List<GoldenRun> runs)
    {
        var known = runs.Select(r => r.Id).ToHashSet();
        var ordered = new List<GoldenRun>();
        Add(null, 0);
        Assert.Equal(runs.Count, ordered.Count);
        return ordered;

        void Add(Guid? parent, int depth)
        {
            foreach (
                var run in runs.Where(r =>
                        parent is null
                            ? r.ParentId is not { } p || !known.Contains(p)
                            : r.ParentId == parent
                    )
                    .OrderBy(r => r.Start)
                    .ThenBy(r => r.End)
                    .ThenBy(r => r.Name, StringComparer.Ordinal)
            )
            {
                run.Depth = depth;
                ordered.Add(run);
                Add(run.Id, depth + 1);
            }
        }
    }
}

/// <summary>A run as LangSmith's API gives it.</summary>
public sealed class GoldenRun(JsonElement json)
{
    public JsonElement Json => json;

    public int Depth { get; set; }

    public Guid Id => json.GetProperty("id").GetGuid();

    public Guid TraceId => json.GetProperty("trace_id").GetGuid();

    public Guid? ParentId =>
        json.GetProperty("parent_run_id") is { ValueKind: JsonValueKind.String } id
            ? id.GetGuid()
            : null;

    public string Name => Text("name") ?? "";

    public string Type => Text("run_type") ?? "";

    public string Status => Text("status") ?? "";

    public string? Error => Text("error");

    /// <summary>The error's first line.</summary>
    public string? ErrorLine => Error?.Split('\n')[0];

    public string? Thread => Text("thread_id");

    public DateTimeOffset Start => Time("start_time")!.Value;

    public DateTimeOffset? End => Time("end_time");

    public TimeSpan? FirstToken => Time("first_token_time") - Start;

    public string Inputs => json.GetProperty("inputs").GetRawText();

    public string Outputs => json.GetProperty("outputs").GetRawText();

    public string[] Tags =>
        [.. json.GetProperty("tags").EnumerateArray().Select(t => t.GetString()!)];

    public JsonElement Metadata => json.GetProperty("extra").GetProperty("metadata");

    public JsonElement Parameters => json.GetProperty("extra").GetProperty("invocation_params");

    public JsonElement Otel => json.GetProperty("extra").GetProperty("otel");

    /// <summary><c>prompt + completion = total</c>, then the parts that are not zero.</summary>
    public string Tokens
    {
        get
        {
            var text = new StringBuilder(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Number("prompt_tokens")} + {Number("completion_tokens")} = {Number("total_tokens")}"
                )
            );
            foreach (var side in (string[])["prompt_token_details", "completion_token_details"])
            {
                if (json.GetProperty(side) is { ValueKind: JsonValueKind.Object } parts)
                {
                    foreach (
                        var part in parts
                            .EnumerateObject()
                            .OrderBy(p => p.Name, StringComparer.Ordinal)
                    )
                    {
                        text.Append(
                            CultureInfo.InvariantCulture,
                            $", {part.Name} {part.Value.GetInt64()}"
                        );
                    }
                }
            }

            return text.ToString();
        }
    }

    public decimal? Cost =>
        Text("total_cost") is { } cost ? decimal.Parse(cost, CultureInfo.InvariantCulture) : null;

    /// <summary>A value of the metadata as text.</summary>
    public string? Meta(string key) =>
        Metadata.TryGetProperty(key, out var value) ? value.ToString() : null;

    /// <summary>Tools that were offered, by name with the names of their parameters: <c>get_weather(city)</c>.</summary>
    public string Tools =>
        string.Join(
            ", ",
            Parameters
                .GetProperty("tools")
                .EnumerateArray()
                .Select(t =>
                {
                    Assert.Equal("function", t.GetProperty("type").GetString());
                    var function = t.GetProperty("function");
                    var parameters = function
                        .GetProperty("parameters")
                        .GetProperty("properties")
                        .EnumerateObject();
                    return $"{function.GetProperty("name").GetString()}({string.Join(", ", parameters.Select(p => p.Name))})";
                })
        );

    /// <summary>The messages that went in, one a line.</summary>
    public string Asked => Transcript(json.GetProperty("inputs"));

    /// <summary>The messages that came out.</summary>
    public string Answered => Transcript(json.GetProperty("outputs"));

    private static string Transcript(JsonElement payload)
    {
        var lines = new List<string>();
        foreach (var message in payload.GetProperty("messages").EnumerateArray())
        {
            var role = message.GetProperty("role").GetString();
            var said = new List<string>();
            var content = message.GetProperty("content");
            if (content.ValueKind == JsonValueKind.String)
            {
                said.Add(content.GetString()!);
            }
            else
            {
                said.AddRange(content.EnumerateArray().Select(Part));
            }

            if (message.TryGetProperty("tool_calls", out var calls))
            {
                foreach (var call in calls.EnumerateArray())
                {
                    var function = call.GetProperty("function");
                    Assert.Equal("function", call.GetProperty("type").GetString());
                    var id = call.TryGetProperty("id", out var i) ? " #" + i.GetString() : "";
                    said.Add(
                        $"{function.GetProperty("name").GetString()}({function.GetProperty("arguments").GetString()}){id}"
                    );
                }
            }

            var answers = message.TryGetProperty("tool_call_id", out var answered)
                ? " #" + answered.GetString()
                : "";
            var reason = message.TryGetProperty("finish_reason", out var finish)
                ? $" <{finish.GetString()}>"
                : "";
            lines.Add(
                $"{role}{answers}: {string.Join(" ", said.Where(s => s.Length > 0))}{reason}"
            );
        }

        return string.Join('\n', lines);
    }

    private static string Part(JsonElement part) =>
        part.GetProperty("type").GetString() switch
        {
            "text" => part.GetProperty("text").GetString()!,
            "reasoning" => $"({part.GetProperty("text").GetString()})",
            "image_url" =>
                $"[image {part.GetProperty("image_url").GetProperty("url").GetString()}]",
            "input_audio" =>
                $"[audio {part.GetProperty("input_audio").GetProperty("format").GetString()} {part.GetProperty("input_audio").GetProperty("data").GetString()}]",
            "file" => $"[file {part.GetProperty("file").GetRawText()}]",
            _ => part.GetRawText(),
        };

    private string? Text(string name) =>
        json.GetProperty(name) is { ValueKind: JsonValueKind.String } value
            ? value.GetString()
            : null;

    private long Number(string name) => json.GetProperty(name).GetInt64();

    private DateTimeOffset? Time(string name) =>
        Text(name) is { } text
            ? DateTimeOffset.Parse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal
            )
            : null;
}
