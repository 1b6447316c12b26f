using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Assay.Bench;

/// <summary>
/// Makes runs as a chat application sends them: traces of a dozen runs, 3.5 KB of inputs, outputs and extra each, words after Zipf's law
/// with a few random ones, eight metadata keys. The same seed gives the same runs. Not thread-safe.
/// </summary>
internal sealed class SampleRuns(int seed, DateTimeOffset start, int runsPerTrace, double scale = 1)
{
    private static readonly string[] s_words = Words();
    private static readonly string[] s_models =
    [
        "gpt-4o",
        "gpt-4o-mini",
        "claude-sonnet-4",
        "gemini-2.5-pro",
    ];
    private static readonly string[] s_names =
    [
        "retrieve",
        "rerank",
        "call_model",
        "parse",
        "lookup_order",
        "summarize",
    ];

    // A benchmark wants the same data each time, not secrets.
#pragma warning disable CA5394
    private readonly Random _random = new(seed);
#pragma warning restore CA5394
    private readonly StringBuilder _text = new();
    private Guid _trace;
    private string _order = "";
    private int _inTrace;
    private string _user = "";
    private DateTimeOffset _at = start;

    /// <summary>How far the clock goes on per run.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromMilliseconds(1);

    public static IReadOnlyList<string> Vocabulary => s_words;

    public SampleRun Next()
    {
        var id = NewId();
        var isRoot = _inTrace == 0;
        _at += Step;
        var order = string.Create(
            CultureInfo.InvariantCulture,
            $"{_at.UtcDateTime:yyyyMMdd'T'HHmmssffffff'Z'}{id:D}"
        );
        if (isRoot)
        {
            _trace = id;
            _order = order;
            _user = $"user-{Next(5_000)}";
        }
        else
        {
            order = _order + "." + order;
        }

        _inTrace = (_inTrace + 1) % runsPerTrace;
        var isModel = !isRoot && Next(3) == 0;
        var model = s_models[Next(s_models.Length)];
        var name = isRoot ? "chat" : s_names[Next(s_names.Length)];
        var inputs = Json(w =>
        {
            w.WriteStartArray("messages");
            w.WriteStartObject();
            w.WriteString("role", "user");
            w.WriteString("content", Prose((int)(1_650 * scale)));
            w.WriteEndObject();
            w.WriteEndArray();
        });
        var outputs = Json(w =>
        {
            w.WriteString("answer", Prose((int)(1_150 * scale)));
            if (isModel)
            {
                w.WriteStartObject("usage_metadata");
                var prompt = 200 + Next(2_000);
                var completion = 20 + Next(600);
                w.WriteNumber("input_tokens", prompt);
                w.WriteNumber("output_tokens", completion);
                w.WriteNumber("total_tokens", prompt + completion);
                w.WriteEndObject();
            }
        });
        var extra = Json(w =>
        {
            w.WriteStartObject("metadata");
            w.WriteString("user_id", _user);
            w.WriteString("customer", $"cust-{Next(500)}");
            w.WriteString("environment", Next(4) == 0 ? "staging" : "production");
            w.WriteString("revision_id", $"rev-{Next(20)}");
            w.WriteString("request_id", NewId());
            w.WriteString("session_id", $"thread-{_user}-{Next(4)}");
            if (isModel)
            {
                w.WriteString("ls_model_name", model);
                w.WriteString("ls_provider", "openai");
            }

            w.WriteEndObject();
            w.WriteStartObject("runtime");
            w.WriteString("sdk", "langsmith-py");
            w.WriteString("sdk_version", "0.4.1");
            w.WriteString("platform", "Linux-6.8.0-x86_64");
            w.WriteEndObject();
        });
        return new SampleRun(
            id,
            _trace,
            isRoot ? null : _trace,
            order,
            name,
            isRoot ? "chain"
                : isModel ? "llm"
                : "tool",
            _at,
            _at + TimeSpan.FromMilliseconds(Math.Exp(4 + (_random.NextDouble() * 5))),
            Next(40) == 0 ? "Timeout: the provider did not answer in time" : null,
            inputs,
            outputs,
            extra,
            Next(3) == 0 ? ["beta", "eu"] : []
        );
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private int Next(int below) => _random.Next(below);

    private string Prose(int length)
    {
        _text.Clear();
        while (_text.Length < length)
        {
            if (Next(60) == 0)
            {
                _text.Append(Next(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture));
            }
            else
            {
                // Rank from a power law: half of the text is a few dozen words.
                var rank = (int)Math.Pow(s_words.Length, _random.NextDouble()) - 1;
                _text.Append(s_words[rank]);
            }

            _text.Append(' ');
        }

        return _text.ToString();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string[] Words()
    {
        string[] heads = ["ka", "lo", "mi", "ren", "tas", "vor", "ul", "pe", "sin", "qua", "dor"];
        string[] tails = ["", "ne", "rim", "tos", "la", "vek", "un", "dra", "sil", "mo"];
        return
        [
            .. from a in heads from b in heads from c in tails from d in tails select a + b + c + d,
        ];
    }
}

/// <summary>One finished run.</summary>
internal sealed record SampleRun(
    Guid Id,
    Guid Trace,
    Guid? Parent,
    string Order,
    string Name,
    string Type,
    DateTimeOffset Start,
    DateTimeOffset End,
    string? Error,
    byte[] Inputs,
    byte[] Outputs,
    byte[] Extra,
    string[] Tags
);
