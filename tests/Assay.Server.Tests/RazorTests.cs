using System.Text.RegularExpressions;

namespace Assay.Server.Tests;

/// <summary>What the compiler of pages lets pass and the renderer does not.</summary>
public sealed partial class RazorTests
{
    private static readonly string[] s_void = ["br", "hr", "img", "input", "link", "meta", "wbr"];

    /// <summary>A page is also drawn before it has read anything, and an element that a <c>return</c> leaves open is an error 500 then.</summary>
    [Fact]
    public void No_page_returns_inside_an_open_element()
    {
        var pages = Directory.GetFiles(
            Path.Combine(Repository.Root, "src", "Assay.UI"),
            "*.razor",
            SearchOption.AllDirectories
        );
        Assert.NotEmpty(pages);
        Assert.Empty(
            pages.SelectMany(p => OpenReturns(File.ReadAllText(p)).Select(o => $"{p}: {o}"))
        );
    }

    [Fact]
    public void A_return_inside_an_open_element_is_found() =>
        Assert.Equal(
            ["div"],
            OpenReturns("<p>a</p><div>@if (x) { <br><i>b</i> return; }</div>@code { return; }")
        );

    private static IEnumerable<string> OpenReturns(string razor)
    {
        var markup = CodePattern().Split(CommentPattern().Replace(razor, ""))[0];
        foreach (Match found in ReturnPattern().Matches(markup))
        {
            var open = new Stack<string>();
            foreach (Match tag in TagPattern().Matches(markup[..found.Index]))
            {
                var name = tag.Groups["name"].Value;
                if (tag.Groups["self"].Length > 0 || s_void.Contains(name))
                {
                    continue;
                }

                if (tag.Groups["end"].Length == 0)
                {
                    open.Push(name);
                }
                else if (open.Contains(name))
                {
                    while (open.Pop() != name) { }
                }
            }

            if (open.Count > 0)
            {
                yield return string.Join(' ', open);
            }
        }
    }

    [GeneratedRegex(@"^@code|@code \{", RegexOptions.Multiline, 1_000)]
    private static partial Regex CodePattern();

    [GeneratedRegex(@"@\*.*?\*@", RegexOptions.Singleline, 1_000)]
    private static partial Regex CommentPattern();

    [GeneratedRegex(@"\breturn;", RegexOptions.None, 1_000)]
    private static partial Regex ReturnPattern();

    [GeneratedRegex(
        """<(?<end>/?)(?<name>[a-z][a-z0-9-]*)(?:[^<>"]|"[^"]*")*?(?<self>/?)>""",
        RegexOptions.None,
        1_000
    )]
    private static partial Regex TagPattern();
}
