using System.Buffers.Binary;
using System.Globalization;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <summary>
/// Takes spans in: checks their ids, has them mapped, decides for each trace where it goes, and hands them on. What arrives is complete in
/// itself: order, repetition and missing relatives do not matter, the store puts traces together. Thread-safe.
/// </summary>
internal sealed class SpanIngest(
    SpanMapper mapper,
    TraceIngest ingest,
    TraceMemory memory,
    IRunStore store,
    IBlobStore blobs,
    TimeProvider time
)
{
    private const int PortionRuns = 1_000;
    private const int LookedAt = 20;
    private const long PortionBytes = 16L << 20;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly InstrumentationScope s_noScope = new();
    private static readonly Resource s_noResource = new();

    /// <summary>Accepts what can be accepted; when it returns, that is durable.</summary>
    /// <exception cref="StoreBusyException">Try again later: what was accepted already does no harm a second time.</exception>
    public async Task<(int Valid, OtlpOutcome Outcome)> AcceptAsync(
        Caller caller,
        ExportTraceServiceRequest request,
        string? projectHeader,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Ingest);
        var refused = new Refusals(reason => ingest.Refused(caller, reason));
        var spans = Read(request, caller.WorkspaceId, refused);
        var batch = new SpanBatch(caller.WorkspaceId, projectHeader, time.GetUtcNow());
        foreach (var trace in spans.GroupBy(s => s.TraceId))
        {
            var state = memory.Of(caller.WorkspaceId, trace.Key);
            await FindProjectAsync(caller.WorkspaceId, state, trace, cancellationToken);
            lock (state.Lock)
            {
                batch.Add(state, [.. trace]);
            }
        }

        await StoreFilesAsync(caller.WorkspaceId, batch.Files, cancellationToken);
        await SendAsync(caller, batch, refused, cancellationToken);
        return (spans.Count, refused.Outcome());
    }

    private List<MappedItem> Read(
        ExportTraceServiceRequest request,
        Guid workspace,
        Refusals refused
    )
    {
        var items = new List<MappedItem>();
        foreach (var group in request.ResourceSpans)
        {
            var resource = group.Resource ?? s_noResource;
            foreach (var scoped in group.ScopeSpans)
            {
                var scope = scoped.Scope ?? s_noScope;
                foreach (var span in scoped.Spans)
                {
                    if (Problem(span) is { } problem)
                    {
                        refused.Refuse("span", Short(span.Name), problem);
                    }
                    else
                    {
                        items.Add(Map(workspace, resource, scope, span));
                    }
                }
            }
        }

        return items;
    }

    private MappedItem Map(Guid workspace, Resource resource, InstrumentationScope scope, Span span)
    {
        var traceId = SpanIds.Trace(span.TraceId.Span);
        var key = BinaryPrimitives.ReadUInt64BigEndian(span.SpanId.Span);
        var state = memory.Of(workspace, traceId);
        IReadOnlyList<LogRecord> logs;
        SaidBefore? before;
        lock (state.Lock)
        {
            logs = state.Logs(key) is { Count: > 0 } known ? [.. known] : [];
            before = state.Before(key);
        }

        var mapped = mapper.Map(resource, scope, span, logs);
        if (before is { IsNothing: false })
        {
            // What the span says itself is whole; what only its log records say continues what they said before.
            var own = mapper.Map(resource, scope, span, []);
            mapped = mapped with
            {
                Inputs = own.Inputs is null
                    ? SaidBefore.Join(before.Inputs, mapped.Inputs)
                    : mapped.Inputs,
                Outputs = own.Outputs is null
                    ? SaidBefore.Join(before.Outputs, mapped.Outputs)
                    : mapped.Outputs,
            };
        }

        return new MappedItem(span, resource, mapped, traceId, key, logs.Count > 0);
    }

    private static string? Problem(Span span) =>
        !SpanIds.IsTraceId(span.TraceId) ? "the trace id must be 16 bytes and not all zero"
        : !SpanIds.IsSpanId(span.SpanId) ? "the span id must be 8 bytes and not all zero"
        : span.ParentSpanId.Length is not (0 or 8) ? "the parent span id must be empty or 8 bytes"
        : null;

    private static string Short(string name) => name.Length > 80 ? name[..80] : name;

    /// <summary>A trace that was begun before the last start of the server goes on in the project it is in.</summary>
    private async Task FindProjectAsync(
        Guid workspace,
        TraceState state,
        IEnumerable<MappedItem> trace,
        CancellationToken cancellationToken
    )
    {
        lock (state.Lock)
        {
            if (state.IsKnown || trace.Any(s => s.HasNoParent))
            {
                return;
            }
        }

        var page = await store.QueryAsync(
            new RunQuery
            {
                WorkspaceId = workspace,
                TraceId = trace.First().TraceId,
                Limit = LookedAt,
                Parts = RunParts.None,
            },
            cancellationToken
        );
        // What came by log records alone waits for its span, and so far is in no project.
        if (page.Runs.FirstOrDefault(r => r.ProjectId != Guid.Empty) is { } run)
        {
            lock (state.Lock)
            {
                state.ProjectId ??= run.ProjectId;
            }
        }
    }

    private async Task StoreFilesAsync(
        Guid workspace,
        IReadOnlyList<(RunWrite Run, IReadOnlyList<MappedFile> Files)> runs,
        CancellationToken cancellationToken
    )
    {
        foreach (var (run, files) in runs)
        {
            var attachments = new List<Attachment>(files.Count);
            foreach (var file in files)
            {
                var key = BlobKeys.New(workspace, "attachment", time.GetUtcNow());
                using var content = new MemoryStream(file.Bytes.ToArray(), writable: false);
                var length = await blobs.PutAsync(key, content, cancellationToken);
                attachments.Add(new Attachment(file.Name, file.ContentType, key, length));
            }

            run.Attachments = attachments;
        }
    }

    /// <summary>In portions, so that no write to the journal is huge whatever one request brings.</summary>
    private async Task SendAsync(
        Caller caller,
        SpanBatch batch,
        Refusals refused,
        CancellationToken cancellationToken
    )
    {
        var feedback = batch.Feedback;
        var portion = new List<RunWrite>(Math.Min(batch.Runs.Count, PortionRuns));
        long bytes = 0;
        for (var i = 0; i < batch.Runs.Count; i++)
        {
            var run = batch.Runs[i];
            portion.Add(run);
            bytes += run.Inputs?.Length + run.Outputs?.Length + run.Extra?.Length ?? 0;
            if (i + 1 < batch.Runs.Count && portion.Count < PortionRuns && bytes < PortionBytes)
            {
                continue;
            }

            var receipt = await PatientlyAsync(
                () =>
                    ingest.AcceptAsync(
                        caller,
                        new IngestBatch(portion, feedback),
                        cancellationToken
                    ),
                isBegun: i >= portion.Count,
                cancellationToken
            );
            foreach (var rejection in receipt.Rejections)
            {
                refused.Add(rejection.Reason);
            }

            feedback = [];
            portion.Clear();
            bytes = 0;
        }
    }

    /// <summary>
    /// A busy store refuses a request at its beginning. One of which a part is stored already waits instead: sent again as a whole it would
    /// repeat that part each time and never get further.
    /// </summary>
    private async Task<IngestReceipt> PatientlyAsync(
        Func<Task<IngestReceipt>> accept,
        bool isBegun,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await accept();
            }
            catch (StoreBusyException e)
                when (isBegun && !e.IsFailing && time.GetElapsedTime(began) < s_patience)
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }
}

/// <summary>A span with what it says.</summary>
/// <param name="Span">As it came.</param>
/// <param name="Resource">Its resource.</param>
/// <param name="Mapped">What it says.</param>
/// <param name="TraceId">OpenTelemetry's trace id.</param>
/// <param name="Key">OpenTelemetry's span id.</param>
/// <param name="HasLogs">True when log records of it were mapped with it.</param>
internal sealed record MappedItem(
    Span Span,
    Resource Resource,
    MappedSpan Mapped,
    Guid TraceId,
    ulong Key,
    bool HasLogs
)
{
    public bool HasNoParent => !SpanIds.IsSpanId(Span.ParentSpanId);

    public ulong ParentKey =>
        HasNoParent ? 0 : BinaryPrimitives.ReadUInt64BigEndian(Span.ParentSpanId.Span);
}

/// <summary>What was refused: all of it counted, the first few told.</summary>
/// <param name="count">Counts what the adapter refused itself; what the store's door refused is counted there.</param>
internal sealed class Refusals(Action<string> count)
{
    private const int MaxTold = 5;
    private readonly List<string> _told = [];
    private long _count;

    /// <summary>An item that the adapter refused; its name is told to the sender and not counted by.</summary>
    public void Refuse(string kind, string? name, string reason)
    {
        count($"{kind}: {reason}");
        Add(name is null ? $"{kind}: {reason}" : $"{kind} '{name}': {reason}");
    }

    /// <summary>An item that was refused behind the adapter.</summary>
    public void Add(string reason)
    {
        _count++;
        if (_told.Count < MaxTold && !_told.Contains(reason, StringComparer.Ordinal))
        {
            _told.Add(reason);
        }
    }

    public OtlpOutcome Outcome() =>
        _count == 0
            ? OtlpOutcome.Success
            : new OtlpOutcome(
                _count,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_count} refused: {string.Join("; ", _told)}"
                )
            );
}
