using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Assay.Core.Access;
using Assay.Core.Samples;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Start;

/// <summary>Sample data, in and out.</summary>
internal static class StartEndpoints
{
    public static void MapStart(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/events", Watch);
        ui.MapPost("/samples", LoadAsync).PageNeeds(Permission.Write);
        ui.MapPost("/start/key", MakeKeyAsync).PageNeeds(Permission.Ingest);
        ui.MapDelete("/samples", RemoveAsync).PageNeeds(Permission.Write);
    }

    /// <summary>The traces that arrive, for the page that waits for the first.</summary>
    private static ServerSentEventsResult<string> Watch(TraceFeed feed, CurrentCaller caller) =>
        TypedResults.ServerSentEvents(Arrivals(feed, caller, caller.Aborted));

    private static async IAsyncEnumerable<SseItem<string>> Arrivals(
        TraceFeed feed,
        CurrentCaller caller,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // At once, so that the answer begins: whoever waits for its head would wait for the first run otherwise.
        yield return new SseItem<string>("", "begin");
        await foreach (
            var change in feed.WatchAsync(caller.Value.WorkspaceId, null, null, cancellationToken)
        )
        {
            yield return new SseItem<string>(change.TraceId.ToString(), "changed");
        }
    }

    private static async Task<IResult> LoadAsync(SampleData samples, CurrentCaller caller) =>
        Results.Json(new { project = await samples.LoadAsync(caller.Value, caller.Aborted) });

    private static async Task<IResult> RemoveAsync(SampleData samples, CurrentCaller caller) =>
        await samples.RemoveAsync(caller.Value, caller.Aborted)
            ? Results.Ok()
            : Results.NotFound(new { detail = "There is no sample project." });

    /// <summary>A key for the snippets: it may only send, and belongs to the person who asks.</summary>
    private static async Task<IResult> MakeKeyAsync(
        ApiKeys keys,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        if (!caller.Value.May(Permission.Manage) && caller.Value.UserId is null)
        {
            return Results.BadRequest(new { detail = "Only people can make a key here." });
        }

        var (_, secret) = await keys.CreateAsync(
            caller.Value,
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"Get started, {time.GetUtcNow():d MMM yyyy}"
            ),
            KeyScope.Ingest,
            null,
            isPersonal: true,
            caller.Aborted
        );
        return Results.Json(new { key = secret });
    }
}
