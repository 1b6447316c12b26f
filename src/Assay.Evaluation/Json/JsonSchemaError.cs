namespace Assay.Evaluation.Json;

/// <summary>One way in which a value does not meet its schema.</summary>
/// <param name="Path">Where in the value, as a JSON Pointer (RFC 6901); empty for the whole.</param>
/// <param name="Keyword">The keyword that fails.</param>
/// <param name="Message">What is wrong, for people.</param>
public sealed record JsonSchemaError(string Path, string Keyword, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Path.Length == 0 ? "/" : Path)}: {Message}";
}
