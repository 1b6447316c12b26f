using Assay.Core.Access;

namespace Assay.UI.Kit;

/// <summary>What the screens' scripts may offer to a caller; the server checks again.</summary>
internal static class Rights
{
    /// <summary>Words for <c>data-may</c>: <c>write</c>, <c>delete</c>.</summary>
    public static string OfScreen(Caller caller) =>
        string.Join(
            ' ',
            new[]
            {
                caller.May(Permission.Write) ? "write" : "",
                caller.May(Permission.Delete) ? "delete" : "",
            }.Where(r => r.Length > 0)
        );
}
