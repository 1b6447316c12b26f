using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Datasets;

/// <summary>
/// Deals a dataset out to splits for the screen. The answer is lines of JSON: <c>{"done": n}</c> now and then, which also keeps proxies from
/// giving up on a dataset of millions, at the end <c>{"moved": n}</c> or <c>{"problem": "…"}</c>. Who hangs up stops it, and nothing is changed.
/// </summary>
internal static class SplitDealEndpoints
{
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(250);

    public static void MapSplitDeals(this IEndpointRouteBuilder ui) =>
        ui.MapPost("/data/{datasetId:guid}/splits", DealAsync).PageNeeds(Permission.Write);

    private static async Task DealAsync(
        Guid datasetId,
        Deal deal,
        HttpContext context,
        DatasetSplits splits,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        var seen = new Count();
        // On a thread of its own: an embedded database works on the thread that asks, and nothing would be said meanwhile.
        var dealing = Task.Run(
            () => AssignAsync(datasetId, deal, splits, seen, caller),
            caller.Aborted
        );
        while (
            !caller.Aborted.IsCancellationRequested
            && await Task.WhenAny(dealing, Task.Delay(s_pace, time, caller.Aborted)) != dealing
        )
        {
            await SayAsync(context, new { done = seen.Value });
        }

        await SayAsync(context, await dealing);
    }

    private static async Task<object> AssignAsync(
        Guid datasetId,
        Deal deal,
        DatasetSplits splits,
        Count seen,
        CurrentCaller caller
    )
    {
        try
        {
            return new
            {
                moved = await splits.AssignSplitsAsync(
                    caller.Value,
                    datasetId,
                    [.. (deal.Splits ?? []).Select(s => (s.Name ?? "", s.Weight))],
                    deal.Seed,
                    caller.Aborted,
                    seen
                ),
            };
        }
        catch (DatasetProblemException e)
        {
            return new { problem = e.Message };
        }
    }

    private static async Task SayAsync(HttpContext context, object line)
    {
        await context.Response.WriteAsync(
            JsonSerializer.Serialize(line) + "\n",
            context.RequestAborted
        );
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    /// <summary>How it is to be dealt.</summary>
    private sealed record Deal(IReadOnlyList<Share>? Splits, ulong Seed);

    /// <summary>A split and its weight.</summary>
    private sealed record Share(string? Name, double Weight);

    /// <summary>Told on the dealing thread, read by the one that answers.</summary>
    private sealed class Count : IProgress<long>
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Report(long value) => Interlocked.Exchange(ref _value, value);
    }
}
