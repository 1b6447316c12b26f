using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>The fields of a run whose values are kept verbatim, however large.</summary>
internal static class RunPayloads
{
    public static bool Has(string name) =>
        name is "inputs" or "outputs" or "extra" or "events" or "serialized";

    /// <summary>Sets the field; null means not said.</summary>
    public static void Set(RunWrite run, string name, Payload value)
    {
        if (value.BlobKey is null && value.Utf8.Span.SequenceEqual("null"u8))
        {
            return;
        }

        switch (name)
        {
            case "inputs":
                run.Inputs = value;
                break;
            case "outputs":
                run.Outputs = value;
                break;
            case "extra":
                run.Extra = value;
                break;
            case "events":
                run.Events = value;
                break;
            case "serialized":
                run.Serialized = value;
                break;
            default:
                // A field newer than this server: ignored, as unknown keys of a run are.
                break;
        }
    }
}
