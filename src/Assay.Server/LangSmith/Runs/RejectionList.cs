using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>What was refused of one request: all of it counted, the first hundred with their reasons. Not thread-safe.</summary>
/// <param name="count">Told the reason of each item that was refused before <see cref="TraceIngest"/> saw it.</param>
internal sealed class RejectionList(Action<string> count)
{
    private const int MaxKept = 100;
    private const int MaxReason = 500;
    private readonly List<Rejection> _kept = [];

    public long Count { get; private set; }

    public void Add(Guid id, string reason)
    {
        count(reason);
        Keep(id, reason);
    }

    /// <summary>What <see cref="TraceIngest"/> refused and has counted.</summary>
    public void AddCounted(IReadOnlyList<Rejection> rejections)
    {
        foreach (var rejection in rejections)
        {
            Keep(rejection.Id, rejection.Reason);
        }
    }

    private void Keep(Guid id, string reason)
    {
        Count++;
        if (_kept.Count < MaxKept)
        {
            _kept.Add(new Rejection(id, reason.Length <= MaxReason ? reason : reason[..MaxReason]));
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
