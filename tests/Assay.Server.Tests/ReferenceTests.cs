using System.Xml.Linq;

namespace Assay.Server.Tests;

public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Assay.Evaluation"] = [],
        ["Assay.Core"] = ["Assay.Evaluation"],
        ["Assay.Storage"] = ["Assay.Core"],
        ["Assay.Gateway"] = ["Assay.Core"],
        ["Assay.UI"] = ["Assay.Core"],
        ["Assay.Server"] = ["Assay.Core", "Assay.Gateway", "Assay.Storage", "Assay.UI"],
    };

    [Fact]
    public void Projects_refer_to_each_other_only_as_drawn()
    {
        foreach (
            var project in Directory.EnumerateFiles(
                Path.Combine(Repository.Root, "src"),
                "*.csproj",
                SearchOption.AllDirectories
            )
        )
        {
            var references = XDocument
                .Load(project)
                .Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
                .Order();
            Assert.Equal(s_allowed[Path.GetFileNameWithoutExtension(project)].Order(), references);
        }
    }
}
