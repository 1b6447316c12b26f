using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Evaluators;

/// <summary>
/// Evaluators as LangSmith's generated clients know them: an LLM judge is a prompt of the hub with a mapping of its variables, a code evaluator a program. A judge
/// made this way answers by the schema of its prompt and runs on the workspace's first model provider; the screens set everything else.
/// </summary>
internal static class EvaluatorEndpoints
{
    private const int MaxDeleted = 100;

    public static void MapPlatformEvaluators(this IEndpointRouteBuilder app)
    {
        const string all = "/api/v1/platform/evaluators";
        const string one = $"{all}/{{id:guid}}";
        app.MapGet(all, ListAsync).Needs(Permission.Read);
        app.MapPost(all, CreateAsync).Needs(Permission.Write);
        app.MapDelete(all, DeleteManyAsync).Needs(Permission.Delete);
        app.MapGet(one, GetAsync).Needs(Permission.Read);
        app.MapPatch(one, ChangeAsync).Needs(Permission.Write);
        app.MapDelete(one, DeleteAsync).Needs(Permission.Delete);
    }

    private static async Task<IResult> ListAsync(HttpContext context, EvaluatorCatalog catalog)
    {
        var q = context.Request.Query;
        var isDescending = q.Flag("sort_by_desc") ?? true;
        var wanted = Wanted(q.Word("metadata"));
        var found = (await catalog.ListAsync(context.Caller(), context.RequestAborted))
            .Where(e =>
                q.Word("name_contains") is not { } part
                || e.Name.Contains(part, StringComparison.OrdinalIgnoreCase)
            )
            .Where(e => wanted.All(w => Has(e, w)))
            .Where(e => q.Word("feedback_key") is not { } key || e.FeedbackKey == key)
            .Where(e => q.Word("type") is not { } type || EvaluatorOut.TypeOf(e.Kind) == type)
            // Evaluators bear no tags and no rules of projects or datasets: none has the one that is asked for.
            .Where(_ => q.Uuids("tag_value_id").Count + q.Uuids("resource_id").Count == 0);
        List<EvaluatorDefinition> ordered = q.Word("sort_by") switch
        {
            "name" => [.. found.OrderBy(e => e.Name, StringComparer.Ordinal)],
            "updated_at" => [.. found.OrderBy(e => e.ModifiedAt)],
            _ => [.. found.OrderBy(e => e.CreatedAt)],
        };
        if (isDescending)
        {
            ordered.Reverse();
        }

        var offset = q.Whole("offset", 0, 0, int.MaxValue);
        var limit = q.Whole("limit", 100, 1, 1_000);
        var page = new List<(EvaluatorDefinition, EvaluatorVersion)>();
        foreach (var evaluator in ordered.Skip(offset).Take(limit))
        {
            if (
                await catalog.FindAsync(
                    context.Caller(),
                    evaluator.Id,
                    null,
                    context.RequestAborted
                ) is
                { } read
            )
            {
                page.Add(read);
            }
        }

        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("evaluators");
            foreach (var (evaluator, version) in page)
            {
                EvaluatorOut.Write(w, evaluator, version);
            }

            w.WriteEndArray();
            w.WriteNumber("total", ordered.Count);
            w.WriteEndObject();
        });
    }

    /// <summary>What the metadata must contain, as the client's query says it: a JSON object.</summary>
    private static JsonObject Wanted(string? text)
    {
        try
        {
            return text is null
                ? []
                : JsonNode.Parse(text) as JsonObject ?? throw new JsonException("no object");
        }
        catch (JsonException)
        {
            throw BodyFields.Wrong("metadata", "a JSON object");
        }
    }

    private static bool Has(
        EvaluatorDefinition evaluator,
        KeyValuePair<string, JsonNode?> wanted
    ) =>
        evaluator.MetadataJson is { } json
        && JsonNode.Parse(json) is JsonObject have
        && have.ContainsKey(wanted.Key)
        && JsonNode.DeepEquals(have[wanted.Key], wanted.Value);

    /// <summary>Null when nothing is said about it.</summary>
    private static string? Metadata(JsonElement json) =>
        json.ObjectText("metadata") ?? (json.Has("metadata") ? EvaluatorCatalog.NoMetadata : null);

    /// <summary>The evaluator itself; only answers to a change wrap it.</summary>
    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        EvaluatorCatalog catalog
    ) =>
        await catalog.FindAsync(context.Caller(), id, null, context.RequestAborted)
            is var (evaluator, version)
            ? WireResult.Json(w => EvaluatorOut.Write(w, evaluator, version))
            : Errors.NotFound($"Evaluator {id}");

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        EvaluatorCatalog catalog,
        PromptHistory prompts,
        ModelProviders providers
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var name = json.StrictText("name") is { Length: > 0 } given
            ? given
            : throw BodyFields.Wrong("name", "a text");
        EvaluatorDraft draft;
        switch (json.StrictText("type"))
        {
            case "llm":
                var llm = json.Field("llm_evaluator");
                llm.MustBeObject();
                draft = await JudgeAsync(context, name, llm, null, prompts, providers);
                break;
            case "code":
                draft = Code(name, json.Field("code_evaluator"), null);
                break;
            default:
                throw BodyFields.Wrong("type", "llm or code");
        }

        var made = await catalog.CreateAsync(
            context.Caller(),
            draft with
            {
                MetadataJson = Metadata(json),
            },
            context.RequestAborted
        );
        var (evaluator, version) = (
            await catalog.FindAsync(context.Caller(), made.Id, null, context.RequestAborted)
        )!.Value;
        return Whole(context, evaluator, version, StatusCodes.Status201Created);
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        HttpContext context,
        EvaluatorCatalog catalog,
        PromptHistory prompts,
        ModelProviders providers
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (
            await catalog.FindAsync(context.Caller(), id, null, context.RequestAborted)
            is not var (evaluator, version)
        )
        {
            return Errors.NotFound($"Evaluator {id}");
        }

        var draft = new EvaluatorDraft
        {
            Name = evaluator.Name,
            FeedbackKey = evaluator.FeedbackKey,
            Kind = evaluator.Kind,
            Description = evaluator.Description,
            SettingsJson = version.SettingsJson,
        };
        if (json.Field("llm_evaluator") is { ValueKind: JsonValueKind.Object } llm)
        {
            draft = await JudgeAsync(
                context,
                draft.Name,
                llm,
                evaluator.Kind == EvaluatorKind.Judge
                    ? (evaluator.FeedbackKey, JudgeSettings.Read(version.SettingsJson))
                    : throw BodyFields.Wrong("llm_evaluator", "left out: this is no LLM judge"),
                prompts,
                providers
            );
        }
        else if (json.Field("code_evaluator") is { ValueKind: JsonValueKind.Object } code)
        {
            draft =
                evaluator.Kind == EvaluatorKind.Code
                    ? Code(draft.Name, code, draft)
                    : throw BodyFields.Wrong(
                        "code_evaluator",
                        "left out: this is no code evaluator"
                    );
        }

        var saved = await catalog.SaveAsync(
            context.Caller(),
            id,
            draft with
            {
                Name = json.StrictText("name") is { Length: > 0 } name ? name : draft.Name,
                MetadataJson = Metadata(json),
            },
            null,
            context.RequestAborted
        );
        return
            saved is not null
            && await catalog.FindAsync(context.Caller(), id, null, context.RequestAborted)
                is var (after, current)
            ? Whole(context, after, current, StatusCodes.Status200OK)
            : Errors.NotFound($"Evaluator {id}");
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        EvaluatorCatalog catalog
    ) =>
        await catalog.DeleteAsync(context.Caller(), id, context.RequestAborted)
            ? Results.NoContent()
            : Errors.NotFound($"Evaluator {id}");

    private static async Task<IResult> DeleteManyAsync(
        HttpContext context,
        EvaluatorCatalog catalog
    )
    {
        var ids = context.Request.Query.Uuids("evaluator_ids");
        if (ids.Count is 0 or > MaxDeleted)
        {
            throw BodyFields.Wrong("evaluator_ids", $"1 to {MaxDeleted} ids");
        }

        var succeeded = new List<Guid>();
        var failed = new List<Guid>();
        foreach (var id in ids.Distinct())
        {
            (
                await catalog.DeleteAsync(context.Caller(), id, context.RequestAborted)
                    ? succeeded
                    : failed
            ).Add(id);
        }

        return Results.Json(
            new
            {
                succeeded,
                failed = failed.Select(id => new { id, error = $"Evaluator {id} not found" }),
            }
        );
    }

    /// <summary>A judge from LangSmith's fields: on its own terms when it is new, else with only what was sent changed.</summary>
    private static async Task<EvaluatorDraft> JudgeAsync(
        HttpContext context,
        string name,
        JsonElement llm,
        (string Key, JudgeSettings Settings)? known,
        PromptHistory prompts,
        ModelProviders providers
    )
    {
        var caller = context.Caller();
        var old = known?.Settings;
        var handle = llm.StrictText("prompt_repo_handle") ?? old?.Hub?.Handle;
        if (handle is not { Length: > 0 })
        {
            throw BodyFields.Wrong("prompt_repo_handle", "the handle of a prompt");
        }

        // "-/name" and "workspace/name" name the same prompt; only own prompts can be judges.
        var own = handle[(handle.LastIndexOf('/') + 1)..];
        var reference = llm.StrictText("commit_hash_or_tag") ?? old?.Hub?.Commit;
        var commit = await prompts.PullAsync(
            caller,
            new PromptKey(PromptHub.Self, own),
            reference is { Length: > 0 } ? reference : "latest",
            context.RequestAborted
        );
        var (key, form) = PromptVerdict.Of(commit, name);
        var settings = old ?? await NewAsync(providers, caller, context.RequestAborted);
        return new EvaluatorDraft
        {
            Name = name,
            FeedbackKey = known?.Key ?? key,
            Kind = EvaluatorKind.Judge,
            SettingsJson = (
                settings with
                {
                    Messages = null,
                    Hub = new HubPrompt(own, reference is { Length: > 0 } ? reference : null),
                    Verdict = form,
                    Mapping = llm.Has("variable_mapping")
                        ? PromptVerdict.Mapping(llm.Field("variable_mapping"))
                        : settings.Mapping,
                }
            ).ToJson(),
        };
    }

    private static async Task<JudgeSettings> NewAsync(
        ModelProviders providers,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var provider = (await providers.ListAsync(caller, cancellationToken))[0];
        return new JudgeSettings
        {
            Provider = provider.Id,
            Model = provider.Models is [var first, ..]
                ? first
                : throw new InvalidEvaluatorException(
                    "model",
                    $"name a model at the provider '{provider.Name}' first; judges made over the API use its first one"
                ),
            Parameters = JsonSerializer.SerializeToElement(new { temperature = 0 }),
        };
    }

    private static EvaluatorDraft Code(string name, JsonElement code, EvaluatorDraft? known)
    {
        code.MustBeObject();
        var language = code.StrictText("language") ?? (known is null ? "python" : "javascript");
        if (language is not ("javascript" or "js"))
        {
            throw BodyFields.Wrong(
                "code_evaluator.language",
                "javascript; Python does not run here"
            );
        }

        return new EvaluatorDraft
        {
            Name = name,
            FeedbackKey = known?.FeedbackKey ?? PromptVerdict.KeyOf(name),
            Kind = EvaluatorKind.Code,
            Description = known?.Description,
            SettingsJson = JsonSerializer.Serialize(
                new { language = "javascript", code = code.StrictText("code") ?? "" }
            ),
        };
    }

    private static IResult Whole(
        HttpContext context,
        EvaluatorDefinition evaluator,
        EvaluatorVersion version,
        int status
    )
    {
        context.Response.StatusCode = status;
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("evaluator");
            EvaluatorOut.Write(w, evaluator, version);
            w.WriteEndObject();
        });
    }
}
