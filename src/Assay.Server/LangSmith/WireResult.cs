using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>JSON written straight to the response.</summary>
internal sealed class WireResult(Action<Utf8JsonWriter> write, int? status) : IResult
{
    /// <param name="write">Writes the body.</param>
    /// <param name="status">Null leaves the status the handler set, 200 if it set none.</param>
    public static IResult Json(Action<Utf8JsonWriter> write, int? status = null) =>
        new WireResult(write, status);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status ?? httpContext.Response.StatusCode;
        httpContext.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(httpContext.Response.BodyWriter);
        write(writer);
        await writer.FlushAsync(httpContext.RequestAborted);
    }
}
