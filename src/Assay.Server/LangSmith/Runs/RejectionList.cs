using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>What was refused of one request: all of it counted, the first hundred with their reasons. Not thread-safe.</summary>
internal sealed class RejectionList
{
    private const int MaxKept = 100;
    private const int MaxReason = 500;
    private readonly List<Rejection> _kept = [];

    public long Count { get; private set; }

    public void Add(Guid id, string reason)
    {
        Count++;
        if (_kept.Count < MaxKept)
        {
            _kept.Add(new Rejection(id, reason.Length <= MaxReason ? reason : reason[..MaxReason]));
        }
    }

    public void AddRange(IReadOnlyList<Rejection> rejections)
    {
        foreach (var rejection in rejections)
        {
            Add(rejection.Id, rejection.Reason);
        }
    }

    /// <summary>202 when nothing was refused. Else 422: good neighbours are kept, the answer says which were refused and why, and clients do not send it again.</summary>
    public IResult Answer() =>
        Count == 0
            ? Results.Json(new { }, statusCode: StatusCodes.Status202Accepted)
            : Results.Json(
                new { detail = Details() },
                statusCode: StatusCodes.Status422UnprocessableEntity
            );

    private IEnumerable<object> Details()
    {
        foreach (var rejection in _kept)
        {
            yield return Detail(rejection.Id.ToString(), rejection.Reason);
        }

        if (Count > _kept.Count)
        {
            yield return Detail("", $"and {Count - _kept.Count} more");
        }
    }

    private static object Detail(string id, string reason) =>
        new
        {
            loc = new[] { "body", id },
            msg = reason,
            type = "value_error",
        };
}
