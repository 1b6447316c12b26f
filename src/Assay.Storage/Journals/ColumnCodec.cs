using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Storage.Journals;

/// <summary>
/// The columns of a frame: every field of the pieces but the payload bytes, in a compact form of presence bits and variable-length numbers.
/// Begins with a version byte; readers know all earlier versions.
/// </summary>
internal static class ColumnCodec
{
    private const byte Version = 1;

    /// <summary>A payload reference inside a frame: block offsets count from the first block of the frame.</summary>
    internal readonly record struct RelativePayload(
        PayloadKind Kind,
        long Length,
        ulong Hash,
        int Block,
        int Item,
        string? BlobKey
    );

    public static void Write(BinaryWriter w, RunBatch batch, RelativePayload[][] payloads)
    {
        w.Write(Version);
        w.Write7BitEncodedInt(batch.Runs.Count);
        for (var i = 0; i < batch.Runs.Count; i++)
        {
            WriteRun(w, batch.Runs[i]);
            WritePayloads(w, payloads[i]);
        }

        w.Write7BitEncodedInt(batch.Feedback.Count);
        foreach (var item in batch.Feedback)
        {
            w.Write(JsonSerializer.Serialize(item));
        }
    }

    public static (
        List<(RunWrite Write, RelativePayload[] Payloads)> Runs,
        List<FeedbackRecord> Feedback
    ) Read(BinaryReader r)
    {
        if (r.ReadByte() != Version)
        {
            throw new InvalidDataException("The frame was written by a newer version.");
        }

        var runs = new List<(RunWrite, RelativePayload[])>();
        for (var n = r.Read7BitEncodedInt(); n > 0; n--)
        {
            var run = ReadRun(r);
            runs.Add((run, ReadPayloads(r)));
        }

        var feedback = new List<FeedbackRecord>();
        for (var n = r.Read7BitEncodedInt(); n > 0; n--)
        {
            feedback.Add(
                JsonSerializer.Deserialize<FeedbackRecord>(r.ReadString())
                    ?? throw new InvalidDataException("Empty feedback.")
            );
        }

        return (runs, feedback);
    }

    private static void WritePayloads(BinaryWriter w, RelativePayload[] payloads)
    {
        w.Write7BitEncodedInt(payloads.Length);
        foreach (var p in payloads)
        {
            w.Write((byte)((byte)p.Kind | (p.BlobKey is null ? 0 : 0x80)));
            w.Write7BitEncodedInt64(p.Length);
            w.Write(p.Hash);
            if (p.BlobKey is { } key)
            {
                w.Write(key);
            }
            else
            {
                w.Write7BitEncodedInt(p.Block);
                w.Write7BitEncodedInt(p.Item);
            }
        }
    }

    private static RelativePayload[] ReadPayloads(BinaryReader r)
    {
        var payloads = new List<RelativePayload>();
        for (var n = r.Read7BitEncodedInt(); n > 0; n--)
        {
            var head = r.ReadByte();
            var kind = (PayloadKind)(head & 0x7F);
            var length = r.Read7BitEncodedInt64();
            var hash = r.ReadUInt64();
            payloads.Add(
                (head & 0x80) != 0
                    ? new RelativePayload(kind, length, hash, 0, 0, r.ReadString())
                    : new RelativePayload(
                        kind,
                        length,
                        hash,
                        r.Read7BitEncodedInt(),
                        r.Read7BitEncodedInt(),
                        null
                    )
            );
        }

        return [.. payloads];
    }

    private static void WriteRun(BinaryWriter w, RunWrite run)
    {
        w.Write((byte)run.Operation);
        Id(w, run.RunId);
        Id(w, run.TraceId);
        Id(w, run.ParentRunId);
        Id(w, run.ProjectId);
        Id(w, run.ReferenceExampleId);
        Text(w, run.DottedOrder);
        Text(w, run.Name);
        w.Write(run.Kind is { } kind ? (byte)kind : byte.MaxValue);
        Time(w, run.StartTime);
        Time(w, run.EndTime);
        Time(w, run.FirstTokenTime);
        Text(w, run.Error);
        w.Write(run.Failed is { } failed ? (byte)(failed ? 1 : 0) : byte.MaxValue);
        Text(w, run.Model);
        Text(w, run.Provider);
        Text(w, run.ThreadId);
        Text(w, run.InputsPreview);
        Text(w, run.OutputsPreview);
        Text(w, run.Warning);
        Text(w, run.Usage is null ? null : JsonSerializer.Serialize(run.Usage));
        Text(w, run.Attachments is null ? null : JsonSerializer.Serialize(run.Attachments));
        Text(w, run.Tags is null ? null : JsonSerializer.Serialize(run.Tags));
        w.Write7BitEncodedInt(run.Metadata is null ? 0 : run.Metadata.Count + 1);
        for (var i = 0; i < (run.Metadata?.Count ?? 0); i++)
        {
            w.Write(run.Metadata![i].Key);
            w.Write(run.Metadata[i].Value);
        }
    }

    private static RunWrite ReadRun(BinaryReader r)
    {
        var run = new RunWrite
        {
            Operation = (RunOperation)r.ReadByte(),
            RunId = Id(r) ?? Guid.Empty,
            TraceId = Id(r),
            ParentRunId = Id(r),
            ProjectId = Id(r),
            ReferenceExampleId = Id(r),
            DottedOrder = Text(r),
            Name = Text(r),
            Kind = r.ReadByte() is var kind && kind == byte.MaxValue ? null : (RunKind)kind,
            StartTime = Time(r),
            EndTime = Time(r),
            FirstTokenTime = Time(r),
            Error = Text(r),
            Failed = r.ReadByte() is var failed && failed == byte.MaxValue ? null : failed == 1,
            Model = Text(r),
            Provider = Text(r),
            ThreadId = Text(r),
            InputsPreview = Text(r),
            OutputsPreview = Text(r),
            Warning = Text(r),
            Usage = Json<TokenUsage>(r),
            Attachments = Json<List<Attachment>>(r),
            Tags = Json<List<string>>(r),
        };
        var count = r.Read7BitEncodedInt();
        if (count > 0)
        {
            var metadata = new List<KeyValuePair<string, string>>(count - 1);
            for (var n = count - 1; n > 0; n--)
            {
                metadata.Add(new KeyValuePair<string, string>(r.ReadString(), r.ReadString()));
            }

            run.Metadata = metadata;
        }

        return run;
    }

    private static void Id(BinaryWriter w, Guid? id)
    {
        w.Write(id is not null);
        if (id is { } value)
        {
            Span<byte> bytes = stackalloc byte[16];
            value.TryWriteBytes(bytes);
            w.Write(bytes);
        }
    }

    private static Guid? Id(BinaryReader r) => r.ReadBoolean() ? new Guid(r.ReadBytes(16)) : null;

    private static void Text(BinaryWriter w, string? text)
    {
        w.Write(text is not null);
        if (text is not null)
        {
            w.Write(text);
        }
    }

    private static string? Text(BinaryReader r) => r.ReadBoolean() ? r.ReadString() : null;

    private static void Time(BinaryWriter w, DateTimeOffset? time) =>
        w.Write(time is { } value ? UtcMicroseconds.ToMicroseconds(value) : long.MinValue);

    private static DateTimeOffset? Time(BinaryReader r) =>
        r.ReadInt64() is var micros && micros == long.MinValue
            ? null
            : UtcMicroseconds.FromMicroseconds(micros);

    private static T? Json<T>(BinaryReader r)
        where T : class => Text(r) is { } json ? JsonSerializer.Deserialize<T>(json) : null;
}
