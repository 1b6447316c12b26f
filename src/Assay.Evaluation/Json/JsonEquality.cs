using System.Globalization;
using System.Text.Json;

namespace Assay.Evaluation.Json;

/// <summary>
/// Equality of JSON values as JSON Schema defines it (draft 2020-12 core, 4.2.2): objects without order, arrays with
/// order, numbers by mathematical value (1, 1.0 and 1e0 are one number), strings by code point.
/// </summary>
public static class JsonEquality
{
    /// <summary>
    /// Compares two values.
    /// </summary>
    /// <param name="left">One value.</param>
    /// <param name="right">The other.</param>
    /// <param name="numberTolerance">The largest absolute difference at which two numbers still count as equal.</param>
    /// <param name="ignoreArrayOrder">Arrays are compared as bags.</param>
    public static bool AreEqual(
        JsonElement left,
        JsonElement right,
        double numberTolerance = 0,
        bool ignoreArrayOrder = false
    )
    {
        if (left.ValueKind != right.ValueKind)
        {
            return false;
        }

        switch (left.ValueKind)
        {
            case JsonValueKind.Object:
                var count = 0;
                foreach (var property in left.EnumerateObject())
                {
                    count++;
                    if (
                        !right.TryGetProperty(property.Name, out var other)
                        || !AreEqual(property.Value, other, numberTolerance, ignoreArrayOrder)
                    )
                    {
                        return false;
                    }
                }

                return count == right.EnumerateObject().Count();
            case JsonValueKind.Array:
                return left.GetArrayLength() == right.GetArrayLength()
                    && (
                        ignoreArrayOrder
                            ? AreBagsEqual(left, right, numberTolerance)
                            : left.EnumerateArray()
                                .Zip(right.EnumerateArray())
                                .All(p => AreEqual(p.First, p.Second, numberTolerance))
                    );
            case JsonValueKind.Number:
                return AreNumbersEqual(left, right, numberTolerance);
            case JsonValueKind.String:
                return string.Equals(left.GetString(), right.GetString(), StringComparison.Ordinal);
            default:
                return true;
        }
    }

    private static bool AreNumbersEqual(JsonElement left, JsonElement right, double tolerance)
    {
        if (left.TryGetDecimal(out var a) && right.TryGetDecimal(out var b))
        {
            return a == b || (tolerance > 0 && Math.Abs((double)(a - b)) <= tolerance);
        }

        var x = double.Parse(left.GetRawText(), CultureInfo.InvariantCulture);
        var y = double.Parse(right.GetRawText(), CultureInfo.InvariantCulture);
        return x.Equals(y) || Math.Abs(x - y) <= tolerance;
    }

    // A tolerance makes equality intransitive, so greedy pairing could fail where a pairing exists; arrays compared as bags
    // are matched by augmenting paths instead (Kuhn 1955).
    private static bool AreBagsEqual(JsonElement left, JsonElement right, double tolerance)
    {
        var a = left.EnumerateArray().ToList();
        var b = right.EnumerateArray().ToList();
        return BipartiteMatching.Size(
                a.Count,
                b.Count,
                (i, j) => AreEqual(a[i], b[j], tolerance, ignoreArrayOrder: true)
            ) == a.Count;
    }
}
