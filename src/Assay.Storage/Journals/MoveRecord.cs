using Assay.Core.Traces;

namespace Assay.Storage.Journals;

/// <summary>
/// A piece in the journal that says nothing new of a run: it carries one payload the run already has, written again so that the segment it lay
/// in can be deleted. Only the store writes such pieces; no client can.
/// </summary>
internal static class MoveRecord
{
    /// <summary>The operation by which a piece is known as one.</summary>
    public const RunOperation Operation = (RunOperation)0x7F;

    public static RunWrite Of(Guid runId, PayloadKind kind, ReadOnlyMemory<byte> utf8)
    {
        var payload = Payload.FromUtf8(utf8);
        var write = new RunWrite { Operation = Operation, RunId = runId };
        switch (kind)
        {
            case PayloadKind.Inputs:
                write.Inputs = payload;
                break;
            case PayloadKind.Outputs:
                write.Outputs = payload;
                break;
            case PayloadKind.Extra:
                write.Extra = payload;
                break;
            case PayloadKind.Events:
                write.Events = payload;
                break;
            case PayloadKind.Serialized:
                write.Serialized = payload;
                break;
            default:
                write.WholeError = payload;
                break;
        }

        return write;
    }
}
