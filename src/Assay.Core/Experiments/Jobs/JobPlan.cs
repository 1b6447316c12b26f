using System.Globalization;
using System.Text.Json;
using Assay.Core.Datasets;
using Assay.Core.Playground;
using Assay.Evaluation.Json;

namespace Assay.Core.Experiments.Jobs;

/// <summary>
/// What a job was asked for: the prompt and the part of the dataset it runs on (for <see cref="ExperimentJobKind.Run"/>), the evaluators, and
/// the pace. Read from JSON and checked as a whole; immutable, thread-safe.
/// </summary>
public sealed class JobPlan
{
    /// <summary>The most rows of one job.</summary>
    public const int MaxRows = 50_000;

    /// <summary>The most times an example is run.</summary>
    public const int MaxRepetitions = 30;

    /// <summary>The most calls at a time.</summary>
    public const int MaxConcurrency = 32;

    /// <summary>The most evaluators.</summary>
    public const int MaxEvaluators = 20;

    /// <summary>Calls at a time when nothing is said.</summary>
    public const int DefaultConcurrency = 4;

    private const int MaxRequestsPerMinute = 100_000;
    private const int MaxMetadata = 50;

    private JobPlan(JsonElement json, PromptVariant? variant)
    {
        Json = json.Clone();
        Variant = variant;
        Name = json.Text("name")?.Trim() is { Length: > 0 } name ? name : null;
        if (Name?.Length > 200)
        {
            throw new InvalidJobException("name", "at most 200 characters");
        }

        Description = json.Text("description");
        Repetitions = Number(json, "repetitions", 1, MaxRepetitions) ?? 1;
        Concurrency = Number(json, "concurrency", 1, MaxConcurrency) ?? DefaultConcurrency;
        RequestsPerMinute = Number(json, "requests_per_minute", 1, MaxRequestsPerMinute);
        Limit = Number(json, "limit", 1, MaxRows);
        AsOf = Version(json);
        Splits =
        [
            .. json.Items("splits").Select(s => s.ToString()).Where(s => s.Length > 0).Distinct(),
        ];
        Mapping = ReadMapping(json);
        Evaluators = [.. json.Items("evaluators").Select(EvaluatorChoice.Read)];
        if (Evaluators.Count > MaxEvaluators)
        {
            throw new InvalidJobException("evaluators", $"at most {MaxEvaluators}");
        }

        if (Evaluators.GroupBy(e => e.Id).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new InvalidJobException("evaluators", $"{twice.Key} is chosen twice");
        }

        Metadata = ReadMetadata(json);
    }

    /// <summary>The plan as JSON.</summary>
    public JsonElement Json { get; }

    /// <summary>The prompt with its model; null when existing runs are scored.</summary>
    public PromptVariant? Variant { get; }

    /// <summary>Name of the experiment; null for one that is made up.</summary>
    public string? Name { get; }

    /// <summary>Description of the experiment.</summary>
    public string? Description { get; }

    /// <summary>How often each example is run.</summary>
    public int Repetitions { get; }

    /// <summary>Calls at a time.</summary>
    public int Concurrency { get; }

    /// <summary>Model calls that may start in a minute; null for as many as go.</summary>
    public int? RequestsPerMinute { get; }

    /// <summary>Only the first so many examples; null for all.</summary>
    public int? Limit { get; }

    /// <summary>The version of the dataset.</summary>
    public AsOf AsOf { get; }

    /// <summary>Only these splits; empty for all.</summary>
    public IReadOnlyList<string> Splits { get; }

    /// <summary>Where prompt variables come from; one that is not named comes from the input of its own name.</summary>
    public IReadOnlyDictionary<string, VariableSource> Mapping { get; }

    /// <summary>The evaluators.</summary>
    public IReadOnlyList<EvaluatorChoice> Evaluators { get; }

    /// <summary>Own metadata of the experiment.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Reads the plan of a run: <c>{variant, name?, description?, version?, splits?, limit?, repetitions?, concurrency?, requests_per_minute?,
    /// mapping?: {variable: {from: path in the inputs} | {value: JSON}}, evaluators?, metadata?}</c>.
    /// </summary>
    /// <exception cref="InvalidJobException">Something is unusable; it names the field.</exception>
    public static JobPlan ReadRun(JsonElement json)
    {
        if (
            json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("variant", out var variant)
        )
        {
            throw new InvalidJobException("variant", "is needed");
        }

        try
        {
            var read = PromptVariant.Read(variant);
            return read.Model.Length == 0
                ? throw new InvalidJobException("model", "choose one")
                : new JobPlan(json, read);
        }
        catch (InvalidVariantException e)
        {
            throw new InvalidJobException("variant", e.Message, e);
        }
    }

    /// <summary>Reads the plan of an evaluation: <c>{evaluators, concurrency?}</c>.</summary>
    /// <exception cref="InvalidJobException">Something is unusable; it names the field.</exception>
    public static JobPlan ReadEvaluation(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidJobException("evaluators", "choose at least one");
        }

        var plan = new JobPlan(json, null);
        return plan.Evaluators.Count == 0
            ? throw new InvalidJobException("evaluators", "choose at least one")
            : plan;
    }

    /// <summary>The plan of a stored job.</summary>
    internal static JobPlan Of(ExperimentJob job)
    {
        using var json = JsonDocument.Parse(
            job.PlanJson,
            new JsonDocumentOptions { MaxDepth = 256 }
        );
        return job.Kind == ExperimentJobKind.Run
            ? ReadRun(json.RootElement)
            : ReadEvaluation(json.RootElement);
    }

    /// <summary>The values of the prompt's variables for an example.</summary>
    /// <exception cref="InvalidVariantException">The example lacks one; the message says which.</exception>
    public Dictionary<string, JsonElement> Values(JsonElement inputs)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var name in Variant?.Names ?? [])
        {
            values[name] = Mapping.TryGetValue(name, out var source)
                ? source.Find(inputs)
                    ?? throw new InvalidVariantException(
                        $"The example's inputs have no '{source.From}' (for the variable {name})."
                    )
                : VariableSource.Of(name).Find(inputs)
                    ?? throw new InvalidVariantException(
                        $"The example's inputs have no '{name}'; say where the variable comes from."
                    );
        }

        return values;
    }

    private static Dictionary<string, VariableSource> ReadMapping(JsonElement json)
    {
        var mapping = new Dictionary<string, VariableSource>(StringComparer.Ordinal);
        if (
            json.TryGetProperty("mapping", out var given)
            && given.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var entry in given.EnumerateObject())
            {
                mapping[entry.Name] = VariableSource.Read(entry.Name, entry.Value);
            }
        }

        return mapping;
    }

    private static Dictionary<string, string> ReadMetadata(JsonElement json)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (
            json.TryGetProperty("metadata", out var given)
            && given.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var entry in given.EnumerateObject().Take(MaxMetadata))
            {
                metadata[entry.Name] = entry.Value.ToString();
            }
        }

        return metadata;
    }

    /// <summary>A tag, a moment, or nothing for the newest.</summary>
    private static AsOf Version(JsonElement json) =>
        json.Text("version") switch
        {
            null or "" or DatasetTag.Latest => AsOf.Now,
            var text
                when DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var moment
                ) => new AsOf(Time: moment),
            var tag => new AsOf(Tag: tag),
        };

    private static int? Number(JsonElement json, string name, int low, int high)
    {
        if (
            !json.TryGetProperty(name, out var value)
            || value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined
        )
        {
            return null;
        }

        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number >= low
            && number <= high
            ? number
            : throw new InvalidJobException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"must be a whole number from {low} to {high}"
                )
            );
    }
}

/// <summary>Where a prompt variable's value comes from: a place in the example's inputs, or one value for all.</summary>
public sealed class VariableSource
{
    private readonly JsonPath? _path;
    private readonly JsonElement? _value;

    private VariableSource(string from, JsonPath? path, JsonElement? value) =>
        (From, _path, _value) = (from, path, value);

    /// <summary>The place as written; empty for one value.</summary>
    public string From { get; }

    internal static VariableSource Of(string name) => new(name, null, null);

    internal static VariableSource Read(string variable, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("value", out var value))
        {
            return new VariableSource("", null, value.Clone());
        }

        var from =
            json.ValueKind == JsonValueKind.Object
            && json.TryGetProperty("from", out var place)
            && place.ValueKind == JsonValueKind.String
                ? place.GetString()!
                : throw new InvalidJobException(
                    "mapping",
                    $"{variable} must be {{\"from\": path}} or {{\"value\": JSON}}"
                );
        try
        {
            return new VariableSource(from, JsonPath.Parse(from), null);
        }
        catch (FormatException)
        {
            // Names of inputs may be anything, also what is no path.
            return Of(from);
        }
    }

    internal JsonElement? Find(JsonElement inputs)
    {
        if (_value is { } value)
        {
            return value;
        }

        if (inputs.ValueKind == JsonValueKind.Object && inputs.TryGetProperty(From, out var named))
        {
            return named;
        }

        foreach (var found in _path?.Select(inputs) ?? [])
        {
            return found;
        }

        return null;
    }
}

/// <summary>An evaluator that was chosen for a job.</summary>
/// <param name="Id">The definition.</param>
/// <param name="Version">The version of it that the job keeps to; null until the job is stored.</param>
public sealed record EvaluatorChoice(Guid Id, int? Version)
{
    internal static EvaluatorChoice Read(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && Guid.TryParse(json.GetString(), out var bare)
            ? new(bare, null)
        : json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty("id", out var id)
        && id.ValueKind == JsonValueKind.String
        && Guid.TryParse(id.GetString(), out var named)
            ? new(
                named,
                json.TryGetProperty("version", out var version)
                && version.ValueKind == JsonValueKind.Number
                && version.TryGetInt32(out var number)
                    ? number
                    : null
            )
        : throw new InvalidJobException("evaluators", "each must be an id, or have one");
}

/// <summary>A job that cannot be made as asked; the message is for the one who asked.</summary>
public sealed class InvalidJobException(string field, string reason, Exception? inner = null)
    : Exception($"{field}: {reason}", inner)
{
    /// <summary>The field at fault.</summary>
    public string Field { get; } = field;
}
