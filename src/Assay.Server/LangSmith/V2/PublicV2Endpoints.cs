using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.V2;

/// <summary>What a share token opens, in v2. Fields that tell of the workspace around the runs stay absent.</summary>
internal static class PublicV2Endpoints
{
    private static readonly string[] s_ofTheWorkspace =
    [
        "PROJECT_ID",
        "APP_PATH",
        "THREAD_ID",
        "REFERENCE_DATASET_ID",
    ];

    public static void MapPublicV2(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v2/public/{token:guid}/runs/query", QueryAsync).IsOpen();
        app.MapGet("/api/v2/public/{token:guid}/run/{id:guid}", GetAsync).IsOpen();
    }

    private static async Task<IResult> QueryAsync(
        Guid token,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var selects = Selection(document.AsObject().Texts("selects"));
        if (await links.OpenAsync(token, context.RequestAborted) is not { } shared)
        {
            return Errors.NotFound("Shared run");
        }

        var runs = await shared.ReadAsync(
            [.. shared.Runs.Select(r => r.Id)],
            selects.Parts,
            context.RequestAborted
        );
        var output = Output(context, selects, shared, protection);
        return new V2Page<Run>(runs, output.Write, isPaged: false);
    }

    private static async Task<IResult> GetAsync(
        Guid token,
        Guid id,
        HttpContext context,
        ShareLinks links,
        IDataProtectionProvider protection
    )
    {
        var selects = Selection(context.Request.Query["selects"]);
        if (
            await links.OpenAsync(token, context.RequestAborted) is not { } shared
            || await shared.ReadAsync([id], selects.Parts, context.RequestAborted) is not [var run]
        )
        {
            return Errors.NotFound("Shared run");
        }

        var output = Output(context, selects, shared, protection);
        return WireResult.Json(w => output.Write(w, run));
    }

    private static RunSelection Selection(IEnumerable<string?> names) =>
        new(names.Where(n => !s_ofTheWorkspace.Contains(n?.ToUpperInvariant())));

    private static RunV2Out Output(
        HttpContext context,
        RunSelection selects,
        SharedRuns shared,
        IDataProtectionProvider protection
    ) =>
        new(
            selects,
            shared.Link.WorkspaceId,
            V2Question.Host(context),
            Attachments.Url(context, protection),
            new RunRelations
            {
                ShareTokens = new Dictionary<Guid, Guid>
                {
                    [shared.Link.RunId] = shared.Link.Token,
                },
            }
        );
}
