namespace Assay.Server.Otlp;

/// <summary>A body that is no OTLP message; the message says what is wrong in words for the exporter's developer.</summary>
internal sealed class OtlpFormatException(string message, Exception? inner = null)
    : Exception(message, inner);
