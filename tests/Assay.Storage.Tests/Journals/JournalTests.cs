using System.Text;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.Storage.Tests.Journals;

public sealed class JournalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("assay-journal").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_appended_is_replayed_with_every_field_and_payload()
    {
        var sent = Batch("first", 3);
        await using (var journal = Open())
        {
            await journal.AppendAsync(sent, Cancel);
        }

        await using var again = Open();
        var batch = Assert.Single(again.Replay(new JournalPosition(1, 0)));
        Assert.Equal(sent.WorkspaceId, batch.WorkspaceId);
        Assert.Equal(sent.Runs.Select(r => r.RunId), batch.Runs.Select(r => r.Write.RunId));
        var (write, payloads) = batch.Runs[2];
        Assert.Equal("first 2", write.Name);
        Assert.Equal(["a", "b"], write.Tags);
        Assert.Equal(
            "{\"text\":\"first 2\"}",
            Encoding.UTF8.GetString(again.Read(payloads[0].Address).Span)
        );
    }

    [Fact]
    public async Task A_torn_tail_of_any_length_costs_only_the_torn_frame()
    {
        long first;
        await using (var journal = Open())
        {
            await journal.AppendAsync(Batch("kept", 1), Cancel);
            first = journal.End.Offset;
            await journal.AppendAsync(Batch("torn", 1), Cancel);
        }

        var file = Path.Combine(_directory, "00000001.log");
        var whole = await File.ReadAllBytesAsync(file, Cancel);
        for (var length = whole.Length - 1; length >= first; length -= 7)
        {
            await File.WriteAllBytesAsync(file, whole[..length], Cancel);
            await using var journal = Open();
            Assert.Equal(
                "kept 0",
                Assert.Single(journal.Replay(new JournalPosition(1, 0))).Runs[0].Write.Name
            );
            Assert.Equal(first, journal.End.Offset);
        }
    }

    [Fact]
    public async Task A_flipped_byte_in_the_middle_loses_that_frame_alone()
    {
        var ends = new List<long>();
        await using (var journal = Open())
        {
            foreach (var name in (string[])["a", "b", "c"])
            {
                await journal.AppendAsync(Batch(name, 1), Cancel);
                ends.Add(journal.End.Offset);
            }
        }

        var file = Path.Combine(_directory, "00000001.log");
        var whole = await File.ReadAllBytesAsync(file, Cancel);
        for (var at = ends[0]; at < ends[1]; at += 5)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x55;
            await File.WriteAllBytesAsync(file, damaged, Cancel);
            await using var journal = Open();
            Assert.Equal(
                ["a 0", "c 0"],
                journal.Replay(new JournalPosition(1, 0)).Select(b => b.Runs[0].Write.Name)
            );
            Assert.Equal(1, journal.DamagedFrames);
        }
    }

    [Fact]
    public async Task A_damaged_payload_is_reported_and_never_returned_as_other_bytes()
    {
        PayloadAddress address;
        await using (var journal = Open())
        {
            await journal.AppendAsync(Batch("n", 1), Cancel);
            address = Assert
                .Single(journal.Replay(new JournalPosition(1, 0)))
                .Runs[0]
                .Payloads[0]
                .Address;
        }

        var file = Path.Combine(_directory, "00000001.log");
        var whole = await File.ReadAllBytesAsync(file, Cancel);
        await using var again = Open();
        for (var at = address.BlockOffset + 16; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x01;
            await using (
                var stream = new FileStream(
                    file,
                    FileMode.Open,
                    FileAccess.Write,
                    FileShare.ReadWrite
                )
            )
            {
                await stream.WriteAsync(damaged, Cancel);
            }

            Assert.Throws<InvalidDataException>(() => again.Read(address));
        }
    }

    [Fact]
    public async Task A_full_segment_is_followed_by_the_next()
    {
        await using var journal = Journal.Open(
            new JournalOptions(_directory) { SegmentBytes = 2_000 },
            TimeProvider.System,
            NullLogger<Journal>.Instance
        );
        for (var i = 0; i < 20; i++)
        {
            await journal.AppendAsync(Batch($"n{i}", 2), Cancel);
        }

        Assert.True(journal.Segments.Count > 1);
        Assert.Equal(20, journal.Replay(new JournalPosition(1, 0)).Count());
    }

    [Fact]
    public async Task A_journal_that_is_not_drained_pushes_back()
    {
        await using var journal = Journal.Open(
            new JournalOptions(_directory) { MaxUnappliedBytes = 1 },
            TimeProvider.System,
            NullLogger<Journal>.Instance
        );
        await journal.AppendAsync(Batch("one", 1), Cancel);
        var busy = await Assert.ThrowsAsync<StoreBusyException>(async () =>
            await journal.AppendAsync(Batch("two", 1), Cancel)
        );
        Assert.False(busy.IsFailing);
        journal.Release(await journal.Durable.ReadAsync(Cancel));
        await journal.AppendAsync(Batch("two", 1), Cancel);
    }

    [Fact]
    public async Task A_full_disk_refuses_and_keeps_what_was_there()
    {
        await using (var journal = Open())
        {
            await journal.AppendAsync(Batch("before", 1), Cancel);
        }

        await using var full = Journal.Open(
            new JournalOptions(_directory) { MinFreeDiskBytes = long.MaxValue / 2 },
            TimeProvider.System,
            NullLogger<Journal>.Instance
        );
        var busy = await Assert.ThrowsAsync<StoreBusyException>(async () =>
            await full.AppendAsync(Batch("after", 1), Cancel)
        );
        Assert.True(busy.IsFailing);
        Assert.Single(full.Replay(new JournalPosition(1, 0)));
    }

    private Journal Open() =>
        Journal.Open(
            new JournalOptions(_directory),
            TimeProvider.System,
            NullLogger<Journal>.Instance
        );

    private static RunBatch Batch(string name, int count) =>
        new(
            Guid.CreateVersion7(),
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new RunWrite
                    {
                        Operation = RunOperation.Create,
                        RunId = Guid.CreateVersion7(),
                        TraceId = Guid.CreateVersion7(),
                        Name = $"{name} {i}",
                        Kind = RunKind.Llm,
                        StartTime = DateTimeOffset.UnixEpoch.AddMicroseconds(123_456_789),
                        Tags = ["a", "b"],
                        Metadata = [new("k", "v")],
                        Inputs = Payload.FromUtf8(
                            Encoding.UTF8.GetBytes($"{{\"text\":\"{name} {i}\"}}")
                        ),
                    }),
            ],
            []
        );
}
