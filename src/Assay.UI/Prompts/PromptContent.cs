using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Assay.Core;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;
using Assay.UI.Kit;

namespace Assay.UI.Prompts;

/// <summary>A piece of a template as it is shown.</summary>
/// <param name="Text">As written.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Of a variable or an include, what it names.</param>
public sealed record TemplatePiece(string Text, TemplatePieceKind Kind, string? Name = null);

/// <summary>What a piece of a template is.</summary>
public enum TemplatePieceKind
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>A variable, or the tag of a section.</summary>
    Variable,

    /// <summary>Another prompt's text.</summary>
    Include,
}

/// <summary>An entry of an agent's or a skill's directory.</summary>
/// <param name="Path">Where.</param>
/// <param name="Content">The file's text.</param>
/// <param name="Link">The agent or skill that it leads to; null for a file.</param>
/// <param name="Commit">The commit that a link stays at; null for the newest.</param>
public sealed record PromptFile(string Path, string Content, PromptKey? Link, string? Commit);

/// <summary>A commit's manifest taken apart for the screens: what can be read as messages, and the rest as JSON. Pure.</summary>
public sealed partial class PromptContent
{
    private PromptContent(string manifest) => Manifest = manifest;

    /// <summary>The manifest, indented.</summary>
    public string Manifest { get; }

    /// <summary>The messages as written; empty when they cannot be read.</summary>
    public IReadOnlyList<RenderedMessage> Messages { get; private init; } = [];

    /// <summary>The format of its templates.</summary>
    public TemplateFormat Format { get; private init; }

    /// <summary>What a caller has to give.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    /// <summary>Values that are filled in already, as JSON.</summary>
    public string? Partials { get; private init; }

    /// <summary>The schema of the answer, indented.</summary>
    public string? Schema { get; private init; }

    /// <summary>The model it was committed with, indented JSON.</summary>
    public string? Model { get; private init; }

    /// <summary>Why the messages cannot be shown; null when they can.</summary>
    public string? Problem { get; private init; }

    /// <summary>The files of an agent or a skill; null for a prompt.</summary>
    public IReadOnlyList<PromptFile>? Files { get; private init; }

    /// <summary>Reads a commit.</summary>
    public static PromptContent Read(string manifest)
    {
        using var document = JsonDocument.Parse(
            manifest,
            new JsonDocumentOptions { MaxDepth = 256 }
        );
        var root = document.RootElement;
        if (
            !root.TryGetProperty("id", out _)
            && root.TryGetProperty("files", out var files)
            && files.ValueKind == JsonValueKind.Object
        )
        {
            return new PromptContent(Indented(root))
            {
                Files = [.. files.EnumerateObject().Select(f => File(f.Name, f.Value))],
            };
        }

        var prompt = PromptManifest.WithoutModel(root);
        var hasModel =
            prompt.GetRawText().Length != root.GetRawText().Length
            && root.GetProperty("kwargs").TryGetProperty("last", out _);
        try
        {
            var chat = ChatPrompt.FromManifest(root);
            return new PromptContent(Indented(root))
            {
                Messages = chat.Messages,
                Format = chat.Format,
                Names = chat.Names,
                Schema = chat.OutputSchema is { } schema ? Indented(schema) : null,
                Partials =
                    prompt.GetProperty("kwargs").TryGetProperty("partial_variables", out var given)
                    && given.ValueKind == JsonValueKind.Object
                    && given.EnumerateObject().Any()
                        ? Indented(given)
                        : null,
                Model = hasModel ? Indented(root.GetProperty("kwargs").GetProperty("last")) : null,
            };
        }
        catch (Exception e) when (e is InvalidPromptException or TemplateException)
        {
            return new PromptContent(Indented(root)) { Problem = e.Message };
        }
    }

    /// <summary>What an editor of messages starts from.</summary>
    public JsonObject Seed() =>
        new()
        {
            ["format"] = Format == TemplateFormat.Mustache ? "mustache" : "f-string",
            ["messages"] = new JsonArray([
                .. Messages.Select(m => new JsonObject
                {
                    ["role"] = m.Role,
                    ["content"] = JsonNode.Parse(m.Content.GetRawText()),
                    ["optional"] = m.IsOptional,
                }),
            ]),
            ["schema"] = Schema ?? "",
        };

    /// <summary>The words of a message: its text, or the texts and addresses of its parts.</summary>
    public static string Words(RenderedMessage message) =>
        message.Content.ValueKind switch
        {
            JsonValueKind.String => message.Content.GetString()!,
            JsonValueKind.Array => string.Join(
                "\n\n",
                message.Content.EnumerateArray().Select(p => Part(p).Text)
            ),
            _ => message.Content.GetRawText(),
        };

    /// <summary>The parts of a message: texts and images.</summary>
    public static IEnumerable<(bool IsImage, string Text)> Parts(RenderedMessage message) =>
        message.Content.ValueKind == JsonValueKind.Array
            ? message.Content.EnumerateArray().Select(Part)
            : [(false, Words(message))];

    /// <summary>A template with its variables told apart; a text that cannot be read is one piece.</summary>
    public static IReadOnlyList<TemplatePiece> Pieces(TemplateFormat format, string text)
    {
        List<(int Start, int Length, TemplatePieceKind Kind, string Name)> marks;
        if (format == TemplateFormat.Mustache)
        {
            // Every tag is shown, also those inside sections, which no caller is asked for.
            marks =
            [
                .. MustacheTag()
                    .Matches(text)
                    .Where(m => m.Groups["sign"].Value is not "!" and not "=")
                    .Select(m =>
                        (
                            m.Index,
                            m.Length,
                            m.Groups["sign"].Value == ">"
                                ? TemplatePieceKind.Include
                                : TemplatePieceKind.Variable,
                            m.Groups["name"].Value.Trim()
                        )
                    ),
            ];
        }
        else
        {
            try
            {
                marks =
                [
                    .. PromptTemplate
                        .Parse(format, text)
                        .Variables.Select(v =>
                            (v.Start, v.Length, TemplatePieceKind.Variable, v.Path)
                        ),
                ];
            }
            catch (TemplateException)
            {
                marks = [];
            }
        }

        var pieces = new List<TemplatePiece>();
        var at = 0;
        foreach (var (start, length, kind, name) in marks)
        {
            if (start > at)
            {
                pieces.Add(new(text[at..start], TemplatePieceKind.Text));
            }

            pieces.Add(new(text.Substring(start, length), kind, name));
            at = start + length;
        }

        if (at < text.Length || pieces.Count == 0)
        {
            pieces.Add(new(text[at..], TemplatePieceKind.Text));
        }

        return pieces;
    }

    private static (bool IsImage, string Text) Part(JsonElement part) =>
        part.ValueKind != JsonValueKind.Object ? (false, part.ToString())
        : part.TryGetProperty("text", out var text) ? (false, text.ToString())
        : part.TryGetProperty("image_url", out var image)
            ? (
                true,
                image.ValueKind == JsonValueKind.Object && image.TryGetProperty("url", out var url)
                    ? url.ToString()
                    : image.ToString()
            )
        : (false, part.GetRawText());

    private static PromptFile File(string path, JsonElement file)
    {
        var handle = file.Text("repo_handle");
        return new PromptFile(
            path,
            file.Text("content") ?? Indented(file),
            handle is null ? null : new PromptKey(file.Text("owner") ?? PromptHub.Self, handle),
            file.Text("commit_hash")
        );
    }

    private static string Indented(JsonElement json) => ReadableJson.Indented(json);

    [GeneratedRegex(
        @"\{\{\{(?<name>[^}]*)\}\}\}|\{\{(?<sign>[#^/>!&=]?)(?<name>[^}]*)\}\}",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex MustacheTag();
}
