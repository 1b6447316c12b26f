using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// One family of instrumentations: how its spans are known. Its content and its peculiarities are functions of the same file; in which order they
/// are asked stands in <see cref="Fields.Precedence"/>. Users rename scopes, so a scope only names the source; attributes decide about values.
/// </summary>
/// <param name="Name">Name that a run keeps.</param>
/// <param name="Scopes">Scope names; one that ends in <c>*</c> is a beginning.</param>
/// <param name="Keys">Attribute keys, or beginnings ending in <c>*</c>, that only this source writes.</param>
internal sealed record SpanSource(string Name, string[] Scopes, string[] Keys)
{
    /// <summary>Known by its scope.</summary>
    public bool OwnsScope(string scope)
    {
        foreach (var pattern in Scopes)
        {
            if (Matches(pattern, scope))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Known by an attribute.</summary>
    public bool OwnsKeys(SpanView span)
    {
        foreach (var pattern in Keys)
        {
            if (
                pattern.EndsWith('*')
                    ? span.HasPrefix(pattern.AsSpan(0, pattern.Length - 1))
                    : span.Has(pattern)
            )
            {
                return true;
            }
        }

        return false;
    }

    private static bool Matches(string pattern, string text) =>
        pattern.EndsWith('*')
            ? text.AsSpan().StartsWith(pattern.AsSpan(0, pattern.Length - 1))
            : text == pattern;
}

/// <summary>Reads inputs or outputs of one source; null when the span has none of them. What it takes it notes on the view.</summary>
internal delegate Content? ContentReader(SpanView span, RunKind kind);
