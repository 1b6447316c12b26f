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

    private static JsonObject Prompt(JsonElement variant, JsonElement edited)
    {
        if (
            variant.ValueKind != JsonValueKind.Object
            || !variant.TryGetProperty("messages", out var messages)
            || messages.ValueKind != JsonValueKind.Array
            || messages.GetArrayLength() == 0
        )
        {
            throw new InvalidPromptException("messages: at least one is needed");
        }

        var format =
            variant.TryGetProperty("format", out var f) && f.ValueKind == JsonValueKind.String
                ? f.GetString()!
                : "f-string";
        var names = new List<string>();
        var written = new JsonArray();
        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            written.Add(Message(message, format, $"messages[{index++}]", names));
        }

        var kwargs = new JsonObject { ["messages"] = written };
        var partials = new JsonObject();
        CollectPartials(edited, partials);
        if (partials.Count > 0)
        {
            names.RemoveAll(partials.ContainsKey);
            kwargs["partial_variables"] = partials;
        }

        kwargs["input_variables"] = new JsonArray([.. names.Distinct().Select(n => (JsonNode)n)]);
        var isStructured =
            variant.TryGetProperty("schema", out var schema)
            && schema.ValueKind == JsonValueKind.Object;
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
        var role =
            message.ValueKind == JsonValueKind.Object
            && message.TryGetProperty("role", out var r)
            && r.ValueKind == JsonValueKind.String
                ? r.GetString()!
                : throw new InvalidPromptException($"{at}: has no role");
        message.TryGetProperty("content", out var content);
        if (role == PromptVariant.Placeholder)
        {
            var name = content.ValueKind == JsonValueKind.String ? content.GetString()! : "";
            var isOptional =
                message.TryGetProperty("optional", out var o) && o.ValueKind == JsonValueKind.True;
            if (!isOptional)
            {
                names.Add(name);
            }

            return Constructor(
                ["langchain_core", "prompts", "chat", "MessagesPlaceholder"],
                new JsonObject { ["variable_name"] = name, ["optional"] = isOptional }
            );
        }

        if (role == "tool" || message.TryGetProperty("tool_calls", out _))
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
        if (part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
        {
            return Template(text.GetString()!, format, at, names);
        }

        if (
            part.TryGetProperty("image_url", out var image)
            && image.ValueKind == JsonValueKind.Object
            && image.TryGetProperty("url", out var url)
            && url.ValueKind == JsonValueKind.String
        )
        {
            var variables = Names(url.GetString()!, format, at, names);
            var template = new JsonObject { ["url"] = url.GetString() };
            if (
                image.TryGetProperty("detail", out var detail)
                && detail.ValueKind == JsonValueKind.String
            )
            {
                template["detail"] = detail.GetString();
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

        throw new InvalidPromptException($"{at}: only text and images can be saved");
    }

    private static JsonObject Template(string text, string format, string at, List<string> names)
    {
        // A text that is taken as it stands has to say so in a format that has variables.
        var template =
            format == "none"
                ? text.Replace("{", "{{", StringComparison.Ordinal)
                    .Replace("}", "}}", StringComparison.Ordinal)
                : text;
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
