using System.Buffers.Binary;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;

namespace Assay.Server.Otlp;

/// <summary>The pieces of runs that one request becomes. Not thread-safe; states are under their lock when they come in.</summary>
internal sealed class SpanBatch(Guid workspaceId, string? projectHeader, DateTimeOffset now)
{
    /// <summary>Spans may come from machines whose clock is wrong; beyond this it is worth saying.</summary>
    private static readonly TimeSpan OddTime = TimeSpan.FromDays(1);
    private readonly List<RunWrite> _runs = [];
    private readonly List<FeedbackRecord> _feedback = [];
    private readonly List<(RunWrite Run, IReadOnlyList<MappedFile> Files)> _files = [];

    public IReadOnlyList<RunWrite> Runs => _runs;

    public IReadOnlyList<FeedbackRecord> Feedback => _feedback;

    public IReadOnlyList<(RunWrite Run, IReadOnlyList<MappedFile> Files)> Files => _files;

    /// <summary>Adds the spans of one trace.</summary>
    public void Add(TraceState state, IReadOnlyList<MappedItem> spans)
    {
        var (projectId, projectName) = Project(state, spans);
        if (!state.IsKnown)
        {
            state.TraceId = spans
                .Select(s => s.Mapped.Ids.TraceId)
                .FirstOrDefault(id => id is not null);
            state.IsKnown = true;
        }

        var traceId = state.TraceId ?? spans[0].TraceId;
        var here = spans.Select(s => s.Key).ToHashSet();
        foreach (var span in spans)
        {
            if (span.Mapped.Ids.RunId is { } own && own != Guid.Empty)
            {
                foreach (var child in state.Rename(span.Key, own))
                {
                    _runs.Add(
                        new RunWrite
                        {
                            Operation = RunOperation.Update,
                            RunId = child,
                            TraceId = traceId,
                            ParentRunId = own,
                            ProjectId = projectId,
                            ProjectName = projectName,
                        }
                    );
                }
            }
        }

        foreach (var span in spans)
        {
            var run = span.Mapped.Pending is { } pending
                ? PendingRun(state, span, pending)
                : Run(state, span, here);
            run.TraceId = traceId;
            run.ProjectId ??= span.Mapped.Project is { IsExplicit: true, Id: { } id }
                ? id
                : projectId;
            run.ProjectName = run.ProjectId is null ? projectName : null;
            _runs.Add(run);
            Gather(state, span, run);
        }

        if (state.TakeLifted() is { } lifted)
        {
            _runs.Add(Lift(lifted, traceId, projectId, projectName));
        }
    }

    private (Guid? Id, string? Name) Project(TraceState state, IReadOnlyList<MappedItem> spans)
    {
        var said = spans
            .Select(s => ProjectChoice.Explicit(s.Mapped, projectHeader, s.Resource))
            .FirstOrDefault(p => p is not null);
        if (said is not null)
        {
            (state.ProjectId, state.ProjectName) = (said.Id, said.Name);
        }
        else if (state is { ProjectId: null, ProjectName: null })
        {
            var root = spans.FirstOrDefault(s => s.HasNoParent) ?? spans[0];
            state.ProjectName =
                ProjectChoice.Service(root.Resource) ?? ProjectDirectory.DefaultName;
        }

        return (state.ProjectId, state.ProjectId is null ? Cut(state.ProjectName) : null);
    }

    private static string? Cut(string? name) =>
        name?.Length > ProjectDirectory.MaxNameLength
            ? name[..ProjectDirectory.MaxNameLength]
            : name;

    private RunWrite Run(TraceState state, MappedItem item, HashSet<ulong> here)
    {
        var (span, mapped) = (item.Span, item.Mapped);
        var trace = span.TraceId.Span;
        var runId = RunId(state, trace, item.Key);
        var start = Time(span.StartTimeUnixNano) ?? Time(span.EndTimeUnixNano) ?? now;
        var end = Time(span.EndTimeUnixNano);
        var parent = Parent(state, item, here, runId);
        var run = new RunWrite
        {
            // With its log records at hand this says more than what they alone said before.
            Operation = item.HasLogs ? RunOperation.Update : RunOperation.Create,
            RunId = runId,
            ParentRunId = parent,
            Name = mapped.Name.Length > 0 ? mapped.Name : "unnamed",
            Kind = mapped.Kind,
            StartTime = start,
            EndTime = end >= start ? end : null,
            FirstTokenTime = mapped.FirstTokenTime,
            Error = mapped.Error,
            Failed = mapped.Failed ? true : null,
            Inputs = PayloadOf(mapped.Inputs),
            Outputs = PayloadOf(mapped.Outputs),
            Extra = PayloadOf(mapped.Extra),
            Events = PayloadOf(mapped.Events),
            Tags = mapped.Tags.Count > 0 ? mapped.Tags : null,
            ReferenceExampleId = mapped.ReferenceExampleId,
            Model = mapped.Model,
            Provider = mapped.Provider,
            Usage = mapped.Usage,
            ThreadId = mapped.ThreadId ?? mapped.Trace.ThreadId,
            Warning = Warning(mapped, start, end),
        };
        run.DottedOrder =
            mapped.Ids is { DottedOrder: { } order, RunId: not null } ? order
            : parent is null ? RunNormalizer.OrderSegment(start, runId)
            : null;
        if (mapped.Files.Count > 0)
        {
            _files.Add((run, mapped.Files));
        }

        _feedback.AddRange(Scores.Of(workspaceId, run, mapped.Scores, now));
        return run;
    }

    /// <summary>A placeholder announces the span that it stands for, and is none itself.</summary>
    private RunWrite PendingRun(TraceState state, MappedItem item, PendingSpan pending)
    {
        var start = Time(item.Span.StartTimeUnixNano) ?? now;
        var runId = RunId(state, item.Span.TraceId.Span, Key(pending.SpanId));
        Guid? parent = pending.ParentSpanId is { } id
            ? RunId(state, item.Span.TraceId.Span, Key(id))
            : null;
        return new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = runId,
            ParentRunId = parent,
            DottedOrder = parent is null ? RunNormalizer.OrderSegment(start, runId) : null,
            Name = item.Mapped.Name,
            Kind = item.Mapped.Kind,
            StartTime = start,
            Inputs = PayloadOf(item.Mapped.Inputs),
            Extra = PayloadOf(item.Mapped.Extra),
            Model = item.Mapped.Model,
            Provider = item.Mapped.Provider,
            ThreadId = item.Mapped.ThreadId,
        };
    }

    private static Guid? Parent(TraceState state, MappedItem item, HashSet<ulong> here, Guid runId)
    {
        var ids = item.Mapped.Ids;
        if (item.Mapped.Trace.IsRoot)
        {
            return null;
        }

        if (ids.ParentRunId is { } own && own != Guid.Empty && own != runId)
        {
            return own;
        }

        if (item.HasNoParent)
        {
            return null;
        }

        var parent = item.ParentKey;
        if (
            ids.FallbackParentSpanId is { } text
            && Key(text) is var fallback and > 0
            && !here.Contains(parent)
            && here.Contains(fallback)
            && fallback != item.Key
        )
        {
            parent = fallback;
        }

        if (parent == item.Key)
        {
            return null;
        }

        if (!here.Contains(parent) && state.RenamedRun(parent) is null)
        {
            state.AddOrphan(parent, runId);
        }

        return RunId(state, item.Span.TraceId.Span, parent);
    }

    /// <summary>The run of a span: under its producer's own id where that came, else derived.</summary>
    public static Guid RunId(TraceState state, ReadOnlySpan<byte> traceId, ulong key)
    {
        if (state.RenamedRun(key) is { } own)
        {
            return own;
        }

        Span<byte> span = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(span, key);
        return SpanIds.Run(traceId, span);
    }

    private static ulong Key(string hex) =>
        ulong.TryParse(
            hex,
            System.Globalization.NumberStyles.HexNumber,
            System.Globalization.CultureInfo.InvariantCulture,
            out var key
        )
            ? key
            : 0;

    private static void Gather(TraceState state, MappedItem item, RunWrite run)
    {
        var mapped = item.Mapped;
        state.Gather(mapped.Trace);
        if (mapped.UserId is { } user)
        {
            state.Gather(new TraceValues { UserId = user });
        }

        if (run.ParentRunId is null && mapped.Pending is null)
        {
            var own = mapped.Trace.Metadata.Select(m => m.Key);
            state.SetRoot(run.RunId, mapped, mapped.UserId is null ? own : own.Append("user_id"));
        }
    }

    private static RunWrite Lift(Lifted lifted, Guid traceId, Guid? projectId, string? projectName)
    {
        var run = new RunWrite
        {
            Operation = RunOperation.Update,
            RunId = lifted.Root,
            TraceId = traceId,
            ProjectId = projectId,
            ProjectName = projectName,
            Name = lifted.Name,
            Tags = lifted.Tags,
            Inputs = PayloadOf(lifted.Inputs),
            Outputs = PayloadOf(lifted.Outputs),
            Attachments = lifted.Files.Count > 0 ? lifted.Files : null,
        };
        if (lifted.Metadata.Count > 0)
        {
            var extra = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal)
            {
                ["metadata"] = new(lifted.Metadata, StringComparer.Ordinal),
            };
            run.Extra = Payload.FromUtf8(JsonSerializer.SerializeToUtf8Bytes(extra));
        }

        return run;
    }

    private string? Warning(MappedSpan mapped, DateTimeOffset start, DateTimeOffset? end)
    {
        var texts = mapped.Warnings.ToList();
        if (end < start)
        {
            texts.Add("The span ends before it starts, so it is shown as not ended.");
        }

        if (start > now + OddTime || start < now - (365 * OddTime))
        {
            texts.Add(
                "The span's time is far from the server's; the clock of its machine is wrong."
            );
        }

        return texts.Count == 0 ? null : string.Join(" ", texts);
    }

    public static Payload? PayloadOf(ReadOnlyMemory<byte>? utf8) =>
        utf8 is { Length: > 0 } bytes ? Payload.FromUtf8(bytes) : null;

    private static DateTimeOffset? Time(ulong nanoseconds) =>
        nanoseconds == 0
            ? null
            : DateTimeOffset.UnixEpoch.AddTicks(
                (long)(nanoseconds / 1_000) * TimeSpan.TicksPerMicrosecond
            );
}
