using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;

namespace Assay.Server.Tests.Annotation;

/// <summary>The endpoints behind the review screens: one workspace's queues are nobody else's, and bad input is refused in words.</summary>
public sealed class QueueScreenTests : IAsyncLifetime
{
    private InProcessServer _server = null!;
    private HttpClient _mine = null!;
    private HttpClient _other = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new InProcessServer();
        _mine = _server.Client(
            await _server.KeyAsync(await _server.FirstWorkspaceAsync(), KeyScope.Full)
        );
        _other = _server.Client(
            await _server.KeyAsync(await _server.NewWorkspaceAsync("other"), KeyScope.Full)
        );
    }

    public async ValueTask DisposeAsync()
    {
        _mine.Dispose();
        _other.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Queues_of_another_workspace_are_not_there()
    {
        var (queue, item) = await QueueAsync();
        var path = $"/ui/queues/{queue}/items/{item}";
        foreach (
            var (to, body) in new (string, object)[]
            {
                ($"/ui/queues/{queue}/add", new { runs = new[] { Guid.NewGuid() } }),
                ($"/ui/queues/{queue}/remove", new { items = new[] { item } }),
                ($"/ui/queues/{queue}/next", new { }),
                ($"/ui/queues/{queue}/next?item={item}", new { }),
                ($"/ui/projects/{Guid.NewGuid()}/enqueue?queue={queue}", new { }),
                ($"{path}/done", new { said = new { } }),
                ($"{path}/skip", new { }),
                ($"{path}/undo", new { }),
                ($"{path}/hold", new { }),
                ($"{path}/dataset", new { dataset = Guid.NewGuid() }),
                ($"{path}/decision", new { said = new { } }),
            }
        )
        {
            Assert.Equal(HttpStatusCode.NotFound, await PostAsync(_other, to, body));
        }

        foreach (
            var page in (string[])
                [
                    $"/queues/{queue}",
                    $"/queues/{queue}/review",
                    $"/queues/{queue}/agreement",
                    $"/queues/{queue}/settings",
                    $"/queues/{queue}/items/{item}",
                ]
        )
        {
            using var response = await _other.GetAsync(page, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.DoesNotContain(
                "of mine",
                await response.Content.ReadAsStringAsync(Cancel),
                StringComparison.Ordinal
            );
        }

        var list = await _other.GetFromJsonAsync<JsonElement>("/ui/queues", Cancel);
        Assert.Equal(0, list.GetArrayLength());
        // Nothing of all that touched the item.
        Assert.Equal(HttpStatusCode.OK, await PostAsync(_mine, $"{path}/hold", new { }));
    }

    [Fact]
    public async Task Bad_input_is_refused_and_never_fails_inside()
    {
        var (queue, item) = await QueueAsync();
        var path = $"/ui/queues/{queue}/items/{item}";
        foreach (
            var (to, body, status) in new (string, object, int)[]
            {
                ($"{path}/done", new { said = new { } }, 422),
                ($"{path}/done", new { said = new { quality = new { score = 7 } } }, 422),
                ($"{path}/done", new { said = new { other = new { score = 1 } } }, 422),
                ($"{path}/done", new { said = new { quality = (object?)null } }, 422),
                (
                    $"{path}/done",
                    new
                    {
                        said = new { quality = new { score = 1 } },
                        note = new string('x', 10_001),
                    },
                    422
                ),
                ($"{path}/done", new { said = 5 }, 400),
                ($"{path}/dataset", new { dataset = Guid.NewGuid() }, 404),
                ($"/ui/queues/{queue}/items/{Guid.NewGuid()}/done", new { }, 404),
                ($"/ui/queues/{Guid.NewGuid()}/items/{item}/skip", new { }, 404),
                ($"/ui/queues/{queue}/add", new { runs = Array.Empty<Guid>() }, 422),
                ($"/ui/queues/{queue}/add", new { runs = new[] { Guid.NewGuid() } }, 422),
                ($"/ui/queues/{queue}/add", new { project = Guid.NewGuid(), thread = "none" }, 404),
                ($"/ui/projects/{Guid.NewGuid()}/enqueue?queue={queue}&q=nope:1", new { }, 400),
                ($"/ui/projects/{Guid.NewGuid()}/enqueue?queue=x", new { }, 400),
            }
        )
        {
            Assert.Equal(status, (int)await PostAsync(_mine, to, body));
        }
    }

    [Fact]
    public async Task A_reservation_ends_by_itself_and_who_comes_too_late_is_told()
    {
        var workspace = await _server.FirstWorkspaceAsync();
        using var second = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        var (queue, item) = await QueueAsync();
        var path = $"/ui/queues/{queue}/items/{item}";
        var answers = new { said = new { quality = new { score = 0.5 } }, seconds = 12.5 };
        Assert.Equal(HttpStatusCode.OK, await PostAsync(_mine, $"{path}/hold", new { }));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(second, $"{path}/hold", new { }));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(second, $"{path}/done", answers));

        _server.Time.Ahead = TimeSpan.FromMinutes(6);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(second, $"{path}/hold", new { }));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(_mine, $"{path}/done", answers));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(second, $"{path}/done", answers));

        // What came too late left no feedback behind; sending again replaces.
        Assert.Equal(HttpStatusCode.OK, await PostAsync(second, $"{path}/done", answers));
        var given = await _mine.GetFromJsonAsync<JsonElement>(
            "/api/v1/feedback?key=quality",
            Cancel
        );
        Assert.Equal(1, given.GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, await PostAsync(second, $"{path}/undo", new { }));
        given = await _mine.GetFromJsonAsync<JsonElement>("/api/v1/feedback?key=quality", Cancel);
        Assert.Equal(0, given.GetArrayLength());
    }

    [Fact]
    public async Task Pages_and_counts_of_a_queue_are_those_of_the_whole_of_it_for_every_reviewer()
    {
        var workspace = await _server.FirstWorkspaceAsync();
        using var second = _server.Client(await _server.KeyAsync(workspace, KeyScope.Full));
        var (queue, first) = await QueueAsync(reviewers: 2);
        using var added = await _mine.PostAsJsonAsync(
            $"/api/v1/annotation-queues/{queue}/runs",
            Enumerable.Range(0, 40).Select(_ => Guid.NewGuid()),
            Cancel
        );
        var items = (await added.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .EnumerateArray()
            .Select(i => i.GetProperty("id").GetGuid())
            .Append(first)
            .ToList();
        var random = new Random(7);
        var said = new { said = new { quality = new { score = 1 } } };
        foreach (var item in items)
        {
            foreach (var client in new[] { _mine, second })
            {
                var path = $"/ui/queues/{queue}/items/{item}";
                switch (random.Next(5))
                {
                    case 0:
                        await PostAsync(client, $"{path}/hold", new { });
                        break;
                    case 1:
                        await PostAsync(client, $"{path}/done", said);
                        break;
                    case 2:
                        await PostAsync(client, $"{path}/skip", new { });
                        break;
                }
            }
        }

        var reader = _server.Get<QueueReader>();
        var everybody = new Caller(workspace, Permission.Read);
        var reviewers = (
            await reader.PageAsync(everybody, queue, QueueSlice.All, 0, items.Count, Cancel)
        )
            .SelectMany(p => p.ReservedBy.Concat(p.CompletedBy))
            .Distinct()
            .ToList();
        Assert.Equal(2, reviewers.Count);
        foreach (var reviewer in reviewers)
        {
            var caller = everybody with { ApiKeyId = reviewer };
            // Where an item stands is worked out here, in memory, and again by the database when a section is asked for.
            var whole = await reader.PageAsync(
                caller,
                queue,
                QueueSlice.All,
                0,
                items.Count,
                Cancel
            );
            var counts = await reader.CountsAsync(caller, queue, Cancel);
            Assert.Equal(items.Count, counts.All);
            foreach (
                var (section, count) in new (QueueSection?, int)[]
                {
                    (QueueSection.NeedsMyReview, counts.Mine),
                    (QueueSection.NeedsOthersReview, counts.Others),
                    (QueueSection.Completed, counts.Completed),
                    (null, counts.All),
                }
            )
            {
                var slice = new QueueSlice { Section = section };
                List<QueuePlace> expected =
                [
                    .. whole
                        .Where(p => section is null || p.Section == section)
                        .OrderBy(p => p.EffectiveAddedAt)
                        .ThenBy(p => p.Item.Id),
                ];
                Assert.Equal(expected.Count, count);
                var paged = new List<QueuePlace>();
                for (var offset = 0; offset < count; offset += 7)
                {
                    paged.AddRange(await reader.PageAsync(caller, queue, slice, offset, 7, Cancel));
                }

                Assert.Equal(Told(expected), Told(paged));
                Assert.Equal(
                    Told(expected),
                    Told(await WalkAsync(reader, caller, queue, slice, isBackward: false))
                );
                Assert.Equal(
                    Told(expected),
                    Told(await WalkAsync(reader, caller, queue, slice, isBackward: true))
                );
                if (section is null)
                {
                    continue;
                }

                for (var i = 0; i < expected.Count; i++)
                {
                    var (place, position, before) = await reader.PositionAsync(
                        caller,
                        queue,
                        expected[i].Item.Id,
                        Cancel
                    );
                    Assert.Equal(section, place.Section);
                    Assert.Equal(i, position);
                    Assert.Equal(i == 0 ? null : expected[i - 1].Item.Id, before?.Id);
                }
            }
        }
    }

    private static List<(Guid, QueueSection, DateTimeOffset, int)> Told(
        IEnumerable<QueuePlace> places
    ) => [.. places.Select(p => (p.Item.Id, p.Section, p.EffectiveAddedAt, p.Free))];

    /// <summary>A whole section, by marks instead of offsets.</summary>
    private static async Task<List<QueuePlace>> WalkAsync(
        QueueReader reader,
        Caller caller,
        Guid queue,
        QueueSlice slice,
        bool isBackward
    )
    {
        var walked = new List<QueuePlace>();
        QueueMark? mark = null;
        for (var hasMore = true; hasMore; )
        {
            (var page, hasMore) = await reader.BesideAsync(
                caller,
                queue,
                slice,
                mark,
                isBackward,
                7,
                Cancel
            );
            if (page.Count == 0)
            {
                break;
            }

            walked.InsertRange(isBackward ? 0 : walked.Count, page);
            mark = QueueMark.Of(isBackward ? page[0] : page[^1]);
        }

        return walked;
    }

    [Fact]
    public async Task In_a_blind_queue_reviewers_see_no_answers_before_their_own()
    {
        var workspace = await _server.FirstWorkspaceAsync();
        var (queue, item) = await QueueAsync(reviewers: 2);
        var member = await _server.MemberAsync("reviewer@example.org", workspace, Role.Editor);
        using var reviewer = _server.Client();
        reviewer.DefaultRequestHeaders.Add("Cookie", _server.Cookie(member, workspace));
        reviewer.DefaultRequestHeaders.Add(
            "Origin",
            _server.Address.GetLeftPart(UriPartial.Authority)
        );
        await using (
            var db = await _server
                .Get<Microsoft.EntityFrameworkCore.IDbContextFactory<Core.Metadata.MetadataContext>>()
                .CreateDbContextAsync(Cancel)
        )
        {
            db.AnnotationQueues.Single(q => q.Id == queue).IsBlind = true;
            await db.SaveChangesAsync(Cancel);
        }

        var path = $"/ui/queues/{queue}/items/{item}";
        var said = new { said = new { quality = new { score = 0.125 } }, note = "told nobody" };
        Assert.Equal(HttpStatusCode.OK, await PostAsync(_mine, $"{path}/done", said));
        var before = await reviewer.GetStringAsync($"/queues/{queue}/items/{item}", Cancel);
        Assert.DoesNotContain("told nobody", before, StringComparison.Ordinal);
        using var fragment = await reviewer.PostAsJsonAsync(
            $"/ui/queues/{queue}/next",
            new { },
            Cancel
        );
        Assert.DoesNotContain(
            "told nobody",
            await fragment.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
        using var agreement = await reviewer.GetAsync($"/queues/{queue}/agreement", Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, agreement.StatusCode);
        using var export = await reviewer.GetAsync($"/ui/queues/{queue}/export", Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, export.StatusCode);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await PostAsync(reviewer, $"{path}/decision", new { clear = true })
        );
        Assert.Equal(
            HttpStatusCode.OK,
            await PostAsync(
                reviewer,
                $"{path}/done",
                new { said = new { quality = new { score = 1 } } }
            )
        );
        var after = await reviewer.GetStringAsync($"/queues/{queue}/items/{item}", Cancel);
        Assert.Contains("told nobody", after, StringComparison.Ordinal);

        var csv = (await _mine.GetStringAsync($"/ui/queues/{queue}/export", Cancel))
            .TrimEnd()
            .Split("\r\n");
        Assert.Equal(
            "item_id,run_id,other_run_id,thread_id,gold,reviewer,finished,seconds,quality,note,correction",
            csv[0]
        );
        Assert.Equal(3, csv.Length);
        Assert.EndsWith(",0.125,told nobody,", csv[1], StringComparison.Ordinal);
        Assert.EndsWith(",1,,", csv[2], StringComparison.Ordinal);
        using var elsewhere = await _other.GetAsync($"/ui/queues/{queue}/export", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }

    private async Task<(Guid Queue, Guid Item)> QueueAsync(int reviewers = 1)
    {
        using var made = await _mine.PostAsJsonAsync(
            "/api/v1/annotation-queues",
            new
            {
                name = "of mine",
                num_reviewers_per_item = reviewers,
                reservation_minutes = 5,
                rubric_items = new[] { new { feedback_key = "quality", is_required = true } },
            },
            Cancel
        );
        var queue = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            .GetProperty("id")
            .GetGuid();
        using var added = await _mine.PostAsJsonAsync(
            $"/api/v1/annotation-queues/{queue}/runs",
            new[] { Guid.NewGuid() },
            Cancel
        );
        return (
            queue,
            (await added.Content.ReadFromJsonAsync<JsonElement>(Cancel))[0]
                .GetProperty("id")
                .GetGuid()
        );
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body, Cancel);
        return response.StatusCode;
    }
}
