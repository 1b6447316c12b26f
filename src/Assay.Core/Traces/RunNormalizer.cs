using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Assay.Core.Traces;

/// <summary>
/// Makes one piece of a run complete and canonical before it is stored: ids, times, order key, and what can be read once from the payloads
/// (model, provider, usage, thread, metadata pairs, first token, previews). Every piece stands for itself, so the order of arrival does not
/// matter. Thread-safe.
/// </summary>
public sealed class RunNormalizer
{
    /// <summary>The longest error text that lists and filters see, in characters; the rest is read with the run.</summary>
    public const int MaxError = 4_096;

    private const int MaxMetadata = 100;
    private const int MaxMetadataValue = 1_000;

    /// <summary>Normalizes in place; returns what is wrong when the piece must be refused, else null.</summary>
    public string? Normalize(RunWrite run, DateTimeOffset now)
    {
        FromOrderKey(run);
        KeepWholeError(run);
        if (run.Operation == RunOperation.Create)
        {
            run.StartTime ??= now;
            run.TraceId ??= run.ParentRunId is null ? run.RunId : null;
            if (run.ParentRunId is null && run.DottedOrder is null)
            {
                run.DottedOrder = OrderSegment(run.StartTime.Value, run.RunId);
            }
        }

        return ReadPayloads(run);
    }

    private static string? ReadPayloads(RunWrite run) =>
        Read(run, run.Extra, "extra", ReadExtra)
        ?? Read(run, run.Outputs, "outputs", ReadOutputs)
        ?? Read(run, run.Inputs, "inputs", ReadInputs)
        ?? Read(run, run.Events, "events", ReadEvents)
        ?? Read(run, run.Serialized, "serialized", static (_, _) => { });

    /// <summary>A long error (a stack trace, as a rule) becomes a payload; what stays is cut without tearing a character apart.</summary>
    private static void KeepWholeError(RunWrite run)
    {
        if (run.Error is not { Length: > MaxError } error)
        {
            return;
        }

        run.WholeError = Payload.FromUtf8(JsonSerializer.SerializeToUtf8Bytes(error));
        run.Error = error[..(char.IsHighSurrogate(error[MaxError - 1]) ? MaxError - 1 : MaxError)];
    }

    /// <summary>One segment of LangSmith's execution order key: time with microseconds, then the run id.</summary>
    public static string OrderSegment(DateTimeOffset start, Guid runId) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{start.UtcDateTime:yyyyMMdd'T'HHmmssffffff'Z'}{runId:D}"
        );

    /// <summary>The order key names the trace (first segment), the parent (last but one) and the start; it fills in what was not said.</summary>
    private static void FromOrderKey(RunWrite run)
    {
        if (run.DottedOrder is not { Length: > 36 } key)
        {
            return;
        }

        var segments = key.Split('.');
        run.TraceId ??= Id(segments[0]);
        if (segments.Length > 1)
        {
            run.ParentRunId ??= Id(segments[^2]);
        }

        if (
            run.StartTime is null
            && run.Operation == RunOperation.Create
            && segments[^1].Length > 36
            && DateTimeOffset.TryParseExact(
                segments[^1][..^36],
                "yyyyMMdd'T'HHmmssffffff'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var start
            )
        )
        {
            run.StartTime = start;
        }
    }

    private static Guid? Id(string segment) =>
        segment.Length >= 36 && Guid.TryParse(segment[^36..], out var id) ? id : null;

    private static string? Read(
        RunWrite run,
        Payload? payload,
        string name,
        Action<RunWrite, JsonElement> read
    )
    {
        if (payload is null || payload.BlobKey is not null)
        {
            return null;
        }

        if (!Utf8.IsValid(payload.Utf8.Span))
        {
            return $"{name}: is not valid UTF-8";
        }

        try
        {
            using var document = JsonDocument.Parse(
                payload.Utf8,
                new JsonDocumentOptions { MaxDepth = 256 }
            );
            read(run, document.RootElement);
            return null;
        }
        catch (JsonException e)
        {
            return $"{name}: invalid JSON: {e.Message}";
        }
        catch (InvalidOperationException e)
        {
            // Lone surrogates and invalid UTF-8 inside a text surface when it is read.
            return $"{name}: {e.Message}";
        }
    }

    private static void ReadExtra(RunWrite run, JsonElement extra)
    {
        if (extra.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (Get(extra, "metadata"u8) is { ValueKind: JsonValueKind.Object } metadata)
        {
            var pairs = new List<KeyValuePair<string, string>>();
            Flatten(metadata, "", pairs);
            run.Metadata ??= pairs;
            run.Model ??= Text(metadata, "ls_model_name"u8);
            run.Provider ??= Text(metadata, "ls_provider"u8);
            run.ThreadId ??=
                Text(metadata, "session_id"u8)
                ?? Text(metadata, "conversation_id"u8)
                ?? Text(metadata, "thread_id"u8);
            run.Usage ??= UsageReader.Find(Get(metadata, "usage_metadata"u8));
        }

        if (Get(extra, "invocation_params"u8) is { ValueKind: JsonValueKind.Object } parameters)
        {
            run.Model ??=
                Text(parameters, "model"u8)
                ?? Text(parameters, "model_name"u8)
                ?? Text(parameters, "model_id"u8);
        }
    }

    private static void ReadInputs(RunWrite run, JsonElement inputs) =>
        run.InputsPreview ??= PayloadPreview.Of(inputs, isInput: true);

    private static void ReadOutputs(RunWrite run, JsonElement outputs)
    {
        run.OutputsPreview ??= PayloadPreview.Of(outputs, isInput: false);
        run.Usage ??= UsageReader.FromOutputs(outputs);
    }

    private static void ReadEvents(RunWrite run, JsonElement events)
    {
        if (run.FirstTokenTime is not null || events.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var item in events.EnumerateArray())
        {
            if (
                item.ValueKind == JsonValueKind.Object
                && Get(item, "name"u8) is { ValueKind: JsonValueKind.String } name
                && name.ValueEquals("new_token"u8)
                && Text(item, "time"u8) is { } text
                && DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var time
                )
            )
            {
                run.FirstTokenTime = time;
                return;
            }
        }
    }

    private static void Flatten(
        JsonElement json,
        string path,
        List<KeyValuePair<string, string>> pairs
    )
    {
        foreach (var property in json.EnumerateObject())
        {
            if (pairs.Count >= MaxMetadata)
            {
                return;
            }

            var key = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                Flatten(property.Value, key, pairs);
            }
            else if (property.Value.ValueKind != JsonValueKind.Null)
            {
                var text =
                    property.Value.ValueKind == JsonValueKind.String
                        ? property.Value.GetString() ?? ""
                        : property.Value.GetRawText();
                pairs.Add(
                    new KeyValuePair<string, string>(
                        key,
                        PayloadPreview.Cut(text, MaxMetadataValue)
                    )
                );
            }
        }
    }

    private static string? Text(JsonElement json, ReadOnlySpan<byte> name) =>
        Get(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement Get(JsonElement json, ReadOnlySpan<byte> name) =>
        json.TryGetProperty(name, out var value) ? value : default;
}
