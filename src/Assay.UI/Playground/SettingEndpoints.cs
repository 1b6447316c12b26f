using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Playground;

/// <summary>Models with their settings that a workspace keeps by name; the same that LangSmith's clients see under <c>/playground-settings</c>.</summary>
internal static class SettingEndpoints
{
    private const int MaxName = 200;

    public static void MapPlaygroundSettings(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/playground/settings", ListAsync).PageNeeds(Permission.Read);
        ui.MapPost("/playground/settings", SaveAsync).PageNeeds(Permission.Write);
        ui.MapDelete("/playground/settings/{id:guid}", DeleteAsync).PageNeeds(Permission.Delete);
    }

    private static async Task<IResult> ListAsync(
        PlaygroundSettings settings,
        ModelProviders providers,
        CurrentCaller caller
    )
    {
        var known = await providers.ListAsync(caller.Value, caller.Aborted);
        var all = await settings.ListAsync(caller.Value, caller.Aborted);
        return Results.Json(
            new JsonArray([
                .. all.Where(s => s.IsForPlaygrounds)
                    .OrderBy(s => s.Name, StringComparer.OrdinalIgnoreCase)
                    .Select(s => (JsonNode)Shown(s, known)),
            ])
        );
    }

    /// <summary>A setting as a variant takes it; one of a model that is not known here has only its name.</summary>
    private static JsonObject Shown(
        PlaygroundSetting setting,
        IReadOnlyList<ModelProvider> providers
    )
    {
        var shown = new JsonObject
        {
            ["id"] = setting.Id.ToString(),
            ["name"] = setting.Name is { Length: > 0 } name ? name : setting.Id.ToString()[..8],
        };
        var choice = SerializedModel.Read(JsonElement.Parse(setting.SettingsJson), providers);
        if (choice is not null)
        {
            shown["variant"] = new JsonObject
            {
                ["provider"] = choice.Provider?.Id.ToString(),
                ["model"] = choice.Model,
                ["parameters"] = choice.Parameters,
                ["tools"] = choice.Tools is { } tools ? PromptSeed.Indented(tools) : "",
                ["tool_choice"] = choice.ToolChoice,
            };
        }

        return shown;
    }

    /// <summary>Keeps a variant's model, settings and tools under a name; settings of that name are replaced.</summary>
    private static async Task<IResult> SaveAsync(
        HttpContext context,
        PlaygroundSettings settings,
        ModelProviders providers,
        CurrentCaller caller
    )
    {
        using var body = await PlaygroundEndpoints.BodyAsync(context, caller);
        var name = body?.RootElement.Text("name")?.Trim();
        if (name is not { Length: > 0 and <= MaxName })
        {
            return PlaygroundEndpoints.Problem($"A name of 1 to {MaxName} characters is needed.");
        }

        var variant = body!.RootElement.Field("variant");
        if (
            !Guid.TryParse(variant.Text("provider"), out var chosen)
            || await providers.FindAsync(caller.Value, chosen, caller.Aborted) is not { } provider
        )
        {
            return PlaygroundEndpoints.Problem("There is no such provider.");
        }

        var json = SerializedModel.Write(variant, provider).ToJsonString();
        if (json.Length > PlaygroundSettings.MaxLength)
        {
            return PlaygroundEndpoints.Problem(
                $"The settings are longer than {PlaygroundSettings.MaxLength:N0} characters."
            );
        }

        var same = (await settings.ListAsync(caller.Value, caller.Aborted)).FirstOrDefault(s =>
            s.IsForPlaygrounds && s.Name == name
        );
        var kept = same is null
            ? await settings.CreateAsync(
                caller.Value,
                new PlaygroundSetting { Name = name, SettingsJson = json },
                caller.Aborted
            )
            : await settings.UpdateAsync(
                caller.Value,
                same.Id,
                s => s.SettingsJson = json,
                caller.Aborted
            );
        return kept is null
            ? PlaygroundEndpoints.Problem(
                $"A workspace keeps at most {PlaygroundSettings.MaxSettings} settings."
            )
            : Results.Json(new { kept.Id, replaced = same is not null });
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        PlaygroundSettings settings,
        CurrentCaller caller
    ) =>
        await settings.DeleteAsync(caller.Value, id, caller.Aborted)
            ? Results.NoContent()
            : Results.NotFound(new { detail = "There are no such settings." });
}
