using System.Text.Json;
using Assay.Core.Traces;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>The run of one model call: how it starts and how it ends.</summary>
internal sealed class CallRun(ModelCall call, ModelProvider? provider, DateTimeOffset start)
{
    public Guid RunId { get; } = call.RunId ?? Guid.CreateVersion7(start);

    public DateTimeOffset StartTime => start;

    public string Model => call.Model;

    public string PricedAs => provider?.PricedAs ?? "";

    public byte[] Inputs { get; } = ChatJson.Inputs(call.Messages, call.Options);

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
            Kind = RunKind.Llm,
            StartTime = start,
            Inputs = Payload.FromUtf8(Inputs),
            Extra = Payload.FromUtf8(Extra()),
            Tags = call.Tags.Count > 0 ? call.Tags : null,
            ReferenceExampleId = call.ReferenceExampleId,
            Model = call.Model,
            Provider = PricedAs,
        };

    public RunWrite End(
        ChatResponse response,
        byte[] outputs,
        TokenUsage? usage,
        TimeSpan latency,
        TimeSpan? first,
        ModelCallException? failure
    ) =>
        new()
        {
            Operation = RunOperation.Update,
            RunId = RunId,
            TraceId = call.Parent?.TraceId ?? RunId,
            ParentRunId = call.Parent?.RunId,
            ProjectId = call.ProjectId,
            ProjectName = call.ProjectName,
            EndTime = start + latency,
            FirstTokenTime = start + first,
            Outputs = Payload.FromUtf8(outputs),
            Usage = usage,
            Model = response.ModelId ?? call.Model,
            Error = failure?.Message,
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
                ["invocation_params"] = ChatJson.Parameters(call.Model, call.Options),
            }
        );
    }
}
