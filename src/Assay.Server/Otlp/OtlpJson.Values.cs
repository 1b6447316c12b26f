using System.Globalization;
using System.Text.Json;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;

namespace Assay.Server.Otlp;

/// <content>Values: attributes, ids, numbers and times.</content>
internal static partial class OtlpJson
{
    private static void ReadAttributes(ref Utf8JsonReader reader, Action<KeyValue> add)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            throw new OtlpFormatException(
                """attributes: must be a list of {"key": …, "value": {"stringValue": …}}, not an object."""
            );
        }

        ReadItems(ref reader, "attributes", (ref r) => add(ReadKeyValue(ref r)));
    }

    private static KeyValue ReadKeyValue(ref Utf8JsonReader reader)
    {
        var item = new KeyValue();
        ReadObject(
            ref reader,
            "attributes",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Key:
                        item.Key = Text(ref r);
                        break;
                    case Field.Value:
                        item.Value = ReadAnyValue(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    /// <summary>A value; a bare text, number or flag, as hand-made clients send it, counts as what it is.</summary>
    private static AnyValue? ReadAnyValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return new AnyValue { StringValue = Text(ref reader) };
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var whole)
                    ? new AnyValue { IntValue = whole }
                    : new AnyValue { DoubleValue = reader.GetDouble() };
            case JsonTokenType.True or JsonTokenType.False:
                return new AnyValue { BoolValue = reader.GetBoolean() };
            case JsonTokenType.StartObject:
                break;
            default:
                reader.Skip();
                return null;
        }

        var value = new AnyValue();
        ReadObject(
            ref reader,
            "value",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.StringValue:
                        value.StringValue = Text(ref r);
                        break;
                    case Field.BoolValue:
                        value.BoolValue =
                            r.TokenType == JsonTokenType.True
                            || (r.TokenType == JsonTokenType.String && Text(ref r) == "true");
                        r.Skip();
                        break;
                    case Field.IntValue:
                        value.IntValue = Whole(ref r);
                        break;
                    case Field.DoubleValue:
                        value.DoubleValue = Number(ref r);
                        break;
                    case Field.ArrayValue:
                        value.ArrayValue = ReadArray(ref r);
                        break;
                    case Field.KvlistValue:
                        value.KvlistValue = ReadList(ref r);
                        break;
                    case Field.BytesValue:
                        value.BytesValue =
                            r.TokenType == JsonTokenType.String
                            && r.TryGetBytesFromBase64(out var bytes)
                                ? UnsafeByteOperations.UnsafeWrap(bytes)
                                : ByteString.Empty;
                        r.Skip();
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return value;
    }

    private static ArrayValue ReadArray(ref Utf8JsonReader reader)
    {
        var array = new ArrayValue();
        ReadObject(
            ref reader,
            "arrayValue",
            (ref r, field) =>
            {
                if (field == Field.Values)
                {
                    ReadItems(
                        ref r,
                        "values",
                        (ref v) => array.Values.Add(ReadAnyValue(ref v) ?? new AnyValue())
                    );
                }
                else
                {
                    r.Skip();
                }
            }
        );
        return array;
    }

    private static KeyValueList ReadList(ref Utf8JsonReader reader)
    {
        var list = new KeyValueList();
        ReadObject(
            ref reader,
            "kvlistValue",
            (ref r, field) =>
            {
                if (field == Field.Values)
                {
                    ReadItems(ref r, "values", (ref v) => list.Values.Add(ReadKeyValue(ref v)));
                }
                else
                {
                    r.Skip();
                }
            }
        );
        return list;
    }

    /// <summary>Hands each field of an object on, with the reader at its value; null stands for an object without fields.</summary>
    private static void ReadObject(ref Utf8JsonReader reader, string what, TakeField take)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new OtlpFormatException($"{what}: must be an object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(ref reader);
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                continue;
            }

            take(ref reader, field);
        }
    }

    private static void ReadItems(ref Utf8JsonReader reader, string what, Take take)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new OtlpFormatException($"{what}: must be a list.");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            take(ref reader);
        }
    }

    private static Field FieldOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan.Length > MaxFieldName)
        {
            return Field.None;
        }

        Span<char> name = stackalloc char[MaxFieldName];
        var length = 0;
        foreach (var c in name[..reader.CopyString(name)])
        {
            if (c != '_')
            {
                name[length++] = c;
            }
        }

        return s_fields
            .GetAlternateLookup<ReadOnlySpan<char>>()
            .TryGetValue(name[..length], out var field)
            ? field
            : Field.None;
    }

    /// <summary>Text; anything else is passed over and counts as empty.</summary>
    private static string Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString() ?? "";
        }

        reader.Skip();
        return "";
    }

    /// <summary>An id in hexadecimal, either case; what is none counts as missing, so that only its span is refused.</summary>
    private static ByteString Hex(ref Utf8JsonReader reader)
    {
        var text = Text(ref reader);
        try
        {
            return text.Length is 0 or > 64
                ? ByteString.Empty
                : UnsafeByteOperations.UnsafeWrap(Convert.FromHexString(text));
        }
        catch (FormatException)
        {
            return ByteString.Empty;
        }
    }

    private static int KindOf(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String
            ? Text(ref reader) switch
            {
                "SPAN_KIND_INTERNAL" or "1" => 1,
                "SPAN_KIND_SERVER" or "2" => 2,
                "SPAN_KIND_CLIENT" or "3" => 3,
                "SPAN_KIND_PRODUCER" or "4" => 4,
                "SPAN_KIND_CONSUMER" or "5" => 5,
                _ => 0,
            }
            : (int)Count(ref reader);

    private static ulong Nanoseconds(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetUInt64(out var number) ? number
                    : reader.TryGetDouble(out var real) && real is >= 0 and < ulong.MaxValue
                        ? (ulong)real
                    : 0;
            case JsonTokenType.String:
                return ulong.TryParse(
                    reader.GetString(),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var parsed
                )
                    ? parsed
                    : 0;
            default:
                reader.Skip();
                return 0;
        }
    }

    private static uint Count(ref Utf8JsonReader reader) =>
        (uint)Math.Min(uint.MaxValue, Nanoseconds(ref reader));

    private static long Whole(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var number) ? number
                    : reader.TryGetDouble(out var real) && Math.Abs(real) < long.MaxValue
                        ? (long)real
                    : 0;
            case JsonTokenType.String:
                return long.TryParse(
                    reader.GetString(),
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out var parsed
                )
                    ? parsed
                    : 0;
            default:
                reader.Skip();
                return 0;
        }
    }

    private static double Number(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetDouble(out var number) ? number : 0;
            case JsonTokenType.String:
                return reader.GetString() switch
                {
                    "NaN" => double.NaN,
                    "Infinity" => double.PositiveInfinity,
                    "-Infinity" => double.NegativeInfinity,
                    var text => double.TryParse(
                        text,
                        NumberStyles.Float,
                        CultureInfo.InvariantCulture,
                        out var parsed
                    )
                        ? parsed
                        : 0,
                };
            default:
                reader.Skip();
                return 0;
        }
    }
}
