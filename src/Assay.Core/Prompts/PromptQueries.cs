namespace Assay.Core.Prompts;

/// <summary>Names a prompt: the owner's handle (or <see cref="PromptHub.Self"/>) and the prompt's own.</summary>
public sealed record PromptKey(string Owner, string Handle);

/// <summary>How a list of prompts is ordered.</summary>
public enum PromptSort
{
    /// <summary>By last change.</summary>
    Updated,

    /// <summary>By pulls.</summary>
    Downloads,

    /// <summary>By views.</summary>
    Views,

    /// <summary>By likes.</summary>
    Likes,

    /// <summary>By how well the name fits the text that is looked for, then by last change.</summary>
    Relevance,
}

/// <summary>Which prompts to list.</summary>
public sealed record PromptListQuery
{
    /// <summary>Kinds.</summary>
    public IReadOnlyList<PromptKind> Kinds { get; init; } = [PromptKind.Prompt];

    /// <summary>True: public ones of every workspace. False: the own private ones. Null: all own ones.</summary>
    public bool? IsPublic { get; init; }

    /// <summary>Archived or not; null for both.</summary>
    public bool? IsArchived { get; init; } = false;

    /// <summary>With or without commits; null for both.</summary>
    public bool? HasCommits { get; init; }

    /// <summary>Only of this workspace handle.</summary>
    public string? OwnerHandle { get; init; }

    /// <summary>Only of this workspace.</summary>
    public Guid? OwnerId { get; init; }

    /// <summary>Only forks of this one.</summary>
    public PromptKey? ForkedFrom { get; init; }

    /// <summary>Part of handle or description.</summary>
    public string? Text { get; init; }

    /// <summary>What <see cref="Text"/> is of the handle: its beginning, not any part of handle or description.</summary>
    public bool IsPrefix { get; init; }

    /// <summary>All of these topics.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Values of the workspace's tags (not of commits) that a prompt must bear, every one.</summary>
    public IReadOnlyList<Guid> TagValues { get; init; } = [];

    /// <summary>Order.</summary>
    public PromptSort SortField { get; init; }

    /// <summary>Largest first.</summary>
    public bool IsDescending { get; init; } = true;

    /// <summary>Page size, at most 100.</summary>
    public int Limit { get; init; } = 20;

    /// <summary>Items to skip.</summary>
    public int Offset { get; init; }
}

/// <summary>A prompt to make.</summary>
public sealed record PromptDraft(string Handle)
{
    /// <summary>What it holds.</summary>
    public PromptKind Kind { get; init; }

    /// <summary>One line.</summary>
    public string? Description { get; init; }

    /// <summary>Markdown.</summary>
    public string? Readme { get; init; }

    /// <summary>Words to find it by.</summary>
    public IReadOnlyList<string>? Topics { get; init; }

    /// <summary>Readable by other workspaces.</summary>
    public bool IsPublic { get; init; }

    /// <summary>Only owners and those who manage the workspace change it.</summary>
    public bool IsRestricted { get; init; }
}

/// <summary>What to change of a prompt; null leaves it.</summary>
public sealed record PromptChange(
    string? Description,
    string? Readme,
    IReadOnlyList<string>? Topics,
    bool? IsPublic,
    bool? IsArchived,
    bool? IsRestricted = null
)
{
    /// <summary>Another name in URLs.</summary>
    public string? Handle { get; init; }
}

/// <summary>What became of one of several prompts to delete.</summary>
/// <param name="Id">The prompt.</param>
/// <param name="Handle">Its name; null when there is none in the workspace.</param>
/// <param name="Problem">Why it was not deleted; null when it was.</param>
public sealed record PromptDeletion(Guid Id, string? Handle, string? Problem);

/// <summary>A prompt with what is known about it.</summary>
/// <param name="Prompt">The row.</param>
/// <param name="OwnerHandle">Handle of its workspace.</param>
/// <param name="HeadHash">Hash of its newest commit.</param>
/// <param name="Likes">How many like it.</param>
/// <param name="IsLiked">The caller does.</param>
/// <param name="Tags">Names of its commit tags.</param>
/// <param name="ForkedFrom">Full name of what it was forked from, when that is in reach.</param>
/// <param name="MayEdit">The caller may change it.</param>
/// <param name="IsOwn">It is the caller's workspace's.</param>
public sealed record PromptListing(
    Prompt Prompt,
    string OwnerHandle,
    string? HeadHash,
    int Likes,
    bool IsLiked,
    IReadOnlyList<string> Tags,
    string? ForkedFrom,
    bool MayEdit,
    bool IsOwn
);
