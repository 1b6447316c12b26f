using System.Text;

namespace Assay.Evaluation.Text;

/// <summary>
/// The answer normalization of SQuAD (Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text",
/// EMNLP 2016): lower case, no punctuation, no English articles, single spaces. Two differences: text is first put in
/// Unicode form KC, and every Unicode punctuation or symbol is dropped, not only the ASCII ones.
/// </summary>
public static class TextNormalizer
{
    /// <summary>The normalized text.</summary>
    public static string Normalize(string text) => string.Join(' ', Tokens(text));

    /// <summary>The words of the normalized text.</summary>
    public static IReadOnlyList<string> Tokens(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var kept = new StringBuilder(text.Length);
        foreach (var rune in Composed(text).EnumerateRunes())
        {
            if (!Rune.IsPunctuation(rune) && !Rune.IsSymbol(rune))
            {
                kept.Append(Rune.IsWhiteSpace(rune) ? " " : Rune.ToLowerInvariant(rune).ToString());
            }
        }

        return
        [
            .. kept.ToString()
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Where(word => word is not ("a" or "an" or "the")),
        ];
    }

    // A model can emit half a surrogate pair, which has no normal form; such text is compared as it is.
    private static string Composed(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormKC);
        }
        catch (ArgumentException)
        {
            return text;
        }
    }
}
