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

    internal static DatasetProblemException NotFound(string what) =>
        new(DatasetProblem.NotFound, $"{what} not found");

    internal static DatasetProblemException Conflict(string message) =>
        new(DatasetProblem.Conflict, message);

    internal static DatasetProblemException Invalid(string message) =>
        new(DatasetProblem.Invalid, message);
}
