using System.Diagnostics;
using HelloTracing;
using Microsoft.Extensions.AI;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;

const string Source = "hello-tracing";
var url = Environment.GetEnvironmentVariable("ASSAY_URL") ?? "http://localhost:5080";
var key = Environment.GetEnvironmentVariable("ASSAY_API_KEY");
var project = args.FirstOrDefault() ?? Source;
if (string.IsNullOrEmpty(key))
{
    Console.Error.WriteLine("Set ASSAY_API_KEY to the key that the server printed.");
    return 1;
}

using var tracing = Sdk.CreateTracerProviderBuilder()
    .AddSource(Source)
    .AddOtlpExporter(o =>
    {
        o.Protocol = OtlpExportProtocol.HttpProtobuf;
        o.Endpoint = new Uri($"{url}/otel/v1/traces");
        o.Headers = $"x-api-key={key},Langsmith-Project={project}";
    })
    .Build();

// Any IChatClient goes here: OpenAI, Anthropic, Ollama… This one needs no network.
using var client = new CannedModel()
    .AsBuilder()
    .UseFunctionInvocation()
    .UseOpenTelemetry(sourceName: Source, configure: c => c.EnableSensitiveData = true)
    .Build();
using var activities = new ActivitySource(Source);
using (activities.StartActivity("weather question"))
{
    var answer = await client.GetResponseAsync(
        "What is the weather in Paris?",
        new ChatOptions
        {
            ModelId = "gpt-4o-mini",
            Tools = [AIFunctionFactory.Create((string city) => $"18 °C in {city}", "get_weather")],
        }
    );
    Console.WriteLine(answer.Text);
}

if (!tracing.ForceFlush(10_000))
{
    Console.Error.WriteLine($"The trace could not be sent to {url}.");
    return 1;
}

Console.WriteLine($"Traced. Open {url}/projects and the project {project}.");
return 0;
