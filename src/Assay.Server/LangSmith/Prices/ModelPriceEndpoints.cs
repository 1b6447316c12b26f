using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Models.Prices;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Prices;

/// <summary>The model price map on LangSmith's wire: dollars per token as decimal strings. Shipped prices are listed and cannot be changed.</summary>
internal static class ModelPriceEndpoints
{
    private const string Path = "/api/v1/model-price-map";

    public static void MapModelPrices(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, ListAsync).Needs(Permission.Read);
        app.MapPost(
                Path,
                (HttpContext context, PriceBook prices) => PutAsync(null, context, prices)
            )
            .Needs(Permission.Manage);
        app.MapPut(
                Path + "/{id:guid}",
                (Guid id, HttpContext context, PriceBook prices) => PutAsync(id, context, prices)
            )
            .Needs(Permission.Manage);
        app.MapDelete(Path + "/{id:guid}", DeleteAsync).Needs(Permission.Manage);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PriceBook prices)
    {
        var all = await prices.ListAsync(context.Caller(), context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var price in all)
            {
                Write(w, price);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> PutAsync(Guid? id, HttpContext context, PriceBook prices)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        try
        {
            return
                await prices.PutAsync(
                    context.Caller(),
                    id,
                    Read(document.RootElement),
                    context.RequestAborted
                )
                    is { } stored
                ? WireResult.Json(w => Write(w, stored))
                : Errors.NotFound("Model price");
        }
        catch (InvalidPriceException e)
        {
            return Errors.Invalid(e.Message);
        }
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        PriceBook prices
    ) =>
        await prices.DeleteAsync(context.Caller(), id, context.RequestAborted)
            ? Results.Json(new { message = "Model price deleted" })
            : Errors.NotFound("Model price");

    private static ModelPrice Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidPriceException("body", "must be an object");
        }

        if (!Wire.TryTime(json.Field("start_time"), out var start))
        {
            throw new InvalidPriceException("start_time", "must be a time");
        }

        return new ModelPrice
        {
            Name = json.Text("name") ?? throw Missing("name"),
            Provider = json.Text("provider"),
            MatchPattern = json.Text("match_pattern") ?? throw Missing("match_pattern"),
            MatchPath = json.Texts("match_path") is { Count: > 0 } path
                ? path
                : ModelPrice.DefaultMatchPath,
            StartTime = start,
            Prices = new TokenPrices(
                Price(json.Field("prompt_cost"), "prompt_cost"),
                Price(json.Field("completion_cost"), "completion_cost")
            )
            {
                PromptDetails = Details(json, "prompt_cost_details"),
                CompletionDetails = Details(json, "completion_cost_details"),
            },
        };
    }

    private static Dictionary<string, decimal> Details(JsonElement json, string name)
    {
        var details = new Dictionary<string, decimal>();
        if (json.Field(name) is { ValueKind: JsonValueKind.Object } values)
        {
            foreach (var item in values.EnumerateObject())
            {
                details[item.Name] = Price(item.Value, $"{name}.{item.Name}");
            }
        }

        return details;
    }

    private static decimal Price(JsonElement value, string field)
    {
        var price = value.ValueKind switch
        {
            JsonValueKind.Undefined => throw Missing(field),
            JsonValueKind.Number when value.TryGetDecimal(out var number) => number,
            JsonValueKind.String
                when decimal.TryParse(
                    value.GetString(),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var number
                ) => number,
            _ => throw new InvalidPriceException(field, "must be dollars per token"),
        };
        return price is >= 0 and <= 1_000
            ? price
            : throw new InvalidPriceException(
                field,
                "must be between 0 and 1000 dollars per token"
            );
    }

    private static void Write(Utf8JsonWriter w, ModelPrice price)
    {
        w.WriteStartObject();
        w.WriteString("id", price.Id);
        w.WriteString("name", price.Name);
        w.WriteString("provider", price.Provider);
        w.WriteString(
            "tenant_id",
            price.WorkspaceId == Guid.Empty ? null : price.WorkspaceId.ToString()
        );
        w.WriteTime("start_time", price.StartTime);
        w.WriteString("match_pattern", price.MatchPattern);
        w.WriteTexts("match_path", price.MatchPath);
        w.WriteString("prompt_cost", Wire.Money(price.Prices.Prompt));
        w.WriteString("completion_cost", Wire.Money(price.Prices.Completion));
        WriteDetails(w, "prompt_cost_details", price.Prices.PromptDetails);
        WriteDetails(w, "completion_cost_details", price.Prices.CompletionDetails);
        w.WriteEndObject();
    }

    private static void WriteDetails(
        Utf8JsonWriter w,
        string name,
        IReadOnlyDictionary<string, decimal> details
    )
    {
        if (details.Count == 0)
        {
            w.WriteNull(name);
            return;
        }

        w.WriteStartObject(name);
        foreach (var (kind, price) in details)
        {
            w.WriteString(kind, Wire.Money(price));
        }

        w.WriteEndObject();
    }

    private static InvalidPriceException Missing(string field) => new(field, "is required");
}
