using System.Text.Json;
using Assay.Core.Traces;

namespace Assay.Core.Models.Providers;

/// <summary>The run of one model call: how it starts and how it ends.</summary>
/// <param name="call">The call.</param>
/// <param name="kind">What kind of model is asked.</param>
/// <param name="inputs">What it is given, JSON.</param>
/// <param name="parameters">Its settings, as they stand in the run.</param>
/// <param name="provider">The provider; null when there is none of that id.</param>
/// <param name="start">When it starts.</param>
internal sealed class CallRun(
    ProviderCall call,
    RunKind kind,
    byte[] inputs,
    object parameters,
    ModelProvider? provider,
    DateTimeOffset start
)
{
    public Guid RunId { get; } = call.RunId ?? Guid.CreateVersion7(start);

    public DateTimeOffset StartTime => start;

    public string Model => call.Model;

    public string PricedAs => provider?.PricedAs ?? "";

    public byte[] Inputs => inputs;

    public RunWrite Start() =>
        new()
        {
            Operation = RunOperation.Create,
            RunId = RunId,
            TraceId = call.Parent?.TraceId ?? RunId,
            ParentRunId = call.Parent?.RunId,
            DottedOrder = call.Parent is { } parent
                ? $"{parent.DottedOrder}.{RunNormalizer.OrderSegment(start, RunId)}"
                : null,
            ProjectId = call.ProjectId,
            ProjectName = call.ProjectName,
            Name = call.RunName,
            Kind = kind,
            StartTime = start,
            Inputs = Payload.FromUtf8(inputs),
            Extra = Payload.FromUtf8(Extra()),
            Tags = call.Tags.Count > 0 ? call.Tags : null,
            ReferenceExampleId = call.ReferenceExampleId,
            Model = call.Model,
            Provider = PricedAs,
        };

    public RunWrite End(CallEnd end) =>
        new()
        {
            Operation = RunOperation.Update,
            RunId = RunId,
            TraceId = call.Parent?.TraceId ?? RunId,
            ParentRunId = call.Parent?.RunId,
            ProjectId = call.ProjectId,
            ProjectName = call.ProjectName,
            EndTime = start + end.Latency,
            FirstTokenTime = start + end.FirstToken,
            Outputs = Payload.FromUtf8(end.Outputs),
            Usage = end.Usage,
            Model = end.Model ?? call.Model,
            Error = end.Failure?.Message,
        };

    private byte[] Extra()
    {
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["ls_provider"] = PricedAs,
            ["ls_model_name"] = call.Model,
        };
        foreach (var (key, value) in call.Metadata)
        {
            metadata[key] = value;
        }

        return JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, object>
            {
                ["metadata"] = metadata,
                ["invocation_params"] = parameters,
            }
        );
    }
}
