using System.Text.Json;
using Assay.Core.Datasets;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Datasets and examples as LangSmith's clients read them. Payloads are copied as they were sent.</summary>
internal static class DatasetOut
{
    public static void Write(
        Utf8JsonWriter w,
        Dataset dataset,
        int experiments = 0,
        DateTimeOffset? lastExperiment = null
    )
    {
        w.WriteStartObject();
        w.WriteString("id", dataset.Id);
        w.WriteString("tenant_id", dataset.WorkspaceId);
        w.WriteString("name", dataset.Name);
        w.WriteString("description", dataset.Description);
        w.WriteString("data_type", dataset.DataType);
        w.WriteBoolean("externally_managed", false);
        Raw(w, "inputs_schema_definition", dataset.InputsSchemaJson);
        Raw(w, "outputs_schema_definition", dataset.OutputsSchemaJson);
        Raw(w, "transformations", dataset.TransformationsJson);
        Raw(w, "metadata", dataset.MetadataJson);
        w.WriteNumber("example_count", dataset.ExampleCount);
        w.WriteNumber("session_count", experiments);
        w.WriteString("created_at", WireAsOf.Time(dataset.CreatedAt));
        w.WriteString("modified_at", WireAsOf.Time(dataset.ModifiedAt));
        w.WriteString(
            "last_session_start_time",
            lastExperiment is { } last ? WireAsOf.Time(last) : null
        );
        w.WriteString("baseline_experiment_id", dataset.BaselineExperimentId?.ToString());
        w.WriteEndObject();
    }

    /// <summary>For whoever holds its token: nothing of the workspace, and no metadata of the SDK that made it.</summary>
    public static void WritePublic(Utf8JsonWriter w, Dataset dataset)
    {
        w.WriteStartObject();
        w.WriteString("id", dataset.Id);
        w.WriteString("name", dataset.Name);
        w.WriteString("description", dataset.Description);
        w.WriteString("data_type", dataset.DataType);
        w.WriteBoolean("externally_managed", false);
        Raw(w, "inputs_schema_definition", dataset.InputsSchemaJson);
        Raw(w, "outputs_schema_definition", dataset.OutputsSchemaJson);
        Raw(w, "transformations", dataset.TransformationsJson);
        w.WriteNumber("example_count", dataset.ExampleCount);
        w.WriteString("created_at", WireAsOf.Time(dataset.CreatedAt));
        w.WriteEndObject();
    }

    public static void Write(
        Utf8JsonWriter w,
        Example example,
        Func<Attachment, string>? fileUrl,
        Action? runs = null
    )
    {
        w.WriteStartObject();
        w.WriteString("id", example.Id);
        w.WriteString("dataset_id", example.DatasetId);
        w.WriteString("name", example.Name);
        Raw(w, "inputs", example.InputsJson);
        Raw(w, "outputs", example.OutputsJson);
        w.WritePropertyName("metadata");
        Metadata(w, example);
        w.WriteString("source_run_id", example.SourceRunId?.ToString());
        w.WriteString("created_at", WireAsOf.Time(example.CreatedAt));
        w.WriteString("modified_at", WireAsOf.Time(example.ModifiedAt));
        if (fileUrl is null)
        {
            w.WriteNull("attachment_urls");
        }
        else
        {
            w.WriteStartObject("attachment_urls");
            foreach (var file in example.Attachments)
            {
                w.WriteStartObject("attachment." + file.Name);
                w.WriteString("presigned_url", fileUrl(file));
                w.WriteString("mime_type", file.ContentType);
                w.WriteEndObject();
            }

            w.WriteEndObject();
        }

        runs?.Invoke();
        w.WriteEndObject();
    }

    public static IResult List(
        IReadOnlyList<Example> examples,
        Func<Attachment, string>? fileUrl
    ) =>
        WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var example in examples)
            {
                Write(w, example, fileUrl);
            }

            w.WriteEndArray();
        });

    public static void Raw(Utf8JsonWriter w, string name, string? json)
    {
        w.WritePropertyName(name);
        // Checked when it came in.
        w.WriteRawValue(json ?? "null", skipInputValidation: true);
    }

    private static void Metadata(Utf8JsonWriter w, Example example)
    {
        w.WriteStartObject();
        if (example.MetadataJson is { } json)
        {
            using var document = JsonDocument.Parse(json);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                property.WriteTo(w);
            }
        }

        w.WriteStartArray("dataset_split");
        foreach (var split in example.Splits)
        {
            w.WriteStringValue(split);
        }

        w.WriteEndArray();
        w.WriteEndObject();
    }
}
