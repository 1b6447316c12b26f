using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Assay.Core;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.AI;

namespace Assay.UI.Playground;

/// <summary>What the playground asks while people try prompts.</summary>
internal static class PlaygroundEndpoints
{
    /// <summary>The project that calls of the playground are recorded in.</summary>
    public const string Project = "playground";

    private const int MaxChoices = 100;

    public static void MapPlayground(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/playground/run", RunAsync).PageNeeds(Permission.Write);
        ui.MapPost("/playground/check", CheckAsync).PageNeeds(Permission.Read);
        ui.MapGet("/playground/models/{provider:guid}", ModelsAsync).PageNeeds(Permission.Write);
        ui.MapPost("/playground/commit", CommitAsync).PageNeeds(Permission.Write);
        ui.MapGet("/playground/prompts", PromptsAsync).PageNeeds(Permission.Read);
        ui.MapGet("/playground/prompts/{handle}", PromptAsync).PageNeeds(Permission.Read);
        ui.MapGet("/playground/prompts/{handle}/commits", CommitsAsync).PageNeeds(Permission.Read);
        ui.MapPlaygroundSettings();
    }

    /// <summary>Runs one variant once; the answer streams as events <c>piece</c> and ends with <c>done</c>.</summary>
    private static async Task<IResult> RunAsync(
        HttpContext context,
        ModelCalls calls,
        PromptIncludes includes,
        CurrentCaller caller
    )
    {
        using var body = await BodyAsync(context, caller);
        if (body is null)
        {
            return Problem("The body is not JSON.");
        }

        try
        {
            var call = PromptVariant
                .Read(
                    await includes.ResolveVariantAsync(
                        caller.Value,
                        body.RootElement,
                        caller.Aborted
                    )
                )
                .Render(Values(body.RootElement), Project) with
            {
                RunName = "playground",
                Tags = ["playground"],
            };
            return TypedResults.ServerSentEvents(
                EventsAsync(calls, caller.Value, call, caller.Aborted)
            );
        }
        catch (Exception e) when (e is InvalidVariantException or InvalidPromptException)
        {
            return Problem(e.Message);
        }
    }

    private static async IAsyncEnumerable<SseItem<string>> EventsAsync(
        ModelCalls calls,
        Caller caller,
        ModelCall call,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        yield return new SseItem<string>("{}", "begin");
        var isSimulated = call.ProviderId == ModelProvider.Simulated.Id;
        await foreach (var step in calls.StreamAsync(caller, call, cancellationToken))
        {
            if (step.Reply is { } reply)
            {
                yield return new SseItem<string>(Done(reply, isSimulated), "done");
                continue;
            }

            foreach (var content in step.Piece!.Contents)
            {
                if (Piece(content) is { } piece)
                {
                    yield return new SseItem<string>(JsonSerializer.Serialize(piece), "piece");
                }
            }
        }
    }

    private static object? Piece(AIContent content) =>
        content switch
        {
            TextContent { Text.Length: > 0 } text => new { text = text.Text },
            TextReasoningContent { Text.Length: > 0 } reasoning => new
            {
                reasoning = reasoning.Text,
            },
            FunctionCallContent call => new
            {
                tool = new
                {
                    id = call.CallId,
                    name = call.Name,
                    arguments = call.Arguments,
                },
            },
            ErrorContent { Message.Length: > 0 } refusal => new { refusal = refusal.Message },
            _ => null,
        };

    private static string Done(ModelReply reply, bool isSimulated) =>
        JsonSerializer.Serialize(
            new
            {
                run = reply.RunId,
                latency = reply.Latency.TotalMilliseconds,
                first = reply.FirstToken?.TotalMilliseconds,
                prompt_tokens = reply.Usage?.PromptTokens,
                completion_tokens = reply.Usage?.CompletionTokens,
                is_estimate = reply.Usage?.Source == Core.Models.FigureSource.Estimated,
                cost = reply.Cost?.Total,
                is_simulated = isSimulated,
                finish = reply.Response.FinishReason?.Value,
                error = reply.Failure?.Message,
            }
        );

    /// <summary>The variables of a variant, or what is wrong with its templates and where.</summary>
    private static async Task<IResult> CheckAsync(
        HttpContext context,
        PromptIncludes includes,
        CurrentCaller caller
    )
    {
        using var body = await BodyAsync(context, caller);
        if (body is null)
        {
            return Problem("The body is not JSON.");
        }

        try
        {
            var variant = await includes.ResolveVariantAsync(
                caller.Value,
                body.RootElement,
                caller.Aborted
            );
            return Results.Json(new { names = PromptVariant.Read(variant).Names });
        }
        catch (Exception e) when (e is InvalidVariantException or InvalidPromptException)
        {
            // While somebody types, a template that is not finished is the normal case and no failed request.
            return Results.Json(new { names = Array.Empty<string>(), problem = e.Message });
        }
    }

    private static async Task<IResult> ModelsAsync(
        Guid provider,
        ModelProviders providers,
        CurrentCaller caller
    )
    {
        if (await providers.FindAsync(caller.Value, provider, caller.Aborted) is not { } found)
        {
            return Results.NotFound(new { detail = "There is no such provider." });
        }

        try
        {
            return Results.Json(
                new { models = await providers.ModelsAsync(caller.Value, found, caller.Aborted) }
            );
        }
        catch (ModelCallException e)
        {
            // The list is a convenience: what was configured can be chosen without it.
            return Results.Json(new { models = found.Models, problem = e.Message });
        }
    }

    /// <summary>Saves a variant as a commit of a prompt, which is made when there is none of that name: its messages and schema, and its model when asked for.</summary>
    private static async Task<IResult> CommitAsync(
        HttpContext context,
        PromptHub hub,
        PromptHistory history,
        ModelProviders providers,
        CurrentCaller caller
    )
    {
        using var body = await BodyAsync(context, caller);
        if (body is null)
        {
            return Problem("The body is not JSON.");
        }

        var json = body.RootElement;
        var handle = json.Text("handle")?.Trim() ?? "";
        var key = new PromptKey(PromptHub.Self, handle);
        try
        {
            var provider =
                json.Bool("with_model") == true
                && Guid.TryParse(json.Text("provider"), out var chosen)
                    ? await providers.FindAsync(caller.Value, chosen, caller.Aborted)
                    : null;
            // What the playground does not show of the commit it started from, partial variables, stays.
            JsonElement? edited = json.Text("parent") is { Length: > 0 } parent
                ? PromptManifest.WithoutModel(
                    JsonElement.Parse(
                        (
                            await history.FindAsync(caller.Value, key, parent, caller.Aborted)
                        ).Manifest
                    )
                )
                : null;
            var manifest = provider is null
                ? ChatPromptManifest.Write(json, edited)
                : ChatPromptManifest.WriteWithModel(
                    json,
                    SerializedModel.Write(json, provider),
                    edited.GetValueOrDefault()
                );
            try
            {
                var known = await hub.GetAsync(caller.Value, key, caller.Aborted);
                if (known.HeadHash is not null && json.Text("parent") is not { Length: > 0 })
                {
                    throw new PromptConflictException($"A prompt named {handle} is there already");
                }
            }
            catch (PromptNotFoundException)
            {
                await hub.CreateAsync(caller.Value, new PromptDraft(handle), caller.Aborted);
            }

            // The commit the author started from must still be the newest, or somebody's work would be hidden without a word.
            var (_, commit, _) = await history.CommitAsync(
                caller.Value,
                key,
                manifest,
                json.Text("parent"),
                json.Text("description"),
                WebhookSkip.None,
                caller.Aborted
            );
            return Results.Json(new { handle, commit = commit.Hash });
        }
        catch (PromptConflictException e)
        {
            // For a form, a conflict is an answer like any other; a browser would log an error status as a broken page.
            var (_, newest, _) = await history.ListAsync(
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
                    handle,
                    conflict = e.Message,
                    head = newest is [var head, ..] ? head.Hash : null,
                    author = newest is [var last, ..] ? last.Author : null,
                }
            );
        }
        catch (Exception e) when (e is InvalidPromptException or PromptNotFoundException)
        {
            return Problem(e.Message);
        }
    }

    /// <summary>The prompts of the workspace that can be loaded, those that fit a text best first.</summary>
    private static async Task<IResult> PromptsAsync(string? q, PromptHub hub, CurrentCaller caller)
    {
        var (items, _) = await hub.ListAsync(
            caller.Value,
            new PromptListQuery
            {
                HasCommits = true,
                Text = q,
                SortField = PromptSort.Relevance,
                Limit = MaxChoices,
            },
            caller.Aborted
        );
        return Results.Json(
            new
            {
                prompts = items.Select(i => new
                {
                    handle = i.Prompt.Handle,
                    description = i.Prompt.Description,
                }),
            }
        );
    }

    /// <summary>The newest commits of a prompt with the tags that point at them.</summary>
    private static async Task<IResult> CommitsAsync(
        string handle,
        PromptHistory history,
        PromptTags tags,
        CurrentCaller caller
    )
    {
        try
        {
            var key = new PromptKey(PromptHub.Self, handle);
            var (_, commits, _) = await history.ListAsync(
                caller.Value,
                key,
                null,
                MaxChoices,
                0,
                caller.Aborted
            );
            var names = await tags.TagsAsync(caller.Value, key, caller.Aborted);
            return Results.Json(
                new
                {
                    commits = commits.Select(c => new
                    {
                        hash = c.Hash,
                        description = c.Description,
                        tags = names.Where(t => t.Tag.CommitId == c.Id).Select(t => t.Tag.Name),
                    }),
                }
            );
        }
        catch (PromptNotFoundException e)
        {
            return Results.NotFound(new { detail = e.Message });
        }
    }

    /// <summary>A commit of a prompt as a variant.</summary>
    private static async Task<IResult> PromptAsync(
        string handle,
        string? commit,
        PromptHistory history,
        ModelProviders providers,
        CurrentCaller caller
    )
    {
        try
        {
            var variant = await PromptSeed.OfAsync(
                history,
                await providers.ListAsync(caller.Value, caller.Aborted),
                caller.Value,
                new PromptKey(PromptHub.Self, handle),
                commit,
                caller.Aborted
            );
            return Results.Json(new { variant });
        }
        catch (PromptNotFoundException e)
        {
            return Results.NotFound(new { detail = e.Message });
        }
        catch (Exception e) when (e is InvalidPromptException or TemplateException)
        {
            return Problem(e.Message);
        }
    }

    internal static async Task<JsonDocument?> BodyAsync(HttpContext context, CurrentCaller caller)
    {
        try
        {
            return await JsonDocument.ParseAsync(
                context.Request.Body,
                new JsonDocumentOptions { MaxDepth = 128 },
                caller.Aborted
            );
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Dictionary<string, JsonElement> Values(JsonElement json)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (
            json.ValueKind == JsonValueKind.Object
            && json.TryGetProperty("variables", out var given)
            && given.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var value in given.EnumerateObject())
            {
                values[value.Name] = value.Value.Clone();
            }
        }

        return values;
    }

    internal static IResult Problem(string detail) =>
        Results.Json(new { detail }, statusCode: StatusCodes.Status400BadRequest);
}
