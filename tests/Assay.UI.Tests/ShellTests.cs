using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Assay.UI.Tests;

public sealed class ShellTests(Screens screens)
{
    [Fact]
    public async Task The_first_page_of_a_signed_in_browser_lists_the_projects()
    {
        await using var screen = await screens.OpenAsync("/");
        await Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "Projects" }).First)
            .ToBeVisibleAsync();
    }
}
