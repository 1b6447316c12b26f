using System.Globalization;
using System.Text;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Search;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.Storage.Tests.Traces;

public class SearchTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] s_words =
    [
        "paris",
        "weather",
        "Über",
        "naïve",
        "東京",
        "x1",
        "don't",
        "QUOTA",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Words_read_from_UTF8_are_those_of_the_definition() =>
        Gen.String[
                Gen.OneOf(
                    Gen.Char,
                    Gen.Char['a', 'z'],
                    Gen.Char['\u3040', '\u4E10'],
                    Gen.Const(' ')
                ),
                0,
                200
            ]
            .Sample(text =>
            {
                var utf8 = Encoding.UTF8.GetBytes(text);
                var words = new WordSet();
                SearchWords.AddText(utf8, words);
                Assert.Equal(
                    SearchTokens
                        .Distinct(Encoding.UTF8.GetString(utf8))
                        .Select(w => SearchWords.Hash(w))
                        .Order(),
                    words.Items.ToArray().Order()
                );
            });

    [Fact]
    public void A_set_of_words_can_be_filled_again_and_again() =>
        Gen.Int[0, 3_000]
            .Array[1, 5]
            .Sample(sizes =>
            {
                var words = new WordSet();
                foreach (var size in sizes)
                {
                    words.Clear();
                    for (var i = 0; i < size; i++)
                    {
                        words.Add((ulong)(i % 701) << 3);
                    }

                    Assert.Equal(Math.Min(size, 701), words.Count);
                    Assert.All(
                        Enumerable.Range(0, size),
                        i => Assert.True(words.Contains((ulong)(i % 701) << 3))
                    );
                    Assert.False(words.Contains(9));
                }
            });

    [Fact]
    public async Task A_search_finds_the_runs_that_hold_every_word_and_no_others()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var runs = await FillAsync(disk, 300);
        await AssertFindsAsync(disk, runs);

        // Replaced texts are no longer found, new ones are.
        foreach (var run in runs.Take(40).ToList())
        {
            await disk.SendAsync(
                new RunWrite
                {
                    Operation = RunOperation.Update,
                    RunId = run.Id,
                    ProjectId = disk.Project,
                    Outputs = StoreOnDisk.Text("replaced quota"),
                }
            );
            runs[runs.IndexOf(run)] = run with { Outputs = "replaced quota" };
        }

        await AssertFindsAsync(disk, runs);
        await disk.ReopenAsync();
        await AssertFindsAsync(disk, runs);

        await disk.Store.DeleteRunsAsync(
            disk.Workspace,
            [.. runs.Take(100).Select(r => r.Id)],
            Cancel
        );
        runs.RemoveRange(0, 100);
        await AssertFindsAsync(disk, runs);
    }

    [Fact]
    public async Task Rare_values_of_any_run_are_found_through_the_index_and_stale_ones_are_not()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        // More than one written segment, so that values are looked for on disk and in memory.
        var ids = Enumerable.Range(0, 20_000).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var chunk in ids.Index().Chunk(1_000))
        {
            await disk.SendAsync([.. chunk.Select(c => Valued(c.Item, c.Index))]);
        }

        // A value that comes later, and one that is replaced.
        await disk.SendAsync(Change(ids[5], "late"), Change(ids[2_500], "replaced"));
        await SameAsync();
        await disk.ReopenAsync();
        await SameAsync();
        await disk.CloseAsync();
        Directory.Delete(Path.Combine(disk.Directory, "search"), recursive: true);
        await disk.ReopenAsync();
        await SameAsync();

        async Task SameAsync()
        {
            foreach (
                var (filter, expected) in ((string, Guid[])[])
                    [
                        ("eq(name, \"rare\")", [ids[15_000], ids[7_500], ids[0]]),
                        ("has(tags, \"odd\")", [ids[10_001], ids[1]]),
                        (Pair("batch", "17"), [.. ids.Where((_, i) => i % 2_500 == 17).Reverse()]),
                        (Pair("note", "late"), [ids[5]]),
                        (Pair("note", "replaced"), [ids[2_500]]),
                        (Pair("note", "first"), [ids[12_500]]),
                        (
                            $"and({Pair("batch", "0")}, eq(name, \"rare\"))",
                            [ids[15_000], ids[7_500], ids[0]]
                        ),
                        (Pair("batch", "nobody's"), []),
                    ]
            )
            {
                var condition = LangSmithFilterParser.Parse(filter);
                Assert.Equal(expected, await disk.FindAsync(condition, page: 2));
                var roots = await disk.Store.QueryAsync(
                    new RunQuery
                    {
                        WorkspaceId = disk.Workspace,
                        ProjectIds = [disk.Project],
                        IsRoot = true,
                        Filter = condition,
                        Limit = 100,
                    },
                    Cancel
                );
                Assert.Equal(expected, roots.Runs.Select(r => r.Id));
            }
        }

        static string Pair(string key, string value) =>
            $"and(eq(metadata_key, \"{key}\"), eq(metadata_value, \"{value}\"))";

        RunWrite Valued(Guid id, int i)
        {
            var run = disk.Run(id, s_start.AddSeconds(i), name: i % 7_500 == 0 ? "rare" : "common");
            run.Tags = i % 10_000 == 1 ? ["odd", "all"] : ["all"];
            run.Metadata =
            [
                new("batch", (i % 2_500).ToString(CultureInfo.InvariantCulture)),
                new("note", i % 10_000 == 2_500 ? "first" : "none"),
            ];
            return run;
        }

        RunWrite Change(Guid id, string note) =>
            new()
            {
                Operation = RunOperation.Update,
                RunId = id,
                ProjectId = disk.Project,
                Metadata = [new("note", note)],
            };
    }

    [Fact]
    public async Task A_search_index_that_is_gone_or_damaged_is_built_again_while_searches_go_on()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var runs = await FillAsync(disk, 200);
        await disk.CloseAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(disk.Directory, "search")))
        {
            File.WriteAllBytes(file, [1, 2, 3]);
        }

        await disk.ReopenAsync();
        await AssertFindsAsync(disk, runs);
        await disk.CloseAsync();
        Directory.Delete(Path.Combine(disk.Directory, "search"), recursive: true);
        await disk.ReopenAsync();
        await AssertFindsAsync(disk, runs);
    }

    [Fact]
    public async Task What_a_crash_took_from_memory_is_read_again_from_the_journal()
    {
        await using var disk = await StoreOnDisk.OpenAsync();
        var runs = await FillAsync(disk, 50);
        await disk.ReopenAsync();
        var search = Path.Combine(disk.Directory, "search");
        var flushed = Directory.GetFiles(search).ToHashSet();
        runs.AddRange(await FillAsync(disk, 50, seed: 9));
        await disk.CloseAsync();
        // As a killed process leaves it: what was in memory only is not there.
        foreach (var file in Directory.GetFiles(search).Where(f => !flushed.Contains(f)))
        {
            File.Delete(file);
        }

        await disk.ReopenAsync();
        await AssertFindsAsync(disk, runs);
    }

    [Fact]
    public async Task Segments_are_merged_and_freed_of_what_is_gone_and_answer_the_same()
    {
        var directory = Directory.CreateTempSubdirectory("assay-search").FullName;
        try
        {
            var index = Open(directory, 0);
            index.Start();
            for (var pk = 1; pk <= 900; pk++)
            {
                await index.AddAsync(Batch(pk));
            }

            // Late pieces of old runs.
            for (var pk = 1; pk <= 900; pk += 9)
            {
                await index.AddAsync(Batch(pk, "late"));
            }

            await index.FlushAsync(TestContext.Current.CancellationToken);

            // Merging goes on by itself when nothing more is written, until fewer than eight of each smaller size are left: seven and seven, and at
            // most seven large ones of 128 documents and more.
            using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (Directory.GetFiles(directory).Length > 24)
            {
                await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }

            await index.DisposeAsync();
            Assert.InRange(Directory.GetFiles(directory).Length, 1, 24);
            Assert.Empty(SearchIndex.Damaged(directory));

            await using var again = Open(directory, 900);
            Assert.Equal([7], Find(again, "name7"));
            Assert.Equal(Enumerable.Range(1, 900).Select(i => (long)i), Find(again, "all"));
            Assert.Equal(
                Enumerable.Range(0, 100).Select(i => (long)((i * 9) + 1)),
                Find(again, "late")
            );
            Assert.Equal([10], Find(again, "late", "name10"));
            Assert.Empty(Find(again, "nowhere"));

            var alive = new PostingSet();
            alive.AddRange(800, 900);
            await again.CompactAsync(alive);
            Assert.Equal([850], Find(again, "name850"));
            Assert.Empty(Find(again, "name7"));
            Assert.True(Directory.GetFiles(directory).Length < 20);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static SearchIndex Open(string directory, long lastPk) =>
        SearchIndex.Open(directory, _ => default, lastPk, NullLogger.Instance, maxDocs: 4);

    private static SearchBatch Batch(int pk, string? late = null) =>
        new(
            new JournalPosition(1, pk),
            [
                new SearchDoc(
                    pk,
                    late ?? string.Create(CultureInfo.InvariantCulture, $"all name{pk}"),
                    null,
                    [],
                    [pk % 100, 1_000 + pk]
                ),
            ]
        );

    private static IEnumerable<long> Find(SearchIndex index, params string[] words) =>
        index.Find(SearchScope.Name, [.. words.Select(w => SearchWords.Hash(w))]).Keys();

    private static async Task<List<Sent>> FillAsync(StoreOnDisk disk, int count, int seed = 7)
    {
        var random = new Random(seed);
        string Words() =>
            string.Join(
                ' ',
                Enumerable
                    .Range(0, random.Next(4))
                    .Select(_ => s_words[random.Next(s_words.Length)])
            );
        var runs = new List<Sent>();
        for (var i = 0; i < count; i++)
        {
            var sent = new Sent(
                Guid.CreateVersion7(),
                Words(),
                Words(),
                Words(),
                random.Next(3) == 0 ? Words() : null
            );
            runs.Add(sent);
            await disk.SendAsync(
                disk.Run(
                    sent.Id,
                    s_start.AddSeconds(random.Next(10_000)),
                    sent.Inputs,
                    sent.Outputs,
                    sent.Name,
                    sent.Error
                )
            );
        }

        return runs;
    }

    private static async Task AssertFindsAsync(StoreOnDisk disk, List<Sent> runs)
    {
        foreach (var scope in Enum.GetValues<SearchScope>())
        {
            foreach (
                var text in (string[])
                    [
                        "paris",
                        "paris weather",
                        "über",
                        "東",
                        "京 naïve",
                        "don",
                        "absent",
                        "4711 quota",
                        "Replaced",
                    ]
            )
            {
                var filter = new Filter.Search(scope, text);
                var expected = runs.Where(r => r.Holds(scope, text)).Select(r => r.Id).ToHashSet();
                Assert.Equal(expected, [.. await disk.FindAsync(filter, page: 17)]);
                Assert.Equal(
                    runs.Select(r => r.Id).Except(expected).ToHashSet(),
                    [.. await disk.FindAsync(new Filter.Not(filter))]
                );
                Assert.Equal(
                    expected,
                    [
                        .. await disk.FindAsync(
                            new Filter.And([filter, new Filter.Or([filter])]),
                            page: 5
                        ),
                    ]
                );
                var stats = await disk.Store.StatsAsync(
                    new RunQuery
                    {
                        WorkspaceId = disk.Workspace,
                        ProjectIds = [disk.Project],
                        Filter = filter,
                    },
                    Cancel
                );
                Assert.Equal(expected.Count, stats.RunCount);
            }
        }
    }

    private sealed record Sent(Guid Id, string Name, string Inputs, string Outputs, string? Error)
    {
        public bool Holds(SearchScope scope, string text)
        {
            var all = scope switch
            {
                SearchScope.Name => Name,
                SearchScope.Error => Error ?? "",
                SearchScope.Inputs => Inputs + " 4711",
                SearchScope.Outputs => Outputs + " 4711",
                _ => $"{Name} {Error} {Inputs} {Outputs} 4711",
            };
            return SearchTokens.Distinct(all).IsSupersetOf(SearchTokens.Distinct(text));
        }
    }
}
