using System.Globalization;
using System.Text;
using Assay.Core.Filters;

namespace Assay.UI.Projects;

/// <summary>
/// What people type into the query bar: <c>status:error latency&gt;2s tag:prod metadata.env:live "some words"</c>. Terms must all hold, <c>-</c>
/// negates one, words are searched. Becomes LangSmith's filter language, whose parser has the last word; that language can be typed as well.
/// </summary>
internal static class QueryText
{
    /// <summary>Fields with a word about each.</summary>
    public static readonly IReadOnlyList<(string Name, string Field, string Note)> Fields =
    [
        ("status", "status", "error, success, pending"),
        ("type", "run_type", "llm, chain, tool, retriever, …"),
        ("name", "name", "name of the run"),
        ("model", "model", "model that answered"),
        ("tag", "tags", "carries the tag"),
        ("latency", "latency", "start to end: latency>2s"),
        ("first_token", "first_token_latency", "time to the first token"),
        ("tokens", "total_tokens", "tokens, descendants included"),
        ("cost", "total_cost", "US dollars, descendants included"),
        ("thread", "thread_id", "id of the thread"),
        ("error", "error", "words of the error"),
    ];

    /// <summary>Parses a text.</summary>
    /// <exception cref="FilterException">It cannot be understood.</exception>
    public static Filter Parse(string text)
    {
        var terms = new List<string>();
        var at = 0;
        while (Next(text, ref at) is var (start, term))
        {
            terms.Add(Term(term, start));
        }

        var filter = terms.Count == 1 ? terms[0] : $"and({string.Join(", ", terms)})";
        try
        {
            return LangSmithFilterParser.Parse(filter);
        }
        catch (FilterException)
        {
            // Positions inside the made filter mean nothing to the reader: find the term that is at fault.
            at = 0;
            while (Next(text, ref at) is var (start, term))
            {
                try
                {
                    _ = LangSmithFilterParser.Parse(Term(term, start));
                }
                catch (FilterException e)
                {
                    throw new FilterException(
                        $"'{term}' cannot be understood: {e.Message.Split(" (at position")[0]}",
                        start,
                        null
                    );
                }
            }

            throw;
        }
    }

    /// <summary>A value as it must be typed.</summary>
    public static string Quote(string value) =>
        value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            ? value
            : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static (int Start, string Term)? Next(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        if (at >= text.Length)
        {
            return null;
        }

        var start = at;
        var isQuoted = false;
        for (; at < text.Length && (isQuoted || !char.IsWhiteSpace(text[at])); at++)
        {
            if (text[at] == '\\' && isQuoted)
            {
                at++;
            }
            else if (text[at] == '"')
            {
                isQuoted = !isQuoted;
            }
        }

        at = Math.Min(at, text.Length);
        return isQuoted
            ? throw new FilterException("A quote is not closed", start)
            : (start, text[start..at]);
    }

    private static string Term(string term, int start)
    {
        if (term.Length > 1 && term[0] == '-')
        {
            return $"not({Term(term[1..], start + 1)})";
        }

        var sign = term[0] == '"' ? -1 : term.IndexOfAny([':', '<', '>', '=', '~']);
        if (sign <= 0)
        {
            return $"search({Text(term)})";
        }

        var name = term[..sign];
        var rest = term[sign..];
        var length = rest.Length > 1 && rest[1] == '=' ? 2 : 1;
        var (sort, value) = (rest[..length], rest[length..]);
        if (value.Length == 0)
        {
            throw new FilterException($"'{name}' needs a value", start);
        }

        if (name.StartsWith("metadata.", StringComparison.Ordinal))
        {
            return $"and(eq(metadata_key, {Text(name["metadata.".Length..])}), eq(metadata_value, {Text(value)}))";
        }

        if (name.StartsWith("feedback.", StringComparison.Ordinal))
        {
            return $"and(eq(feedback_key, {Text(name["feedback.".Length..])}), {Operator(sort)}(feedback_score, {Number(value, start)}))";
        }

        var field = Fields.FirstOrDefault(f => f.Name == name || f.Field == name).Field;
        return field switch
        {
            null => throw new FilterException(
                $"There is no field '{name}'",
                start,
                Fields
                    .FirstOrDefault(f =>
                        name.Length > 1
                        && (f.Name.StartsWith(name[..2], StringComparison.OrdinalIgnoreCase))
                    )
                    .Name
            ),
            "tags" => $"has(tags, {Text(value)})",
            "error" => $"search(error, {Text(value)})",
            "total_tokens" or "total_cost" =>
                $"{Operator(sort)}({field}, {Number(value.TrimStart('$'), start)})",
            "latency" or "first_token_latency" => $"{Operator(sort)}({field}, {Text(value)})",
            _ when sort == "~" || value.Contains('*', StringComparison.Ordinal) =>
                $"like({field}, {Text(value.Replace('*', '%'))})",
            _ => $"{Operator(sort)}({field}, {Text(value)})",
        };
    }

    private static string Operator(string sort) =>
        sort switch
        {
            ">" => "gt",
            ">=" => "gte",
            "<" => "lt",
            "<=" => "lte",
            "~" => "like",
            _ => "eq",
        };

    private static string Number(string value, int start) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var n)
            ? n.ToString("R", CultureInfo.InvariantCulture)
            : throw new FilterException($"'{value}' is not a number", start);

    /// <summary>A literal of the filter language; quotes the reader typed are taken off first.</summary>
    private static string Text(string value)
    {
        if (value.Length > 1 && value[0] == '"' && value[^1] == '"')
        {
            value = value[1..^1]
                .Replace("\\\"", "\"", StringComparison.Ordinal)
                .Replace("\\\\", "\\", StringComparison.Ordinal);
        }

        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\')
            {
                text.Append('\\');
            }

            text.Append(c);
        }

        return text.Append('"').ToString();
    }
}
