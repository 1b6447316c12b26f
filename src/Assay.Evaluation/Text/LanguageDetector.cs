using System.Text;

namespace Assay.Evaluation.Text;

/// <summary>
/// Guesses the language of a text: by its script where the script decides, else by how many of a language's most frequent words
/// it uses (the method of G. Grefenstette, "Comparing two language identification schemes", 1995). Needs some ten words; says null when it cannot tell.
/// </summary>
public static class LanguageDetector
{
    private const int FewestHits = 2;

    private static readonly (string Language, int From, int To)[] s_scripts =
    [
        ("ja", 0x3040, 0x30FF),
        ("ko", 0xAC00, 0xD7AF),
        ("th", 0x0E00, 0x0E7F),
        ("he", 0x0590, 0x05FF),
        ("ar", 0x0600, 0x06FF),
        ("hi", 0x0900, 0x097F),
        ("el", 0x0370, 0x03FF),
        ("zh", 0x4E00, 0x9FFF),
        ("cyrillic", 0x0400, 0x04FF),
        ("latin", 0x0041, 0x024F),
    ];

    private static readonly Dictionary<string, string[]> s_frequent = new(StringComparer.Ordinal)
    {
        ["en"] =
        [
            "the",
            "of",
            "and",
            "to",
            "in",
            "is",
            "that",
            "it",
            "was",
            "for",
            "with",
            "are",
            "you",
            "this",
            "have",
            "not",
            "be",
            "on",
            "what",
            "can",
        ],
        ["de"] =
        [
            "der",
            "die",
            "und",
            "das",
            "ist",
            "nicht",
            "ein",
            "eine",
            "zu",
            "den",
            "mit",
            "sich",
            "auf",
            "für",
            "von",
            "dem",
            "es",
            "auch",
            "wie",
            "werden",
        ],
        ["fr"] =
        [
            "le",
            "la",
            "les",
            "et",
            "des",
            "est",
            "une",
            "un",
            "du",
            "dans",
            "que",
            "qui",
            "pour",
            "pas",
            "sur",
            "au",
            "avec",
            "vous",
            "ce",
            "sont",
        ],
        ["es"] =
        [
            "el",
            "la",
            "los",
            "de",
            "que",
            "y",
            "las",
            "del",
            "una",
            "por",
            "con",
            "para",
            "es",
            "como",
            "más",
            "pero",
            "su",
            "está",
            "hay",
            "muy",
        ],
        ["it"] =
        [
            "il",
            "di",
            "che",
            "è",
            "della",
            "per",
            "un",
            "una",
            "non",
            "con",
            "sono",
            "gli",
            "nel",
            "come",
            "anche",
            "più",
            "questo",
            "alla",
            "dei",
            "ma",
        ],
        ["pt"] =
        [
            "o",
            "de",
            "que",
            "e",
            "do",
            "da",
            "em",
            "um",
            "para",
            "com",
            "não",
            "uma",
            "os",
            "no",
            "se",
            "na",
            "mais",
            "as",
            "dos",
            "você",
        ],
        ["nl"] =
        [
            "de",
            "het",
            "een",
            "van",
            "en",
            "is",
            "dat",
            "niet",
            "op",
            "te",
            "zijn",
            "voor",
            "met",
            "die",
            "aan",
            "ook",
            "er",
            "maar",
            "om",
            "je",
        ],
        ["sv"] =
        [
            "och",
            "att",
            "det",
            "är",
            "som",
            "en",
            "på",
            "för",
            "av",
            "inte",
            "med",
            "till",
            "den",
            "har",
            "ett",
            "om",
            "jag",
            "var",
            "men",
            "kan",
        ],
        ["da"] =
        [
            "og",
            "at",
            "det",
            "er",
            "en",
            "til",
            "på",
            "af",
            "ikke",
            "med",
            "der",
            "for",
            "har",
            "den",
            "som",
            "jeg",
            "et",
            "vil",
            "kan",
            "hvad",
        ],
        ["pl"] =
        [
            "i",
            "w",
            "na",
            "nie",
            "się",
            "że",
            "do",
            "jest",
            "to",
            "z",
            "jak",
            "co",
            "ale",
            "po",
            "tak",
            "są",
            "dla",
            "przez",
            "od",
            "tym",
        ],
        ["tr"] =
        [
            "bir",
            "ve",
            "bu",
            "da",
            "de",
            "için",
            "ile",
            "çok",
            "ne",
            "olarak",
            "gibi",
            "daha",
            "var",
            "ama",
            "olan",
            "en",
            "değil",
            "mi",
            "kadar",
            "sonra",
        ],
        ["ru"] =
        [
            "и",
            "в",
            "не",
            "на",
            "что",
            "с",
            "это",
            "как",
            "по",
            "для",
            "он",
            "но",
            "из",
            "мы",
            "вы",
            "за",
            "так",
            "от",
            "был",
            "есть",
        ],
        ["uk"] =
        [
            "і",
            "в",
            "не",
            "на",
            "що",
            "це",
            "як",
            "до",
            "для",
            "та",
            "він",
            "але",
            "з",
            "ми",
            "ви",
            "за",
            "так",
            "від",
            "був",
            "є",
        ],
    };

    /// <summary>The ISO 639-1 code of the likeliest language, or null when the text is too short or two languages fit alike.</summary>
    public static string? Detect(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var script = Script(text);
        if (script is not ("latin" or "cyrillic"))
        {
            return script;
        }

        var words = NGrams.Words(text.ToLowerInvariant());
        var ranked = s_frequent
            .Where(l => l.Key is "ru" or "uk" == (script == "cyrillic"))
            .Select(l => (Language: l.Key, Hits: words.Count(l.Value.Contains)))
            .OrderByDescending(l => l.Hits)
            .ToList();
        return ranked[0].Hits >= FewestHits && ranked[0].Hits > ranked[1].Hits
            ? ranked[0].Language
            : null;
    }

    private static string? Script(string text)
    {
        var counts = new int[s_scripts.Length];
        foreach (var rune in text.EnumerateRunes().Where(Rune.IsLetter))
        {
            var at = Array.FindIndex(s_scripts, s => rune.Value >= s.From && rune.Value <= s.To);
            if (at >= 0)
            {
                counts[at]++;
            }
        }

        // Japanese mixes its own signs with Chinese ones, so a fifth of kana decides; otherwise the most used script does.
        if (counts[0] * 5 > counts.Sum())
        {
            return "ja";
        }

        var most = Array.IndexOf(counts, counts.Max());
        return counts[most] == 0 ? null : s_scripts[most].Language;
    }
}
