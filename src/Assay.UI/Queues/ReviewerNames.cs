using Assay.Core.Access;

namespace Assay.UI.Queues;

/// <summary>Who reviewers are, for people: members by name, programs by the label of their key.</summary>
internal sealed class ReviewerNames(IReadOnlyDictionary<Guid, string> names)
{
    public static async Task<ReviewerNames> LoadAsync(
        Members members,
        ApiKeys keys,
        CurrentCaller caller
    )
    {
        var names = new Dictionary<Guid, string>();
        foreach (var key in await keys.ListAsync(caller.Value, caller.Aborted))
        {
            names[key.Id] = $"key {key.Label}";
        }

        foreach (var member in await members.ListAsync(caller.Value, caller.Aborted))
        {
            names[member.Id] = member.Name ?? member.Email ?? "member";
        }

        return new ReviewerNames(names);
    }

    /// <summary>The name; somebody who is gone still has one.</summary>
    public string this[Guid id] => names.GetValueOrDefault(id, "somebody who left");
}
