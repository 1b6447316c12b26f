using System.Text.Json;
using Assay.Core.Prompts.Templates;

namespace Assay.Core.Tests.Prompts;

/// <summary>
/// What mustache's specification asks, in cases of our own (<c>mustache-cases.json</c>): interpolation, sections, inverted sections, comments,
/// delimiters. It differs on purpose where LangChain does: nothing is escaped for HTML. The conformance tests put the same cases to the renderer
/// of LangChain's own package.
/// </summary>
public sealed class MustacheCasesTests
{
    private static readonly Lazy<IReadOnlyList<Case>> s_cases = new(() =>
        JsonSerializer.Deserialize<List<Case>>(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "mustache-cases.json")),
            JsonSerializerOptions.Web
        )!
    );

    public static TheoryData<string> Names =>
        new(s_cases.Value.Where(c => c.Skip is null).Select(c => c.About));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_template_renders_as_the_specification_says(string about)
    {
        var given = s_cases.Value.Single(c => c.About == about);
        var values = given.Data.EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        Assert.Equal(
            given.Expected,
            PromptTemplate.Parse(TemplateFormat.Mustache, given.Template).Render(values)
        );
    }

    [Theory]
    // In a line.
    [InlineData("a {{> t}} b", "x\ny", "a x\ny b")]
    // Alone on a line: indented, and the line ends once.
    [InlineData("a\n  {{> t}}\nb", "x\ny", "a\n  x\n  y\nb")]
    [InlineData("a\n  {{> t}}\nb", "x\ny\n", "a\n  x\n  y\nb")]
    [InlineData("a\r\n{{>t}}\r\nb", "x", "a\r\nx\r\nb")]
    [InlineData("{{> t}}", "x", "x")]
    [InlineData("a\n{{> t}}\nb", "", "a\nb")]
    // Empty lines get no indentation.
    [InlineData("  {{> t}}", "x\n\ny", "  x\n\n  y")]
    public void A_text_stands_where_it_is_included(string template, string text, string expected)
    {
        var include = Assert.Single(IncludeTags.Find(template));
        Assert.Equal("t", include.Name);
        Assert.Equal(expected, include.Replace(template, text));
    }

    [Theory]
    [InlineData("{{! {{> t}} }}")]
    [InlineData("{{=<% %>=}} {{> t}}")]
    [InlineData("{{#a}}{{/a}} {>t}")]
    public void What_is_no_include_is_none(string template) =>
        Assert.Empty(IncludeTags.Find(template));

    private sealed record Case(
        string About,
        string Template,
        JsonElement Data,
        string? Expected,
        string? Skip
    );
}
