using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Server.Otlp.Protos;
using Google.Protobuf.Collections;

namespace Assay.Server.Otlp.Mapping;

/// <summary>OTLP's attribute values as text, numbers and JSON. Pure; never throws, whatever the depth or the bytes.</summary>
internal static class AnyValues
{
    /// <summary>Values nested deeper are left out.</summary>
    public const int MaxDepth = 32;

    /// <summary>A scalar as text; null for lists, maps and nothing.</summary>
    public static string? Text(AnyValue? value) =>
        value?.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue => value.StringValue,
            AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
            AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(
                CultureInfo.InvariantCulture
            ),
            AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(
                CultureInfo.InvariantCulture
            ),
            AnyValue.ValueOneofCase.BytesValue => Utf8(value),
            _ => null,
        };

    /// <summary>A number, also from text.</summary>
    public static double? Number(AnyValue? value) =>
        value?.ValueCase switch
        {
            AnyValue.ValueOneofCase.IntValue => value.IntValue,
            AnyValue.ValueOneofCase.DoubleValue when double.IsFinite(value.DoubleValue) =>
                value.DoubleValue,
            AnyValue.ValueOneofCase.StringValue => NumberIn(value.StringValue),
            _ => null,
        };

    /// <summary>A truth value, also from text.</summary>
    public static bool? Flag(AnyValue? value) =>
        value?.ValueCase switch
        {
            AnyValue.ValueOneofCase.BoolValue => value.BoolValue,
            AnyValue.ValueOneofCase.StringValue
                when bool.TryParse(value.StringValue.Trim('"'), out var flag) => flag,
            _ => null,
        };

    /// <summary>The value as it is, without looking into texts.</summary>
    public static JsonNode? Json(AnyValue? value, int depth = 0)
    {
        switch (value?.ValueCase)
        {
            case AnyValue.ValueOneofCase.StringValue:
                return JsonValue.Create(value.StringValue);
            case AnyValue.ValueOneofCase.BoolValue:
                return JsonValue.Create(value.BoolValue);
            case AnyValue.ValueOneofCase.IntValue:
                return JsonValue.Create(value.IntValue);
            case AnyValue.ValueOneofCase.DoubleValue:
                return double.IsFinite(value.DoubleValue)
                    ? JsonValue.Create(value.DoubleValue)
                    : JsonValue.Create(Text(value));
            case AnyValue.ValueOneofCase.BytesValue:
                return JsonValue.Create(Text(value));
            case AnyValue.ValueOneofCase.ArrayValue when depth < MaxDepth:
                var list = new JsonArray();
                foreach (var item in value.ArrayValue.Values)
                {
                    list.Add(Json(item, depth + 1));
                }

                return list;
            case AnyValue.ValueOneofCase.KvlistValue when depth < MaxDepth:
                var map = new JsonObject();
                foreach (var pair in value.KvlistValue.Values)
                {
                    map[pair.Key] = Json(pair.Value, depth + 1);
                }

                return map;
            default:
                return null;
        }
    }

    /// <summary>Writes the value as it is.</summary>
    public static void Write(Utf8JsonWriter w, AnyValue? value, int depth = 0)
    {
        switch (value?.ValueCase)
        {
            case AnyValue.ValueOneofCase.StringValue:
                w.WriteStringValue(value.StringValue);
                break;
            case AnyValue.ValueOneofCase.BoolValue:
                w.WriteBooleanValue(value.BoolValue);
                break;
            case AnyValue.ValueOneofCase.IntValue:
                w.WriteNumberValue(value.IntValue);
                break;
            case AnyValue.ValueOneofCase.DoubleValue when double.IsFinite(value.DoubleValue):
                w.WriteNumberValue(value.DoubleValue);
                break;
            case AnyValue.ValueOneofCase.DoubleValue:
            case AnyValue.ValueOneofCase.BytesValue:
                w.WriteStringValue(Text(value));
                break;
            case AnyValue.ValueOneofCase.ArrayValue when depth < MaxDepth:
                w.WriteStartArray();
                foreach (var item in value.ArrayValue.Values)
                {
                    Write(w, item, depth + 1);
                }

                w.WriteEndArray();
                break;
            case AnyValue.ValueOneofCase.KvlistValue when depth < MaxDepth:
                WriteMap(w, value.KvlistValue.Values, depth + 1);
                break;
            default:
                w.WriteNullValue();
                break;
        }
    }

    /// <summary>Writes pairs as an object; of equal keys the last wins, as it does in the field's SDKs.</summary>
    public static void WriteMap(
        Utf8JsonWriter w,
        RepeatedField<KeyValue> pairs,
        int depth,
        Func<string, bool>? isKept = null
    )
    {
        w.WriteStartObject();
        for (var i = 0; i < pairs.Count; i++)
        {
            if ((isKept is null || isKept(pairs[i].Key)) && IsLast(pairs, i))
            {
                w.WritePropertyName(pairs[i].Key);
                Write(w, pairs[i].Value, depth);
            }
        }

        w.WriteEndObject();
    }

    /// <summary>A number in a text, in the invariant form; null when it is none or not finite.</summary>
    public static double? NumberIn(string text) =>
        text.Length is > 0 and < 64
        && double.TryParse(
            text.AsSpan().Trim('"'),
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var number
        )
        && double.IsFinite(number)
            ? number
            : null;

    // Producers do not repeat keys; the look is quadratic, so long lists are trusted.
    private static bool IsLast(RepeatedField<KeyValue> pairs, int at)
    {
        if (pairs.Count > 256)
        {
            return true;
        }

        for (var i = at + 1; i < pairs.Count; i++)
        {
            if (pairs[i].Key == pairs[at].Key)
            {
                return false;
            }
        }

        return true;
    }

    private static string Utf8(AnyValue value)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(
                value.BytesValue.Span
            );
        }
        catch (DecoderFallbackException)
        {
            return value.BytesValue.ToBase64();
        }
    }
}
