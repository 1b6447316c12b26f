using System.Text.Json;

namespace Assay.Core.Prompts.Templates;

/// <summary>One message of a rendered prompt.</summary>
/// <param name="Role">As chat APIs name it: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>, or an own one.</param>
/// <param name="Content">Text, or a JSON array of content blocks.</param>
public sealed record RenderedMessage(string Role, JsonElement Content)
{
    /// <summary>Of a place for messages as it is written: it may stay empty.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>
/// LangChain's serialized prompts made executable: chat prompts, plain prompts, structured prompts, messages placeholders, partial variables
/// image parts, and parts of any other shape whose texts are templates. What it does not know it names in the error. Immutable, safe for concurrent use.
/// </summary>
public sealed class ChatPrompt
{
    private readonly List<Part> _parts;
    private readonly IReadOnlyDictionary<string, JsonElement> _partials;

    private ChatPrompt(
        List<Part> parts,
        IReadOnlyDictionary<string, JsonElement> partials,
        JsonElement? schema
    )
    {
        _parts = parts;
        _partials = partials;
        OutputSchema = schema;
    }

    /// <summary>JSON schema of the answer, of a structured prompt.</summary>
    public JsonElement? OutputSchema { get; }

    /// <summary>What a caller has to give, each once, in the order of first use; optional placeholders and partial variables left out.</summary>
    public IReadOnlyList<string> Names =>
        [.. _parts.SelectMany(p => p.Names).Distinct().Where(n => !_partials.ContainsKey(n))];

    /// <summary>Reads a manifest; of a prompt with its model, the prompt.</summary>
    /// <exception cref="InvalidPromptException">It is no prompt this can execute; the message names what is in the way.</exception>
    /// <exception cref="TemplateException">A template in it is not well formed.</exception>
    public static ChatPrompt FromManifest(JsonElement manifest)
    {
        var prompt = PromptManifest.WithoutModel(manifest);
        var type = PromptManifest.TypeOf(prompt);
        var kwargs = Object(prompt, "kwargs");
        var partials = Partials(kwargs);
        return type switch
        {
            "ChatPromptTemplate" or "StructuredPrompt" => new(
                [
                    .. Items(
                            kwargs,
                            Field(kwargs, "messages").ValueKind == JsonValueKind.Array
                                ? "messages"
                                : "prompt_messages"
                        )
                        .Select(Message),
                ],
                partials,
                Field(kwargs, "schema_") is { ValueKind: JsonValueKind.Object } schema
                        ? schema.Clone()
                    : Field(kwargs, "schema") is { ValueKind: JsonValueKind.Object } named
                        ? named.Clone()
                    : null
            ),
            "PromptTemplate" => new([new TextPart("user", [Template(prompt)])], partials, null),
            _ => throw new InvalidPromptException(
                $"A {type ?? "manifest without a type"} cannot be executed here"
            ),
        };
    }

    /// <summary>The messages with the variables filled in.</summary>
    /// <exception cref="TemplateException">A variable has no value.</exception>
    /// <exception cref="InvalidPromptException">A placeholder was not given messages.</exception>
    public IReadOnlyList<RenderedMessage> Render(IReadOnlyDictionary<string, JsonElement> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var all = new Dictionary<string, JsonElement>(_partials, StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            all[name] = value;
        }

        return [.. _parts.SelectMany(p => p.Render(all))];
    }

    /// <summary>
    /// The messages as they are written, for an editor: role and template text, or a list of parts; a place for messages has the role
    /// <c>placeholder</c> and its variable as content.
    /// </summary>
    public IReadOnlyList<RenderedMessage> Messages =>
        [.. _parts.Select(p => p is FixedPart known ? known.As(Format) : p.Written)];

    /// <summary>The format of its templates; f-string where it has none.</summary>
    public TemplateFormat Format =>
        _parts.OfType<TextPart>().SelectMany(p => p.Blocks).Select(b => b.Format).FirstOrDefault();

    private static Part Message(JsonElement message)
    {
        var type = PromptManifest.TypeOf(message);
        var kwargs = Object(message, "kwargs");
        switch (type)
        {
            case "MessagesPlaceholder":
                return new PlaceholderPart(
                    Text(kwargs, "variable_name")
                        ?? Text(kwargs, "variableName")
                        ?? throw new InvalidPromptException(
                            "A MessagesPlaceholder has no variable_name"
                        ),
                    Field(kwargs, "optional").ValueKind == JsonValueKind.True
                );
            case "SystemMessagePromptTemplate"
            or "HumanMessagePromptTemplate"
            or "AIMessagePromptTemplate"
            or "ChatMessagePromptTemplate":
                var role = type switch
                {
                    "SystemMessagePromptTemplate" => "system",
                    "HumanMessagePromptTemplate" => "user",
                    "AIMessagePromptTemplate" => "assistant",
                    _ => Text(kwargs, "role") ?? "user",
                };
                var prompt = Field(kwargs, "prompt");
                return new TextPart(
                    role,
                    prompt.ValueKind == JsonValueKind.Array
                        ? [.. prompt.EnumerateArray().Select(Template)]
                        : [Template(prompt)]
                );
            case "SystemMessage" or "HumanMessage" or "AIMessage" or "ToolMessage":
                return new FixedPart(
                    new RenderedMessage(
                        type switch
                        {
                            "SystemMessage" => "system",
                            "HumanMessage" => "user",
                            "AIMessage" => "assistant",
                            _ => "tool",
                        },
                        Field(kwargs, "content").Clone()
                    )
                );
            default:
                throw new InvalidPromptException(
                    $"A message of type {type ?? "(none)"} cannot be executed here"
                );
        }
    }

    private static Block Template(JsonElement template)
    {
        var type = PromptManifest.TypeOf(template);
        var kwargs = Object(template, "kwargs");
        var format =
            Text(kwargs, "template_format") ?? Text(kwargs, "templateFormat") ?? "f-string";
        var parsed = format switch
        {
            "f-string" => TemplateFormat.FString,
            "mustache" => TemplateFormat.Mustache,
            _ => throw new InvalidPromptException($"Template format {format} is not supported"),
        };
        switch (type)
        {
            case "PromptTemplate":
                return new Block(
                    "text",
                    PromptTemplate.Parse(parsed, Text(kwargs, "template") ?? ""),
                    Partials(kwargs)
                );
            case "ImagePromptTemplate":
                var image = Field(kwargs, "template");
                var isObject = image.ValueKind == JsonValueKind.Object;
                var url = isObject ? Text(image, "url") : Text(kwargs, "template");
                return new Block(
                    "image_url",
                    PromptTemplate.Parse(parsed, url ?? ""),
                    Partials(kwargs)
                )
                {
                    Detail = isObject ? Text(image, "detail") : null,
                };
            case "DictPromptTemplate":
                return new Block("json", PromptTemplate.Parse(parsed, ""), Partials(kwargs))
                {
                    Json = JsonTemplate.Parse(parsed, Object(kwargs, "template")),
                };
            default:
                throw new InvalidPromptException(
                    $"A template of type {type ?? "(none)"} cannot be executed here"
                );
        }
    }

    /// <summary>Values that are filled in already, of the whole prompt; those of single templates are theirs.</summary>
    public IReadOnlyDictionary<string, JsonElement> Filled => _partials;

    /// <summary>The variables that are filled in already.</summary>
    private static Dictionary<string, JsonElement> Partials(JsonElement kwargs) =>
        Field(kwargs, "partial_variables") is { ValueKind: JsonValueKind.Object } given
            ? given
                .EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.Clone(), StringComparer.Ordinal)
            : new(StringComparer.Ordinal);

    private static JsonElement Object(JsonElement json, string name) =>
        Field(json, name) is { ValueKind: JsonValueKind.Object } value
            ? value
            : throw new InvalidPromptException(
                $"{PromptManifest.TypeOf(json) ?? "Manifest"} has no {name}"
            );

    private static JsonElement Field(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : default;

    private static string? Text(JsonElement json, string name) =>
        Field(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement.ArrayEnumerator Items(JsonElement json, string name) =>
        Field(json, name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : [];

    private abstract record Part
    {
        public abstract IEnumerable<string> Names { get; }

        public abstract RenderedMessage Written { get; }

        public abstract IEnumerable<RenderedMessage> Render(
            IReadOnlyDictionary<string, JsonElement> values
        );
    }

    /// <summary>A text, an image or another part of a message, with the variables that are filled in for it alone.</summary>
    private sealed record Block(
        string Type,
        PromptTemplate Template,
        IReadOnlyDictionary<string, JsonElement> Partials
    )
    {
        /// <summary>Of an image, how closely a model shall look at it.</summary>
        public string? Detail { get; init; }

        /// <summary>Of a part that is neither text nor image, the part itself.</summary>
        public JsonTemplate? Json { get; init; }

        public TemplateFormat Format => Json?.Format ?? Template.Format;

        public IEnumerable<string> Names =>
            (Json?.Names ?? Template.Names).Where(n => !Partials.ContainsKey(n));

        /// <summary>The part as it is written.</summary>
        public object Written => Json?.Written ?? Part(Template.Text);

        /// <summary>The part with its variables filled in.</summary>
        public object Rendered(IReadOnlyDictionary<string, JsonElement> values) =>
            Json?.Render(With(values)) ?? Part(Render(values));

        public string Render(IReadOnlyDictionary<string, JsonElement> values) =>
            Template.Render(With(values));

        private object Part(string text) =>
            Type == "text" ? new { type = "text", text }
            : Detail is { } detail
                ? new { type = "image_url", image_url = new { url = text, detail } }
            : new { type = "image_url", image_url = new { url = text } };

        private IReadOnlyDictionary<string, JsonElement> With(
            IReadOnlyDictionary<string, JsonElement> values
        )
        {
            if (Partials.Count == 0)
            {
                return values;
            }

            var all = new Dictionary<string, JsonElement>(Partials, StringComparer.Ordinal);
            foreach (var (name, value) in values)
            {
                all[name] = value;
            }

            return all;
        }
    }

    private sealed record FixedPart(RenderedMessage Message) : Part
    {
        public override IEnumerable<string> Names => [];

        public override RenderedMessage Written => Message;

        /// <summary>A message without variables among templates: its braces have to say that they are none.</summary>
        public RenderedMessage As(TemplateFormat format) =>
            format == TemplateFormat.FString && Message.Content.ValueKind == JsonValueKind.String
                ? Message with
                {
                    Content = JsonSerializer.SerializeToElement(
                        Message
                            .Content.GetString()!
                            .Replace("{", "{{", StringComparison.Ordinal)
                            .Replace("}", "}}", StringComparison.Ordinal)
                    ),
                }
                : Message;

        public override IEnumerable<RenderedMessage> Render(
            IReadOnlyDictionary<string, JsonElement> values
        ) => [Message];
    }

    private sealed record TextPart(string Role, IReadOnlyList<Block> Blocks) : Part
    {
        public override IEnumerable<string> Names => Blocks.SelectMany(b => b.Names);

        public override RenderedMessage Written => With(b => b.Template.Text, b => b.Written);

        public override IEnumerable<RenderedMessage> Render(
            IReadOnlyDictionary<string, JsonElement> values
        ) => [With(b => b.Render(values), b => b.Rendered(values))];

        private RenderedMessage With(Func<Block, string> text, Func<Block, object> part) =>
            Blocks is [{ Type: "text" } only]
                ? new(Role, JsonSerializer.SerializeToElement(text(only)))
                : new(Role, JsonSerializer.SerializeToElement(Blocks.Select(part)));
    }

    private sealed record PlaceholderPart(string Variable, bool IsOptional) : Part
    {
        public override IEnumerable<string> Names => IsOptional ? [] : [Variable];

        public override RenderedMessage Written =>
            new("placeholder", JsonSerializer.SerializeToElement(Variable))
            {
                IsOptional = IsOptional,
            };

        public override IEnumerable<RenderedMessage> Render(
            IReadOnlyDictionary<string, JsonElement> values
        )
        {
            if (!values.TryGetValue(Variable, out var given) && IsOptional)
            {
                return [];
            }

            return given.ValueKind == JsonValueKind.Array
                ? [.. given.EnumerateArray().Select(Read)]
                : throw new InvalidPromptException($"{Variable}: must be a list of messages");
        }

        private RenderedMessage Read(JsonElement message) =>
            Text(message, "role") is { } role
            && Field(message, "content") is { ValueKind: not JsonValueKind.Undefined } content
                ? new(role, content.Clone())
                : throw new InvalidPromptException(
                    $"{Variable}: each message needs role and content"
                );
    }
}
