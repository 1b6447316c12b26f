namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// OpenLIT: the conventions (<see cref="Semconv"/>) with a price of its own (zero when it knows none), <c>gen_ai.tool.args</c>, the service's name as an attribute of each span.
/// </summary>
internal static class OpenLit
{
    public static readonly SpanSource Source = new(
        "openlit",
        ["openlit*", "@openlit/*"],
        ["gen_ai.sdk.version", "gen_ai.usage.cost"]
    );
}
