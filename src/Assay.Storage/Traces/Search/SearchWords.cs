using System.Buffers;
using System.Text;
using System.Text.Json;
using Assay.Core.Filters;

namespace Assay.Storage.Traces.Search;

/// <summary>
/// The words of <see cref="SearchTokens"/> as hashes, read straight from UTF-8: the same text gives the same words as there. Of a JSON
/// document the string values and numbers are searched, names of properties are not. Thread-safe.
/// </summary>
internal static class SearchWords
{
    private const int MaxWord = 64;
    private const ulong Seed = 0x2545_F491_4F6C_DD1D;
    private static readonly byte[] s_ascii = Ascii();
    private static readonly JsonReaderOptions s_options = new() { MaxDepth = 1_000_000 };

    /// <summary>The hash of a word as <see cref="SearchTokens"/> cuts it out.</summary>
    public static ulong Hash(ReadOnlySpan<char> word)
    {
        var hash = Seed;
        foreach (var c in word)
        {
            hash = Step(hash, c);
        }

        return Finish(hash);
    }

    public static void AddText(string? text, WordSet words)
    {
        if (!string.IsNullOrEmpty(text))
        {
            SearchTokens.ForEach(text, w => words.Add(Hash(w)));
        }
    }

    public static void AddText(ReadOnlySpan<byte> utf8, WordSet words)
    {
        var hash = Seed;
        var length = 0;
        for (var i = 0; i < utf8.Length; )
        {
            var b = utf8[i];
            if (b < 0x80)
            {
                i++;
                var c = s_ascii[b];
                if (c == 0)
                {
                    Flush(ref hash, ref length, words);
                }
                else if (length < MaxWord)
                {
                    hash = Step(hash, c);
                    length++;
                }

                continue;
            }

            Rune.DecodeFromUtf8(utf8[i..], out var rune, out var consumed);
            i += consumed;
            if (SearchTokens.IsWholeWord(rune))
            {
                Flush(ref hash, ref length, words);
                Put(rune, ref hash, ref length);
                words.Add(Finish(hash));
                (hash, length) = (Seed, 0);
            }
            else if (Rune.IsLetterOrDigit(rune))
            {
                Put(Rune.ToLowerInvariant(rune), ref hash, ref length);
            }
            else
            {
                Flush(ref hash, ref length, words);
            }
        }

        Flush(ref hash, ref length, words);
    }

    public static void AddJson(ReadOnlySpan<byte> json, WordSet words)
    {
        var reader = new Utf8JsonReader(json, s_options);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.String)
                {
                    AddString(ref reader, words);
                }
                else if (reader.TokenType == JsonTokenType.Number)
                {
                    AddText(reader.ValueSpan, words);
                }
            }
        }
        catch (JsonException)
        {
            // What could be read of it is searched; the payload itself is shown as it was sent.
        }
    }

    private static void AddString(ref Utf8JsonReader reader, WordSet words)
    {
        if (!reader.ValueIsEscaped)
        {
            AddText(reader.ValueSpan, words);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            AddText(buffer.AsSpan(0, reader.CopyString(buffer)), words);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: there is no such text, so the escape is read as it stands.
            AddText(reader.ValueSpan, words);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Put(Rune rune, ref ulong hash, ref int length)
    {
        Span<char> chars = stackalloc char[2];
        var count = rune.EncodeToUtf16(chars);
        if (length + count <= MaxWord)
        {
            foreach (var c in chars[..count])
            {
                hash = Step(hash, c);
            }

            length += count;
        }
    }

    private static void Flush(ref ulong hash, ref int length, WordSet words)
    {
        if (length >= 2)
        {
            words.Add(Finish(hash));
        }

        (hash, length) = (Seed, 0);
    }

    private static ulong Step(ulong hash, uint c) => (hash ^ c) * 0x9FB2_1C65_1E98_DF25;

    private static ulong Finish(ulong hash)
    {
        hash ^= hash >> 32;
        hash *= 0xD6E8_FEB8_6659_FD93;
        hash ^= hash >> 32;
        return hash == 0 ? 1 : hash;
    }

    private static byte[] Ascii()
    {
        var table = new byte[128];
        for (var c = '\0'; c < 128; c++)
        {
            table[c] = char.IsAsciiLetterOrDigit(c) ? (byte)char.ToLowerInvariant(c) : (byte)0;
        }

        return table;
    }
}
