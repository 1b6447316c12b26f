namespace Assay.Core.Datasets;

/// <summary>Why something about datasets cannot be done.</summary>
public enum DatasetProblem
{
    /// <summary>There is no such thing in the workspace. Hosts answer 404.</summary>
    NotFound,

    /// <summary>It is there already, or belongs elsewhere. Hosts answer 409.</summary>
    Conflict,

    /// <summary>The request makes no sense. Hosts answer 422.</summary>
    Invalid,
}

/// <summary>Something about datasets that cannot be done; the message names field and reason.</summary>
public sealed class DatasetProblemException(DatasetProblem problem, string message)
    : Exception(message)
{
    /// <summary>Of which kind.</summary>
    public DatasetProblem Problem { get; } = problem;

    /// <summary>Where exactly values of an example do not meet their schema; empty for every other problem.</summary>
    public IReadOnlyList<ExampleFault> Faults { get; init; } = [];

    internal static DatasetProblemException NotFound(string what) =>
        new(DatasetProblem.NotFound, $"{what} not found");

    internal static DatasetProblemException Conflict(string message) =>
        new(DatasetProblem.Conflict, message);

    internal static DatasetProblemException Invalid(string message) =>
        new(DatasetProblem.Invalid, message);
}

/// <summary>One place of an example that its dataset's schema refuses.</summary>
/// <param name="Side"><c>inputs</c> or <c>outputs</c>.</param>
/// <param name="Path">Where, as a JSON Pointer (RFC 6901); empty for the whole.</param>
/// <param name="Message">What is wrong, for people.</param>
public sealed record ExampleFault(string Side, string Path, string Message);
