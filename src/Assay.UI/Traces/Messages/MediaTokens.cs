namespace Assay.UI.Traces.Messages;

/// <summary>
/// Langfuse's SDKs cut files out of texts, hand them over beside the span, and leave <c>@@@langfuseMedia:type=…|id=…|source=…@@@</c> in their
/// place. The file is an attachment of the run whose name is the id, and is shown where the mark stands.
/// </summary>
internal static class MediaTokens
{
    private const string Start = "@@@langfuseMedia:";
    private const string End = "@@@";
    private const int MaxTokens = 64;

    /// <summary>Whether a text has such a mark.</summary>
    public static bool IsIn(string text) => text.Contains(Start, StringComparison.Ordinal);

    /// <summary>The medium of a text that is nothing but a mark; null for any other.</summary>
    public static MessagePart.Media? Only(string text) =>
        text.StartsWith(Start, StringComparison.Ordinal) && Split(text) is [MessagePart.Media only]
            ? only
            : null;

    /// <summary>A text in its parts: what is said, and files where their marks stand. Marks that cannot be read stay text.</summary>
    public static IReadOnlyList<MessagePart> Split(string text)
    {
        var parts = new List<MessagePart>();
        var from = 0;
        for (
            var at = text.IndexOf(Start, StringComparison.Ordinal);
            at >= 0 && parts.Count < 2 * MaxTokens;
            at = text.IndexOf(Start, at + 1, StringComparison.Ordinal)
        )
        {
            var end = text.IndexOf(End, at + Start.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                break;
            }

            if (Read(text[(at + Start.Length)..end]) is not { } media)
            {
                continue;
            }

            AddText(text[from..at]);
            parts.Add(media);
            from = end + End.Length;
            at = from - 1;
        }

        AddText(text[from..]);
        return parts;

        void AddText(string said)
        {
            if (!string.IsNullOrWhiteSpace(said))
            {
                parts.Add(new MessagePart.Text(said));
            }
        }
    }

    /// <summary>A line of a list: a mark is told in a word.</summary>
    public static string? InWords(string? text) =>
        text is null || !IsIn(text)
            ? text
            : string.Concat(
                Split(text)
                    .Select(p =>
                        p switch
                        {
                            MessagePart.Text t => t.Value,
                            MessagePart.Media m => $"[{m.Kind}]",
                            _ => "",
                        }
                    )
            );

    private static MessagePart.Media? Read(string fields)
    {
        string? type = null;
        string? id = null;
        foreach (var field in fields.Split('|'))
        {
            if (field.StartsWith("type=", StringComparison.Ordinal))
            {
                type = field[5..];
            }
            else if (field.StartsWith("id=", StringComparison.Ordinal))
            {
                id = field[3..];
            }
        }

        if (id is not { Length: > 0 and <= 100 } || type is null)
        {
            return null;
        }

        var kind = type.Split('/')[0];
        return new MessagePart.Media(
            PayloadEndpoints.IsShown(type) && kind is "image" or "audio" or "video" ? kind : "file",
            null,
            null,
            type
        )
        {
            File = id,
        };
    }
}
