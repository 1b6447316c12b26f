using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;

namespace Assay.Core.Filters;

/// <summary>
/// Decides in memory what the SQL compilers decide in the store: for rules, alerts and tests. A property test holds the two equal.
/// Thread-safe; its subjects are not.
/// </summary>
public static class FilterEvaluator
{
    /// <summary>The three conditions of a question together: on the run, on a root of its trace, on any run of its trace.</summary>
    /// <param name="query">The question; only its filters are looked at.</param>
    /// <param name="subject">The run.</param>
    /// <param name="trace">Every run of its trace in its project, itself included.</param>
    public static bool IsMatch(
        RunQuery query,
        FilterSubject subject,
        IReadOnlyList<FilterSubject> trace
    ) =>
        (query.Filter is null || IsMatch(query.Filter, subject))
        && (
            query.TraceFilter is null
            || trace.Any(s => s.Run.IsRoot && IsMatch(query.TraceFilter, s))
        )
        && (query.TreeFilter is null || trace.Any(s => IsMatch(query.TreeFilter, s)));

    /// <summary>True when the run meets the condition.</summary>
    public static bool IsMatch(Filter filter, FilterSubject subject) =>
        filter switch
        {
            Filter.And and => and.Items.All(i => IsMatch(i, subject)),
            Filter.Or or => or.Items.Any(i => IsMatch(i, subject)),
            Filter.Not not => !IsMatch(not.Item, subject),
            Filter.Compare compare => Compare(
                compare.Field,
                compare.Operator,
                compare.Value,
                subject
            ),
            Filter.In list => list.Values.Any(v =>
                Compare(list.Field, Comparison.Equal, v, subject)
            ),
            Filter.HasTag tag => subject.Run.Tags.Any(t => Passes(tag.Test, t)),
            Filter.Search search => Found(search, subject.Run),
            Filter.PairExists pair => subject
                .Pairs(pair.Kind)
                .Any(p =>
                    pair.Key.All(t => Passes(t, p.Key)) && pair.Value.All(t => Passes(t, p.Value))
                ),
            Filter.FeedbackExists feedback => subject.Feedback.Any(f =>
                feedback.Tests.All(t => Passes(t, f))
            ),
            Filter.MetadataContains contains => subject.Run.Payloads.TryGetValue(
                PayloadKind.Extra,
                out var extra
            ) && JsonSubset.MetadataContains(extra, contains.Json),
            _ => throw new NotSupportedException(filter.GetType().Name),
        };

    private static bool Compare(
        RunField field,
        Comparison comparison,
        FilterValue value,
        FilterSubject subject
    )
    {
        var run = subject.Run;
        return field switch
        {
            RunField.Id => Id(run.Id),
            RunField.TraceId => Id(run.TraceId),
            RunField.ParentRunId => Id(run.ParentRunId),
            RunField.ProjectId => Id(run.ProjectId),
            RunField.ReferenceExampleId => Id(run.ReferenceExampleId),
            RunField.Name => Text(run.Name),
            RunField.Kind => Text(run.Kind.ToString().ToLowerInvariant()),
            RunField.Status => Text(run.Status.ToString().ToLowerInvariant()),
            RunField.Error => Text(run.Error),
            RunField.ThreadId => Text(run.ThreadId),
            RunField.Model => Text(run.Model),
            RunField.Provider => Text(run.Provider),
            RunField.StartTime => Time(run.StartTime),
            RunField.EndTime => Time(run.EndTime),
            RunField.FirstTokenTime => Time(run.FirstTokenTime),
            RunField.Latency => Span(run.Latency),
            RunField.FirstTokenLatency => Span(run.FirstTokenLatency),
            RunField.TotalTokens => Number(run.Totals.TotalTokens, value.Number),
            RunField.PromptTokens => Number(run.Totals.PromptTokens, value.Number),
            RunField.CompletionTokens => Number(run.Totals.CompletionTokens, value.Number),
            RunField.TotalCost => Money(run.Totals.TotalCost),
            RunField.PromptCost => Money(run.Totals.PromptCost),
            RunField.CompletionCost => Money(run.Totals.CompletionCost),
            RunField.IsRoot => Number(run.IsRoot ? 1 : 0, value.Number),
            RunField.ExecutionOrder => Number(subject.ExecutionOrder, value.Number),
            _ => throw new NotSupportedException(field.ToString()),
        };

        bool Id(Guid? have) => Ordered(have, value.Id, Comparer<Guid>.Default.Compare);

        bool Time(DateTimeOffset? have) =>
            Ordered(
                have is { } time ? UtcMicroseconds.ToMicroseconds(time) : (long?)null,
                UtcMicroseconds.ToMicroseconds(value.Time),
                Comparer<long>.Default.Compare
            );

        bool Span(TimeSpan? have) =>
            Number(
                have is { } span ? span.Ticks / TimeSpan.TicksPerMicrosecond : null,
                value.Scaled(1e6)
            );

        bool Money(decimal have) => Number((double)(have * 1_000_000_000m), value.Scaled(1e9));

        bool Number(double? have, double wanted) =>
            Ordered(have, wanted, Comparer<double>.Default.Compare);

        bool Text(string? have) =>
            value.Type == FilterValueType.Null
                ? Null(comparison, have is null)
                : Passes(comparison, have, value.AsText(), FilterText.Compare);

        bool Ordered<T>(T? have, T wanted, Comparison<T> order)
            where T : struct =>
            value.Type == FilterValueType.Null ? Null(comparison, have is null)
            : have is { } there ? Holds(comparison, order(there, wanted))
            : comparison == Comparison.NotEqual;
    }

    private static bool Found(Filter.Search search, Run run)
    {
        var wanted = new HashSet<string>(
            SearchTokens.Distinct(search.Text),
            StringComparer.Ordinal
        );
        if (search.Scope is SearchScope.Everything or SearchScope.Name)
        {
            SearchTokens.Take(wanted, run.Name);
        }

        if (search.Scope is SearchScope.Everything or SearchScope.Error)
        {
            SearchTokens.Take(wanted, run.Error);
        }

        if (search.Scope is SearchScope.Everything or SearchScope.Inputs)
        {
            TakePayload(PayloadKind.Inputs);
        }

        if (search.Scope is SearchScope.Everything or SearchScope.Outputs)
        {
            TakePayload(PayloadKind.Outputs);
        }

        return wanted.Count == 0;

        void TakePayload(PayloadKind kind)
        {
            if (run.Payloads.TryGetValue(kind, out var json))
            {
                SearchTokens.TakeJson(wanted, json.Span);
            }
        }
    }

    private static bool Passes(FeedbackTest test, FeedbackRecord feedback)
    {
        return test.Part switch
        {
            FeedbackPart.Key => Passes(test.Test, feedback.Key),
            FeedbackPart.Value => Passes(test.Test, feedback.Label),
            FeedbackPart.Comment => Passes(test.Test, feedback.Comment),
            FeedbackPart.Source => Passes(test.Test, feedback.SourceType),
            FeedbackPart.Score => test.Test.Operator == Comparison.OneOf
                ? test.Test.Values.Any(v => IsScore(Comparison.Equal, v))
                : IsScore(test.Test.Operator, test.Test.Values[0]),
            _ => throw new NotSupportedException(test.Part.ToString()),
        };

        bool IsScore(Comparison comparison, FilterValue value) =>
            value.Type == FilterValueType.Null ? Null(comparison, feedback.Score is null)
            : feedback.Score is { } score ? Holds(comparison, score.CompareTo(value.Number))
            : comparison == Comparison.NotEqual;
    }

    private static bool Passes(ValueTest test, string? have)
    {
        if (test.Operator == Comparison.OneOf)
        {
            return test.Values.Any(v =>
                v.Type == FilterValueType.Null ? have is null : have == v.AsText()
            );
        }

        var value = test.Values[0];
        if (value.Type == FilterValueType.Null)
        {
            return Null(test.Operator, have is null);
        }

        return test.OrderNumber is { } number
            ? FilterText.Number(have) is { } there && Holds(test.Operator, there.CompareTo(number))
            : Passes(test.Operator, have, value.AsText(), FilterText.Compare);
    }

    private static bool Passes(
        Comparison comparison,
        string? have,
        string wanted,
        Comparison<string> order
    ) =>
        comparison switch
        {
            Comparison.Like => have is not null && FilterText.IsLike(have, wanted),
            Comparison.NotLike => have is null || !FilterText.IsLike(have, wanted),
            _ => have is null
                ? comparison == Comparison.NotEqual
                : Holds(comparison, order(have, wanted)),
        };

    private static bool Null(Comparison comparison, bool isMissing) =>
        comparison switch
        {
            Comparison.Equal => isMissing,
            Comparison.NotEqual => !isMissing,
            _ => false,
        };

    private static bool Holds(Comparison comparison, int order) =>
        comparison switch
        {
            Comparison.Equal => order == 0,
            Comparison.NotEqual => order != 0,
            Comparison.Greater => order > 0,
            Comparison.GreaterOrEqual => order >= 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            _ => throw new NotSupportedException(comparison.ToString()),
        };
}
