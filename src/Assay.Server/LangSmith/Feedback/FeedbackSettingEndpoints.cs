using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Feedback;

/// <summary>What feedback keys mean (configs) and scores computed from others (formulas), on LangSmith's wire.</summary>
internal static class FeedbackSettingEndpoints
{
    public static void MapFeedbackSettings(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/feedback-configs", CreateConfigAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/feedback-configs", ListConfigsAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/feedback-configs", ChangeConfigAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/feedback-configs", DeleteConfigAsync).Needs(Permission.Delete);
        app.MapPost("/api/v1/feedback/formulas", CreateFormulaAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/feedback/formulas", ListFormulasAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/feedback/formulas/{id:guid}", GetFormulaAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/feedback/formulas/{id:guid}", ChangeFormulaAsync)
            .Needs(Permission.Write);
        app.MapDelete("/api/v1/feedback/formulas/{id:guid}", DeleteFormulaAsync)
            .Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateConfigAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        var (key, config) = (Key(json), Config(json.Field("feedback_config")));
        var workspace = context.Caller().WorkspaceId;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        await using var transaction = await db.Database.BeginTransactionAsync(
            context.RequestAborted
        );
        var known = await FindAsync(db, workspace, key, context.RequestAborted);
        if (known is not null)
        {
            var isSame =
                JsonNode.DeepEquals(JsonNode.Parse(known.ConfigJson), JsonNode.Parse(config))
                && (json.Flag("is_lower_score_better") ?? false)
                    == (known.IsLowerScoreBetter ?? false);
            return isSame
                ? WireResult.Json(w => Write(w, known))
                : Errors.Detail(
                    StatusCodes.Status400BadRequest,
                    $"Feedback config for key '{key}' already exists with other settings"
                );
        }

        var made = new FeedbackConfig
        {
            WorkspaceId = workspace,
            Key = key,
            ConfigJson = config,
            IsLowerScoreBetter = json.Flag("is_lower_score_better") ?? false,
            ModifiedAt = time.GetUtcNow(),
        };
        db.FeedbackConfigs.Add(made);
        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        return WireResult.Json(w => Write(w, made));
    }

    private static async Task<IResult> ListConfigsAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var q = context.Request.Query;
        var workspace = context.Caller().WorkspaceId;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var keys = q.Words("key");
        var part = q.Word("name_contains") ?? "";
        var found = (
            await db
                .FeedbackConfigs.AsNoTracking()
                .Where(c => c.WorkspaceId == workspace)
                .OrderBy(c => c.Key)
                .ToListAsync(context.RequestAborted)
        )
            .Where(c => keys.Count == 0 || keys.Contains(c.Key))
            .Where(c => c.Key.Contains(part, StringComparison.OrdinalIgnoreCase));
        if (q.Flag("sort_by_desc") == true)
        {
            found = found.Reverse();
        }

        var page = found
            .Skip(q.Whole("offset", 0, 0, int.MaxValue))
            .Take(q.Whole("limit", 100, 1, 1_000))
            .ToList();
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            page.ForEach(c => Write(w, c));
            w.WriteEndArray();
        });
    }

    private static async Task<IResult> ChangeConfigAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (
            await FindAsync(db, context.Caller().WorkspaceId, Key(json), context.RequestAborted)
            is not { } known
        )
        {
            return Errors.NotFound("Feedback config");
        }

        if (json.Field("feedback_config").IsSaid())
        {
            known.ConfigJson = Config(json.Field("feedback_config"));
        }

        known.IsLowerScoreBetter = json.Flag("is_lower_score_better") ?? known.IsLowerScoreBetter;
        known.ModifiedAt = time.GetUtcNow();
        await db.SaveChangesAsync(context.RequestAborted);
        return WireResult.Json(w => Write(w, known));
    }

    private static async Task<IResult> DeleteConfigAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        if (context.Request.Query.Word("feedback_key") is not { } key)
        {
            return Errors.Invalid("feedback_key: is needed");
        }

        var workspace = context.Caller().WorkspaceId;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        await db
            .FeedbackConfigs.Where(c => c.WorkspaceId == workspace && c.Key == key)
            .ExecuteDeleteAsync(context.RequestAborted);
        return Results.NoContent();
    }

    private static async Task<IResult> CreateFormulaAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        var (key, aggregation, parts) = Formula(json);
        if (json.Uuid("dataset_id") is null == json.Uuid("session_id") is null)
        {
            return Errors.Invalid("Exactly one of dataset_id and session_id must be given");
        }

        var now = time.GetUtcNow();
        var made = new FeedbackFormula
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = context.Caller().WorkspaceId,
            DatasetId = json.Uuid("dataset_id"),
            ProjectId = json.Uuid("session_id"),
            Key = key,
            Aggregation = aggregation,
            PartsJson = parts,
            CreatedAt = now,
            ModifiedAt = now,
        };
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        db.FeedbackFormulas.Add(made);
        await db.SaveChangesAsync(context.RequestAborted);
        return WireResult.Json(w => Write(w, made));
    }

    private static async Task<IResult> ListFormulasAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var q = context.Request.Query;
        var workspace = context.Caller().WorkspaceId;
        Guid? dataset = q.Uuids("dataset_id") is [var d, ..] ? d : null;
        Guid? project = q.Uuids("session_id") is [var s, ..] ? s : null;
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var found = await db
            .FeedbackFormulas.AsNoTracking()
            .Where(f =>
                f.WorkspaceId == workspace
                && (dataset == null || f.DatasetId == dataset)
                && (project == null || f.ProjectId == project)
            )
            .OrderBy(f => f.CreatedAt)
            .Skip(q.Whole("offset", 0, 0, int.MaxValue))
            .Take(q.Whole("limit", 20, 1, 100))
            .ToListAsync(context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            found.ForEach(f => Write(w, f));
            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetFormulaAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return await FindAsync(db, context, id) is { } found
            ? WireResult.Json(w => Write(w, found))
            : Errors.NotFound("Feedback formula");
    }

    private static async Task<IResult> ChangeFormulaAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } known)
        {
            return Errors.NotFound("Feedback formula");
        }

        (known.Key, known.Aggregation, known.PartsJson) = Formula(document.RootElement);
        known.ModifiedAt = time.GetUtcNow();
        await db.SaveChangesAsync(context.RequestAborted);
        return WireResult.Json(w => Write(w, known));
    }

    private static async Task<IResult> DeleteFormulaAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, id) is not { } known)
        {
            return Errors.NotFound("Feedback formula");
        }

        db.FeedbackFormulas.Remove(known);
        await db.SaveChangesAsync(context.RequestAborted);
        return Results.Json(new { message = "Feedback formula deleted" });
    }

    private static string Key(JsonElement json)
    {
        json.MustBeObject();
        return json.StrictText("feedback_key") is { Length: > 0 and <= 1_024 } key
            ? key
            : throw BodyFields.Wrong("feedback_key", "a text of 1 to 1,024 characters");
    }

    /// <summary>A config as it is kept: its type is known, its bounds are in order, its categories have values and names that are not empty.</summary>
    public static string Config(JsonElement json)
    {
        json.MustBeObject();
        if (json.StrictText("type") is not ("continuous" or "categorical" or "freeform"))
        {
            throw BodyFields.Wrong("feedback_config.type", "continuous, categorical or freeform");
        }

        var (min, max) = (Bound(json, "min"), Bound(json, "max"));
        if (min > max)
        {
            throw BodyFields.Wrong("feedback_config.min", "not above max");
        }

        if (json.ArrayText("categories") is not null)
        {
            foreach (var category in json.Items("categories"))
            {
                if (
                    category.ValueKind != JsonValueKind.Object
                    || category.Field("value").ValueKind != JsonValueKind.Number
                    || category.StrictText("label") is { Length: 0 }
                )
                {
                    throw BodyFields.Wrong(
                        "feedback_config.categories",
                        "a list of {value, label} with a number and a text that is not empty"
                    );
                }
            }
        }

        return json.GetRawText();
    }

    private static double? Bound(JsonElement json, string name) =>
        json.Field(name) switch
        {
            { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw BodyFields.Wrong($"feedback_config.{name}", "a number"),
        };

    private static (string Key, string Aggregation, string Parts) Formula(JsonElement json)
    {
        var key = Key(json);
        if (json.StrictText("aggregation_type") is not ("sum" or "avg"))
        {
            throw BodyFields.Wrong("aggregation_type", "sum or avg");
        }

        var parts = json.Items("formula_parts").ToList();
        if (
            parts.Count is 0 or > FeedbackFormulas.MaxParts
            || parts.Exists(p =>
                p.ValueKind != JsonValueKind.Object
                || p.Text("part_type") is not (null or "weighted_key")
                || p.Text("key") is not { Length: > 0 }
                || p.Field("weight").ValueKind != JsonValueKind.Number
            )
        )
        {
            throw BodyFields.Wrong(
                "formula_parts",
                $"a list of 1 to {FeedbackFormulas.MaxParts} parts with part_type weighted_key, key and weight"
            );
        }

        return (key, json.Text("aggregation_type")!, json.Field("formula_parts").GetRawText());
    }

    private static Task<FeedbackConfig?> FindAsync(
        MetadataContext db,
        Guid workspace,
        string key,
        CancellationToken cancellationToken
    ) =>
        db.FeedbackConfigs.SingleOrDefaultAsync(
            c => c.WorkspaceId == workspace && c.Key == key,
            cancellationToken
        );

    private static Task<FeedbackFormula?> FindAsync(
        MetadataContext db,
        HttpContext context,
        Guid id
    )
    {
        var workspace = context.Caller().WorkspaceId;
        return db.FeedbackFormulas.SingleOrDefaultAsync(
            f => f.WorkspaceId == workspace && f.Id == id,
            context.RequestAborted
        );
    }

    private static void Write(Utf8JsonWriter w, FeedbackConfig config)
    {
        w.WriteStartObject();
        w.WriteString("feedback_key", config.Key);
        w.WriteJson("feedback_config", config.ConfigJson);
        w.WriteString("tenant_id", config.WorkspaceId);
        w.WriteString("modified_at", WireAsOf.Time(config.ModifiedAt));
        w.WriteBoolean("is_lower_score_better", config.IsLowerScoreBetter ?? false);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, FeedbackFormula formula)
    {
        w.WriteStartObject();
        w.WriteString("id", formula.Id);
        w.WriteId("dataset_id", formula.DatasetId);
        w.WriteId("session_id", formula.ProjectId);
        w.WriteString("feedback_key", formula.Key);
        w.WriteString("aggregation_type", formula.Aggregation);
        w.WriteJson("formula_parts", formula.PartsJson);
        w.WriteString("created_at", WireAsOf.Time(formula.CreatedAt));
        w.WriteString("modified_at", WireAsOf.Time(formula.ModifiedAt));
        w.WriteEndObject();
    }
}
