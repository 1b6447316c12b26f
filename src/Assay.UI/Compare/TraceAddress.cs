namespace Assay.UI.Compare;

/// <summary>Finds the trace in what people paste: an id with or without dashes, or the address of a trace page.</summary>
internal static class TraceAddress
{
    /// <summary>The id; null when there is none in the text.</summary>
    public static Guid? Find(string? text)
    {
        var trimmed = text?.Trim() ?? "";
        if (Guid.TryParse(trimmed, out var id))
        {
            return id;
        }

        foreach (var part in trimmed.Split('/', '?', '=', '&', '#'))
        {
            if (part.Length >= 32 && Guid.TryParse(part, out id))
            {
                return id;
            }
        }

        return null;
    }
}
