using System.Text;
using System.Text.Json;

namespace Assay.Core.Filters;

/// <summary>
/// Defines the words of full-text search, the same for the index and for the in-memory evaluator: maximal runs of letters and digits
/// (Unicode), lower-cased invariantly, at least two characters, cut at 64; CJK letters are words of one character each.
/// Thread-safe.
/// </summary>
public static class SearchTokens
{
    /// <summary>Calls <paramref name="word"/> for each word of a text, in order. The span is valid during the call only.</summary>
    public static void ForEach(ReadOnlySpan<char> text, Action<ReadOnlySpan<char>> word)
    {
        Span<char> buffer = stackalloc char[64];
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsWholeWord(rune))
            {
                Flush(buffer, ref length, word);
                length = rune.EncodeToUtf16(buffer);
                word(buffer[..length]);
                length = 0;
            }
            else if (Rune.IsLetterOrDigit(rune))
            {
                var lower = Rune.ToLowerInvariant(rune);
                if (length + lower.Utf16SequenceLength <= buffer.Length)
                {
                    length += lower.EncodeToUtf16(buffer[length..]);
                }
            }
            else
            {
                Flush(buffer, ref length, word);
            }
        }

        Flush(buffer, ref length, word);
    }

    /// <summary>The distinct words of a text.</summary>
    public static IReadOnlySet<string> Distinct(string text)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        ForEach(text, w => words.Add(w.ToString()));
        return words;
    }

    /// <summary>Takes out of <paramref name="wanted"/> every word that the text has.</summary>
    public static void Take(HashSet<string> wanted, string? text)
    {
        if (text is not null && wanted.Count > 0)
        {
            ForEach(text, w => wanted.GetAlternateLookup<ReadOnlySpan<char>>().Remove(w));
        }
    }

    /// <summary>Takes out of <paramref name="wanted"/> every word that the texts and numbers of a JSON value have; keys do not count.</summary>
    public static void TakeJson(HashSet<string> wanted, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        try
        {
            while (wanted.Count > 0 && reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String)
                {
                    Take(wanted, reader.GetString());
                }
                else if (reader.TokenType is JsonTokenType.Number)
                {
                    Take(wanted, Encoding.UTF8.GetString(reader.ValueSpan));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What cannot be read has no words.
        }
    }

    private static void Flush(Span<char> buffer, ref int length, Action<ReadOnlySpan<char>> word)
    {
        if (length >= 2)
        {
            word(buffer[..length]);
        }

        length = 0;
    }

    /// <summary>True for letters that are words of one character.</summary>
    public static bool IsWholeWord(Rune rune) =>
        rune.Value
            is (>= 0x3040 and <= 0x30FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xAC00 and <= 0xD7AF)
                or (>= 0x20000 and <= 0x2FA1F);
}
