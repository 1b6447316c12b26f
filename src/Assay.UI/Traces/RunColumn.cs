using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>A column of the run list.</summary>
/// <param name="Key">In addresses and in the reader's choice.</param>
/// <param name="Title">Heading.</param>
/// <param name="Width">CSS width.</param>
/// <param name="Field">The field of the run to sort by; null where it shows something else, see <see cref="Order"/>.</param>
/// <param name="IsDefault">Shown unless the reader chose otherwise.</param>
public sealed record RunColumn(
    string Key,
    string Title,
    string Width,
    RunField? Field,
    bool IsDefault
)
{
    /// <summary>All of them, in order.</summary>
    public static readonly IReadOnlyList<RunColumn> All =
    [
        new("name", "Name", "minmax(190px,1.1fr)", RunField.Name, true),
        new("input", "Input", "minmax(150px,1.6fr)", null, true),
        new("output", "Output", "minmax(150px,1.6fr)", null, true),
        new("latency", "Latency", "84px", RunField.Latency, true),
        new("first", "First token", "92px", RunField.FirstTokenLatency, false),
        new("tokens", "Tokens", "76px", RunField.TotalTokens, true),
        new("cost", "Cost", "104px", RunField.TotalCost, true),
        new("model", "Model", "150px", RunField.Model, false),
        new("tags", "Tags", "128px", null, true),
        new("feedback", "Feedback", "156px", null, true),
        new("thread", "Thread", "130px", RunField.ThreadId, false),
        new("start", "Start", "96px", RunField.StartTime, true),
    ];

    /// <summary>What to sort by where no field is shown.</summary>
    /// <param name="scoreKey">The feedback key whose average is meant; without one there is nothing to sort feedback by.</param>
    public RunOrder? Order(string? scoreKey) =>
        Key switch
        {
            "input" => new RunOrder.Inputs(),
            "output" => new RunOrder.Outputs(),
            "tags" => new RunOrder.Tags(),
            "feedback" when scoreKey is not null => new RunOrder.Score(scoreKey),
            _ => null,
        };

    /// <summary>Numbers stand to the right.</summary>
    public bool IsRight => Key is "latency" or "first" or "tokens" or "cost" or "start";

    /// <summary>The chosen ones; the name is always there.</summary>
    public static IReadOnlyList<RunColumn> Read(string? chosen)
    {
        if (string.IsNullOrEmpty(chosen))
        {
            return [.. All.Where(c => c.IsDefault)];
        }

        var keys = chosen.Split('.');
        return [.. All.Where(c => c.Key == "name" || keys.Contains(c.Key))];
    }

    /// <summary>A choice as <see cref="Read"/> takes it.</summary>
    public static string Write(IEnumerable<RunColumn> columns) =>
        string.Join('.', columns.Select(c => c.Key));

    /// <summary>The grid template of a choice.</summary>
    public static string Template(IEnumerable<RunColumn> columns) =>
        "32px 34px " + string.Join(' ', columns.Select(c => c.Width));
}
