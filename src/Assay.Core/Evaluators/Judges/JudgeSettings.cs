using System.Text.Json;
using System.Text.Json.Serialization;

namespace Assay.Core.Evaluators.Judges;

/// <summary>What a judge is: its prompt, its model, what it has to answer, and where its variables come from. Read from JSON and checked as a whole; immutable.</summary>
public sealed record JudgeSettings
{
    /// <summary>The most messages of an own prompt.</summary>
    public const int MaxMessages = 50;

    /// <summary>The most repetitions of one judgement.</summary>
    public const int MaxRepeats = 9;

    /// <summary>The most examples shown to the model.</summary>
    public const int MaxExamples = 30;

    internal static JsonSerializerOptions Json { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.Strict,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, false) },
        };

    /// <summary>The provider of the workspace.</summary>
    public Guid Provider { get; init; }

    /// <summary>The model.</summary>
    public string Model { get; init; } = "";

    /// <summary>Temperature, limits and so on, as the playground has them.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>The rubric of the library it began as; null for none.</summary>
    public string? Rubric { get; init; }

    /// <summary>The prompt's own messages (<c>{role, content}</c>); null when it comes from the hub.</summary>
    public JsonElement? Messages { get; init; }

    /// <summary>How the own messages mark variables: <c>mustache</c>, <c>f-string</c> or <c>none</c>.</summary>
    public string Format { get; init; } = "mustache";

    /// <summary>The prompt in the hub; null when it has messages of its own.</summary>
    public HubPrompt? Hub { get; init; }

    /// <summary>What it has to answer.</summary>
    public VerdictForm Verdict { get; init; } = new();

    /// <summary>It compares two answers and says which is better.</summary>
    public bool Pairwise { get; init; }

    /// <summary>Where each variable comes from; see <see cref="VariableSource"/>. Variables not named here come from the place of that name.</summary>
    public IReadOnlyDictionary<string, string> Mapping { get; init; } =
        new Dictionary<string, string>();

    /// <summary>How often one answer is judged.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>Verdicts are kept and given again for the very same question.</summary>
    public bool Cache { get; init; } = true;

    /// <summary>Judgements of people, shown to the model.</summary>
    public IReadOnlyList<JudgeExample> Examples { get; init; } = [];

    /// <summary>Reads and checks settings.</summary>
    /// <exception cref="InvalidEvaluatorException">They make no sense; it says where.</exception>
    public static JudgeSettings Read(string json)
    {
        JudgeSettings settings;
        try
        {
            settings =
                JsonSerializer.Deserialize<JudgeSettings>(json, Json)
                ?? throw new InvalidEvaluatorException("settings", "must be an object");
        }
        catch (JsonException e)
        {
            throw new InvalidEvaluatorException(
                e.Path is { Length: > 2 } path ? path[2..] : "settings",
                "has the wrong form",
                e
            );
        }

        return settings.Checked();
    }

    /// <summary>The settings as one text; equal settings give equal texts.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            this with
            {
                Mapping = new SortedDictionary<string, string>(
                    Mapping.ToDictionary(),
                    StringComparer.Ordinal
                ),
            },
            Json
        );

    private JudgeSettings Checked()
    {
        if (Verdict is null || Mapping is null || Examples is null || Format is null)
        {
            throw new InvalidEvaluatorException(
                "settings",
                "verdict, mapping, examples and format cannot be null"
            );
        }

        if (Provider == Guid.Empty)
        {
            throw new InvalidEvaluatorException("provider", "choose one");
        }

        if (string.IsNullOrWhiteSpace(Model))
        {
            throw new InvalidEvaluatorException("model", "choose one");
        }

        if (Repeats is < 1 or > MaxRepeats)
        {
            throw new InvalidEvaluatorException("repeats", $"must be 1 to {MaxRepeats}");
        }

        if (Hub is null == Messages is null)
        {
            throw new InvalidEvaluatorException(
                "messages",
                "give the prompt's messages, or a prompt of the hub"
            );
        }

        if (Hub is { Handle: not { Length: > 0 } })
        {
            throw new InvalidEvaluatorException("hub", "needs the handle of a prompt");
        }

        if (
            Messages is { } messages
            && (
                messages.ValueKind != JsonValueKind.Array
                || messages.GetArrayLength() is 0 or > MaxMessages
            )
        )
        {
            throw new InvalidEvaluatorException("messages", $"1 to {MaxMessages} are needed");
        }

        if (Examples.Count > MaxExamples)
        {
            throw new InvalidEvaluatorException("examples", $"at most {MaxExamples}");
        }

        if (Mapping.Count > 100)
        {
            throw new InvalidEvaluatorException("mapping", "at most 100 variables");
        }

        var mapping = Mapping
            .Where(m => !string.IsNullOrWhiteSpace(m.Value))
            .ToDictionary(m => m.Key, m => m.Value.Trim(), StringComparer.Ordinal);
        foreach (var (name, source) in mapping)
        {
            VariableSource.Parse(name, source);
        }

        var form = Pairwise ? VerdictForm.Preference : Verdict.Checked();
        foreach (var example in Examples)
        {
            example.Check(form);
        }

        return this with
        {
            Model = Model.Trim(),
            Verdict = form,
            Parameters = Parameters is { ValueKind: JsonValueKind.Object } ? Parameters : null,
            Mapping = mapping,
        };
    }
}

/// <summary>A prompt of the hub.</summary>
/// <param name="Handle">Its handle in this workspace.</param>
/// <param name="Commit">A commit's hash or a tag; null follows the newest commit.</param>
public sealed record HubPrompt(string Handle, string? Commit = null);

/// <summary>A judgement by people that the model is shown.</summary>
/// <param name="Values">The variables as they were.</param>
/// <param name="Verdict">What was right: a number, true or false, or a label.</param>
/// <param name="Reason">Why.</param>
/// <param name="Run">The run it is about; the judge is not shown it when it judges that very run, and calibration leaves it out.</param>
public sealed record JudgeExample(
    IReadOnlyDictionary<string, JsonElement> Values,
    JsonElement Verdict,
    string? Reason = null,
    Guid? Run = null
)
{
    internal void Check(VerdictForm form)
    {
        if (Values is null || Verdict.ValueKind == JsonValueKind.Undefined)
        {
            throw new InvalidEvaluatorException("examples", "each needs values and a verdict");
        }

        try
        {
            VerdictReader.Read(form.Written(Verdict, Reason), form);
        }
        catch (VerdictException e)
        {
            throw new InvalidEvaluatorException("examples", e.Message, e);
        }
    }
}
