using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Prompts.Templates;

namespace Assay.Bench;

/// <summary>
/// Templates filled in, no HTTP and no store: f-string and mustache, a small one (two variables, about 130 characters) and a large one (a
/// hundred paragraphs, a list of fifty sources), parsed once and rendered, and parsed every time; one thread.
/// </summary>
internal static class TemplateBench
{
    public static int Run(Arguments arguments)
    {
        var length = TimeSpan.FromSeconds(arguments.Number("seconds", 3));
        Console.WriteLine(
            "template | text | result | renders/s | MB/s | allocated | parse and render/s"
        );
        foreach (
            var (name, format, text) in new[]
            {
                ("f-string, small", TemplateFormat.FString, Small("{", "}")),
                ("mustache, small", TemplateFormat.Mustache, Small("{{", "}}")),
                ("f-string, large", TemplateFormat.FString, Large("{", "}")),
                (
                    "mustache, large, with a section",
                    TemplateFormat.Mustache,
                    Large("{{", "}}")
                        + "{{#sources}}- {{title}} ({{year}}): {{text}}\n{{/sources}}{{^sources}}none{{/sources}}"
                ),
            }
        )
        {
            Measure(name, format, text, length);
        }

        return 0;
    }

    private static void Measure(string name, TemplateFormat format, string text, TimeSpan length)
    {
        var values = Values();
        var template = PromptTemplate.Parse(format, text);
        var result = template.Render(values);
        // Long enough for the compiler to have done its best.
        Repeat(TimeSpan.FromSeconds(1), () => template.Render(values));
        var (rendered, allocated) = Repeat(length, () => template.Render(values));
        var (parsed, _) = Repeat(length, () => PromptTemplate.Parse(format, text).Render(values));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name} | {text.Length:N0} chars | {result.Length:N0} chars | {rendered:N0} | {rendered * Encoding.UTF8.GetByteCount(result) / 1e6:N0} | {allocated:N0} B, {allocated / result.Length:0.0} per char | {parsed:N0}"
            )
        );
    }

    /// <summary>Turns a second, and bytes allocated by one.</summary>
    private static (double PerSecond, double Allocated) Repeat(TimeSpan length, Func<string> once)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var turns = 0L;
        while (clock.Elapsed < length)
        {
            for (var i = 0; i < 10; i++)
            {
                GC.KeepAlive(once());
            }

            turns += 10;
        }

        return (
            turns / clock.Elapsed.TotalSeconds,
            (double)(GC.GetAllocatedBytesForCurrentThread() - before) / turns
        );
    }

    private static string Small(string open, string close) =>
        $"You answer questions about parcels in a {open}tone{close} tone, in at most three sentences.\n\nQuestion: {open}question{close}\nAnswer:";

    private static string Large(string open, string close) =>
        string.Concat(
            Enumerable
                .Range(0, 100)
                .Select(i =>
                    $"Paragraph {i}: who asks is called {open}name{close} and lives in {open}city{close}. The answer goes out as it is, so it has to be right; when it cannot be, it says so.\n"
                )
        );

    private static Dictionary<string, JsonElement> Values() =>
        JsonSerializer
            .SerializeToElement(
                new
                {
                    tone = "friendly",
                    question = "Where is parcel 4711, and when will it arrive?",
                    name = "Ada Lovelace",
                    city = "Helsinki",
                    sources = Enumerable
                        .Range(0, 50)
                        .Select(i => new
                        {
                            title = $"Terms of carriage, part {i}",
                            year = 2026,
                            text = "A parcel that nobody takes is kept for seven days and then sent back.",
                        }),
                }
            )
            .EnumerateObject()
            .ToDictionary(p => p.Name, p => p.Value);
}
