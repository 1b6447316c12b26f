using Assay.Bench;

// One program, one command per question; each prints a block that bench/RESULTS.md can quote.
var arguments = new Arguments(args);
switch (arguments.Command)
{
    case "ingest":
        return await IngestBench.RunAsync(arguments);
    case "trace":
        return await IngestBench.RunAsync(arguments, isOneTrace: true);
    case "store":
        return await StoreBench.RunAsync(arguments);
    case "data":
        return await DatasetBench.RunAsync(arguments);
    case "search":
        return await SearchBench.RunAsync(arguments);
    case "jobs":
        return await JobBench.RunAsync(arguments);
    case "templates":
        return TemplateBench.Run(arguments);
    default:
        await Console.Error.WriteLineAsync(
            """
            usage: dotnet run -c Release --project bench/Assay.Bench -- COMMAND [--name value ...]
              ingest   real HTTP: POST + PATCH of runs of about 3.5 KB, acknowledged and queryable
                       --runs 60000 --batch 100 --clients 4 --wire batch|multipart|otlp --late 0.5 --rounds 3 --scale 1
                       --url URL --key KEY (default: starts the server built beside this program)
              store    the store alone: fills it once, then asks lists, traces, facets, charts and searches
                       --runs 1000000 --scale 0.05 --seconds 8 (per question) --ask 1 (0 fills only) --more 0 (full-size runs added at the end, timed) --data DIR (kept)
              search   the store alone: fills it once, then full-text searches
                       --runs 200000 --scale 1 --rounds 7 --data DIR (kept)
              data     datasets: import, dataset page, compare page
                       --examples 1000000 --experiments 5 --rows 10000 (0 leaves a part out)
              jobs     a prompt on a dataset with five evaluators against the simulated model
                       --rows 1000 --concurrency 8 --latency 50 --code 0 (1: evaluators in JavaScript)
              templates  prompt templates filled in, one thread
                       --seconds 3 (per line)
              trace    the same, but all runs are of one trace: --runs 100000 --batch 1000
            """
        );
        return 2;
}
