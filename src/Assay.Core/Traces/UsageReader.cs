using System.Text.Json;
using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>Token usage in the shapes that LangSmith's clients and OpenAI-like outputs carry it.</summary>
internal static class UsageReader
{
    public static TokenUsage? FromOutputs(JsonElement outputs)
    {
        if (outputs.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        return Find(Get(outputs, "usage_metadata"))
            ?? Find(Get(outputs, "usage"))
            ?? Find(Get(Get(outputs, "llm_output"), "token_usage"))
            ?? FromGenerations(Get(outputs, "generations"), 0);
    }

    /// <summary>Reads one usage object; null when it is none.</summary>
    public static TokenUsage? Find(JsonElement usage)
    {
        if (usage.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var prompt = Number(usage, "input_tokens") ?? Number(usage, "prompt_tokens");
        var completion = Number(usage, "output_tokens") ?? Number(usage, "completion_tokens");
        var total = Number(usage, "total_tokens");
        var cost = Cost(usage);
        if (prompt is null && completion is null && total is null && cost is null)
        {
            return null;
        }

        var details = Counts(
            usage,
            "input_token_details",
            "prompt_tokens_details",
            "input_tokens_details"
        );
        // Anthropic's input_tokens leave cached ones out and name them beside; here a prompt includes them.
        var cacheRead = Number(usage, "cache_read_input_tokens") ?? 0;
        var cacheCreation = Number(usage, "cache_creation_input_tokens") ?? 0;
        if (cacheRead + cacheCreation > 0)
        {
            details = new Dictionary<string, long>
            {
                ["cache_read"] = cacheRead,
                ["cache_creation"] = cacheCreation,
            };
            prompt = (prompt ?? 0) + cacheRead + cacheCreation;
        }

        return new TokenUsage
        {
            PromptTokens = prompt ?? 0,
            CompletionTokens = completion ?? 0,
            TotalTokens = total ?? (prompt ?? 0) + (completion ?? 0),
            PromptDetails = details,
            CompletionDetails = Counts(
                usage,
                "output_token_details",
                "completion_tokens_details",
                "output_tokens_details"
            ),
            ReportedCost = cost,
        };
    }

    private static TokenUsage? FromGenerations(JsonElement generations, int depth)
    {
        if (depth > 3 || generations.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        foreach (var item in generations.EnumerateArray())
        {
            var found =
                item.ValueKind == JsonValueKind.Array
                    ? FromGenerations(item, depth + 1)
                    : Find(Get(Get(Get(item, "message"), "kwargs"), "usage_metadata"))
                        ?? Find(Get(Get(item, "message"), "usage_metadata"));
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    private static RunCost? Cost(JsonElement usage)
    {
        var prompt = Money(usage, "input_cost");
        var completion = Money(usage, "output_cost");
        var total = Money(usage, "total_cost");
        if (prompt is null && completion is null && total is null)
        {
            return null;
        }

        return new RunCost
        {
            Prompt = prompt ?? 0,
            Completion = completion ?? 0,
            Total = total ?? (prompt ?? 0) + (completion ?? 0),
            PromptDetails = Costs(usage, "input_cost_details"),
            CompletionDetails = Costs(usage, "output_cost_details"),
            Source = FigureSource.Reported,
        };
    }

    private static Dictionary<string, long>? Counts(
        JsonElement usage,
        params ReadOnlySpan<string> names
    )
    {
        foreach (var name in names)
        {
            if (Get(usage, name) is { ValueKind: JsonValueKind.Object } details)
            {
                var counts = new Dictionary<string, long>();
                foreach (var part in details.EnumerateObject())
                {
                    if (Count(part.Value) is { } count)
                    {
                        counts[PartName(part.Name)] = count;
                    }
                }

                return counts;
            }
        }

        return null;
    }

    /// <summary>OpenAI's names of parts in the field's words.</summary>
    private static string PartName(string name) =>
        name switch
        {
            "cached_tokens" => "cache_read",
            _ => name.EndsWith("_tokens", StringComparison.Ordinal) ? name[..^7] : name,
        };

    private static Dictionary<string, decimal>? Costs(JsonElement usage, string name)
    {
        if (Get(usage, name) is not { ValueKind: JsonValueKind.Object } details)
        {
            return null;
        }

        var costs = new Dictionary<string, decimal>();
        foreach (var part in details.EnumerateObject())
        {
            if (Amount(part.Value) is { } amount)
            {
                costs[part.Name] = amount;
            }
        }

        return costs;
    }

    private static long? Number(JsonElement json, string name) => Count(Get(json, name));

    private static decimal? Money(JsonElement json, string name) => Amount(Get(json, name));

    /// <summary>A count: clients send whole numbers, sometimes as doubles; what is negative or absurd is no count.</summary>
    private static long? Count(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && number is >= 0 and <= 1e15
            ? (long)number
            : null;

    private static decimal? Amount(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetDecimal(out var amount)
        && amount is >= 0 and < 1_000_000_000
            ? amount
            : null;

    private static JsonElement Get(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : default;
}
