using System.CommandLine;
using Assay.Storage.Maintenance;
using Microsoft.Data.Sqlite;

namespace Assay.Server.Upkeep;

/// <summary>
/// The commands beside serving: <c>backup DIR</c>, <c>restore DIR</c>, <c>check</c>. They work on the data directory's files, beside a running
/// server or without one. Exit codes: 0 all well, 1 something is wrong with the data or it could not be done, 2 wrong usage.
/// </summary>
internal static class MaintenanceCommands
{
    private const int WrongUsage = 2;

    /// <summary>True when the first argument is one of them.</summary>
    public static bool Are(string[] args) => args is ["backup" or "restore" or "check", ..];

    public static async Task<int> RunAsync(string[] args, TimeProvider time)
    {
        var data = new Option<string>("--data")
        {
            Description = "The data directory",
            DefaultValueFactory = _ =>
                Environment.GetEnvironmentVariable("ASSAY_DATA") is { Length: > 0 } set
                    ? set
                    : "./data",
        };
        var target = new Argument<string>("DIR")
        {
            Description = "Where the backup goes: a directory that does not exist or is empty",
        };
        var source = new Argument<string>("DIR") { Description = "The backup" };
        var backup = new Command("backup", "Copies everything, also while the server runs")
        {
            target,
            data,
        };
        backup.SetAction(
            (parsed, cancel) =>
                TryAsync(async () =>
                {
                    var made = await StoreBackup.BackupAsync(
                        parsed.GetRequiredValue(data),
                        parsed.GetRequiredValue(target),
                        time.GetUtcNow(),
                        cancel
                    );
                    Console.WriteLine(
                        $"Backup in {parsed.GetRequiredValue(target)}: {made.Files} files, {made.Bytes:N0} bytes."
                    );
                    return 0;
                })
        );
        var restore = new Command("restore", "Copies a backup into an empty data directory")
        {
            source,
            data,
        };
        restore.SetAction(
            (parsed, cancel) =>
                TryAsync(async () =>
                {
                    var made = await StoreBackup.RestoreAsync(
                        parsed.GetRequiredValue(source),
                        parsed.GetRequiredValue(data),
                        cancel
                    );
                    Console.WriteLine(
                        $"The backup of {made.MadeAt:u} is in {parsed.GetRequiredValue(data)}. Start the server on it."
                    );
                    return 0;
                })
        );
        var check = new Command(
            "check",
            "Looks at every byte of a data directory or a backup and says what is wrong"
        )
        {
            data,
        };
        check.SetAction(
            (parsed, _) => TryAsync(() => Task.FromResult(Check(parsed.GetRequiredValue(data))))
        );
        var root = new RootCommand("Assay server") { backup, restore, check };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync();
        return parsed.Errors.Count > 0 ? WrongUsage : code;
    }

    private static int Check(string data)
    {
        var problems = 0;
        foreach (var finding in StoreCheck.Run(data))
        {
            Console.WriteLine(
                $"{(finding.Problems.Count == 0 ? "ok   " : "WRONG")} {finding.Area}: {finding.Extent}"
            );
            foreach (var problem in finding.Problems)
            {
                Console.WriteLine($"        {problem}");
            }

            problems += finding.Problems.Count;
        }

        Console.WriteLine(
            problems == 0
                ? "All is well."
                : $"{problems} problems; a backup from before them helps."
        );
        return problems == 0 ? 0 : 1;
    }

    private static async Task<int> TryAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
