using System.Text.Json;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Assay.Server.LangSmith.Sharing;

/// <summary>
/// What a share token opens, without a key: the shared run and its descendants, read only. Everything else under the token is 404,
/// as is a token that does not exist or was revoked.
/// </summary>
internal static class PublicRunEndpoints
{
    private const int PageSize = 100;

    public static void MapPublicRuns(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/public/{token:guid}/run", GetSharedAsync).IsOpen();
        app.MapGet("/api/v1/public/{token:guid}/run/{id:guid}", GetAsync).IsOpen();
        app.MapPost("/api/v1/public/{token:guid}/runs/query", QueryAsync).IsOpen();

        // The JavaScript client forgets the question mark: /public/TOKEN/runsshare_token=TOKEN&id=ID.
        app.MapGet("/api/v1/public/{token:guid}/runs{query}", ListAsync).IsOpen();
        app.MapGet("/api/v1/public/{token:guid}/runs", ListAsync).IsOpen();
        app.MapGet("/api/v1/public/{token:guid}/feedbacks", FeedbackAsync).IsOpen();
    }

    private static Task<IResult> GetSharedAsync(
        Guid token,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    ) => AnswerAsync(token, null, context, links, protection);

    private static Task<IResult> GetAsync(
        Guid token,
        Guid id,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    ) => AnswerAsync(token, id, context, links, protection);

    private static async Task<IResult> AnswerAsync(
        Guid token,
        Guid? id,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    )
    {
        if (
            await links.OpenAsync(token, context.RequestAborted) is not { } shared
            || await shared.ReadAsync(
                [id ?? shared.Link.RunId],
                RunParts.All,
                context.RequestAborted
            )
                is not [var run]
        )
        {
            return Errors.NotFound("Shared run");
        }

        var relations = Relations(shared);
        return WireResult.Json(w =>
            RunOut.WritePublic(w, run, Attachments.Url(context, protection), relations)
        );
    }

    private static async Task<IResult> QueryAsync(
        Guid token,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var ids = json.Ids("id");
        var skip = OffsetCursor.Read(json.Text("cursor"));
        if (await links.OpenAsync(token, context.RequestAborted) is not { } shared)
        {
            return Errors.NotFound("Shared run");
        }

        var wanted = shared.Runs.Select(r => r.Id).Where(r => ids.Count == 0 || ids.Contains(r));
        var page = wanted.Skip(skip).Take(PageSize + 1).ToList();
        var runs = await shared.ReadAsync(
            [.. page.Take(PageSize)],
            RunParts.All,
            context.RequestAborted
        );
        var relations = Relations(shared);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("runs");
            Write(w, runs, relations, context, protection);
            w.WriteEndArray();
            w.WriteStartObject("cursors");
            w.WriteString("next", OffsetCursor.Next(skip, PageSize, page.Count > PageSize));
            w.WriteNull("prev");
            w.WriteEndObject();
            w.WriteNull("parsed_query");
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> ListAsync(
        Guid token,
        string? query,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    )
    {
        var asked = query is null
            ? context.Request.Query["id"]
            : QueryHelpers.ParseQuery(query).GetValueOrDefault("id");
        var ids = asked.Select(v => Guid.TryParse(v, out var id) ? id : Guid.Empty).ToHashSet();
        if (await links.OpenAsync(token, context.RequestAborted) is not { } shared)
        {
            return Errors.NotFound("Shared run");
        }

        // No cursor on this call: a trace of more runs than this is read with POST …/runs/query.
        var runs = await shared.ReadAsync(
            [
                .. shared
                    .Runs.Select(r => r.Id)
                    .Where(r => ids.Count == 0 || ids.Contains(r))
                    .Take(1_000),
            ],
            RunParts.All,
            context.RequestAborted
        );
        var relations = Relations(shared);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            Write(w, runs, relations, context, protection);
            w.WriteEndArray();
        });
    }

    private static async Task<IResult> FeedbackAsync(
        Guid token,
        HttpContext context,
        ShareLinks links
    )
    {
        if (await links.OpenAsync(token, context.RequestAborted) is not { } shared)
        {
            return Errors.NotFound("Shared run");
        }

        var q = context.Request.Query;
        var items = await shared.FeedbackAsync(
            new FeedbackQuery
            {
                WorkspaceId = shared.Link.WorkspaceId,
                RunIds = [.. q["run"].Select(v => Guid.TryParse(v, out var id) ? id : Guid.Empty)],
                Keys = [.. q["key"].OfType<string>()],
                Limit = q.Int("limit", 100, 1, 100),
                Offset = q.Int("offset", 0, 0, int.MaxValue),
            },
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in items)
            {
                FeedbackJson.WritePublic(w, item);
            }

            w.WriteEndArray();
        });
    }

    private static void Write(
        Utf8JsonWriter w,
        IReadOnlyList<Run> runs,
        RunRelations relations,
        HttpContext context,
        IDataProtectionProvider protection
    )
    {
        foreach (var run in runs)
        {
            RunOut.WritePublic(w, run, Attachments.Url(context, protection), relations);
        }
    }

    private static RunRelations Relations(SharedRuns shared) =>
        new()
        {
            Traces = new Dictionary<Guid, TraceShape>
            {
                [shared.Link.TraceId] = new TraceShape(shared.Runs),
            },
        };
}
