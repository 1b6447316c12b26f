using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Settings;

/// <summary>The audit log as a file, sent while it is read.</summary>
internal static class AuditExport
{
    public static void MapAuditExport(this IEndpointRouteBuilder ui) =>
        ui.MapGet("/audit", ExportAsync).PageNeeds(Permission.Manage);

    /// <summary>The query of the page's fields; days are UTC days, <paramref name="to"/> included.</summary>
    public static AuditQuery Query(string? action, string? actor, string? from, string? to) =>
        new()
        {
            Actions = string.IsNullOrEmpty(action) ? null : [action],
            Actor = actor,
            From = Day(from),
            To = Day(to)?.AddDays(1),
        };

    private static async Task ExportAsync(
        string? format,
        string? action,
        string? actor,
        string? from,
        string? to,
        AuditLog log,
        CurrentCaller caller,
        HttpContext context
    )
    {
        var isCsv = !string.Equals(format, "jsonl", StringComparison.Ordinal);
        context.Response.ContentType = isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        context.Response.Headers.ContentDisposition =
            $"attachment; filename=\"audit-log.{(isCsv ? "csv" : "jsonl")}\"";
        await using var writer = new StreamWriter(
            context.Response.Body,
            new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            leaveOpen: true
        );
        writer.NewLine = "\n";
        if (isCsv)
        {
            await writer.WriteLineAsync("at,actor,member_id,api_key_id,action,subject");
        }

        await foreach (
            var entry in log.ExportAsync(
                caller.Value,
                Query(action, actor, from, to),
                caller.Aborted
            )
        )
        {
            var at = entry.At.UtcDateTime.ToString(
                "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'",
                CultureInfo.InvariantCulture
            );
            await writer.WriteLineAsync(
                isCsv
                    ? $"{at},{Cell(entry.Actor)},{entry.MemberId},{entry.ApiKeyId},{Cell(entry.Action)},{Cell(entry.Subject)}"
                    : JsonSerializer.Serialize(
                        new
                        {
                            at,
                            actor = entry.Actor,
                            member_id = entry.MemberId,
                            api_key_id = entry.ApiKeyId,
                            action = entry.Action,
                            subject = entry.Subject,
                        }
                    )
            );
        }
    }

    /// <summary>A quoted cell; what a spreadsheet would take for a formula gets an apostrophe.</summary>
    private static string Cell(string? text) =>
        text is null or ""
            ? ""
            : $"\"{(text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" : "")}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static DateTimeOffset? Day(string? text) =>
        DateOnly.TryParseExact(
            text,
            "yyyy-MM-dd",
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var day
        )
            ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero)
            : null;
}
