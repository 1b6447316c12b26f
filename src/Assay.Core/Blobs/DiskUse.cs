using System.Collections.Concurrent;

namespace Assay.Core.Blobs;

/// <summary>Something on disk whose size has to be measured by looking.</summary>
/// <param name="Name">What it is for, such as <c>blobs</c>.</param>
/// <param name="MeasureAsync">Its bytes.</param>
public sealed record DiskPurpose(string Name, Func<CancellationToken, Task<long>> MeasureAsync);

/// <summary>Sizes that cost a walk through files: measured in the background at most once a minute. Thread-safe.</summary>
public sealed class DiskUse(IEnumerable<DiskPurpose> purposes, TimeProvider time)
{
    private static readonly TimeSpan s_keep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, (DateTimeOffset At, Task<long> Bytes)> _measured =
        new();

    /// <summary>Bytes by purpose; null while they are still being measured or cannot be.</summary>
    public async Task<IReadOnlyList<(string Name, long? Bytes)>> ReadAsync(
        CancellationToken cancellationToken
    )
    {
        var found = new List<(string, long?)>();
        foreach (var purpose in purposes)
        {
            var now = time.GetUtcNow();
            var (_, bytes) = _measured.AddOrUpdate(
                purpose.Name,
                _ => (now, Measure(purpose)),
                (_, old) =>
                    old.Bytes.IsCompleted && now - old.At > s_keep ? (now, Measure(purpose)) : old
            );
            await Task.WhenAny(bytes, Task.Delay(s_patience, time, cancellationToken));
            found.Add((purpose.Name, bytes.IsCompletedSuccessfully ? await bytes : null));
        }

        return found;
    }

    private static Task<long> Measure(DiskPurpose purpose) =>
        Task.Run(() => purpose.MeasureAsync(CancellationToken.None));
}
