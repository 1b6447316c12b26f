using System.Diagnostics.Metrics;
using Assay.Core.Traces;

namespace Assay.Server.Observability;

/// <summary>What the run store says about its health, as instruments that are read when somebody collects.</summary>
internal sealed class StoreMetrics
{
    public const string MeterName = "Assay";

    public StoreMetrics(IMeterFactory meters, IRunStore store)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableGauge(
            "assay.store.backlog",
            () => store.Health.Backlog,
            "{frame}",
            "Frames acknowledged and not yet readable"
        );
        meter.CreateObservableGauge(
            "assay.store.lag",
            () => store.Health.Lag.TotalSeconds,
            "s",
            "Age of the oldest of them"
        );
        meter.CreateObservableGauge(
            "assay.store.runs",
            () => store.Health.RunCount,
            "{run}",
            "Runs stored"
        );
        meter.CreateObservableGauge(
            "assay.store.damaged_frames",
            () => store.Health.DamagedFrames,
            "{frame}",
            "Damaged journal frames met since the start"
        );
        meter.CreateObservableGauge(
            "assay.store.failing",
            () => store.Health.Failure is null ? 0 : 1,
            null,
            "1 while the store refuses writes"
        );
        meter.CreateObservableGauge(
            "assay.store.disk",
            () =>
                store.Health.DiskBytes.Select(d => new Measurement<long>(
                    d.Value,
                    new KeyValuePair<string, object?>("assay.disk.purpose", d.Key)
                )),
            "By",
            "Bytes on disk by purpose"
        );
        meter.CreateObservableGauge(
            "assay.store.disk_free",
            () => store.Health.DiskFree,
            "By",
            "Free bytes of the disk"
        );
    }
}
