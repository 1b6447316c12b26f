using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Assay.UI.Tests;

/// <summary>What axe-core finds against WCAG 2 A and AA.</summary>
internal static class Accessible
{
    private static readonly AxeRunOptions s_all = new()
    {
        RunOnly = new RunOnlyOptions
        {
            Type = "tag",
            Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        },
    };

    // The one rule that depends on colours.
    private static readonly AxeRunOptions s_contrast = new()
    {
        RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast"] },
    };

    /// <summary>Fails with every violation in the light theme, and with every one that the dark theme adds.</summary>
    public static async Task AssertAsync(IPage page)
    {
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        var light = await page.RunAxe(s_all);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        var dark = await page.RunAxe(s_contrast);
        Check(light, "light");
        Check(dark, "dark");
    }

    private static void Check(AxeResult result, string theme) =>
        Assert.True(
            result.Violations.Length == 0,
            string.Join(
                "\n",
                result.Violations.SelectMany(v =>
                    v.Nodes.Select(n =>
                        $"{theme} {v.Id}: {n.Html}\n    {string.Join("; ", n.Any.Concat(n.All).Concat(n.None).Select(c => c.Message))}"
                    )
                )
            )
        );
}
