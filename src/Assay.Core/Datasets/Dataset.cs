namespace Assay.Core.Datasets;

/// <summary>A named collection of examples. What it held at any moment can be read back: see <see cref="ExampleRevision"/>.</summary>
public sealed class Dataset
{
    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 1_024;

    /// <summary>Id, chosen by the client or made.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace it belongs to.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name, unique in the workspace, case-sensitive.</summary>
    public required string Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>Shape of its examples: <c>kv</c>, <c>llm</c> or <c>chat</c>.</summary>
    public string DataType { get; set; } = "kv";

    /// <summary>JSON Schema every example's inputs must meet; null for none.</summary>
    public string? InputsSchemaJson { get; set; }

    /// <summary>JSON Schema every example's outputs must meet; null for none.</summary>
    public string? OutputsSchemaJson { get; set; }

    /// <summary>Transformations applied to examples on the way in, JSON array; null for none.</summary>
    public string? TransformationsJson { get; set; }

    /// <summary>Metadata, JSON object; null for none.</summary>
    public string? MetadataJson { get; set; }

    /// <summary>The experiment others are compared with by default.</summary>
    public Guid? BaselineExperimentId { get; set; }

    /// <summary>Opens it to everybody who knows the token; null while it is not shared.</summary>
    public Guid? ShareToken { get; set; }

    /// <summary>How many examples it holds now.</summary>
    public int ExampleCount { get; set; }

    /// <summary>Moment of its newest version, microseconds since 1970 UTC; zero before the first. Writers of one dataset are serialized by it.</summary>
    public long LastVersion { get; set; }

    /// <summary>Place that the next new example gets.</summary>
    public long NextPosition { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change of it or of its examples.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>One version of a dataset: the moment after one change. A change may touch many examples.</summary>
public sealed class DatasetVersion
{
    /// <summary>The dataset.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The moment, microseconds since 1970 UTC; strictly increasing within the dataset.</summary>
    public long Moment { get; init; }
}

/// <summary>A name for a version.</summary>
public sealed class DatasetTag
{
    /// <summary>The tag every dataset has: its newest version. It is never stored.</summary>
    public const string Latest = "latest";

    /// <summary>The dataset.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The tag, 1 to 256 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The version it names, microseconds since 1970 UTC.</summary>
    public long Moment { get; set; }
}

/// <summary>
/// One state of one example. Written once; afterwards only <see cref="ValidTo"/> changes, when the next state replaces it. The dataset at a
/// moment is every revision with <c>ValidFrom &lt;= moment &lt; ValidTo</c>, so nothing a reader saw can change behind its back.
/// </summary>
public sealed class ExampleRevision
{
    /// <summary><see cref="ValidTo"/> of the state that holds now.</summary>
    public const long Forever = long.MaxValue;

    /// <summary><see cref="ValidTo"/> of a row that an import has staged and not yet published: no moment lies inside.</summary>
    public const long Staged = -1;

    /// <summary>End of a revision that is written already but becomes part of no version before all others of its change are: content and files are those of the revision it follows.</summary>
    public const long Prepared = -2;

    /// <summary>Number, made by the database.</summary>
    public long Number { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The dataset.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The example, chosen by the client or made.</summary>
    public Guid ExampleId { get; init; }

    /// <summary>The version that brought it, microseconds since 1970 UTC; the example's modification time.</summary>
    public long ValidFrom { get; set; }

    /// <summary>The version that ended it.</summary>
    public long ValidTo { get; set; } = Forever;

    /// <summary>Place in the dataset, given when the example first came.</summary>
    public long Position { get; set; }

    /// <summary>When the example was made, as the client says; never decides a version.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Inputs, JSON object text; empty when <see cref="InputsBlobKey"/> holds them.</summary>
    public string InputsJson { get; set; } = "{}";

    /// <summary>Outputs, JSON text; null for none.</summary>
    public string? OutputsJson { get; set; }

    /// <summary>Blob with inputs too large for a row.</summary>
    public string? InputsBlobKey { get; set; }

    /// <summary>Blob with outputs too large for a row.</summary>
    public string? OutputsBlobKey { get; set; }

    /// <summary>Metadata without the split, JSON object text; null for none.</summary>
    public string? MetadataJson { get; set; }

    /// <summary>Splits, each between line feeds: <c>\nbase\ntest\n</c>.</summary>
    public string Splits { get; set; } = "\nbase\n";

    /// <summary>The run it was made from.</summary>
    public Guid? SourceRunId { get; set; }

    /// <summary>Files, JSON array of name, media type, blob key and length; null for none.</summary>
    public string? AttachmentsJson { get; set; }

    /// <summary>The import that staged it; null once published.</summary>
    public Guid? ImportId { get; set; }

    /// <summary>The same state in other splits, from a later version on.</summary>
    internal ExampleRevision Next(long moment, string splits) =>
        new()
        {
            WorkspaceId = WorkspaceId,
            DatasetId = DatasetId,
            ExampleId = ExampleId,
            ValidFrom = moment,
            Position = Position,
            CreatedAt = CreatedAt,
            InputsJson = InputsJson,
            InputsBlobKey = InputsBlobKey,
            OutputsJson = OutputsJson,
            OutputsBlobKey = OutputsBlobKey,
            MetadataJson = MetadataJson,
            Splits = splits,
            SourceRunId = SourceRunId,
            AttachmentsJson = AttachmentsJson,
        };
}
