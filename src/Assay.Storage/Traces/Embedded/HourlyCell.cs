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
    private LogHistogram _latency = new();
    private LogHistogram _firstToken = new();
    private LogHistogram _tokens = new();
    private LogHistogram _cost = new();

    public static HourlyCell From(SqliteDataReader row, int at) =>
        new()
        {
            Runs = row.GetInt64(at),
            _errors = row.GetInt64(at + 1),
            _pending = row.GetInt64(at + 2),
            _p = row.GetInt64(at + 3),
            _c = row.GetInt64(at + 4),
            _t = row.GetInt64(at + 5),
            _pc = row.GetInt64(at + 6),
            _cc = row.GetInt64(at + 7),
            _tc = row.GetInt64(at + 8),
            _latency = Histogram(row, at + 9),
            _firstToken = Histogram(row, at + 10),
            _tokens = Histogram(row, at + 11),
            _cost = Histogram(row, at + 12),
        };

    public object[] Values() =>
        [
            Runs,
            _errors,
            _pending,
            _p,
            _c,
            _t,
            _pc,
            _cc,
            _tc,
            _latency.ToBytes(),
            _firstToken.ToBytes(),
            _tokens.ToBytes(),
            _cost.ToBytes(),
        ];

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

    private static LogHistogram Histogram(SqliteDataReader row, int column) =>
        LogHistogram.FromBytes(row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column));
}
