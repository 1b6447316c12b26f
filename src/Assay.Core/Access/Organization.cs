namespace Assay.Core.Access;

/// <summary>The organization: the roof over workspaces that share owners.</summary>
public sealed class Organization
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>Name on screen.</summary>
    public required string Name { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}
