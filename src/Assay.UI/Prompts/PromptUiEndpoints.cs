using System.Text.Json;
using Assay.Core;
using Assay.Core.Access;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Prompts;

/// <summary>What the editor of prompts asks.</summary>
internal static class PromptUiEndpoints
{
    public static void MapPromptEditor(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/prompts/{handle}/check", CheckAsync).PageNeeds(Permission.Read);
        ui.MapPost("/prompts/{handle}/commits", CommitAsync).PageNeeds(Permission.Write);
    }

    /// <summary>The variables of each message, or what is wrong with it and where; while somebody types, that is no failed request.</summary>
    private static IResult CheckAsync(string handle, Draft draft)
    {
        var format = draft.Format == "mustache" ? TemplateFormat.Mustache : TemplateFormat.FString;
        var names = new List<string>();
        var problems = new List<string?>();
        foreach (var text in draft.Texts ?? [])
        {
            try
            {
                names.AddRange(PromptTemplate.Parse(format, text).Names);
                problems.Add(null);
            }
            catch (TemplateException e)
            {
                problems.Add(e.Message);
            }
        }

        return Results.Json(new { names = names.Distinct(), problems });
    }

    /// <summary>
    /// Saves a commit: messages, or a manifest as JSON. 409 with the newest commit when somebody committed since the author began, so that the
    /// screen can show both.
    /// </summary>
    private static async Task<IResult> CommitAsync(
        string handle,
        HttpContext context,
        PromptHistory history,
        CurrentCaller caller
    )
    {
        var key = new PromptKey(PromptHub.Self, handle);
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body,
                new JsonDocumentOptions { MaxDepth = 256 },
                caller.Aborted
            );
            var json = body.RootElement;
            var parent = json.Text("parent");
            JsonElement manifest;
            if (json.Text("manifest") is { } text)
            {
                manifest = JsonElement.Parse(text);
            }
            else
            {
                JsonElement? edited = json.Text("base") is { Length: > 0 } from
                    ? JsonElement.Parse(
                        (await history.FindAsync(caller.Value, key, from, caller.Aborted)).Manifest
                    )
                    : null;
                manifest = ChatPromptManifest.Write(json, edited);
            }

            var (_, commit, _) = await history.CommitAsync(
                caller.Value,
                key,
                manifest,
                parent,
                json.Text("description") is { Length: > 0 } said ? said : null,
                WebhookSkip.None,
                caller.Aborted
            );
            return Results.Json(new { commit = commit.Hash });
        }
        catch (PromptConflictException e)
        {
            // For a form, a conflict is an answer like any other; a browser would log an error status as a broken page.
            var (_, head, _) = await history.ListAsync(
                caller.Value,
                key,
                null,
                1,
                0,
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    conflict = e.Message,
                    head = head is [var newest, ..] ? newest.Hash : null,
                    author = head is [var last, ..] ? last.Author : null,
                }
            );
        }
        catch (Exception e) when (e is InvalidPromptException or PromptNotFoundException)
        {
            return Results.Json(new { problem = e.Message });
        }
        catch (JsonException e)
        {
            return Results.Json(new { problem = $"This is not JSON: {e.Message}" });
        }
    }

    /// <summary>Texts while they are typed.</summary>
    private sealed record Draft(string? Format, IReadOnlyList<string>? Texts);
}
