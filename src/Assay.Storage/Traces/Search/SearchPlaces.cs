using Assay.Core.Filters;

namespace Assay.Storage.Traces.Search;

/// <summary>
/// Where a word stands is part of its token: a word of the inputs and the same word of the outputs are two tokens, so that a search in one
/// place needs no look at the text of the other.
/// </summary>
internal static class SearchPlaces
{
    private static readonly SearchScope[] s_all =
    [
        SearchScope.Inputs,
        SearchScope.Outputs,
        SearchScope.Name,
        SearchScope.Error,
    ];

    public static uint Token(ulong word, SearchScope place) =>
        (uint)word
        ^ place switch
        {
            SearchScope.Inputs => 0x8F1B_BCDCu,
            SearchScope.Outputs => 0x5A82_7999u,
            SearchScope.Name => 0x6ED9_EBA1u,
            _ => 0xCA62_C1D6u,
        };

    /// <summary>The token of a whole value: a name, a model, a tag, a metadata pair.</summary>
    public static uint Value(long hash) => (uint)hash ^ (uint)(hash >> 32) ^ 0x3C6E_F372u;

    public static ReadOnlySpan<SearchScope> Of(SearchScope scope) =>
        scope == SearchScope.Everything ? s_all : s_all.AsSpan(Array.IndexOf(s_all, scope), 1);
}
