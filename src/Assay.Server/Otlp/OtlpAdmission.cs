using Assay.Core.Traces;

namespace Assay.Server.Otlp;

/// <summary>
/// How much of what exporters send may be in memory at once. A request takes room as it is read and unpacked and gives it back when it is
/// answered; one that finds none is told to come back (503 or UNAVAILABLE), which exporters do, so nothing is lost and memory stays bounded.
/// Thread-safe.
/// </summary>
internal sealed class OtlpAdmission(IConfiguration configuration)
{
    /// <summary>The most that one request may have, packed and unpacked alike; what the specification recommends.</summary>
    public const int MaxBody = 64 << 20;

    /// <summary>Room for two of the largest requests, or some thousands of the usual ones, at once.</summary>
    private const long DefaultRoom = 160L << 20;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly long _room = configuration.GetValue("ASSAY_OTLP_MAX_BYTES", DefaultRoom);
    private long _taken;

    /// <summary>Room for one request; dispose it when the request is answered.</summary>
    public Room Open() => new(this);

    /// <summary>What one request holds. Not thread-safe.</summary>
    internal sealed class Room(OtlpAdmission owner) : IDisposable
    {
        private long _held;

        /// <summary>Takes more room.</summary>
        /// <exception cref="StoreBusyException">There is none.</exception>
        public void Take(long bytes)
        {
            if (Interlocked.Add(ref owner._taken, bytes) > owner._room)
            {
                Interlocked.Add(ref owner._taken, -bytes);
                throw new StoreBusyException(
                    "Too much telemetry is being read at once; try again.",
                    isFailing: false,
                    RetryAfter
                );
            }

            _held += bytes;
        }

        public void Dispose()
        {
            Interlocked.Add(ref owner._taken, -_held);
            _held = 0;
        }
    }
}
