using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>LangSmith's experiment view overrides: how columns of a dataset's experiments are to be shown. The newest of a dataset is what the pages here go by.</summary>
internal static class ExperimentViewEndpoints
{
    private const int MaxColumns = 50;
    private const int MaxName = 200;

    public static void MapExperimentViews(this IEndpointRouteBuilder app)
    {
        const string path = "/api/v1/datasets/{id:guid}/experiment-view-overrides";
        app.MapGet(path, ListAsync).Needs(Permission.Read);
        app.MapPost(path, CreateAsync).Needs(Permission.Write);
        app.MapGet(path + "/{view:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch(path + "/{view:guid}", ChangeAsync).Needs(Permission.Write);
        app.MapDelete(path + "/{view:guid}", DeleteAsync).Needs(Permission.Write);
    }

    private static async Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        ExperimentViews views
    )
    {
        var found = await views.ListAsync(context.Caller(), id, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var view in found)
            {
                Write(w, view);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        Guid view,
        HttpContext context,
        ExperimentViews views
    )
    {
        var found = await views.ListAsync(context.Caller(), id, context.RequestAborted);
        return found.FirstOrDefault(v => v.Id == view) is { } one
            ? WireResult.Json(w => Write(w, one))
            : Errors.NotFound("Experiment view override");
    }

    private static async Task<IResult> CreateAsync(
        Guid id,
        HttpContext context,
        ExperimentViews views
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var made = await views.CreateAsync(
            context.Caller(),
            id,
            Columns(document.RootElement),
            context.RequestAborted
        );
        context.Response.StatusCode = StatusCodes.Status201Created;
        return WireResult.Json(w => Write(w, made));
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        Guid view,
        HttpContext context,
        ExperimentViews views
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return
            await views.ChangeAsync(
                context.Caller(),
                id,
                view,
                Columns(document.RootElement),
                context.RequestAborted
            )
                is { } changed
            ? WireResult.Json(w => Write(w, changed))
            : Errors.NotFound("Experiment view override");
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        Guid view,
        HttpContext context,
        ExperimentViews views
    ) =>
        await views.DeleteAsync(context.Caller(), id, view, context.RequestAborted)
            ? Results.NoContent()
            : Errors.NotFound("Experiment view override");

    private static string Columns(JsonElement json)
    {
        json.MustBeObject();
        if (
            json.Field("column_overrides") is not { ValueKind: JsonValueKind.Array } columns
            || columns.GetArrayLength() is 0 or > MaxColumns
        )
        {
            throw BodyFields.Wrong("column_overrides", $"a list of 1 to {MaxColumns} columns");
        }

        var place = 0;
        foreach (var column in columns.EnumerateArray())
        {
            var where = $"column_overrides[{place++}]";
            if (
                column.ValueKind != JsonValueKind.Object
                || column.StrictText("column") is not { Length: > 0 and <= MaxName }
            )
            {
                throw BodyFields.Wrong($"{where}.column", $"a text of 1 to {MaxName} characters");
            }

            if (column.Number("precision") is < 1 or > 6)
            {
                throw BodyFields.Wrong($"{where}.precision", "1 to 6");
            }

            _ = (column.Flag("hide"), column.Flag("disable_colors"));
        }

        return columns.GetRawText();
    }

    private static void Write(Utf8JsonWriter w, ExperimentView view)
    {
        w.WriteStartObject();
        w.WriteString("id", view.Id);
        w.WriteString("dataset_id", view.DatasetId);
        w.WriteJson("column_overrides", view.ColumnsJson);
        w.WriteString("created_at", WireAsOf.Time(view.CreatedAt));
        w.WriteString("modified_at", WireAsOf.Time(view.ModifiedAt));
        w.WriteEndObject();
    }
}
