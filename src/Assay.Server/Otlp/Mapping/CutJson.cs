using System.Text;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// JSON whose end was cut off (<c>OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT</c>): everything whole is kept, a text that was being said is kept as far as
/// it got with an ellipsis, and what is open is closed. Pure, never throws.
/// </summary>
internal static class CutJson
{
    private const int MaxDepth = 120;

    /// <summary>The mended value; null when the text is not the beginning of a JSON object or list.</summary>
    public static JsonNode? Mend(string text)
    {
        var open = new Stack<char>();
        var isInText = false;
        var isKey = false;
        var expectsKey = false;
        // The end of the last whole element, and how deep it lies.
        var safeEnd = 0;
        var safeDepth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (isInText)
            {
                if (c == '\\')
                {
                    i++;
                }
                else if (c == '"')
                {
                    isInText = false;
                    if (!isKey)
                    {
                        (safeEnd, safeDepth) = (i + 1, open.Count);
                    }
                }

                continue;
            }

            switch (c)
            {
                case '"':
                    isInText = true;
                    isKey = expectsKey;
                    expectsKey = false;
                    break;
                case '{' or '[':
                    if (open.Count >= MaxDepth)
                    {
                        return null;
                    }

                    open.Push(c);
                    expectsKey = c == '{';
                    (safeEnd, safeDepth) = (i + 1, open.Count);
                    break;
                case '}' or ']':
                    if (!open.TryPop(out var opened) || opened != (c == '}' ? '{' : '['))
                    {
                        return null;
                    }

                    expectsKey = false;
                    (safeEnd, safeDepth) = (i + 1, open.Count);
                    if (open.Count == 0)
                    {
                        // Something follows a whole value: that is not a cut.
                        return null;
                    }

                    break;
                case ',':
                    // A number or literal before the comma is whole.
                    (safeEnd, safeDepth) = (i, open.Count);
                    expectsKey = open.TryPeek(out var holder) && holder == '{';
                    break;
            }
        }

        if (open.Count == 0)
        {
            return null;
        }

        var mended = new StringBuilder(text.Length + 16);
        if (isInText && !isKey)
        {
            mended.Append(text.AsSpan(0, WithoutHalfEscape(text))).Append("…\"");
        }
        else
        {
            while (open.Count > safeDepth)
            {
                open.Pop();
            }

            mended.Append(text.AsSpan(0, safeEnd));
        }

        foreach (var c in open)
        {
            mended.Append(c == '{' ? '}' : ']');
        }

        return Decoding.Parse(mended.ToString());
    }

    /// <summary>Length of a text cut inside a string, without an escape that was cut in half.</summary>
    private static int WithoutHalfEscape(string text)
    {
        var end = char.IsHighSurrogate(text[^1]) ? text.Length - 1 : text.Length;
        var at = text.LastIndexOf('\\', end - 1);
        if (at < 0 || at < end - 6)
        {
            return end;
        }

        var slashes = 0;
        while (at - slashes >= 0 && text[at - slashes] == '\\')
        {
            slashes++;
        }

        var isEscape = slashes % 2 == 1;
        var isWhole = at + 1 < end && (text[at + 1] != 'u' || end - at >= 6);
        return isEscape && !isWhole ? at : end;
    }
}
