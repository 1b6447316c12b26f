using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Feedback;

/// <summary>What kind of thing is said under a feedback key.</summary>
public enum FeedbackType
{
    /// <summary>A number, mostly between bounds.</summary>
    Score,

    /// <summary>One of some labels, each with a number.</summary>
    Category,

    /// <summary>Yes or no: a category whose numbers are 1 and 0.</summary>
    Boolean,

    /// <summary>Free text.</summary>
    Text,
}

/// <summary>A label and its number.</summary>
/// <param name="Value">The number.</param>
/// <param name="Label">The label.</param>
public sealed record FeedbackCategory(double Value, string Label);

/// <summary>What can be said under a feedback key: LangSmith's feedback config (continuous, categorical, freeform), read for screens and checks.</summary>
/// <param name="Type">Of which kind.</param>
/// <param name="Min">Smallest score; null for no bound.</param>
/// <param name="Max">Largest score; null for no bound.</param>
/// <param name="Categories">Labels, in the order they are offered.</param>
public sealed record FeedbackScale(
    FeedbackType Type,
    double? Min,
    double? Max,
    IReadOnlyList<FeedbackCategory> Categories
)
{
    /// <summary>The most labels of a key.</summary>
    public const int MaxCategories = 50;

    /// <summary>A score from 0 to 1.</summary>
    public static readonly FeedbackScale Unit = new(FeedbackType.Score, 0, 1, []);

    /// <summary>Yes or no.</summary>
    public static readonly FeedbackScale YesNo = new(
        FeedbackType.Boolean,
        null,
        null,
        [new(1, "yes"), new(0, "no")]
    );

    /// <summary>Free text.</summary>
    public static readonly FeedbackScale FreeText = new(FeedbackType.Text, null, null, []);

    /// <summary>The bounds, for people.</summary>
    public string Range =>
        (Min, Max) switch
        {
            ({ } min, { } max) => $"{Number(min)} to {Number(max)}",
            ({ } min, null) => $"{Number(min)} or more",
            (null, { } max) => $"{Number(max)} or less",
            _ => "any number",
        };

    /// <summary>How far apart two scores can be; null without bounds.</summary>
    public double? Width => Max - Min;

    /// <summary>True when a score lies within the bounds.</summary>
    public bool Holds(double score) => double.IsFinite(score) && !(score < Min) && !(score > Max);

    /// <summary>Reads a config; what it does not say is left open.</summary>
    public static FeedbackScale Read(string configJson)
    {
        using var document = JsonDocument.Parse(configJson);
        var config = document.RootElement;
        var type =
            config.ValueKind == JsonValueKind.Object
            && config.TryGetProperty("type", out var t)
            && t.ValueKind == JsonValueKind.String
                ? t.GetString()
                : null;
        if (type == "freeform")
        {
            return FreeText;
        }

        if (
            type == "categorical"
            && config.TryGetProperty("categories", out var list)
            && list.ValueKind == JsonValueKind.Array
        )
        {
            List<FeedbackCategory> categories =
            [
                .. list.EnumerateArray()
                    .Where(c => c.ValueKind == JsonValueKind.Object)
                    .Select((c, i) => Category(c, i))
                    .DistinctBy(c => c.Label)
                    .Take(MaxCategories),
            ];
            var isYesNo =
                categories.Count == 2
                && categories.TrueForAll(c =>
                    IsWord(c, 1, "yes", "true") || IsWord(c, 0, "no", "false")
                )
                && categories[0].Value != categories[1].Value;
            return new FeedbackScale(
                isYesNo ? FeedbackType.Boolean : FeedbackType.Category,
                null,
                null,
                categories
            );
        }

        return config.ValueKind == JsonValueKind.Object
            ? new FeedbackScale(FeedbackType.Score, Bound(config, "min"), Bound(config, "max"), [])
            : Unit;
    }

    /// <summary>Two labels with names of their own, as good and bad, are a category: only what says yes and no is called so.</summary>
    private static bool IsWord(FeedbackCategory category, double value, params string[] words) =>
        category.Value == value && words.Contains(category.Label, StringComparer.OrdinalIgnoreCase);

    /// <summary>As LangSmith's clients know it.</summary>
    public string ToJson()
    {
        var config = new JsonObject
        {
            ["type"] = Type switch
            {
                FeedbackType.Score => "continuous",
                FeedbackType.Text => "freeform",
                _ => "categorical",
            },
        };
        if (Type == FeedbackType.Score)
        {
            config["min"] = Min;
            config["max"] = Max;
        }

        if (Categories.Count > 0)
        {
            config["categories"] = new JsonArray([
                .. Categories.Select(c =>
                    (JsonNode)new JsonObject { ["value"] = c.Value, ["label"] = c.Label }
                ),
            ]);
        }

        return config.ToJsonString();
    }

    private static FeedbackCategory Category(JsonElement json, int index)
    {
        var value =
            json.TryGetProperty("value", out var v) && v.ValueKind == JsonValueKind.Number
                ? v.GetDouble()
                : index;
        return new FeedbackCategory(
            value,
            json.TryGetProperty("label", out var label)
            && label.ValueKind == JsonValueKind.String
            && label.GetString() is { Length: > 0 } text
                ? text
                : Number(value)
        );
    }

    private static double? Bound(JsonElement config, string name) =>
        config.TryGetProperty(name, out var bound) && bound.ValueKind == JsonValueKind.Number
            ? bound.GetDouble()
            : null;

    private static string Number(double value) =>
        value.ToString("0.######", CultureInfo.InvariantCulture);
}
