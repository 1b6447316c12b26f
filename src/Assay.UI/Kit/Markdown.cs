using Ganss.Xss;
using Markdig;
using Microsoft.AspNetCore.Components;

namespace Assay.UI.Kit;

/// <summary>
/// Text of strangers as safe markup: raw HTML is off in the parser, and the sanitizer lets only known tags and link schemes through. Remote images are
/// not loaded, since looking at a trace must not tell anybody.
/// </summary>
internal static class Markdown
{
    private const int MaxLength = 60_000;
    private static readonly MarkdownPipeline s_pipeline = new MarkdownPipelineBuilder()
        .DisableHtml()
        .UsePipeTables()
        .UseEmphasisExtras()
        .UseTaskLists()
        .UseAutoLinks()
        .Build();
    private static readonly HtmlSanitizer s_sanitizer = Sanitizer();

    /// <summary>Markup of a text; what is longer than 60,000 characters is cut and says so.</summary>
    public static MarkupString Render(string text)
    {
        var cut = text.Length > MaxLength ? text[..MaxLength] : text;
        var html = s_sanitizer.Sanitize(Markdig.Markdown.ToHtml(cut, s_pipeline));
        return new MarkupString(
            cut.Length == text.Length
                ? html
                : html + "<p class=\"dim\">Cut here; the JSON view has the whole text.</p>"
        );
    }

    private static HtmlSanitizer Sanitizer()
    {
        var sanitizer = new HtmlSanitizer();
        sanitizer.AllowedTags.Clear();
        sanitizer.AllowedTags.UnionWith([
            "p",
            "br",
            "hr",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "ol",
            "li",
            "strong",
            "em",
            "del",
            "ins",
            "mark",
            "sub",
            "sup",
            "code",
            "pre",
            "blockquote",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "a",
            "input",
        ]);
        sanitizer.AllowedAttributes.Clear();
        sanitizer.AllowedAttributes.UnionWith([
            "href",
            "title",
            "start",
            "type",
            "checked",
            "disabled",
            "rel",
            "target",
        ]);
        sanitizer.AllowedCssProperties.Clear();
        sanitizer.AllowedSchemes.Clear();
        sanitizer.AllowedSchemes.UnionWith(["http", "https", "mailto"]);
        sanitizer.PostProcessNode += (_, e) =>
        {
            if (e.Node is AngleSharp.Html.Dom.IHtmlAnchorElement link)
            {
                link.SetAttribute("rel", "noopener noreferrer nofollow");
                link.SetAttribute("target", "_blank");
            }
        };
        return sanitizer;
    }
}
