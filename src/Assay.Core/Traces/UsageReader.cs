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

        return new TokenUsage
        {
            PromptTokens = prompt ?? 0,
            CompletionTokens = completion ?? 0,
            TotalTokens = total ?? (prompt ?? 0) + (completion ?? 0),
            PromptDetails =
                Counts(usage, "input_token_details") ?? Counts(usage, "prompt_tokens_details"),
            CompletionDetails =
                Counts(usage, "output_token_details") ?? Counts(usage, "completion_tokens_details"),
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

    private static Dictionary<string, long>? Counts(JsonElement usage, string name) =>
        Get(usage, name) is { ValueKind: JsonValueKind.Object } details
            ? details
                .EnumerateObject()
                .Where(p => Count(p.Value) is not null)
                .ToDictionary(p => p.Name, p => Count(p.Value) ?? 0)
            : null;

    private static Dictionary<string, decimal>? Costs(JsonElement usage, string name) =>
        Get(usage, name) is { ValueKind: JsonValueKind.Object } details
            ? details
                .EnumerateObject()
                .Where(p => Amount(p.Value) is not null)
                .ToDictionary(p => p.Name, p => Amount(p.Value) ?? 0)
            : null;

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
