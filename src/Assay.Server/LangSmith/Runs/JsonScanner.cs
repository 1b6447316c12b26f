using System.Buffers;
using System.Text.Json;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Walks over one JSON value (RFC 8259) in pieces of any size and finds its end, so that a value larger than memory can be passed on while
/// it is checked. What breaks the structure throws; what only spoils a text (invalid UTF-8) or nests too deep is remembered, so that the
/// values behind it can still be read. Not thread-safe; used for one value after another by <see cref="Reset"/>.
/// </summary>
internal sealed class JsonScanner
{
    /// <summary>Values nest at most so deep.</summary>
    public const int MaxDepth = 256;

    /// <summary>Deeper than this nothing is followed any more.</summary>
    private const int MaxFollowed = 4_096;

    private static readonly SearchValues<byte> s_plain = SearchValues.Create([
        .. Enumerable
            .Range(0x20, 0x60)
            .Select(b => (byte)b)
            .Where(b => b is not ((byte)'"' or (byte)'\\')),
    ]);

    private readonly Stack<bool> _inObject = new();
    private State _state;
    private bool _isKey;
    private string _literal = "";
    private int _left;
    private (byte Low, byte High) _next;
    private long _position;

    private enum State
    {
        Value,
        FirstItemOrEnd,
        FirstKeyOrEnd,
        Key,
        Colon,
        After,
        Text,
        Escape,
        Hex,
        Tail,
        Literal,
        Minus,
        Zero,
        Whole,
        Point,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
        Done,
    }

    /// <summary>The value has ended.</summary>
    public bool IsDone => _state == State.Done;

    /// <summary>What is wrong with the value although its end could be found; null when nothing.</summary>
    public string? Problem { get; private set; }

    /// <summary>Begins a new value.</summary>
    public void Reset()
    {
        _inObject.Clear();
        _state = State.Value;
        Problem = null;
    }

    /// <summary>Goes on; returns how many bytes belong to the value.</summary>
    /// <exception cref="JsonException">The value is no JSON.</exception>
    public int Scan(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length && _state != State.Done)
        {
            if (_state == State.Text)
            {
                var plain = bytes[at..].IndexOfAnyExcept(s_plain);
                if (plain < 0)
                {
                    at = bytes.Length;
                    break;
                }

                at += plain;
            }

            if (Take(bytes[at]))
            {
                at++;
            }
        }

        _position += at;
        return at;
    }

    /// <summary>There is nothing more: a number may end here, everything else is cut short.</summary>
    /// <exception cref="JsonException">The value is not complete.</exception>
    public void End()
    {
        if (
            _inObject.Count == 0
            && _state is State.Zero or State.Whole or State.Fraction or State.ExponentDigits
        )
        {
            _state = State.Done;
        }

        if (_state != State.Done)
        {
            throw new JsonException("The text ends within a value.");
        }
    }

    /// <summary>Takes a byte; false when it is not part of what it ended and must be looked at again.</summary>
    private bool Take(byte b)
    {
        switch (_state)
        {
            case State.Text:
                InText(b);
                return true;
            case State.Tail:
                if (b >= _next.Low && b <= _next.High)
                {
                    _next = (0x80, 0xBF);
                    _state = --_left == 0 ? State.Text : State.Tail;
                    return true;
                }

                Problem ??= "is not valid UTF-8";
                _state = State.Text;
                return false;
            case State.Escape:
                Escape(b);
                return true;
            case State.Hex:
                if (!char.IsAsciiHexDigit((char)b))
                {
                    throw Bad(b);
                }

                _state = --_left == 0 ? State.Text : State.Hex;
                return true;
            case State.Literal:
                if (b != _literal[^_left])
                {
                    throw Bad(b);
                }

                if (--_left == 0)
                {
                    Close();
                }

                return true;
            case State.Minus
            or State.Zero
            or State.Whole
            or State.Point
            or State.Fraction
            or State.Exponent
            or State.ExponentSign
            or State.ExponentDigits:
                return InNumber(b);
            default:
                if (b is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                {
                    return true;
                }

                Structure(b);
                return true;
        }
    }

    private void Structure(byte b)
    {
        switch (_state)
        {
            case State.Value:
                Begin(b);
                break;
            case State.FirstItemOrEnd when b == ']':
            case State.FirstKeyOrEnd when b == '}':
                _inObject.Pop();
                Close();
                break;
            case State.FirstItemOrEnd:
                Begin(b);
                break;
            case State.FirstKeyOrEnd or State.Key when b == '"':
                _isKey = true;
                _state = State.Text;
                break;
            case State.Colon when b == ':':
                _state = State.Value;
                break;
            case State.After when b == ',':
                _state = _inObject.Peek() ? State.Key : State.Value;
                break;
            case State.After when b == (_inObject.Peek() ? '}' : ']'):
                _inObject.Pop();
                Close();
                break;
            default:
                throw Bad(b);
        }
    }

    private void Begin(byte b)
    {
        switch (b)
        {
            case (byte)'{' or (byte)'[':
                if (_inObject.Count >= MaxDepth)
                {
                    Problem ??= $"nests deeper than {MaxDepth}";
                    if (_inObject.Count >= MaxFollowed)
                    {
                        throw new JsonException($"The JSON nests deeper than {MaxFollowed}.");
                    }
                }

                _inObject.Push(b == '{');
                _state = b == '{' ? State.FirstKeyOrEnd : State.FirstItemOrEnd;
                break;
            case (byte)'"':
                _isKey = false;
                _state = State.Text;
                break;
            case (byte)'t':
                Literally("true");
                break;
            case (byte)'f':
                Literally("false");
                break;
            case (byte)'n':
                Literally("null");
                break;
            case (byte)'-':
                _state = State.Minus;
                break;
            case (byte)'0':
                _state = State.Zero;
                break;
            case >= (byte)'1' and <= (byte)'9':
                _state = State.Whole;
                break;
            default:
                throw Bad(b);
        }
    }

    private void Literally(string word)
    {
        (_literal, _left, _state) = (word, word.Length - 1, State.Literal);
    }

    private void InText(byte b)
    {
        switch (b)
        {
            case (byte)'"':
                if (_isKey)
                {
                    _state = State.Colon;
                }
                else
                {
                    Close();
                }

                break;
            case (byte)'\\':
                _state = State.Escape;
                break;
            case < 0x20:
                throw Bad(b);
            case < 0x80:
                break;
            default:
                _left = b switch
                {
                    >= 0xC2 and <= 0xDF => 1,
                    >= 0xE0 and <= 0xEF => 2,
                    >= 0xF0 and <= 0xF4 => 3,
                    _ => 0,
                };
                // The second byte is narrower where the first alone would allow overlong forms, surrogates or more than U+10FFFF.
                _next = (
                    b switch
                    {
                        0xE0 => 0xA0,
                        0xF0 => 0x90,
                        _ => 0x80,
                    },
                    b switch
                    {
                        0xED => 0x9F,
                        0xF4 => 0x8F,
                        _ => 0xBF,
                    }
                );
                if (_left == 0)
                {
                    Problem ??= "is not valid UTF-8";
                }
                else
                {
                    _state = State.Tail;
                }

                break;
        }
    }

    private void Escape(byte b)
    {
        switch (b)
        {
            case (byte)'u':
                (_left, _state) = (4, State.Hex);
                break;
            case (byte)'"'
            or (byte)'\\'
            or (byte)'/'
            or (byte)'b'
            or (byte)'f'
            or (byte)'n'
            or (byte)'r'
            or (byte)'t':
                _state = State.Text;
                break;
            default:
                throw Bad(b);
        }
    }

    private bool InNumber(byte b)
    {
        var isDigit = b is >= (byte)'0' and <= (byte)'9';
        var next = _state switch
        {
            State.Minus => b == '0' ? State.Zero
            : isDigit ? State.Whole
            : throw Bad(b),
            State.Zero or State.Whole when b == '.' => State.Point,
            State.Zero or State.Whole or State.Fraction when b is (byte)'e' or (byte)'E' =>
                State.Exponent,
            State.Whole when isDigit => State.Whole,
            State.Point or State.Fraction when isDigit => State.Fraction,
            State.Exponent when b is (byte)'+' or (byte)'-' => State.ExponentSign,
            State.Exponent or State.ExponentSign or State.ExponentDigits when isDigit =>
                State.ExponentDigits,
            State.Zero or State.Whole or State.Fraction or State.ExponentDigits => State.Done,
            _ => throw Bad(b),
        };
        if (next != State.Done)
        {
            _state = next;
            return true;
        }

        Close();
        return false;
    }

    private void Close() => _state = _inObject.Count == 0 ? State.Done : State.After;

    private JsonException Bad(byte b) =>
        new(
            b is > 0x20 and < 0x7F
                ? $"'{(char)b}' is not expected near byte {_position}."
                : $"0x{b:X2} is not expected near byte {_position}."
        );
}
