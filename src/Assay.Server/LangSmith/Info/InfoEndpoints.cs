using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Info;

/// <summary>What every client asks first: <c>/info</c> complete and without a key, and health.</summary>
internal static class InfoEndpoints
{
    public static void MapInfo(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/info", Info).IsOpen();
        app.MapGet("/api/v1/ok", () => Results.Json(new { ok = true })).IsOpen();
        app.MapGet("/api/v1/info/health", Ready).IsOpen();
        app.MapGet("/health/live", () => Results.Json(new { status = "live" })).IsOpen();
        app.MapGet("/health/ready", Ready).IsOpen();
    }

    private static IResult Info() =>
        Results.Json(
            new
            {
                // SDKs compare this with versions of LangSmith's server to learn what it can do, so it follows that numbering.
                version = "0.18.0",
                git_sha = (string?)null,
                license_expiration_time = (string?)null,
                customer_info = (object?)null,
                batch_ingest_config = new
                {
                    use_multipart_endpoint = true,
                    scale_up_qsize_trigger = 1000,
                    scale_up_nthreads_limit = 16,
                    scale_down_nempty_trigger = 4,
                    size_limit = 100,
                    size_limit_bytes = 20_971_520,
                },
                instance_flags = new
                {
                    zstd_compression_enabled = true,
                    gzip_body_enabled = true,
                    dataset_examples_multipart_enabled = true,
                    examples_multipart_enabled = true,
                    ch_query_enabled = true,
                    sdb_query_enabled = true,
                },
            }
        );

    private static IResult Ready(IRunStore store) =>
        store.Health is { Failure: { } failure }
            ? Results.Json(
                new { status = "failing", failure },
                statusCode: StatusCodes.Status503ServiceUnavailable
            )
            : Results.Json(
                new
                {
                    status = "ready",
                    backlog = store.Health.Backlog,
                    runs = store.Health.RunCount,
                    allocated_bytes = GC.GetTotalAllocatedBytes(),
                }
            );
}
