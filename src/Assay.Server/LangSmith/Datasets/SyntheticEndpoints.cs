using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Models.Providers;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>LangSmith's synthetic examples: a model makes them up after those of the dataset, and they are written at once, unless the body says <c>preview</c>.</summary>
internal static class SyntheticEndpoints
{
    public static void MapSynthetic(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/datasets/{id:guid}/generate", GenerateAsync).Needs(Permission.Write);

    private static async Task<IResult> GenerateAsync(
        Guid id,
        HttpContext context,
        SyntheticExamples synthetic,
        ExampleReader reader,
        ModelProviders providers,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var caller = context.Caller();
        // Only here: whose model, as provider/model.
        var model = json.StrictText("model")?.Split('/', 2);
        var provider =
            model is null ? null
            : (await providers.ListAsync(caller, context.RequestAborted)).FirstOrDefault(p =>
                string.Equals(p.Name, model[0], StringComparison.OrdinalIgnoreCase)
            )
                is { } named
                ? named
            : throw BodyFields.Wrong("model", "provider/model of a provider of the workspace");
        var proposal = await synthetic.ProposeAsync(
            caller,
            id,
            new SyntheticWish(
                json.Number("num_examples")
                    ?? throw BodyFields.Wrong(
                        "num_examples",
                        $"1 to {SyntheticExamples.MaxExamples}"
                    )
            )
            {
                ExampleIds = json.Uuids("example_ids"),
                Instructions = json.StrictText("instructions"),
                ProviderId = provider?.Id,
                Model = model is [_, { Length: > 0 } name] ? name : null,
            },
            context.RequestAborted
        );
        if (json.Flag("preview") == true)
        {
            return WireResult.Json(w =>
            {
                w.WriteStartArray();
                foreach (var example in proposal.Examples)
                {
                    w.WriteStartObject();
                    w.WriteJson("inputs", example.InputsJson);
                    w.WriteJson("outputs", example.OutputsJson);
                    w.WriteEndObject();
                }

                w.WriteEndArray();
            });
        }

        var receipt = await synthetic.AcceptAsync(
            caller,
            id,
            proposal.Examples,
            proposal.Model,
            context.RequestAborted
        );
        var written = await reader.ListAsync(
            caller,
            new ExampleQuery
            {
                DatasetId = id,
                Ids = receipt.Ids,
                Limit = receipt.Ids.Count,
            },
            context.RequestAborted
        );
        return DatasetOut.List(written, ExampleEndpoints.FileUrl(context, protection));
    }
}
