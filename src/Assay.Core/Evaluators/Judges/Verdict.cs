using System.Globalization;
using System.Text.Json;
using Assay.Core.Models.Providers;
using Microsoft.Extensions.AI;

namespace Assay.Core.Evaluators.Judges;

/// <summary>Why a reply of a judge is no verdict.</summary>
public enum VerdictFault
{
    /// <summary>The model could not be asked.</summary>
    CallFailed,

    /// <summary>The model refused to judge.</summary>
    Refused,

    /// <summary>The reply ended at the limit of tokens before it was whole.</summary>
    Truncated,

    /// <summary>The reply is empty.</summary>
    Empty,

    /// <summary>There is no JSON object in it.</summary>
    NotJson,

    /// <summary>The field of the verdict is missing.</summary>
    MissingField,

    /// <summary>The verdict is of another type.</summary>
    WrongType,

    /// <summary>The score is not between its bounds.</summary>
    OutOfRange,

    /// <summary>The label is none of those offered.</summary>
    UnknownLabel,
}

/// <summary>What a judge said.</summary>
/// <param name="Number">The score; 1 and 0 for yes and no; what a label counts as. Null for labels that count as nothing.</param>
/// <param name="Label">The label, or <c>yes</c> and <c>no</c>; null for scores.</param>
/// <param name="Reason">Why.</param>
public sealed record Verdict(double? Number, string? Label, string? Reason)
{
    /// <summary>The label of a yes.</summary>
    public const string Yes = "yes";

    /// <summary>The label of a no.</summary>
    public const string No = "no";
}

/// <summary>A reply that is no verdict, in words for the judge's author.</summary>
internal sealed class VerdictException(VerdictFault fault, string message)
    : UnreadableAnswerException(message, fault == VerdictFault.Refused)
{
    public VerdictFault Fault { get; } = fault;
}

/// <summary>Reads verdicts out of replies. Strict about what is said, lenient about what stands around it. Pure.</summary>
internal static class VerdictReader
{
    /// <exception cref="VerdictException">It is no verdict.</exception>
    public static Verdict Read(ChatResponse response, VerdictForm form)
    {
        if (AnswerText.Refusal(response) is { } words)
        {
            throw new VerdictException(VerdictFault.Refused, words);
        }

        var text = response.Text.Trim();
        try
        {
            return Read(text, form);
        }
        catch (VerdictException) when (response.FinishReason == ChatFinishReason.Length)
        {
            throw new VerdictException(
                VerdictFault.Truncated,
                "The reply ended at the limit of tokens before the verdict was whole."
            );
        }
    }

    /// <exception cref="VerdictException">It is no verdict.</exception>
    public static Verdict Read(string text, VerdictForm form)
    {
        if (text.Length == 0)
        {
            throw new VerdictException(VerdictFault.Empty, "The reply is empty.");
        }

        var json =
            AnswerText.FirstObject(text)
            ?? throw new VerdictException(
                VerdictFault.NotJson,
                "There is no JSON object in the reply."
            );
        var reason =
            json.TryGetProperty("reason", out var r) && r.ValueKind == JsonValueKind.String
                ? r.GetString()
                : null;
        if (!json.TryGetProperty(form.Field, out var said) || said.ValueKind == JsonValueKind.Null)
        {
            throw new VerdictException(
                VerdictFault.MissingField,
                $"The reply has no \"{form.Field}\"."
            );
        }

        return form.Kind switch
        {
            VerdictKind.Boolean => Boolean(said, reason),
            VerdictKind.Score => Score(said, form, reason),
            _ => Label(said, form, reason),
        };
    }

    private static Verdict Boolean(JsonElement said, string? reason)
    {
        bool? value = said.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => said.GetString()!.Trim().ToLowerInvariant() switch
            {
                "true" or "yes" => true,
                "false" or "no" => false,
                _ => null,
            },
            _ => null,
        };
        return value is { } yes
            ? new Verdict(yes ? 1 : 0, yes ? Verdict.Yes : Verdict.No, reason)
            : throw new VerdictException(
                VerdictFault.WrongType,
                $"The verdict is {Shown(said)}, not true or false."
            );
    }

    private static Verdict Score(JsonElement said, VerdictForm form, string? reason)
    {
        double? value = said.ValueKind switch
        {
            JsonValueKind.Number => said.GetDouble(),
            JsonValueKind.String
                when double.TryParse(
                    said.GetString(),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var number
                ) => number,
            _ => null,
        };
        if (value is not { } score || !double.IsFinite(score))
        {
            throw new VerdictException(
                VerdictFault.WrongType,
                $"The score is {Shown(said)}, not a number."
            );
        }

        if (form.IsInteger && Math.Abs(score - Math.Round(score)) > 1e-9)
        {
            throw new VerdictException(
                VerdictFault.WrongType,
                $"The score is {Shown(said)}, not a whole number."
            );
        }

        return score >= form.Min && score <= form.Max
            ? new Verdict(score, null, reason)
            : throw new VerdictException(
                VerdictFault.OutOfRange,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The score {score} is not between {form.Min} and {form.Max}."
                )
            );
    }

    private static Verdict Label(JsonElement said, VerdictForm form, string? reason)
    {
        if (said.ValueKind != JsonValueKind.String)
        {
            throw new VerdictException(
                VerdictFault.WrongType,
                $"The label is {Shown(said)}, not a text."
            );
        }

        var given = said.GetString()!.Trim();
        return
            form.Labels.FirstOrDefault(l =>
                string.Equals(l.Label, given, StringComparison.OrdinalIgnoreCase)
            )
                is { } label
            ? new Verdict(label.Score, label.Label, reason)
            : throw new VerdictException(
                VerdictFault.UnknownLabel,
                $"The label {Shown(said)} is none of {string.Join(", ", form.Labels.Select(l => l.Label))}."
            );
    }

    private static string Shown(JsonElement said) =>
        said.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : said.GetRawText();
}
