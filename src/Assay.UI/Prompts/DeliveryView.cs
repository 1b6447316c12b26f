using Assay.Core.Prompts;

namespace Assay.UI.Prompts;

/// <summary>How deliveries of webhooks look.</summary>
internal static class DeliveryView
{
    /// <summary>The class of its pill.</summary>
    public static string Class(DeliveryEntry delivery) =>
        delivery.State switch
        {
            DeliveryState.Delivered => "ok",
            DeliveryState.Failed => "err",
            _ => delivery.Attempts == 0 ? "run" : "warn",
        };

    /// <summary>How it stands in one or two words.</summary>
    public static string Word(DeliveryEntry delivery) =>
        delivery.State switch
        {
            DeliveryState.Delivered => "delivered",
            DeliveryState.Failed => "given up",
            _ => delivery.Attempts == 0 ? "waiting" : "tried again",
        };

    /// <summary>How long until a time that is to come.</summary>
    public static string In(DateTimeOffset time, DateTimeOffset now) =>
        (time - now) switch
        {
            { Ticks: <= 0 } => "now",
            { TotalMinutes: < 1 } left => $"in {left.Seconds + 1} s",
            { TotalHours: < 1 } left => $"in {(int)left.TotalMinutes} min",
            var left => $"in {(int)left.TotalHours} h",
        };
}
