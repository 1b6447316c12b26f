namespace Assay.Core.Access;

/// <summary>One administrative change: who did what to what, and when.</summary>
public sealed class AuditEntry
{
    /// <summary>Id, sortable by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Who, by name at that time.</summary>
    public required string Actor { get; init; }

    /// <summary>The member who acted, when it was a person.</summary>
    public Guid? MemberId { get; init; }

    /// <summary>The API key that acted, when it was a program.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>What, as noun and verb: <c>api_key.create</c>.</summary>
    public required string Action { get; init; }

    /// <summary>To what.</summary>
    public string? Subject { get; init; }

    /// <summary>The entry of a change by <paramref name="caller"/>, to be added to the unit of work that makes the change.</summary>
    public static AuditEntry Of(
        Caller caller,
        string action,
        string? subject,
        DateTimeOffset now
    ) =>
        new()
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            At = now,
            Actor = caller.Name,
            MemberId = caller.UserId,
            ApiKeyId = caller.ApiKeyId,
            Action = action,
            Subject = subject,
        };
}
