using CompareVersions;

var url = Environment.GetEnvironmentVariable("ASSAY_URL") ?? "http://localhost:5080";
var key = Environment.GetEnvironmentVariable("ASSAY_API_KEY");
if (string.IsNullOrEmpty(key))
{
    Console.Error.WriteLine("Set ASSAY_API_KEY to the key that the server printed.");
    return 1;
}

using var assay = new AssayClient(new Uri(url), key);
var dataset = await assay.DatasetAsync(
    args.FirstOrDefault() ?? "sample: shop questions",
    Path.Combine(AppContext.BaseDirectory, "questions.csv")
);
var baseline = await Experiment.RunAsync("short answers", SupportBot.Short, dataset);
var candidate = await Experiment.RunAsync("whole sentences", SupportBot.Whole, dataset);
var first = await assay.UploadAsync(dataset, baseline);
var second = await assay.UploadAsync(dataset, candidate);

foreach (var comparison in Experiment.Compare(baseline, candidate))
{
    Console.WriteLine(comparison);
}

Console.WriteLine($"{url}/data/{dataset.Id}/compare?selectedSessions={first},{second}");
return 0;
