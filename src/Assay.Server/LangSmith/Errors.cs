using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Filters;
using Assay.Core.Insights;
using Assay.Core.Prompts;
using Assay.Core.Traces;
using Assay.UI.Layout;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Data.Sqlite;

namespace Assay.Server.LangSmith;

/// <summary>Errors in LangSmith's shape with the status its clients expect; see <see cref="WireError"/>.</summary>
internal static class Errors
{
    // SQLITE_BUSY and SQLITE_LOCKED, see https://www.sqlite.org/rescode.html
    private const int Busy = 5;
    private const int Locked = 6;
    private const string BusyRetryAfter = "5";

    public static IResult NotFound(string what) =>
        Detail(StatusCodes.Status404NotFound, $"{what} not found");

    public static IResult Invalid(string detail) =>
        Detail(StatusCodes.Status422UnprocessableEntity, detail);

    public static IResult Detail(int status, string detail) => new WireError(status, detail);

    /// <summary>A body for answers that have none: unknown routes and wrong methods.</summary>
    public static Task WriteStatusAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        return IsApi(http)
                ? WireError.WriteAsync(
                    http,
                    http.Response.StatusCode,
                    ReasonPhrases.GetReasonPhrase(http.Response.StatusCode)
                )
            : http.Response.StatusCode == StatusCodes.Status404NotFound && BarePage.IsWanted(http)
                ? BarePage.WriteAsync(http, "Nothing here", "There is no page at this address.")
            : Task.CompletedTask;
    }

    /// <summary>The exception writer of the host.</summary>
    public static async Task WriteAsync(HttpContext context)
    {
        var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var (status, detail) = Told(error);
        if (error is StoreBusyException busy)
        {
            context.Response.Headers.RetryAfter = (
                (int)Math.Ceiling(busy.RetryAfter.TotalSeconds)
            ).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        else if (error is SqliteException && status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = BusyRetryAfter;
        }

        if (IsApi(context) || !BarePage.IsWanted(context))
        {
            await WireError.WriteAsync(context, status, detail);
            return;
        }

        context.Response.StatusCode = status;
        var (heading, words) = status switch
        {
            StatusCodes.Status403Forbidden => ("Not allowed", detail),
            StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => (
                "Too busy",
                detail
            ),
            StatusCodes.Status500InternalServerError => (
                "Something went wrong",
                "The page could not be made. The reason is in the server's log."
            ),
            _ => ("This cannot be shown", detail),
        };
        await BarePage.WriteAsync(context, heading, words);
    }

    private static bool IsApi(HttpContext http) =>
        http.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal);

    /// <summary>True for what the caller did wrong and is told: not worth a line in the log, which strangers could fill that way.</summary>
    public static bool IsTheirs(Exception error) =>
        Told(error).Status < StatusCodes.Status500InternalServerError;

    private static (int Status, string Detail) Told(Exception? error) =>
        error switch
        {
            AccessDeniedException e => (StatusCodes.Status403Forbidden, e.Message),
            PromptNotFoundException e => (StatusCodes.Status404NotFound, e.Message),
            PromptConflictException e => (StatusCodes.Status409Conflict, e.Message),
            InvalidPromptException e => (StatusCodes.Status400BadRequest, e.Message),
            InvalidEvaluatorException e => (StatusCodes.Status422UnprocessableEntity, e.Message),
            EvaluatorConflictException e => (StatusCodes.Status409Conflict, e.Message),
            InvalidInsightsException e => (StatusCodes.Status422UnprocessableEntity, e.Message),
            FilterException e => (StatusCodes.Status400BadRequest, e.Message),
            InvalidCursorException e => (StatusCodes.Status400BadRequest, e.Message),
            TooManyToSortException e => (StatusCodes.Status400BadRequest, e.Message),
            StoreBusyException { IsFailing: true } e => (
                StatusCodes.Status503ServiceUnavailable,
                e.Message
            ),
            StoreBusyException e => (StatusCodes.Status429TooManyRequests, e.Message),
            BadRequestBodyException e => (e.Status, e.Message),
            DatasetProblemException e => (
                e.Problem switch
                {
                    DatasetProblem.NotFound => StatusCodes.Status404NotFound,
                    DatasetProblem.Conflict => StatusCodes.Status409Conflict,
                    _ => StatusCodes.Status422UnprocessableEntity,
                },
                e.Message
            ),
            BadHttpRequestException e => (e.StatusCode, e.Message),
            // How a page says that a value of its address is no number or id: it has no exception of its own.
            InvalidOperationException { Source: "Microsoft.AspNetCore.Components" } e
                when e.Message.StartsWith("Cannot parse the value", StringComparison.Ordinal) => (
                StatusCodes.Status400BadRequest,
                $"The address has a value that cannot be read. {e.Message}"
            ),
            System.Text.Json.JsonException e => (
                StatusCodes.Status400BadRequest,
                $"Invalid JSON: {e.Message}"
            ),
            InvalidDataException or IOException => (
                StatusCodes.Status400BadRequest,
                $"Invalid body: {error.Message}"
            ),
            SqliteException { SqliteErrorCode: Busy or Locked } => (
                StatusCodes.Status503ServiceUnavailable,
                "The database is busy with a large change; try again"
            ),
            _ => (StatusCodes.Status500InternalServerError, "Internal error"),
        };
}

/// <summary>A body that cannot be read, with the status to answer.</summary>
internal sealed class BadRequestBodyException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
