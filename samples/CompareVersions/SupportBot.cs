namespace CompareVersions;

/// <summary>Two versions of an application, so simple that they need no model: one knows keywords, the other whole sentences.</summary>
internal static class SupportBot
{
    private static readonly (string Word, string Short, string Whole)[] s_knowledge =
    [
        ("refund", "five days", "A refund takes five days."),
        ("worn", "no", "No, only unworn items can be returned."),
        ("Norway", "yes", "Yes, we ship to Norway in seven days."),
        ("invoice", "in your account", "Your invoice is in your account under Orders."),
        ("address", "yes", "Yes, until the parcel has left us."),
        ("pay", "by card", "By card or bank transfer."),
        ("student", "ten percent", "Yes, students get ten percent."),
        ("cancel", "press Cancel", "Open the order and press Cancel."),
        ("gift", "yes", "Yes, we sell gift cards."),
        ("support", "nine to five", "Support is open from nine to five."),
        ("shipping", "four euros", "Shipping costs four euros."),
    ];

    public static string Short(string question) => Find(question)?.Short ?? "I do not know.";

    public static string Whole(string question) => Find(question)?.Whole ?? "I do not know.";

    private static (string Short, string Whole)? Find(string question)
    {
        foreach (var (word, brief, whole) in s_knowledge)
        {
            if (question.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return (brief, whole);
            }
        }

        return null;
    }
}
