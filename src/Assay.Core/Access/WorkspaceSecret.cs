namespace Assay.Core.Access;

/// <summary>A secret of a workspace, such as a model provider's key: encrypted, never shown again.</summary>
public sealed class WorkspaceSecret
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The name it is asked for by: <c>OPENAI_API_KEY</c>.</summary>
    public required string Key { get; init; }

    /// <summary>The value, protected by Data Protection.</summary>
    public required string Ciphertext { get; set; }

    /// <summary>When it was last written.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}
