using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>One cell of the hourly aggregates, or a sum of cells.</summary>
internal sealed class HourlyCell
{
    public const string ColumnNames =
        "runs, errors, pending, p, c, t, pc, cc, tc, latency, ttft, tokens, cost";

    public long Runs { get; private set; }

    private long _errors;
    private long _pending;
    private long _p;
    private long _c;
    private long _t;
    private long _pc;
    private long _cc;
    private long _tc;
    private readonly LogHistogram _latency = new();
    private readonly LogHistogram _firstToken = new();
    private readonly LogHistogram _tokens = new();
    private readonly LogHistogram _cost = new();

    /// <summary>Adds the cell in a row, whose columns from <paramref name="at"/> on are <see cref="ColumnNames"/>.</summary>
    public void Merge(SqliteDataReader row, int at)
    {
        Runs += row.GetInt64(at);
        _errors += row.GetInt64(at + 1);
        _pending += row.GetInt64(at + 2);
        _p += row.GetInt64(at + 3);
        _c += row.GetInt64(at + 4);
        _t += row.GetInt64(at + 5);
        _pc += row.GetInt64(at + 6);
        _cc += row.GetInt64(at + 7);
        _tc += row.GetInt64(at + 8);
        Merge(_latency, row, at + 9);
        Merge(_firstToken, row, at + 10);
        Merge(_tokens, row, at + 11);
        Merge(_cost, row, at + 12);
    }

    /// <summary>The cell in the row that a statement stands on; its columns are <see cref="ColumnNames"/>.</summary>
    public static HourlyCell From(Statement row)
    {
        var cell = new HourlyCell
        {
            Runs = row.Long(0),
            _errors = row.Long(1),
            _pending = row.Long(2),
            _p = row.Long(3),
            _c = row.Long(4),
            _t = row.Long(5),
            _pc = row.Long(6),
            _cc = row.Long(7),
            _tc = row.Long(8),
        };
        cell._latency.Merge(row.Blob(9));
        cell._firstToken.Merge(row.Blob(10));
        cell._tokens.Merge(row.Blob(11));
        cell._cost.Merge(row.Blob(12));
        return cell;
    }

    public void Bind(Statement to, int at)
    {
        to.Bind(at, Runs);
        to.Bind(at + 1, _errors);
        to.Bind(at + 2, _pending);
        to.Bind(at + 3, _p);
        to.Bind(at + 4, _c);
        to.Bind(at + 5, _t);
        to.Bind(at + 6, _pc);
        to.Bind(at + 7, _cc);
        to.Bind(at + 8, _tc);
        to.BindBlob(at + 9, _latency.ToBytes());
        to.BindBlob(at + 10, _firstToken.ToBytes());
        to.BindBlob(at + 11, _tokens.ToBytes());
        to.BindBlob(at + 12, _cost.ToBytes());
    }

    public void Add(Contribution run, int weight)
    {
        Runs += weight;
        _errors += run.Status == RunStatus.Error ? weight : 0;
        _pending += run.Status == RunStatus.Pending ? weight : 0;
        _p += run.Totals.PromptTokens * weight;
        _c += run.Totals.CompletionTokens * weight;
        _t += run.Totals.TotalTokens * weight;
        _pc += Columns.Nanos(run.Totals.PromptCost) * weight;
        _cc += Columns.Nanos(run.Totals.CompletionCost) * weight;
        _tc += Columns.Nanos(run.Totals.TotalCost) * weight;
        if (run.Latency is { } latency)
        {
            _latency.Add(Math.Max(0, latency.TotalSeconds), weight);
        }

        if (run.FirstToken is { } first)
        {
            _firstToken.Add(Math.Max(0, first.TotalSeconds), weight);
        }

        if (run.Totals.TotalTokens > 0)
        {
            _tokens.Add(run.Totals.TotalTokens, weight);
            _cost.Add((double)run.Totals.TotalCost, weight);
        }
    }

    public void Merge(HourlyCell other)
    {
        Runs += other.Runs;
        _errors += other._errors;
        _pending += other._pending;
        _p += other._p;
        _c += other._c;
        _t += other._t;
        _pc += other._pc;
        _cc += other._cc;
        _tc += other._tc;
        _latency.Merge(other._latency);
        _firstToken.Merge(other._firstToken);
        _tokens.Merge(other._tokens);
        _cost.Merge(other._cost);
    }

    /// <summary>True when both say the same: every count and sum, and where the values of each spread lie.</summary>
    public bool Agrees(HourlyCell other) =>
        (Runs, _errors, _pending, _p, _c, _t, _pc, _cc, _tc)
            == (
                other.Runs,
                other._errors,
                other._pending,
                other._p,
                other._c,
                other._t,
                other._pc,
                other._cc,
                other._tc
            )
        && Agree(_latency, other._latency)
        && Agree(_firstToken, other._firstToken)
        && Agree(_tokens, other._tokens)
        && Agree(_cost, other._cost);

    private static bool Agree(LogHistogram a, LogHistogram b) =>
        a.Count == b.Count
        && (
            a.Count == 0
            || (a.Quantile(0.5), a.Quantile(0.99)) == (b.Quantile(0.5), b.Quantile(0.99))
        );

    public RunStats ToStats() =>
        new()
        {
            RunCount = Runs,
            ErrorCount = _errors,
            PendingCount = _pending,
            StreamedCount = _firstToken.Count,
            Latency = _latency.ToPercentiles(),
            FirstToken = _firstToken.ToPercentiles(),
            Tokens = _tokens.ToPercentiles(),
            CostSpread = _cost.ToPercentiles(),
            Totals = new TraceTotals(
                _p,
                _c,
                _t,
                Columns.Dollars(_pc),
                Columns.Dollars(_cc),
                Columns.Dollars(_tc),
                _t > 0 && _tc == 0 ? FigureSource.Unknown : FigureSource.Computed
            ),
        };

    private static void Merge(LogHistogram histogram, SqliteDataReader row, int column)
    {
        if (!row.IsDBNull(column))
        {
            histogram.Merge(row.GetFieldValue<byte[]>(column));
        }
    }
}
