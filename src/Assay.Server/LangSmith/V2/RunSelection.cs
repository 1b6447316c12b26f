using Assay.Core.Traces;

namespace Assay.Server.LangSmith.V2;

/// <summary>
/// The fields that a v2 client selects, in upper case. In v2 a selection is a projection: what is not selected is absent, and without a
/// selection only <c>id</c> comes back. Names this server does not know stay absent, so that newer clients can ask for more.
/// </summary>
internal sealed class RunSelection
{
    private readonly HashSet<string> _names;

    public RunSelection(IEnumerable<string?> names)
    {
        _names =
        [
            .. names
                .SelectMany(n => (n ?? "").Split(',', StringSplitOptions.TrimEntries))
                .Where(n => n.Length > 0)
                .Select(n => n.ToUpperInvariant()),
        ];
        if (_names.Count == 0)
        {
            _names.Add("ID");
        }
    }

    public bool Has(string name) => _names.Contains(name);

    public bool HasAny(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Has(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the store has to bring for it.</summary>
    public RunParts Parts =>
        RunParts.Details
        | (Has("INPUTS") ? RunParts.Inputs : RunParts.None)
        | (Has("OUTPUTS") ? RunParts.Outputs : RunParts.None)
        | (HasAny("EXTRA", "METADATA") ? RunParts.Extra : RunParts.None)
        | (Has("EVENTS") ? RunParts.Events : RunParts.None)
        | (Has("MANIFEST") ? RunParts.Serialized : RunParts.None)
        | (Has("ERROR") ? RunParts.FullError : RunParts.None)
        | (Has("FEEDBACK_STATS") ? RunParts.Feedback : RunParts.None);
}
