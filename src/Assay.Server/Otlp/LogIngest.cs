using System.Buffers.Binary;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Mapping.Sources;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <summary>
/// Takes log records in: messages, errors and judgements that instrumentations send as logs, on a route of their own, before or after the span
/// they belong to. What they say becomes a change of the span's run, durable at once; the store merges it with the span whenever that comes.
/// Records that say nothing about a run (the application's own logs) are accepted and not kept. Thread-safe.
/// </summary>
internal sealed class LogIngest(
    SpanMapper mapper,
    TraceIngest ingest,
    TraceMemory memory,
    IRunStore store,
    TimeProvider time
)
{
    private static readonly InstrumentationScope s_noScope = new();
    private static readonly Resource s_noResource = new();

    /// <summary>Accepts records; when it returns, what they say is durable.</summary>
    /// <exception cref="StoreBusyException">Try again later.</exception>
    public async Task<OtlpOutcome> AcceptAsync(
        Caller caller,
        ExportLogsServiceRequest request,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Ingest);
        var refused = new Refusals(reason => ingest.Refused(caller, reason));
        var spans = Read(request, refused);
        var runs = new List<RunWrite>();
        var feedback = new List<FeedbackRecord>();
        foreach (var (id, records) in spans)
        {
            var state = memory.Of(caller.WorkspaceId, SpanIds.Trace(id.Trace.Span));
            await LookBackAsync(caller.WorkspaceId, state, id, records, cancellationToken);
            lock (state.Lock)
            {
                Add(caller.WorkspaceId, state, id, records, runs, feedback);
            }
        }

        if (runs.Count + feedback.Count > 0)
        {
            var receipt = await ingest.AcceptAsync(
                caller,
                new IngestBatch(runs, feedback),
                cancellationToken
            );
            foreach (var rejection in receipt.Rejections)
            {
                refused.Add(rejection.Reason);
            }
        }

        return refused.Outcome();
    }

    /// <summary>The first records of a span that carry messages: others may have come before the last start.</summary>
    private async Task LookBackAsync(
        Guid workspace,
        TraceState state,
        SpanId id,
        SpanLogs logs,
        CancellationToken cancellationToken
    )
    {
        if (!logs.Records.Exists(r => MessageEvents.IsContent(Failures.EventName(r))))
        {
            return;
        }

        var key = BinaryPrimitives.ReadUInt64BigEndian(id.Span.Span);
        Guid runId;
        lock (state.Lock)
        {
            if (state.Logs(key).Count > 0 || state.Before(key) is not null)
            {
                return;
            }

            runId = SpanBatch.RunId(state, id.Trace.Span, key);
        }

        var run = await store.FindAsync(
            workspace,
            runId,
            null,
            RunParts.Inputs | RunParts.Outputs | RunParts.Extra,
            cancellationToken
        );
        lock (state.Lock)
        {
            if (state.Before(key) is null)
            {
                state.SetBefore(key, run is null ? SaidBefore.Nothing : SaidBefore.Of(run));
            }
        }
    }

    private static Dictionary<SpanId, SpanLogs> Read(
        ExportLogsServiceRequest request,
        Refusals refused
    )
    {
        var spans = new Dictionary<SpanId, SpanLogs>();
        foreach (var group in request.ResourceLogs)
        {
            foreach (var scoped in group.ScopeLogs)
            {
                foreach (var record in scoped.LogRecords)
                {
                    if (
                        record.TraceId.Length is not (0 or 16)
                        || record.SpanId.Length is not (0 or 8)
                    )
                    {
                        refused.Refuse(
                            "log record",
                            null,
                            "the trace id must be 16 bytes, the span id 8"
                        );
                        continue;
                    }

                    if (!SpanIds.IsTraceId(record.TraceId) || !SpanIds.IsSpanId(record.SpanId))
                    {
                        continue;
                    }

                    var id = new SpanId(record.TraceId, record.SpanId);
                    if (!spans.TryGetValue(id, out var logs))
                    {
                        spans[id] = logs = new SpanLogs(
                            group.Resource ?? s_noResource,
                            scoped.Scope ?? s_noScope,
                            []
                        );
                    }

                    logs.Records.Add(record);
                }
            }
        }

        return spans;
    }

    private void Add(
        Guid workspace,
        TraceState state,
        SpanId id,
        SpanLogs logs,
        List<RunWrite> runs,
        List<FeedbackRecord> feedback
    )
    {
        var key = BinaryPrimitives.ReadUInt64BigEndian(id.Span.Span);
        IReadOnlyList<LogRecord> all = [];
        foreach (var record in logs.Records)
        {
            all = state.AddLog(key, record);
        }

        var before = state.Before(key) ?? SaidBefore.Nothing;
        var placeholder = new Span { TraceId = id.Trace, SpanId = id.Span };
        var mapped = mapper.Map(logs.Resource, logs.Scope, placeholder, all);
        var run = new RunWrite
        {
            Operation = RunOperation.Update,
            RunId = SpanBatch.RunId(state, id.Trace.Span, key),
            TraceId = state.TraceId ?? SpanIds.Trace(id.Trace.Span),
            Inputs = SpanBatch.PayloadOf(SaidBefore.Join(before.Inputs, mapped.Inputs)),
            Outputs = SpanBatch.PayloadOf(SaidBefore.Join(before.Outputs, mapped.Outputs)),
            Error = mapped.Error,
            Failed = mapped.Failed ? true : null,
        };
        feedback.AddRange(Scores.Of(workspace, run, mapped.Scores, time.GetUtcNow()));
        if (run.Inputs is not null || run.Outputs is not null || run.Failed is not null)
        {
            runs.Add(run);
        }
        else
        {
            state.DropLogs(key);
        }
    }

    private readonly record struct SpanId(
        Google.Protobuf.ByteString Trace,
        Google.Protobuf.ByteString Span
    );

    private sealed record SpanLogs(
        Resource Resource,
        InstrumentationScope Scope,
        List<LogRecord> Records
    );
}
