using System.Text;
using System.Text.Json;
using Stubble.Core;
using Stubble.Core.Builders;
using Stubble.Core.Exceptions;
using Stubble.Core.Parser;
using Stubble.Core.Tokens;

namespace Assay.Core.Prompts.Templates;

/// <summary>How a template marks its variables.</summary>
public enum TemplateFormat
{
    /// <summary>Python's <c>{name}</c>, with <c>{{</c> and <c>}}</c> for the braces themselves.</summary>
    FString,

    /// <summary>Mustache (mustache(5)): <c>{{name}}</c>, sections, nested names; values are not HTML-escaped, as LangChain does.</summary>
    Mustache,
}

/// <summary>A variable of a template.</summary>
/// <param name="Name">What a caller has to give: the first part of a nested name.</param>
/// <param name="Path">The whole name as written.</param>
/// <param name="Start">Where its tag begins, in UTF-16 units from 0.</param>
/// <param name="Length">Length of its tag or opening tag.</param>
public sealed record TemplateVariable(string Name, string Path, int Start, int Length);

/// <summary>
/// A text with variables in LangChain's two formats, checked when it is made. Immutable, safe for concurrent use.
/// </summary>
public sealed class PromptTemplate
{
    private static readonly StubbleVisitorRenderer s_mustache = new StubbleBuilder()
        .Configure(c => c.SetEncodingFunction(text => text).SetMaxRecursionDepth(64))
        .Build();

    private readonly List<(string? Literal, string? Variable)> _parts = [];
    private readonly HashSet<string> _mentioned = new(StringComparer.Ordinal);

    private PromptTemplate(TemplateFormat format, string text)
    {
        Format = format;
        Text = text;
    }

    /// <summary>The format.</summary>
    public TemplateFormat Format { get; }

    /// <summary>The text as written.</summary>
    public string Text { get; }

    /// <summary>Every place a variable stands, in order.</summary>
    public IReadOnlyList<TemplateVariable> Variables { get; private set; } = [];

    /// <summary>What a caller has to give, each once, in the order of first use.</summary>
    public IReadOnlyList<string> Names => [.. Variables.Select(v => v.Name).Distinct()];

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">It is not well formed; the exception says where.</exception>
    public static PromptTemplate Parse(TemplateFormat format, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var template = new PromptTemplate(format, text);
        if (format == TemplateFormat.FString)
        {
            template.ParseFString();
        }
        else
        {
            template.ParseMustache();
        }

        return template;
    }

    /// <summary>The text with its variables filled in. Texts go in as they are, other values as JSON.</summary>
    /// <exception cref="TemplateException">A variable of an f-string has no value. Mustache leaves such places empty, as its specification says.</exception>
    public string Render(IReadOnlyDictionary<string, JsonElement> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (Format == TemplateFormat.Mustache)
        {
            // What no tag names is not turned into what the renderer walks: a caller may hand over a whole example.
            return s_mustache.Render(
                Text,
                values
                    .Where(v => _mentioned.Contains(v.Key))
                    .ToDictionary(v => v.Key, v => Plain(v.Value))
            );
        }

        var rendered = new StringBuilder();
        foreach (var (literal, variable) in _parts)
        {
            rendered.Append(
                literal
                    ?? (
                        values.TryGetValue(variable!, out var value)
                            ? Written(value)
                            : throw At(
                                Variables.First(v => v.Name == variable).Start,
                                $"'{variable}' has no value"
                            )
                    )
            );
        }

        return rendered.ToString();
    }

    private void ParseFString()
    {
        var variables = new List<TemplateVariable>();
        var literal = new StringBuilder();
        for (var i = 0; i < Text.Length; )
        {
            var c = Text[i];
            if (c is '{' or '}' && i + 1 < Text.Length && Text[i + 1] == c)
            {
                literal.Append(c);
                i += 2;
            }
            else if (c == '}')
            {
                throw At(i, "a single '}'; write '}}' for the brace itself");
            }
            else if (c == '{')
            {
                var end = Text.IndexOf('}', i);
                if (end < 0)
                {
                    throw At(i, "'{' is never closed; write '{{' for the brace itself");
                }

                var name = Text[(i + 1)..end].Trim();
                if (
                    name.Length == 0
                    || !name.All(n => char.IsLetterOrDigit(n) || n is '_' or '-' or ' ')
                )
                {
                    throw At(
                        i + 1,
                        $"'{name}' is not a variable name; write '{{{{' and '}}}}' for the braces themselves"
                    );
                }

                if (literal.Length > 0)
                {
                    _parts.Add((literal.ToString(), null));
                    literal.Clear();
                }

                _parts.Add((null, name));
                variables.Add(new(name, name, i, end - i + 1));
                i = end + 1;
            }
            else
            {
                literal.Append(c);
                i++;
            }
        }

        if (literal.Length > 0)
        {
            _parts.Add((literal.ToString(), null));
        }

        Variables = variables;
    }

    private void ParseMustache()
    {
        try
        {
            var found = new List<TemplateVariable>();
            var parsed = MustacheParser.Parse(Text);
            Collect(parsed, found, []);
            Mention(parsed);
            Variables = found;
        }
        catch (StubbleException e)
        {
            var at = e.Message.LastIndexOf(" at ", StringComparison.Ordinal);
            throw at > 0
            && int.TryParse(
                e.Message.AsSpan(at + 4),
                System.Globalization.CultureInfo.InvariantCulture,
                out var position
            )
                ? At(Math.Min(position, Text.Length), e.Message[..at])
                : At(0, e.Message);
        }
    }

    /// <summary>Everything that a tag may look for in the caller's values: what a section does not have is looked for outside it.</summary>
    private void Mention(BlockToken block)
    {
        foreach (var token in block.Children ?? [])
        {
            var path = token switch
            {
                InterpolationToken variable => variable.Content.ToString(),
                SectionToken section => section.SectionName,
                InvertedSectionToken inverted => inverted.SectionName,
                _ => "",
            };
            _mentioned.Add(path.Trim());
            _mentioned.Add(path.Trim().Split('.')[0]);
            if (token is BlockToken inner)
            {
                Mention(inner);
            }
        }
    }

    /// <summary>Names inside a section belong to the section's value first, so only names that no section around them can give are asked of the caller.</summary>
    private static void Collect(
        BlockToken block,
        List<TemplateVariable> found,
        IReadOnlyList<string> sections
    )
    {
        foreach (var token in block.Children ?? [])
        {
            switch (token)
            {
                case InterpolationToken variable when sections.Count == 0:
                    Add(
                        variable.Content.ToString(),
                        variable.TagStartPosition,
                        variable.TagEndPosition
                    );
                    break;
                case SectionToken section:
                    if (sections.Count == 0)
                    {
                        Add(
                            section.SectionName,
                            section.StartPosition,
                            section.ContentStartPosition
                        );
                    }

                    Collect(section, found, [.. sections, section.SectionName]);
                    break;
                case InvertedSectionToken inverted:
                    if (sections.Count == 0)
                    {
                        Add(
                            inverted.SectionName,
                            inverted.StartPosition,
                            inverted.ContentStartPosition
                        );
                    }

                    Collect(inverted, found, sections);
                    break;
            }
        }

        void Add(string path, int start, int end)
        {
            var name = path.Trim();
            if (name is not ("" or "."))
            {
                found.Add(new(name.Split('.')[0], name, start, end - start));
            }
        }
    }

    private static string Written(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() ?? "",
            JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };

    /// <summary>Values as the mustache renderer walks them.</summary>
    private static object? Plain(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => value
                .EnumerateObject()
                .GroupBy(p => p.Name, StringComparer.Ordinal)
                .ToDictionary(p => p.Key, p => Plain(p.Last().Value)),
            JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToList(),
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };

    private TemplateException At(int position, string reason)
    {
        var before = Text.AsSpan(0, position);
        var line = before.Count('\n') + 1;
        var column = position - (before.LastIndexOf('\n') + 1) + 1;
        return new TemplateException(reason, position, line, column);
    }
}

/// <summary>A template that cannot be read or filled in.</summary>
/// <param name="reason">Why.</param>
/// <param name="position">Where, in UTF-16 units from 0.</param>
/// <param name="line">Where, line from 1.</param>
/// <param name="column">Where, column from 1.</param>
public sealed class TemplateException(string reason, int position, int line, int column)
    : Exception($"Line {line}, column {column}: {reason}")
{
    /// <summary>Where, in UTF-16 units from 0.</summary>
    public int Position { get; } = position;

    /// <summary>Line from 1.</summary>
    public int Line { get; } = line;

    /// <summary>Column from 1.</summary>
    public int Column { get; } = column;
}
