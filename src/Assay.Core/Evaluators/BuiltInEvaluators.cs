using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Evaluation;

namespace Assay.Core.Evaluators;

/// <summary>
/// The evaluators of Assay.Evaluation by name and JSON settings (<c>{"type":"regex_match","pattern":"…"}</c>). What measures several things is chosen
/// with one of them: a definition has one key. Pure.
/// </summary>
public static class BuiltInEvaluators
{
    /// <summary>All of them, in the order of the library.</summary>
    public static IReadOnlyList<BuiltInType> All => s_all;

    private static readonly IReadOnlyList<BuiltIn> s_all =
    [
        .. AnswerEvaluators.All,
        .. WorkEvaluators.All,
    ];

    /// <summary>Builds an evaluator that gives its scores under <paramref name="key"/>.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="key">The feedback key.</param>
    /// <param name="embed">The workspace's embedding models; null to check the settings without one.</param>
    /// <exception cref="InvalidEvaluatorException">The settings make no sense; it says which.</exception>
    public static IEvaluator Build(JsonElement settings, string key, Embed? embed = null)
    {
        var given = new BuiltInSettings(settings, embed);
        try
        {
            var type = TypeOf(given);
            var evaluator = type.Make(given);
            return new KeyedEvaluator(
                (evaluator, type.KeyOf?.Invoke(given) ?? evaluator.Keys[0]),
                key
            );
        }
        catch (FormatException e)
        {
            throw new InvalidEvaluatorException("settings", e.Message, e);
        }
        catch (ArgumentException e)
        {
            throw new InvalidEvaluatorException("settings", e.Message, e);
        }
    }

    /// <summary>What an evaluator of these settings looks at beside the usual.</summary>
    internal static EvaluatorNeeds NeedsOf(JsonElement settings) =>
        TypeOf(new BuiltInSettings(settings)).Needs;

    /// <summary>The provider whose models an evaluator of these settings asks; null when it only computes.</summary>
    internal static Guid? ProviderOf(JsonElement settings)
    {
        var given = new BuiltInSettings(settings);
        return
            TypeOf(given).Fields.FirstOrDefault(f => f.Kind == BuiltInFieldKind.EmbeddingProvider)
                is { } field
            ? given.Id(field.Name)
            : null;
    }

    /// <summary>The settings the type has, in their order, without those left empty.</summary>
    internal static JsonElement Canonical(JsonElement settings)
    {
        var given = new BuiltInSettings(settings);
        var type = TypeOf(given);
        var written = new JsonObject { ["type"] = type.Id };
        foreach (var field in type.Fields)
        {
            JsonNode? value = field.Kind switch
            {
                BuiltInFieldKind.Number => given.Number(field.Name) is { } number
                    ? JsonValue.Create(number)
                    : null,
                BuiltInFieldKind.Flag => given.Flag(field.Name) ? JsonValue.Create(true) : null,
                BuiltInFieldKind.List => given.List(field.Name) is { Count: > 0 } list
                    ? new JsonArray([.. list.Select(t => (JsonNode)t)])
                    : null,
                BuiltInFieldKind.Choice => given.Choice(field),
                _ => given.Text(field.Name),
            };
            if (value is not null)
            {
                written[field.Name] = value;
            }
            else if (field.IsRequired)
            {
                throw new InvalidEvaluatorException(field.Name, "is needed");
            }
        }

        return JsonSerializer.SerializeToElement(written);
    }

    private static BuiltIn TypeOf(BuiltInSettings given) =>
        s_all.FirstOrDefault(t => t.Id == given.Text("type"))
        ?? throw new InvalidEvaluatorException(
            "type",
            $"must be one of {string.Join(", ", s_all.Select(t => t.Id))}"
        );

    /// <summary>One measure of an evaluator under a key of its own.</summary>
    private sealed class KeyedEvaluator((IEvaluator Evaluator, string Key) inner, string key)
        : IEvaluator
    {
        public IReadOnlyList<string> Keys { get; } = [key];

        public async ValueTask<EvaluationResult> EvaluateAsync(
            EvaluationInput input,
            CancellationToken cancellationToken
        )
        {
            var result = await inner.Evaluator.EvaluateAsync(input, cancellationToken);
            return result with
            {
                Scores =
                [
                    result.Find(inner.Key) is { } score
                        ? score with
                        {
                            Key = key,
                        }
                        : Score.Failed(key, $"The evaluator gave no {inner.Key}."),
                ],
            };
        }
    }
}
