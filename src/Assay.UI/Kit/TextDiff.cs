using DiffPlex;
using DiffPlex.Chunkers;

namespace Assay.UI.Kit;

/// <summary>What became of a line.</summary>
internal enum DiffKind
{
    /// <summary>It is on both sides.</summary>
    Same,

    /// <summary>Only on the left.</summary>
    Removed,

    /// <summary>Only on the right.</summary>
    Added,

    /// <summary>Words of it differ.</summary>
    Changed,
}

/// <summary>Words of a line that are alike, or not.</summary>
internal sealed record DiffPiece(string Text, bool IsDifferent);

/// <summary>A line of the left text beside the line of the right one it became; a side is empty where the other has no counterpart.</summary>
internal sealed record DiffLine(
    DiffKind Kind,
    IReadOnlyList<DiffPiece> Left,
    IReadOnlyList<DiffPiece> Right
);

/// <summary>Two texts side by side: lines are aligned first, then words within lines that changed. Pure, thread-safe.</summary>
internal static class TextDiff
{
    /// <summary>Longer texts are not compared: the time grows with length times difference.</summary>
    public const int MaxCharacters = 256 * 1024;

    private const int MaxLines = 4_000;

    // A line of this length has about 2,000 words; longer ones count as changed as a whole.
    private const int MaxLine = 12_000;

    // Sentences that share fewer of their letters are different sentences; marking their common words would only confuse.
    private const double LeastAlike = 0.25;

    /// <summary>The lines of both, aligned; null when the texts are too long to compare.</summary>
    public static IReadOnlyList<DiffLine>? Compare(string left, string right)
    {
        if (left.Length > MaxCharacters || right.Length > MaxCharacters)
        {
            return null;
        }

        var diff = Differ.Instance.CreateDiffs(left, right, false, false, LineChunker.Instance);
        if (diff.PiecesOld.Count > MaxLines || diff.PiecesNew.Count > MaxLines)
        {
            return null;
        }

        var lines = new List<DiffLine>();
        var at = 0;
        foreach (var block in diff.DiffBlocks)
        {
            for (; at < block.DeleteStartA; at++)
            {
                lines.Add(Same(diff.PiecesOld[at]));
            }

            for (var i = 0; i < Math.Max(block.DeleteCountA, block.InsertCountB); i++)
            {
                var old = i < block.DeleteCountA ? diff.PiecesOld[block.DeleteStartA + i] : null;
                var now = i < block.InsertCountB ? diff.PiecesNew[block.InsertStartB + i] : null;
                lines.Add(
                    old is null ? new DiffLine(DiffKind.Added, [], [new(now!, true)])
                    : now is null ? new DiffLine(DiffKind.Removed, [new(old, true)], [])
                    : Words(old, now)
                );
            }

            at += block.DeleteCountA;
        }

        for (; at < diff.PiecesOld.Count; at++)
        {
            lines.Add(Same(diff.PiecesOld[at]));
        }

        return lines;
    }

    private static DiffLine Same(string line)
    {
        IReadOnlyList<DiffPiece> pieces = [new(line, false)];
        return new DiffLine(DiffKind.Same, pieces, pieces);
    }

    private static DiffLine Words(string left, string right)
    {
        if (left.Length > MaxLine || right.Length > MaxLine)
        {
            return new DiffLine(DiffKind.Changed, [new(left, true)], [new(right, true)]);
        }

        var diff = Differ.Instance.CreateDiffs(left, right, false, false, WordChunker.Instance);
        var (old, now) = (new List<DiffPiece>(), new List<DiffPiece>());
        var (a, b) = (0, 0);
        foreach (var block in diff.DiffBlocks)
        {
            Add(old, diff.PiecesOld, a, block.DeleteStartA - a, false);
            Add(now, diff.PiecesNew, b, block.InsertStartB - b, false);
            Add(old, diff.PiecesOld, block.DeleteStartA, block.DeleteCountA, true);
            Add(now, diff.PiecesNew, block.InsertStartB, block.InsertCountB, true);
            (a, b) = (
                block.DeleteStartA + block.DeleteCountA,
                block.InsertStartB + block.InsertCountB
            );
        }

        Add(old, diff.PiecesOld, a, diff.PiecesOld.Count - a, false);
        Add(now, diff.PiecesNew, b, diff.PiecesNew.Count - b, false);
        var alike = old.Where(p => !p.IsDifferent).Sum(p => p.Text.Trim().Length);
        return alike < LeastAlike * Math.Max(left.Length, right.Length)
            ? new DiffLine(DiffKind.Changed, [new(left, true)], [new(right, true)])
            : new DiffLine(DiffKind.Changed, Joined(old), Joined(now));
    }

    /// <summary>Different words that only spaces and signs keep apart become one: a changed phrase, not a row of changed words.</summary>
    private static List<DiffPiece> Joined(List<DiffPiece> pieces)
    {
        var joined = new List<DiffPiece>();
        for (var i = 0; i < pieces.Count; i++)
        {
            var isBridge =
                !pieces[i].IsDifferent
                && i > 0
                && i < pieces.Count - 1
                && !pieces[i].Text.Any(char.IsLetterOrDigit);
            var piece = isBridge ? pieces[i] with { IsDifferent = true } : pieces[i];
            if (joined is [.., var last] && last.IsDifferent == piece.IsDifferent)
            {
                joined[^1] = last with { Text = last.Text + piece.Text };
            }
            else
            {
                joined.Add(piece);
            }
        }

        return joined;
    }

    /// <summary>Adds words as one piece; a piece that goes on like the last one joins it.</summary>
    private static void Add(
        List<DiffPiece> pieces,
        IReadOnlyList<string> words,
        int from,
        int count,
        bool isDifferent
    )
    {
        if (count <= 0)
        {
            return;
        }

        var text = string.Concat(words.Skip(from).Take(count));
        if (pieces is [.., var last] && last.IsDifferent == isDifferent)
        {
            pieces[^1] = last with { Text = last.Text + text };
        }
        else
        {
            pieces.Add(new DiffPiece(text, isDifferent));
        }
    }
}
