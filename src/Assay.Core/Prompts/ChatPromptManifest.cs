using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Playground;
using Assay.Core.Prompts.Templates;

namespace Assay.Core.Prompts;

/// <summary>Writes edited messages in LangChain's serialized form, so that every client of the hub loads what the playground saved. Pure.</summary>
public static class ChatPromptManifest
{
    /// <summary>
    /// A chat prompt, or with a schema a structured prompt, from <c>{messages, format, schema}</c> as <see cref="PromptVariant"/> reads them; a
    /// placeholder may say <c>optional</c>.
    /// </summary>
    /// <param name="variant">What was edited.</param>
    /// <param name="edited">The manifest it was edited from: what an editor of messages does not show (the model, partial variables) stays.</param>
    /// <exception cref="InvalidPromptException">A message cannot be kept; the message says which and why.</exception>
    public static JsonElement Write(JsonElement variant, JsonElement? edited = null)
    {
        var prompt = Prompt(
            variant,
            edited is { } whole ? PromptManifest.WithoutModel(whole) : default
        );
        if (
            edited is { } manifest
            && PromptManifest.TypeOf(manifest) is "RunnableSequence" or "PromptPlayground"
            && JsonNode.Parse(manifest.GetRawText()) is JsonObject sequence
            && sequence["kwargs"] is JsonObject steps
        )
        {
            steps["first"] = prompt;
            return JsonSerializer.SerializeToElement(sequence);
        }

        return JsonSerializer.SerializeToElement(prompt);
    }

    /// <summary>The prompt with the model that it is meant for, its settings and its tools: <c>prompt | model</c> in LangChain's words.</summary>
    /// <param name="variant">What was edited.</param>
    /// <param name="model">The model in LangChain's form; see <see cref="SerializedModel"/>.</param>
    /// <param name="edited">The prompt it was edited from: its partial variables stay. Undefined for none.</param>
    /// <exception cref="InvalidPromptException">A message cannot be kept; the message says which and why.</exception>
    public static JsonElement WriteWithModel(
        JsonElement variant,
        JsonObject model,
        JsonElement edited = default
    ) =>
        JsonSerializer.SerializeToElement(
            Constructor(
                ["langchain_core", "runnables", "RunnableSequence"],
                new JsonObject
                {
                    ["first"] = Prompt(variant, edited),
                    ["middle"] = new JsonArray(),
                    ["last"] = model,
                }
            )
        );

    private static JsonObject Prompt(JsonElement variant, JsonElement edited)
    {
        var messages = variant.Field("messages");
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new InvalidPromptException("messages: at least one is needed");
        }

        var format = variant.Text("format") ?? "f-string";
        var names = new List<string>();
        var written = new JsonArray();
        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            written.Add(Message(message, format, $"messages[{index++}]", names));
        }

        var kwargs = new JsonObject { ["messages"] = written };
        // An editor that knows them says what is left of them; for another one they stay.
        var partials = variant.Field("partials") is { ValueKind: JsonValueKind.Object } known
            ? JsonNode.Parse(known.GetRawText())!.AsObject()
            : Partials(edited);
        if (partials.Count > 0)
        {
            names.RemoveAll(partials.ContainsKey);
            kwargs["partial_variables"] = partials;
        }

        kwargs["input_variables"] = new JsonArray([.. names.Distinct().Select(n => (JsonNode)n)]);
        var schema = variant.Field("schema");
        var isStructured = schema.ValueKind == JsonValueKind.Object;
        if (isStructured)
        {
            kwargs["schema_"] = JsonNode.Parse(schema.GetRawText());
        }

        return isStructured
            ? Constructor(["langchain_core", "prompts", "structured", "StructuredPrompt"], kwargs)
            : Constructor(["langchain_core", "prompts", "chat", "ChatPromptTemplate"], kwargs);
    }

    /// <summary>
    /// What is filled in already, of the whole prompt or of one of its templates: an editor shows templates as texts, so all of it is the
    /// prompt's from then on.
    /// </summary>
    /// <param name="manifest">A prompt, with its model or without; undefined for none.</param>
    public static JsonObject Partials(JsonElement manifest)
    {
        var partials = new JsonObject();
        CollectPartials(
            manifest.ValueKind == JsonValueKind.Object
                ? PromptManifest.WithoutModel(manifest)
                : manifest,
            partials
        );
        return partials;
    }

    private static void CollectPartials(JsonElement edited, JsonObject partials)
    {
        if (
            edited.ValueKind != JsonValueKind.Object
            || !edited.TryGetProperty("kwargs", out var kwargs)
            || kwargs.ValueKind != JsonValueKind.Object
        )
        {
            return;
        }

        if (
            kwargs.TryGetProperty("partial_variables", out var given)
            && given.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var partial in given.EnumerateObject())
            {
                partials.TryAdd(partial.Name, JsonNode.Parse(partial.Value.GetRawText()));
            }
        }

        foreach (var name in (string[])["messages", "prompt_messages", "prompt"])
        {
            if (!kwargs.TryGetProperty(name, out var inner))
            {
                continue;
            }

            foreach (
                var part in inner.ValueKind == JsonValueKind.Array
                    ? inner.EnumerateArray().AsEnumerable()
                    : [inner]
            )
            {
                CollectPartials(part, partials);
            }
        }
    }

    private static JsonObject Message(
        JsonElement message,
        string format,
        string at,
        List<string> names
    )
    {
        var role = message.Text("role") ?? throw new InvalidPromptException($"{at}: has no role");
        var content = message.Field("content");
        if (role == PromptVariant.Placeholder)
        {
            var name = content.ValueKind == JsonValueKind.String ? content.GetString()! : "";
            var isOptional = message.Bool("optional") == true;
            if (!isOptional)
            {
                names.Add(name);
            }

            return Constructor(
                ["langchain_core", "prompts", "chat", "MessagesPlaceholder"],
                new JsonObject { ["variable_name"] = name, ["optional"] = isOptional }
            );
        }

        if (role == "tool" || message.Field("tool_calls").IsSaid())
        {
            throw new InvalidPromptException(
                $"{at}: tool calls and their results cannot be part of a saved prompt; use a placeholder for the conversation"
            );
        }

        var type = role switch
        {
            "system" => "SystemMessagePromptTemplate",
            "user" => "HumanMessagePromptTemplate",
            "assistant" => "AIMessagePromptTemplate",
            _ => "ChatMessagePromptTemplate",
        };
        var kwargs = new JsonObject
        {
            ["prompt"] = content.ValueKind switch
            {
                JsonValueKind.String => Template(content.GetString()!, format, at, names),
                JsonValueKind.Array => new JsonArray([
                    .. content.EnumerateArray().Select(p => (JsonNode)Part(p, format, at, names)),
                ]),
                _ => throw new InvalidPromptException($"{at}: has no content"),
            },
        };
        if (type == "ChatMessagePromptTemplate")
        {
            kwargs["role"] = role;
        }

        return Constructor(["langchain_core", "prompts", "chat", type], kwargs);
    }

    private static JsonObject Part(JsonElement part, string format, string at, List<string> names)
    {
        if (part.Text("text") is { } text)
        {
            return Template(text, format, at, names);
        }

        if (part.Field("image_url").Text("url") is { } url)
        {
            var variables = Names(url, format, at, names);
            var template = new JsonObject { ["url"] = url };
            if (part.Field("image_url").Text("detail") is { } detail)
            {
                template["detail"] = detail;
            }

            return Constructor(
                ["langchain_core", "prompts", "image", "ImagePromptTemplate"],
                new JsonObject
                {
                    ["input_variables"] = variables,
                    ["template_format"] = Known(format),
                    ["template"] = template,
                }
            );
        }

        if (part.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidPromptException($"{at}: a part must be an object");
        }

        var inner = JsonNode.Parse(part.GetRawText());
        if (format == "none")
        {
            inner = JsonTemplate.Map(inner, Escaped);
        }

        foreach (var words in JsonTemplate.Texts(JsonSerializer.SerializeToElement(inner)))
        {
            Names(words, Known(format), at, names);
        }

        return Constructor(
            ["langchain_core", "prompts", "dict", "DictPromptTemplate"],
            new JsonObject { ["template"] = inner, ["template_format"] = Known(format) }
        );
    }

    /// <summary>A text that is taken as it stands has to say so in a format that has variables.</summary>
    private static string Escaped(string text) =>
        text.Replace("{", "{{", StringComparison.Ordinal)
            .Replace("}", "}}", StringComparison.Ordinal);

    private static JsonObject Template(string text, string format, string at, List<string> names)
    {
        var template = format == "none" ? Escaped(text) : text;
        return Constructor(
            ["langchain_core", "prompts", "prompt", "PromptTemplate"],
            new JsonObject
            {
                ["input_variables"] = Names(template, Known(format), at, names),
                ["template_format"] = Known(format),
                ["template"] = template,
            }
        );
    }

    private static string Known(string format) => format == "mustache" ? "mustache" : "f-string";

    private static JsonArray Names(string text, string format, string at, List<string> names)
    {
        try
        {
            var parsed = PromptTemplate.Parse(
                format == "mustache" ? TemplateFormat.Mustache : TemplateFormat.FString,
                text
            );
            names.AddRange(parsed.Names);
            return new JsonArray([.. parsed.Names.Select(n => (JsonNode)n)]);
        }
        catch (TemplateException e)
        {
            throw new InvalidPromptException($"{at}: {e.Message}");
        }
    }

    private static JsonObject Constructor(string[] id, JsonObject kwargs) =>
        new()
        {
            ["lc"] = 1,
            ["type"] = "constructor",
            ["id"] = new JsonArray([.. id.Select(i => (JsonNode)i)]),
            ["kwargs"] = kwargs,
        };
}
