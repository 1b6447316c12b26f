using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Playground;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Playground;

/// <summary>Saved playground settings on LangSmith's wire. Settings that would need a secret of their own (OAuth) are refused: secrets belong to the workspace.</summary>
internal static class PlaygroundSettingEndpoints
{
    private const string Path = "/api/v1/playground-settings";
    private const int MaxText = 1_000;

    public static void MapPlaygroundSettings(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, ListAsync).Needs(Permission.Read);
        app.MapPost(Path, CreateAsync).Needs(Permission.Write);
        app.MapGet(Path + "/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch(Path + "/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete(Path + "/{id:guid}", DeleteAsync).Needs(Permission.Delete);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PlaygroundSettings settings)
    {
        var all = await settings.ListAsync(context.Caller(), context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var one in all)
            {
                Write(w, one);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        PlaygroundSettings settings
    ) =>
        await settings.FindAsync(context.Caller(), id, context.RequestAborted) is { } found
            ? WireResult.Json(w => Write(w, found))
            : Errors.NotFound("Playground settings");

    private static async Task<IResult> CreateAsync(HttpContext context, PlaygroundSettings settings)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        Check(json);
        var made = await settings.CreateAsync(
            context.Caller(),
            new PlaygroundSetting
            {
                Name = json.StrictText("name"),
                Description = json.StrictText("description"),
                SettingsJson =
                    json.ObjectText("settings") ?? throw BodyFields.Wrong("settings", "given"),
                OptionsJson = json.ObjectText("options"),
                Type = json.StrictText("settings_type") switch
                {
                    null or "complex" => "complex",
                    "simple" => "simple",
                    _ => throw BodyFields.Wrong("settings_type", "complex or simple"),
                },
            },
            context.RequestAborted
        );
        return made is null
            ? Errors.Invalid($"at most {PlaygroundSettings.MaxSettings} settings in a workspace")
            : WireResult.Json(w => Write(w, made));
    }

    private static async Task<IResult> PatchAsync(
        Guid id,
        HttpContext context,
        PlaygroundSettings settings
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        Check(json);
        // Read before the change is made: what is wrong must change nothing.
        var (name, description, given, options, playgrounds, evaluators) = (
            json.StrictText("name"),
            json.StrictText("description"),
            json.ObjectText("settings"),
            json.ObjectText("options"),
            json.Flag("available_in_playground"),
            json.Flag("available_in_evaluators")
        );
        var changed = await settings.UpdateAsync(
            context.Caller(),
            id,
            s =>
            {
                s.Name = name ?? s.Name;
                s.Description = description ?? s.Description;
                s.SettingsJson = given ?? s.SettingsJson;
                s.OptionsJson = options ?? s.OptionsJson;
                s.IsForPlaygrounds = playgrounds ?? s.IsForPlaygrounds;
                s.IsForEvaluators = evaluators ?? s.IsForEvaluators;
            },
            context.RequestAborted
        );
        return changed is null
            ? Errors.NotFound("Playground settings")
            : WireResult.Json(w => Write(w, changed));
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        PlaygroundSettings settings
    ) =>
        await settings.DeleteAsync(context.Caller(), id, context.RequestAborted)
            ? Results.Json(new { message = "Playground settings deleted" })
            : Errors.NotFound("Playground settings");

    private static void Check(JsonElement json)
    {
        json.MustBeObject();
        if (
            json.Flag("oauth_enabled") == true
            || json.StrictText("oauth_client_secret") is not null
        )
        {
            throw BodyFields.Wrong("oauth_enabled", "false: keys of models are workspace secrets");
        }

        if (json.ObjectText("settings")?.Length > PlaygroundSettings.MaxLength)
        {
            throw BodyFields.Wrong(
                "settings",
                $"at most {PlaygroundSettings.MaxLength} characters long"
            );
        }

        foreach (var name in (string[])["name", "description"])
        {
            if (json.StrictText(name)?.Length > MaxText)
            {
                throw BodyFields.Wrong(name, $"at most {MaxText} characters long");
            }
        }
    }

    private static void Write(Utf8JsonWriter w, PlaygroundSetting s)
    {
        w.WriteStartObject();
        w.WriteString("id", s.Id);
        w.WriteString("name", s.Name);
        w.WriteString("description", s.Description);
        w.WritePropertyName("settings");
        w.WriteRawValue(s.SettingsJson);
        w.WritePropertyName("options");
        w.WriteRawValue(s.OptionsJson ?? "null");
        w.WriteString("settings_type", s.Type);
        w.WriteBoolean("available_in_playground", s.IsForPlaygrounds);
        w.WriteBoolean("available_in_evaluators", s.IsForEvaluators);
        w.WriteBoolean("oauth_enabled", false);
        Id(w, "created_by_ls_user_id", s.CreatedBy);
        Id(w, "updated_by_ls_user_id", s.UpdatedBy);
        w.WriteString("created_at", s.CreatedAt);
        w.WriteString("updated_at", s.UpdatedAt);
        w.WriteEndObject();
    }

    private static void Id(Utf8JsonWriter w, string name, Guid? id)
    {
        if (id is { } known)
        {
            w.WriteString(name, known);
        }
        else
        {
            w.WriteNull(name);
        }
    }
}
