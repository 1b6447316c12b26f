using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts.Templates;
using Microsoft.Extensions.AI;

namespace Assay.Core.Playground;

/// <summary>
/// A prompt with its model and settings, as the playground edits it and a server-run experiment executes it: message templates, parameters,
/// tools, the form of the answer. Read from JSON and checked as a whole; immutable, thread-safe.
/// </summary>
public sealed class PromptVariant
{
    /// <summary>The most messages.</summary>
    public const int MaxMessages = 200;

    /// <summary>The role of a place for a list of messages; its content is the variable's name.</summary>
    public const string Placeholder = "placeholder";

    private const int MaxModelLength = 200;
    private readonly JsonElement _messages;
    private readonly TemplateFormat? _format;
    private readonly ChatOptions _options;
    private readonly Dictionary<string, JsonElement> _partials;

    private PromptVariant(
        Guid providerId,
        string model,
        JsonElement messages,
        TemplateFormat? format,
        ChatOptions options,
        Dictionary<string, JsonElement> partials,
        IReadOnlyDictionary<string, string> metadata
    )
    {
        ProviderId = providerId;
        Model = model;
        _messages = messages;
        _format = format;
        _options = options;
        _partials = partials;
        Metadata = metadata;
        Names =
        [
            .. Texts()
                .SelectMany(t => t.IsPlaceholder ? [t.Text] : Parse(t.Text, t.At).Names)
                .Distinct()
                .Where(n => !_partials.ContainsKey(n)),
        ];
    }

    /// <summary>The provider.</summary>
    public Guid ProviderId { get; }

    /// <summary>The model; empty while its author has not chosen one, which only rendering minds.</summary>
    public string Model { get; }

    /// <summary>Variables that need a value, in the order of first use.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Temperature and the like, as providers name them; without the model and the form of the answer.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Parameters =>
        ChatJson
            .Parameters(Model, _options)
            .Where(p => p.Key is not ("model" or "response_format"))
            .ToDictionary(p => p.Key, p => p.Value);

    /// <summary>The most tokens of an answer; null for the provider's own limit.</summary>
    public int? MaxOutputTokens => _options.MaxOutputTokens;

    /// <summary>True when the answer is asked for as an object of a schema.</summary>
    public bool HasSchema => _options.ResponseFormat is ChatResponseFormatJson { Schema: not null };

    /// <summary>What runs of it say about the prompt they came from, in the names LangChain's clients use.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Reads <c>{provider, model, messages, format, partials, parameters, tools, tool_choice, schema, prompt}</c>. Messages are
    /// <c>{role, content}</c> with a text or a list of parts; partials are values by variable that are filled in already; tools are OpenAI's function definitions; format is <c>f-string</c>, <c>mustache</c> or <c>none</c>.
    /// </summary>
    /// <exception cref="InvalidVariantException">Something is missing or unreadable; it says what and where.</exception>
    public static PromptVariant Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidVariantException("the variant must be an object");
        }

        if (!Guid.TryParse(json.Text("provider"), out var provider))
        {
            throw new InvalidVariantException("provider: choose one");
        }

        var model = json.Text("model")?.Trim() ?? "";
        if (model.Length > MaxModelLength)
        {
            throw new InvalidVariantException($"model: at most {MaxModelLength} characters");
        }

        if (
            json.Field("messages") is not { ValueKind: JsonValueKind.Array } messages
            || messages.GetArrayLength() is 0 or > MaxMessages
        )
        {
            throw new InvalidVariantException($"messages: 1 to {MaxMessages} are needed");
        }

        TemplateFormat? format = json.Text("format") switch
        {
            null or "f-string" => TemplateFormat.FString,
            "mustache" => TemplateFormat.Mustache,
            "none" => null,
            var other => throw new InvalidVariantException(
                $"format: '{other}' is none of f-string, mustache, none"
            ),
        };
        return new PromptVariant(
            provider,
            model,
            messages.Clone(),
            format,
            Options(json),
            json.Field("partials") is { ValueKind: JsonValueKind.Object } partials
                ? partials
                    .EnumerateObject()
                    .ToDictionary(p => p.Name, p => p.Value.Clone(), StringComparer.Ordinal)
                : [],
            PromptMetadata(json.Field("prompt"))
        );
    }

    /// <summary>The call with the variables filled in.</summary>
    /// <param name="given">Values by variable; one that is filled in already may be given another.</param>
    /// <param name="projectName">The project its run goes to.</param>
    /// <exception cref="InvalidVariantException">No model is chosen, a variable has no value, or a rendered message is not one.</exception>
    public ModelCall Render(IReadOnlyDictionary<string, JsonElement> given, string projectName)
    {
        ArgumentNullException.ThrowIfNull(given);
        if (Model.Length == 0)
        {
            throw new InvalidVariantException("model: choose one");
        }

        var values = new Dictionary<string, JsonElement>(_partials, StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            values[name] = value;
        }

        var messages = new JsonArray();
        var index = 0;
        foreach (var template in _messages.EnumerateArray())
        {
            var at = $"messages[{index++}]";
            if (template.Text("role") == Placeholder)
            {
                var name = template.Text("content") ?? "";
                if (
                    !values.TryGetValue(name, out var list)
                    || list.ValueKind != JsonValueKind.Array
                )
                {
                    throw new InvalidVariantException($"{at}: {name} must be a list of messages");
                }

                foreach (var message in list.EnumerateArray())
                {
                    messages.Add(JsonNode.Parse(message.GetRawText()));
                }
            }
            else
            {
                var message = JsonNode.Parse(template.GetRawText());
                if (message is JsonObject readable && readable["content"] is { } content)
                {
                    readable["content"] = Render(content, at, values);
                }

                messages.Add(message);
            }
        }

        try
        {
            return new ModelCall
            {
                ProviderId = ProviderId,
                Model = Model,
                Messages = ChatJson.Read(JsonSerializer.SerializeToElement(messages)),
                Options = _options,
                ProjectName = projectName,
                Metadata = Metadata,
            };
        }
        catch (FormatException e)
        {
            throw new InvalidVariantException(e.Message, e);
        }
    }

    private JsonNode Render(
        JsonNode content,
        string at,
        IReadOnlyDictionary<string, JsonElement> values
    )
    {
        switch (content)
        {
            case JsonValue value when value.TryGetValue<string>(out var text):
                return Render(text, at, values);
            case JsonArray parts:
                for (var i = 0; i < parts.Count; i++)
                {
                    if (parts[i] is not JsonObject part)
                    {
                        continue;
                    }

                    if (IsOther(part))
                    {
                        parts[i] = JsonTemplate.Map(
                            part,
                            t => IsData(t) ? t : Render(t, at, values)
                        );
                        continue;
                    }

                    if (part["text"] is JsonValue text && text.TryGetValue<string>(out var words))
                    {
                        part["text"] = Render(words, at, values);
                    }

                    if (
                        part["image_url"] is JsonObject image
                        && image["url"] is JsonValue url
                        && url.TryGetValue<string>(out var address)
                        && !IsData(address)
                    )
                    {
                        image["url"] = Render(address, at, values);
                    }
                }

                return parts.DeepClone();
            default:
                return content.DeepClone();
        }
    }

    private string Render(string text, string at, IReadOnlyDictionary<string, JsonElement> values)
    {
        if (_format is null)
        {
            return text;
        }

        try
        {
            return Parse(text, at).Render(values);
        }
        catch (TemplateException e)
        {
            throw new InvalidVariantException($"{at}: {e.Message}", e);
        }
    }

    private ParsedText Parse(string text, string at)
    {
        if (_format is not { } format)
        {
            return new ParsedText(null, text);
        }

        try
        {
            return new ParsedText(PromptTemplate.Parse(format, text), text);
        }
        catch (TemplateException e)
        {
            throw new InvalidVariantException($"{at}: {e.Message}", e);
        }
    }

    private IEnumerable<(string Text, string At, bool IsPlaceholder)> Texts()
    {
        var i = 0;
        foreach (var message in _messages.EnumerateArray())
        {
            var at = $"messages[{i++}]";
            switch (message.Field("content"))
            {
                case { ValueKind: JsonValueKind.String } text:
                    yield return (text.GetString()!, at, message.Text("role") == Placeholder);
                    break;
                case { ValueKind: JsonValueKind.Array } parts:
                    foreach (var part in parts.EnumerateArray())
                    {
                        if (part.Text("text") is { } words)
                        {
                            yield return (words, at, false);
                        }
                        else if (
                            part.Field("image_url") is { ValueKind: JsonValueKind.Object } image
                            && image.Text("url") is { } url
                            && !IsData(url)
                        )
                        {
                            yield return (url, at, false);
                        }
                        else if (part.ValueKind == JsonValueKind.Object)
                        {
                            foreach (var inner in JsonTemplate.Texts(part).Where(t => !IsData(t)))
                            {
                                yield return (inner, at, false);
                            }
                        }
                    }

                    break;
            }
        }
    }

    /// <summary>A part that is neither text nor image: every text in it is a template.</summary>
    private static bool IsOther(JsonObject part) =>
        part["text"] is not JsonValue && part["image_url"] is null;

    /// <summary>An image itself, which is no template however long it is: base64 has no braces, an address with braces is to be filled in.</summary>
    private static bool IsData(string url) =>
        url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && !url.Contains('{');

    private static ChatOptions Options(JsonElement json)
    {
        var options = new ChatOptions();
        var parameters = json.Field("parameters");
        options.Temperature = (float?)Number(parameters, "temperature", 0, 2);
        options.TopP = (float?)Number(parameters, "top_p", 0, 1);
        options.MaxOutputTokens = (int?)Number(parameters, "max_tokens", 1, 1_000_000);
        options.FrequencyPenalty = (float?)Number(parameters, "frequency_penalty", -2, 2);
        options.PresencePenalty = (float?)Number(parameters, "presence_penalty", -2, 2);
        options.Seed = (long?)Number(parameters, "seed", long.MinValue, long.MaxValue);
        if (parameters.Field("stop") is { ValueKind: JsonValueKind.Array } stop)
        {
            options.StopSequences = [.. stop.EnumerateArray().Select(s => s.ToString())];
        }

        if (json.Field("tools") is { ValueKind: JsonValueKind.Array } tools)
        {
            options.Tools = [.. tools.EnumerateArray().Select(Tool)];
            options.ToolMode = json.Text("tool_choice") switch
            {
                null or "" or "auto" => null,
                "none" => ChatToolMode.None,
                "required" => ChatToolMode.RequireAny,
                var name => ChatToolMode.RequireSpecific(name),
            };
        }

        if (json.Field("schema") is { ValueKind: JsonValueKind.Object } schema)
        {
            options.ResponseFormat = ChatResponseFormat.ForJsonSchema(
                schema.Clone(),
                schema.Text("title") is { Length: > 0 } title
                    ? string.Concat(
                        title.Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
                    )
                    : "answer"
            );
        }

        return options;
    }

    private static AIFunctionDeclaration Tool(JsonElement tool, int index)
    {
        var function = tool.Field("function") is { ValueKind: JsonValueKind.Object } inner
            ? inner
            : tool;
        if (function.Text("name") is not { Length: > 0 } name)
        {
            throw new InvalidVariantException($"tools[{index}]: has no name");
        }

        var parameters = function.Field("parameters");
        if (parameters.ValueKind == JsonValueKind.Undefined)
        {
            parameters = function.Field("input_schema");
        }

        return AIFunctionFactory.CreateDeclaration(
            name,
            function.Text("description") ?? "",
            parameters.ValueKind == JsonValueKind.Object
                ? parameters.Clone()
                : JsonSerializer.SerializeToElement(new { type = "object" }),
            null
        );
    }

    private static Dictionary<string, string> PromptMetadata(JsonElement prompt)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (prompt.Text("handle") is { Length: > 0 } handle)
        {
            metadata["lc_hub_repo"] = handle;
            if (prompt.Text("commit") is { Length: > 0 } commit)
            {
                metadata["lc_hub_commit_hash"] = commit;
            }
        }

        return metadata;
    }

    private static double? Number(JsonElement json, string name, double low, double high)
    {
        switch (json.Field(name))
        {
            case { ValueKind: JsonValueKind.Number } value:
                var number = value.GetDouble();
                return number >= low && number <= high
                    ? number
                    : throw new InvalidVariantException(
                        FormattableString.Invariant($"{name}: must be between {low} and {high}")
                    );
            case { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined }:
                return null;
            default:
                throw new InvalidVariantException($"{name}: must be a number");
        }
    }

    private readonly record struct ParsedText(PromptTemplate? Template, string Text)
    {
        public IReadOnlyList<string> Names => Template?.Names ?? [];

        public string Render(IReadOnlyDictionary<string, JsonElement> values) =>
            Template?.Render(values) ?? Text;
    }
}

/// <summary>A variant that cannot be run as it stands; the message is for its author.</summary>
public sealed class InvalidVariantException(string message, Exception? inner = null)
    : Exception(message, inner);
