using System.Text.Json;
using Assay.Core.Datasets;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Examples as clients send them.</summary>
internal static class ExampleBody
{
    /// <summary>A new example.</summary>
    public static ExampleWrite Create(JsonElement json, Guid? id = null)
    {
        json.MustBeObject();
        return new ExampleWrite
        {
            Mode = ExampleWriteMode.Create,
            DatasetId = json.Uuid("dataset_id") ?? Guid.Empty,
            Id = id ?? json.Uuid("id"),
            InputsJson = json.ObjectText("inputs"),
            OutputsJson = json.ObjectText("outputs"),
            MetadataJson = json.ObjectText("metadata"),
            Splits = json.Names("split"),
            SourceRunId = json.Uuid("source_run_id"),
            UseSourceRunIo = json.Flag("use_source_run_io") ?? false,
            UseSourceRunAttachments = json.Names("use_source_run_attachments") ?? [],
            CreatedAt = json.Moment("created_at"),
        };
    }

    /// <summary>A change; null and absent mean "as it was".</summary>
    public static ExampleWrite Change(JsonElement json, Guid? id = null)
    {
        json.MustBeObject();
        return new ExampleWrite
        {
            Mode = ExampleWriteMode.Update,
            DatasetId = json.Uuid("dataset_id") ?? Guid.Empty,
            Id = id ?? json.Uuid("id") ?? throw BodyFields.Wrong("id", "a UUID"),
            InputsJson = json.ObjectText("inputs"),
            OutputsJson = json.ObjectText("outputs"),
            MetadataJson = json.ObjectText("metadata"),
            Splits = json.Names("split"),
            Operations = Operations(json.Field("attachments_operations")),
        };
    }

    /// <summary>What becomes of the files; null when nothing is said.</summary>
    public static AttachmentOperations? Operations(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return null;
        }

        json.MustBeObject();
        var rename = new Dictionary<string, string>(StringComparer.Ordinal);
        if (json.Field("rename") is { ValueKind: JsonValueKind.Object } names)
        {
            foreach (var property in names.EnumerateObject())
            {
                rename[property.Name] =
                    property.Value.ValueKind == JsonValueKind.String
                        ? property.Value.GetString()!
                        : throw BodyFields.Wrong(
                            "attachments_operations.rename",
                            "an object of texts"
                        );
            }
        }

        return new AttachmentOperations(json.Names("retain") ?? [], rename);
    }
}
