using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>
/// What LangSmith's wire has no words for: metrics over steps and files of an experiment, under its session. Only here; plain REST for any
/// language.
/// </summary>
internal static class TrackingEndpoints
{
    private const int MaxPoints = 10_000;

    public static void MapTracking(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/sessions/{id:guid}/metrics", LogAsync).Needs(Permission.Ingest);
        app.MapGet("/api/v1/sessions/{id:guid}/metrics", SeriesAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/sessions/{id:guid}/artifacts", ListAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/sessions/{id:guid}/artifacts/{**name}", PutAsync)
            .Needs(Permission.Ingest);
        app.MapGet("/api/v1/sessions/{id:guid}/artifacts/{**name}", GetAsync)
            .Needs(Permission.Read);
        app.MapDelete("/api/v1/sessions/{id:guid}/artifacts/{**name}", DeleteAsync)
            .Needs(Permission.Delete);
    }

    /// <summary><c>{"step": 3, "metrics": {"loss": 0.2}}</c> or <c>{"points": [{"key", "step", "value", "time"}]}</c>.</summary>
    private static async Task<IResult> LogAsync(
        Guid id,
        HttpContext context,
        ExperimentLog log,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var now = time.GetUtcNow();
        var points = new List<MetricPoint>();
        if (json.Has("metrics"))
        {
            if (json.Field("metrics") is not { ValueKind: JsonValueKind.Object } metrics)
            {
                throw BodyFields.Wrong("metrics", "an object of numbers by name");
            }

            var step = Step(json, "step");
            foreach (var metric in metrics.EnumerateObject())
            {
                points.Add(
                    Point(metric.Name, step, metric.Value, json.Moment("time") ?? now, "metrics")
                );
            }
        }

        if (json.Has("points"))
        {
            if (json.Field("points") is not { ValueKind: JsonValueKind.Array } list)
            {
                throw BodyFields.Wrong("points", "a list");
            }

            var place = 0;
            foreach (var item in list.EnumerateArray())
            {
                var where = $"points[{place++}]";
                if (item.ValueKind != JsonValueKind.Object)
                {
                    throw BodyFields.Wrong(where, "an object");
                }

                points.Add(
                    Point(
                        item.StrictText("key") ?? "",
                        Step(item, $"{where}.step"),
                        item.Field("value"),
                        item.Moment("time") ?? now,
                        where
                    )
                );
            }
        }

        if (points.Count == 0)
        {
            return Errors.Invalid("metrics or points must be given");
        }

        await log.WriteAsync(context.Caller(), id, points, context.RequestAborted);
        return Results.Json(new { written = points.Count });
    }

    private static async Task<IResult> SeriesAsync(Guid id, HttpContext context, ExperimentLog log)
    {
        var q = context.Request.Query;
        var (series, total) = await log.SeriesAsync(
            context.Caller(),
            id,
            q.Word("key"),
            q.Whole("max_points", 1_000, 2, MaxPoints),
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("series");
            foreach (var one in series)
            {
                w.WriteStartObject();
                w.WriteString("key", one.Key);
                w.WriteNumber("count", one.Count);
                w.WriteStartArray("points");
                foreach (var point in one.Points)
                {
                    w.WriteStartObject();
                    w.WriteNumber("step", point.Step);
                    w.WriteNumber("value", point.Value);
                    w.WriteString("time", WireAsOf.Time(point.At));
                    w.WriteEndObject();
                }

                w.WriteEndArray();
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteNumber("total_series", total);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        ExperimentArtifacts artifacts
    )
    {
        var found = await artifacts.ListAsync(context.Caller(), id, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var artifact in found)
            {
                Write(w, artifact);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> PutAsync(
        Guid id,
        string? name,
        HttpContext context,
        ExperimentArtifacts artifacts
    )
    {
        await using var body = RequestBody.Open(context.Request);
        var kept = await artifacts.PutAsync(
            context.Caller(),
            id,
            name ?? "",
            context.Request.ContentType is { Length: > 0 and <= 200 } type
                ? type
                : "application/octet-stream",
            body,
            context.RequestAborted
        );
        return WireResult.Json(w => Write(w, kept));
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        string? name,
        HttpContext context,
        ExperimentArtifacts artifacts
    )
    {
        if (
            await artifacts.OpenAsync(context.Caller(), id, name ?? "", context.RequestAborted)
            is not var (artifact, content)
        )
        {
            return Errors.NotFound("Artifact");
        }

        // Whatever a client kept is never run by a browser on our origin.
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.File(
            content,
            artifact.ContentType,
            artifact.Name[(artifact.Name.LastIndexOf('/') + 1)..],
            artifact.CreatedAt,
            new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{artifact.Sha256}\""),
            enableRangeProcessing: true
        );
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        string? name,
        HttpContext context,
        ExperimentArtifacts artifacts
    ) =>
        await artifacts.DeleteAsync(context.Caller(), id, name ?? "", context.RequestAborted)
            ? Results.Json(new { message = "Artifact deleted" })
            : Errors.NotFound("Artifact");

    private static MetricPoint Point(
        string key,
        long step,
        JsonElement value,
        DateTimeOffset at,
        string where
    )
    {
        if (key.Length is 0 or > ExperimentLog.MaxKey || key.Any(char.IsControl))
        {
            throw BodyFields.Wrong(
                $"{where}.key",
                $"a text of 1 to {ExperimentLog.MaxKey} characters"
            );
        }

        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number)
            && double.IsFinite(number)
            ? new MetricPoint
            {
                Key = key,
                Step = step,
                Value = number,
                At = at,
            }
            : throw BodyFields.Wrong($"{where}.{key}", "a number");
    }

    private static long Step(JsonElement json, string where) =>
        json.Field("step") is { ValueKind: JsonValueKind.Number } step
        && step.TryGetInt64(out var n)
            ? n
            : throw BodyFields.Wrong(where, "a whole number");

    private static void Write(Utf8JsonWriter w, ExperimentArtifact artifact)
    {
        w.WriteStartObject();
        w.WriteString("name", artifact.Name);
        w.WriteString("content_type", artifact.ContentType);
        w.WriteNumber("size", artifact.Length);
        w.WriteString("sha256", artifact.Sha256);
        w.WriteString("created_at", WireAsOf.Time(artifact.CreatedAt));
        w.WriteEndObject();
    }
}
