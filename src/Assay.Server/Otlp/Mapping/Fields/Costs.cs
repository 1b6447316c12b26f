using System.Text.Json.Nodes;
using Assay.Core.Models;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>The cost a producer reports, in US dollars. A zero is passed on as it is: beside tokens it means that the price is unknown. Pure.</summary>
internal static class Costs
{
    public static RunCost? Read(SpanView span) =>
        OfJson(span.Json("langfuse.observation.cost_details"))
        ?? OfOpenInference(span)
        ?? Whole(span.Number("gen_ai.usage.cost"))
        ?? Whole(span.Number("operation.cost"))
        ?? OfJson(span.Json("mlflow.llm.cost"))
        ?? Whole(span.Number("cost_usd"));

    private static RunCost? OfJson(JsonNode? cost)
    {
        var prompt = Amount(cost.Get("input", "input_cost", "prompt").Number());
        var completion = Amount(cost.Get("output", "output_cost", "completion").Number());
        var total = Amount(cost.Get("total", "total_cost").Number());
        return Sum(prompt, completion, total);
    }

    private static RunCost? OfOpenInference(SpanView span) =>
        Sum(
            Amount(span.Number("llm.cost.prompt")),
            Amount(span.Number("llm.cost.completion")),
            Amount(span.Number("llm.cost.total"))
        );

    private static RunCost? Whole(double? total) => Sum(null, null, Amount(total));

    private static RunCost? Sum(decimal? prompt, decimal? completion, decimal? total) =>
        prompt is null && completion is null && total is null
            ? null
            : new RunCost
            {
                Prompt = prompt ?? 0,
                Completion = completion ?? 0,
                Total = total ?? (prompt ?? 0) + (completion ?? 0),
                Source = FigureSource.Reported,
            };

    private static decimal? Amount(double? amount) =>
        amount is >= 0 and < 1_000_000_000 ? (decimal)amount.Value : null;
}
