using Assay.Core.Traces;

namespace Assay.Core.Datasets;

/// <summary>An example as it was at one version.</summary>
public sealed record Example
{
    /// <summary>Split of an example that names none.</summary>
    public const string DefaultSplit = "base";

    /// <summary>Id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The dataset.</summary>
    public required Guid DatasetId { get; init; }

    /// <summary>A short name for people.</summary>
    public required string Name { get; init; }

    /// <summary>Inputs, JSON object text, as sent.</summary>
    public required string InputsJson { get; init; }

    /// <summary>Reference outputs, JSON text, as sent; null for none.</summary>
    public string? OutputsJson { get; init; }

    /// <summary>Metadata without the split, JSON object text; null for none.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>True when only its id is known: a run was made of it, and it has left the dataset for good or is of another version.</summary>
    public bool IsGone { get; init; }

    /// <summary>Splits; never empty.</summary>
    public IReadOnlyList<string> Splits { get; init; } = [DefaultSplit];

    /// <summary>The run it was made from.</summary>
    public Guid? SourceRunId { get; init; }

    /// <summary>Files.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>When it was made, as the client says.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The version that brought this state.</summary>
    public DateTimeOffset ModifiedAt { get; init; }
}

/// <summary>Whether a write makes an example, changes one, or does what fits.</summary>
public enum ExampleWriteMode
{
    /// <summary>Makes one; an id in use is a conflict.</summary>
    Create,

    /// <summary>Changes one; an unknown id is not found.</summary>
    Update,

    /// <summary>Changes the one of that id, or makes it.</summary>
    Upsert,
}

/// <summary>One example on its way in. In a change null means "as it was".</summary>
public sealed record ExampleWrite
{
    /// <summary>Make or change.</summary>
    public ExampleWriteMode Mode { get; init; }

    /// <summary>The dataset; in a change it may be left out (<see cref="Guid.Empty"/>).</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The example; made when null.</summary>
    public Guid? Id { get; init; }

    /// <summary>Inputs, JSON object text.</summary>
    public string? InputsJson { get; init; }

    /// <summary>Outputs, JSON object text.</summary>
    public string? OutputsJson { get; init; }

    /// <summary>Metadata, JSON object text; a <c>dataset_split</c> inside counts as <see cref="Splits"/> when those are null.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Splits.</summary>
    public IReadOnlyList<string>? Splits { get; init; }

    /// <summary>The run it is made from.</summary>
    public Guid? SourceRunId { get; init; }

    /// <summary>Takes inputs and outputs of the source run.</summary>
    public bool UseSourceRunIo { get; init; }

    /// <summary>Takes these files of the source run.</summary>
    public IReadOnlyList<string> UseSourceRunAttachments { get; init; } = [];

    /// <summary>When it was made, as the client says.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>New files, already in the blob store.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>What becomes of the files it had; null with new files means they are replaced, null without means untouched.</summary>
    public AttachmentOperations? Operations { get; init; }
}

/// <summary>What becomes of the files an example had.</summary>
/// <param name="Retain">Kept under their name.</param>
/// <param name="Rename">Kept under a new name, old to new.</param>
public sealed record AttachmentOperations(
    IReadOnlyList<string> Retain,
    IReadOnlyDictionary<string, string> Rename
);

/// <summary>What a write did.</summary>
/// <param name="Ids">The examples, in the order they were handed in.</param>
/// <param name="AsOf">The version it made.</param>
public sealed record ExampleReceipt(IReadOnlyList<Guid> Ids, DateTimeOffset AsOf);

/// <summary>A moment or a tag; neither means now.</summary>
/// <param name="Time">The moment, inclusive.</param>
/// <param name="Tag">The tag.</param>
public sealed record AsOf(DateTimeOffset? Time = null, string? Tag = null)
{
    /// <summary>The state that holds now.</summary>
    public static AsOf Now { get; } = new();

    /// <summary>True when it names the state that holds now.</summary>
    public bool IsNow => Time is null && Tag is null or DatasetTag.Latest;
}

/// <summary>In which order examples are listed. Ties are broken by place in the dataset, so pages never overlap.</summary>
public enum ExampleOrder
{
    /// <summary>Newest change first.</summary>
    Recent,

    /// <summary>Newest example first.</summary>
    RecentlyCreated,

    /// <summary>By id.</summary>
    Id,

    /// <summary>Shuffled by a seed.</summary>
    Random,
}

/// <summary>A question for examples. All conditions are ANDed.</summary>
public sealed record ExampleQuery
{
    /// <summary>The dataset; without one, ids must be given.</summary>
    public Guid? DatasetId { get; init; }

    /// <summary>Only these; empty means any.</summary>
    public IReadOnlyList<Guid> Ids { get; init; } = [];

    /// <summary>At which version.</summary>
    public AsOf AsOf { get; init; } = AsOf.Now;

    /// <summary>In any of these splits; empty means any.</summary>
    public IReadOnlyList<string> Splits { get; init; } = [];

    /// <summary>Metadata contains this JSON object.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Inputs or outputs contain each of these texts (ASCII case ignored).</summary>
    public IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>A filter in LangSmith's language; see <see cref="ExampleFilter"/>.</summary>
    public string? Filter { get; init; }

    /// <summary>Order.</summary>
    public ExampleOrder Order { get; init; }

    /// <summary>The other way round than the order's own.</summary>
    public bool IsReversed { get; init; }

    /// <summary>Seed of <see cref="ExampleOrder.Random"/>.</summary>
    public double Seed { get; init; }

    /// <summary>Skip this many.</summary>
    public int Offset { get; init; }

    /// <summary>At most this many.</summary>
    public int Limit { get; init; } = 100;
}
