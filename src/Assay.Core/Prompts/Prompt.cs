namespace Assay.Core.Prompts;

/// <summary>What a repository of the hub holds. The numbers are stored.</summary>
public enum PromptKind
{
    /// <summary>A prompt template, alone or with its model.</summary>
    Prompt = 0,

    /// <summary>A file.</summary>
    File = 1,

    /// <summary>A directory of an agent's files.</summary>
    Agent = 2,

    /// <summary>A directory of a skill's files.</summary>
    Skill = 3,
}

/// <summary>A named prompt with its history of commits.</summary>
public sealed class Prompt
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace it belongs to.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name in URLs, unique in the workspace: letters, digits, dashes, underscores, dots; 1 to 200 characters.</summary>
    public required string Handle { get; set; }

    /// <summary>What it holds.</summary>
    public PromptKind Kind { get; init; }

    /// <summary>One line.</summary>
    public string? Description { get; set; }

    /// <summary>Markdown.</summary>
    public string? Readme { get; set; }

    /// <summary>Words to find it by; not the tags of commits.</summary>
    public IReadOnlyList<string> Topics { get; set; } = [];

    /// <summary>Readable by other workspaces of this installation.</summary>
    public bool IsPublic { get; set; }

    /// <summary>Hidden from lists.</summary>
    public bool IsArchived { get; set; }

    /// <summary>Only its owners and those who manage the workspace change it.</summary>
    public bool IsRestricted { get; set; }

    /// <summary>The prompt it was forked from.</summary>
    public Guid? ForkedFromId { get; init; }

    /// <summary>How often a commit was pulled.</summary>
    public long Downloads { get; set; }

    /// <summary>How often it was opened.</summary>
    public long Views { get; set; }

    /// <summary>Commits so far.</summary>
    public int CommitCount { get; set; }

    /// <summary>The newest commit; null while there is none. The head that a new commit must name as its parent.</summary>
    public Guid? HeadId { get; set; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change of the row or new commit.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Changes with every write, so that two writers cannot both win.</summary>
    public Guid Revision { get; set; }
}

/// <summary>One immutable version of a prompt.</summary>
public sealed class PromptCommit
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>64 hexadecimal digits: SHA-256 over prompt, parent and manifest.</summary>
    public required string Hash { get; init; }

    /// <summary>The commit before it; null for the first.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Running number in the prompt, from 1.</summary>
    public int Number { get; init; }

    /// <summary>The manifest exactly as the client sent it, JSON text.</summary>
    public required string Manifest { get; init; }

    /// <summary>Message.</summary>
    public string? Description { get; init; }

    /// <summary>Who made it.</summary>
    public required string Author { get; init; }

    /// <summary>How often it was pulled.</summary>
    public long Downloads { get; set; }

    /// <summary>How often a person opened it.</summary>
    public long Views { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A name that points at a commit and can be moved: <c>production</c>, <c>staging</c>, own ones.</summary>
public sealed class PromptTag
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>Name, unique in the prompt.</summary>
    public required string Name { get; init; }

    /// <summary>Where it points.</summary>
    public Guid CommitId { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last moved.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>One step in the life of a tag: set, moved, or taken away.</summary>
public sealed class PromptTagMove
{
    /// <summary>Id, sortable by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The tag's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it pointed before; null when it was new.</summary>
    public Guid? FromCommitId { get; init; }

    /// <summary>Where it points now; null when it was taken away.</summary>
    public Guid? ToCommitId { get; init; }

    /// <summary>Who did it.</summary>
    public required string Actor { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>Somebody likes a prompt.</summary>
public sealed class PromptLike
{
    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The member or the API key.</summary>
    public Guid ActorId { get; init; }
}

/// <summary>A remark on a prompt, or an answer to one.</summary>
public sealed class PromptComment
{
    /// <summary>Id, sortable by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The remark it answers.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Text, up to 10,000 characters.</summary>
    public required string Content { get; init; }

    /// <summary>The member or the API key.</summary>
    public Guid ActorId { get; init; }

    /// <summary>Who, by name at that time.</summary>
    public required string Author { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}
