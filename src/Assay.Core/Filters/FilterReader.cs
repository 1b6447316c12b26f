using System.Globalization;
using System.Text;

namespace Assay.Core.Filters;

/// <summary>Reads calls, lists and constants of the filter language.</summary>
internal sealed class FilterReader(string text)
{
    private const int MaxDepth = 64;
    private int _at;

    public FilterCall ReadCall(int depth)
    {
        SkipSpace();
        var position = _at;
        var name = ReadName();
        SkipSpace();
        if (name.Length == 0 || Peek() != '(')
        {
            throw new FilterException("Expected a condition such as eq(name, \"x\")", position);
        }

        return ReadArguments(name, position, depth);
    }

    public void ExpectEnd()
    {
        SkipSpace();
        if (_at < text.Length)
        {
            throw new FilterException("Unexpected text after the filter", _at);
        }
    }

    private FilterCall ReadArguments(string name, int position, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FilterException($"A filter nests at most {MaxDepth} deep", position);
        }

        return new FilterCall(name.ToLowerInvariant(), ReadItems('(', ')', depth), position);
    }

    private List<FilterArgument> ReadItems(char open, char close, int depth)
    {
        Expect(open);
        var items = new List<FilterArgument>();
        SkipSpace();
        while (Peek() != close)
        {
            items.Add(ReadArgument(depth + 1));
            SkipSpace();
            if (Peek() == ',')
            {
                _at++;
                SkipSpace();
            }
            else if (Peek() != close)
            {
                throw new FilterException($"Expected ',' or '{close}'", _at);
            }
        }

        _at++;
        return items;
    }

    private FilterArgument ReadArgument(int depth)
    {
        SkipSpace();
        var position = _at;
        switch (Peek())
        {
            case '"' or '\'':
                var quoted = ReadQuoted();
                return new FilterArgument(null, null, FilterValue.Of(quoted), quoted, position);
            case '[':
                if (depth > MaxDepth)
                {
                    throw new FilterException($"A filter nests at most {MaxDepth} deep", position);
                }

                return new FilterArgument(
                    null,
                    ReadItems('[', ']', depth),
                    FilterValue.Null,
                    "",
                    position
                );
            case '\0':
                throw new FilterException("The filter ends too early", _at);
            default:
                return ReadWord(depth, position);
        }
    }

    private FilterArgument ReadWord(int depth, int position)
    {
        var word = ReadName();
        if (word.Length == 0)
        {
            throw new FilterException($"Unexpected '{Peek()}'", _at);
        }

        SkipSpace();
        if (Peek() == '(')
        {
            return new FilterArgument(
                ReadArguments(word, position, depth),
                null,
                FilterValue.Null,
                "",
                position
            );
        }

        var value = word switch
        {
            "null" or "None" => FilterValue.Null,
            "true" or "True" => FilterValue.Of(true),
            "false" or "False" => FilterValue.Of(false),
            _ => double.TryParse(
                word,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var number
            ) && double.IsFinite(number)
                ? FilterValue.Of(number, word)
                : FilterValue.Of(word),
        };
        return new FilterArgument(null, null, value, word, position);
    }

    private string ReadName()
    {
        var start = _at;
        while (
            _at < text.Length
            && (char.IsLetterOrDigit(text[_at]) || text[_at] is '_' or '.' or '-' or '+' or ':')
        )
        {
            _at++;
        }

        return text[start.._at];
    }

    private string ReadQuoted()
    {
        var quote = text[_at];
        var start = _at++;
        var result = new StringBuilder();
        while (_at < text.Length && text[_at] != quote)
        {
            if (text[_at] == '\\' && _at + 1 < text.Length)
            {
                _at++;
                result.Append(ReadEscape());
            }
            else
            {
                result.Append(text[_at]);
            }

            _at++;
        }

        if (_at >= text.Length)
        {
            throw new FilterException("The text is not closed", start);
        }

        _at++;
        return result.ToString();
    }

    /// <summary>The character after a backslash; leaves the place at its last one. Python clients write what is not ASCII as \\uXXXX.</summary>
    private char ReadEscape()
    {
        if (text[_at] == 'u')
        {
            if (
                _at + 4 < text.Length
                && ushort.TryParse(
                    text.AsSpan(_at + 1, 4),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out var unit
                )
            )
            {
                _at += 4;
                return (char)unit;
            }

            throw new FilterException("\\u needs four hexadecimal digits", _at - 1);
        }

        return text[_at] switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\b',
            'f' => '\f',
            var other => other,
        };
    }

    private void Expect(char wanted)
    {
        if (Peek() != wanted)
        {
            throw new FilterException($"Expected '{wanted}'", _at);
        }

        _at++;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }
    }

    private char Peek() => _at < text.Length ? text[_at] : '\0';
}
