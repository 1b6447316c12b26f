using System.Text.RegularExpressions;

namespace Assay.Core.Prompts.Templates;

/// <summary>
/// The places of a mustache template that name another text (mustache(5): partials). A tag that stands alone on its line gives its indentation to
/// every line of the text, as mustache's specification asks; other than there, the line ends after the text, since prompts seldom end with a line
/// break. Tags inside comments are text, and so are those after a change of delimiters. Pure.
/// </summary>
public static partial class IncludeTags
{
    /// <summary>One place.</summary>
    /// <param name="Name">What is named.</param>
    /// <param name="Start">Where what is replaced begins.</param>
    /// <param name="Length">Length of what is replaced.</param>
    /// <param name="Indent">What goes before every line of the text; empty when the tag does not stand alone.</param>
    /// <param name="End">The line break after a tag that stands alone.</param>
    public sealed record Include(string Name, int Start, int Length, string Indent, string End)
    {
        /// <summary>A template with this place replaced by a text.</summary>
        public string Replace(string template, string text)
        {
            ArgumentNullException.ThrowIfNull(template);
            ArgumentNullException.ThrowIfNull(text);
            var filled = Indent.Length > 0 ? LineStart().Replace(text, Indent) : text;
            return string.Concat(
                template.AsSpan(0, Start),
                filled,
                text.Length == 0 || text.EndsWith('\n') ? "" : End,
                template.AsSpan(Start + Length)
            );
        }
    }

    /// <summary>The places, in order.</summary>
    public static IReadOnlyList<Include> Find(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        if (!template.Contains("{{>", StringComparison.Ordinal))
        {
            return [];
        }

        var found = new List<Include>();
        foreach (Match tag in Tag().Matches(template))
        {
            if (tag.Groups["delimiters"].Success)
            {
                break;
            }

            if (tag.Groups["name"] is not { Success: true } name)
            {
                continue;
            }

            var (start, end) = (tag.Index, tag.Index + tag.Length);
            var line = start;
            while (line > 0 && template[line - 1] is ' ' or '\t')
            {
                line--;
            }

            var rest = end;
            while (rest < template.Length && template[rest] is ' ' or '\t')
            {
                rest++;
            }

            var isAlone =
                (line == 0 || template[line - 1] == '\n')
                && (rest == template.Length || template[rest] is '\n' or '\r');
            if (!isAlone)
            {
                found.Add(new(name.Value, start, end - start, "", ""));
                continue;
            }

            var text = rest;
            if (rest < template.Length && template[rest] == '\r')
            {
                rest++;
            }

            if (rest < template.Length && template[rest] == '\n')
            {
                rest++;
            }

            found.Add(
                new(name.Value, line, rest - line, template[line..start], template[text..rest])
            );
        }

        return found;
    }

    [GeneratedRegex(
        @"\{\{!.*?\}\}|\{\{(?<delimiters>=).*?=\}\}|\{\{>[ \t]*(?<name>[^\s{}]+)[ \t]*\}\}",
        RegexOptions.Singleline | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Tag();

    [GeneratedRegex(
        "^(?=.)",
        RegexOptions.Multiline | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex LineStart();
}
