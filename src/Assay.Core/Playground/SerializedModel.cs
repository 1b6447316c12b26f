using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;

namespace Assay.Core.Playground;

/// <summary>A model with its settings and tools, as a variant holds them.</summary>
/// <param name="Provider">The provider of this workspace that is meant; null when it has none of that kind.</param>
/// <param name="Model">The model.</param>
/// <param name="Parameters">Temperature and the like, under the playground's names.</param>
/// <param name="Tools">The tools as function definitions; null for none.</param>
/// <param name="ToolChoice"><c>auto</c>, <c>none</c>, <c>required</c> or a tool's name.</param>
public sealed record ModelChoice(
    ModelProvider? Provider,
    string Model,
    JsonObject Parameters,
    JsonArray? Tools,
    string ToolChoice
);

/// <summary>
/// A model in LangChain's serialized form (<c>{"lc":1,"type":"constructor","id":["langchain","chat_models","openai","ChatOpenAI"],"kwargs":{…}}</c>), as
/// commits of prompts and saved playground settings hold it. Tools are bound to it as LangChain binds them. Which of the workspace's providers is meant
/// stands beside the arguments, under <c>assay</c>, where loaders do not look. Keys are named, never written. Pure.
/// </summary>
public static class SerializedModel
{
    private static readonly string[] s_parameters =
    [
        "temperature",
        "top_p",
        "max_tokens",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop",
    ];

    /// <summary>The model of a variant.</summary>
    /// <param name="variant">The variant as <see cref="PromptVariant"/> reads it.</param>
    /// <param name="provider">Its provider.</param>
    public static JsonObject Write(JsonElement variant, ModelProvider provider)
    {
        var kwargs = new JsonObject { ["model"] = variant.Text("model") ?? "" };
        var given = variant.Field("parameters");
        foreach (var name in s_parameters)
        {
            if (given.Field(name) is var value && value.IsSaid())
            {
                kwargs[Theirs(name, provider.Kind)] = JsonNode.Parse(value.GetRawText());
            }
        }

        if (provider.BaseUrl is { Length: > 0 } address)
        {
            kwargs["base_url"] = address;
        }

        if (provider.Kind == ProviderKind.OpenAIResponses)
        {
            kwargs["use_responses_api"] = true;
        }

        var (id, secret) = provider.Kind switch
        {
            ProviderKind.Anthropic => (
                Id("langchain", "chat_models", "anthropic", "ChatAnthropic"),
                "ANTHROPIC_API_KEY"
            ),
            ProviderKind.Ollama => (Id("langchain", "chat_models", "ollama", "ChatOllama"), null),
            ProviderKind.Simulated => (Id("assay", "simulated", "ChatSimulated"), null),
            _ => (
                Id("langchain", "chat_models", "openai", "ChatOpenAI"),
                (string?)"OPENAI_API_KEY"
            ),
        };
        if (secret is not null)
        {
            kwargs[secret.ToLowerInvariant()] = new JsonObject
            {
                ["lc"] = 1,
                ["type"] = "secret",
                ["id"] = new JsonArray(secret),
            };
        }

        var model = Constructor(id, kwargs);
        if (provider.Kind == ProviderKind.Simulated)
        {
            // LangChain's own way of saying that there is no class to load: its loaders stop here and print this, instead of a lost class path.
            model["type"] = "not_implemented";
            model["repr"] =
                "Assay's simulated model, which runs on the server alone: pull the prompt without its model";
        }

        model["assay"] = new JsonObject
        {
            ["provider"] = provider.Id.ToString(),
            ["name"] = provider.Name,
        };
        if (variant.Field("tools") is not { ValueKind: JsonValueKind.Array } tools)
        {
            return model;
        }

        var bound = new JsonObject { ["tools"] = JsonNode.Parse(tools.GetRawText()) };
        if (variant.Text("tool_choice") is { Length: > 0 } choice && choice != "auto")
        {
            bound["tool_choice"] = choice is "none" or "required"
                ? choice
                : new JsonObject
                {
                    ["type"] = "function",
                    ["function"] = new JsonObject { ["name"] = choice },
                };
        }

        return Constructor(
            Id("langchain_core", "runnables", "RunnableBinding"),
            new JsonObject
            {
                ["bound"] = model,
                ["kwargs"] = bound,
                ["config"] = new JsonObject(),
            }
        );
    }

    /// <summary>The model of a commit that holds one; null for a prompt alone.</summary>
    public static JsonElement? Of(JsonElement manifest) =>
        PromptManifest.TypeOf(manifest) is "RunnableSequence" or "PromptPlayground"
        && manifest.Field("kwargs").Field("last") is { ValueKind: JsonValueKind.Object } last
            ? last
            : null;

    /// <summary>Who makes a serialized model, in LangChain's words, and how it is set, without keys; null when it is none, or names no model.</summary>
    public static (string? Provider, JsonObject Config)? Described(JsonElement serialized)
    {
        if (Read(serialized, []) is not { } choice)
        {
            return null;
        }

        var model =
            PromptManifest.TypeOf(serialized) == "RunnableBinding"
                ? serialized.Field("kwargs").Field("bound")
                : serialized;
        var provider = PromptManifest.TypeOf(model) switch
        {
            "ChatOpenAI" => "openai",
            "AzureChatOpenAI" => "azure_openai",
            "ChatAnthropic" => "anthropic",
            "ChatOllama" => "ollama",
            "ChatSimulated" => "simulated",
            // What LangChain names a package after stands before its class.
            _ => model.Field("id").GetArrayLength() > 1
                ? model.Field("id")[model.Field("id").GetArrayLength() - 2].ToString()
                : null,
        };
        var config = new JsonObject { ["model"] = choice.Model };
        foreach (var (name, value) in choice.Parameters)
        {
            config[name] = value?.DeepClone();
        }

        return (provider, config);
    }

    /// <summary>Reads a serialized model; null when it is none, or names no model.</summary>
    /// <param name="serialized">The model, bound to tools or not.</param>
    /// <param name="providers">The workspace's providers.</param>
    public static ModelChoice? Read(JsonElement serialized, IReadOnlyList<ModelProvider> providers)
    {
        var bound = default(JsonElement);
        if (PromptManifest.TypeOf(serialized) == "RunnableBinding")
        {
            bound = serialized.Field("kwargs").Field("kwargs");
            serialized = serialized.Field("kwargs").Field("bound");
        }

        var settings = new ClientSettings(serialized.Field("kwargs"), default);
        if (settings.Model is not { Length: > 0 } model)
        {
            return null;
        }

        var tools = bound.Field("tools");
        return new ModelChoice(
            ProviderOf(serialized, providers),
            model,
            settings.Parameters(),
            tools.ValueKind == JsonValueKind.Array && tools.GetArrayLength() > 0
                ? JsonNode.Parse(tools.GetRawText())!.AsArray()
                : null,
            new ClientSettings(bound, default).ToolChoice ?? "auto"
        );
    }

    private static ModelProvider? ProviderOf(
        JsonElement model,
        IReadOnlyList<ModelProvider> providers
    )
    {
        var named = model.Field("assay").Text("provider");
        if (providers.FirstOrDefault(p => p.Id.ToString() == named) is { } known)
        {
            return known;
        }

        var kwargs = model.Field("kwargs");
        ProviderKind? kind = PromptManifest.TypeOf(model) switch
        {
            "ChatOpenAI" or "AzureChatOpenAI" => kwargs.Bool("use_responses_api") == true
                ? ProviderKind.OpenAIResponses
                : ProviderKind.OpenAI,
            "ChatAnthropic" => ProviderKind.Anthropic,
            "ChatOllama" => ProviderKind.Ollama,
            "ChatSimulated" => ProviderKind.Simulated,
            _ => null,
        };
        var address = kwargs.Text("base_url") ?? kwargs.Text("openai_api_base");
        var fitting = providers.Where(p => p.Kind == kind).ToList();
        return fitting.FirstOrDefault(p => p.BaseUrl == address)
            ?? (fitting.Count > 0 ? fitting[0] : null);
    }

    private static string Theirs(string name, ProviderKind kind) =>
        (name, kind) switch
        {
            ("max_tokens", ProviderKind.Ollama) => "num_predict",
            ("stop", ProviderKind.Anthropic) => "stop_sequences",
            _ => name,
        };

    private static JsonArray Id(params string[] parts) => new([.. parts.Select(p => (JsonNode)p)]);

    internal static JsonObject Constructor(JsonArray id, JsonObject kwargs) =>
        new()
        {
            ["lc"] = 1,
            ["type"] = "constructor",
            ["id"] = id,
            ["kwargs"] = kwargs,
        };
}
