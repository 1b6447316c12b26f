using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    [Fact]
    public async Task Feedback_is_found_by_every_condition_changed_and_deleted()
    {
        var sample = new SampleTraces(31, Project).Make(20);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var all = sample.Feedback;
        var run = all[0].RunId!.Value;
        await Same(q => q, _ => true);
        await Same(q => q with { RunIds = [run] }, f => f.RunId == run);
        await Same(q => q with { Keys = ["note"] }, f => f.Key == "note");
        await Same(
            q => q with { SourceTypes = ["api", "app"] },
            f => f.SourceType is "api" or "app"
        );
        await Same(q => q with { HasComment = true }, f => f.Comment is not null);
        await Same(q => q with { HasScore = false }, f => f.Score is null);
        await Same(
            q => q with { From = Start.AddSeconds(3_000) },
            f => f.CreatedAt >= Start.AddSeconds(3_000)
        );
        await Same(q => q with { IsOnRun = false }, _ => false);

        // The same id again replaces.
        var first = all[0] with
        {
            Score = 0.75,
            Comment = "again",
        };
        await GiveAsync(first);
        Assert.Equal(0.75, (await OneAsync(first.Id))?.Score);
        var changed = await Store.UpdateFeedbackAsync(
            Workspace,
            first.Id,
            f => f with { Comment = "changed" },
            Token
        );
        Assert.Equal("changed", changed?.Comment);
        Assert.Equal("changed", (await OneAsync(first.Id))?.Comment);
        Assert.True(await Store.DeleteFeedbackAsync(Workspace, first.Id, Token));
        Assert.False(await Store.DeleteFeedbackAsync(Workspace, first.Id, Token));
        Assert.Null(await OneAsync(first.Id));
        Assert.Null(await Store.UpdateFeedbackAsync(Workspace, first.Id, f => f, Token));

        async Task Same(Func<FeedbackQuery, FeedbackQuery> ask, Func<FeedbackRecord, bool> meets)
        {
            var query = new FeedbackQuery { WorkspaceId = Workspace, Limit = 1_000 };
            Assert.Equal(
                all.Where(meets).Select(f => f.Id).Order(),
                (await Store.FeedbackAsync(ask(query), Token)).Select(f => f.Id).Order()
            );
        }
    }

    [Fact]
    public async Task Feedback_may_come_before_its_run_and_may_be_about_a_project()
    {
        var id = Guid.CreateVersion7();
        await GiveAsync(Feedback(id, "early", 1), Feedback(null, "whole", 0.25));
        await PutAsync(Create(id));
        Assert.Equal(1, (await FindAsync(id))!.FeedbackStats["early"].Average);
        var projects = await Store.ProjectFeedbackAsync(Workspace, [Project], Token);
        Assert.Equal(0.25, projects[Project]["whole"].Average);
    }

    [Fact]
    public async Task Deleting_runs_keeps_the_rest_of_their_trace()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        await PutAsync(
            ids.Select(
                (id, i) =>
                    Create(
                        id,
                        r =>
                        {
                            r.TraceId = ids[0];
                            r.ParentRunId = i == 0 ? null : ids[i - 1];
                        }
                    )
            )
        );
        await GiveAsync(Feedback(ids[1], "k", 1));
        Assert.Equal(
            1,
            await Store.DeleteRunsAsync(Workspace, [ids[1], Guid.CreateVersion7()], Token)
        );
        Assert.Null(await FindAsync(ids[1]));
        var rest = await RunsAsync();
        Assert.Equal(
            [ids[0], ids[2]],
            rest.Select(r => r.Id).OrderBy(id => Array.IndexOf(ids, id))
        );
        Assert.All(rest, r => Assert.True(r.IsRoot));
        Assert.Empty(
            await Store.FeedbackAsync(
                new FeedbackQuery { WorkspaceId = Workspace, RunIds = [ids[1]] },
                Token
            )
        );
    }

    [Fact]
    public async Task Traces_and_projects_are_deleted_whole()
    {
        var sample = new SampleTraces(32, Project).Make(20);
        var other = Guid.CreateVersion7();
        var elsewhere = new SampleTraces(33, other).Make(5);
        await AppendAsync(Workspace, sample.Runs.Concat(elsewhere.Runs), []);
        var trace = sample.Runs[0].TraceId!.Value;
        var size = sample.Runs.Count(r => r.TraceId == trace);
        Assert.Equal(0, await Store.DeleteTracesAsync(Workspace, [trace], other, Token));
        Assert.Equal(size, await Store.DeleteTracesAsync(Workspace, [trace], Project, Token));
        Assert.Empty(await RunsAsync(Query() with { TraceId = trace }));
        Assert.Equal(
            sample.Runs.Count - size,
            await Store.DeleteProjectRunsAsync(Workspace, Project, Token)
        );
        Assert.Equal(elsewhere.Runs.Count, (await RunsAsync()).Count);
        await ReopenAsync();
        Assert.Equal(elsewhere.Runs.Count, (await RunsAsync()).Count);
        await Store.CompactAsync(Token);
        Assert.Equal(elsewhere.Runs.Count, (await RunsAsync()).Count);
    }

    [Fact]
    public async Task Old_traces_expire_errors_and_judged_ones_later()
    {
        var ids = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
        // Plain, failed, judged, and young.
        await PutAsync(
            ids.Select(
                (id, i) =>
                    Create(
                        id,
                        r =>
                        {
                            r.StartTime = i == 3 ? Start : Start.AddDays(-30);
                            r.Error = i == 1 ? "boom" : null;
                        }
                    )
            )
        );
        await GiveAsync(Feedback(ids[2], "k", 1));
        var request = new ExpireRequest
        {
            WorkspaceId = Workspace,
            ProjectId = Project,
            Before = Start.AddDays(-10),
            ErrorsBefore = Start.AddDays(-60),
            FeedbackBefore = Start.AddDays(-60),
        };
        Assert.Equal(1, await Store.ExpireAsync(request, Token));
        Assert.Equal(ids[1..].Order(), (await RunsAsync()).Select(r => r.Id).Order());
        Assert.Equal(
            1,
            await Store.ExpireAsync(request with { ErrorsBefore = Start.AddDays(-20) }, Token)
        );
        Assert.Equal(1, await Store.ExpireAsync(request with { FeedbackBefore = null }, Token));
        Assert.Equal(ids[3], Assert.Single(await RunsAsync()).Id);
    }

    [Fact]
    public async Task Nothing_of_another_workspace_is_seen_or_touched()
    {
        var foreign = Guid.CreateVersion7();
        var sample = new SampleTraces(34, Project).Make(10);
        await AppendAsync(Workspace, sample.Runs, sample.Feedback);
        var run = sample.Runs[0];
        var ask = new RunQuery { WorkspaceId = foreign, Limit = 100 };
        Assert.Empty(await RunsAsync(ask));
        Assert.Empty(await RunsAsync(ask with { RunIds = [run.RunId] }));
        Assert.Empty(await RunsAsync(ask with { ProjectIds = [Project] }));
        Assert.Null(await Store.FindAsync(foreign, run.RunId, Project, RunParts.All, Token));
        Assert.Empty(
            await Store.ReadTraceAsync(foreign, run.TraceId!.Value, Project, RunParts.None, Token)
        );
        Assert.Null(
            await Store.OpenPayloadAsync(foreign, run.RunId, Project, PayloadKind.Inputs, Token)
        );
        Assert.Equal(0, (await Store.StatsAsync(ask, Token)).RunCount);
        Assert.Empty(await Store.FacetsAsync(foreign, Project, null, null, 10, Token));
        Assert.Empty(await Store.FeedbackAsync(new FeedbackQuery { WorkspaceId = foreign }, Token));
        var feedback = sample.Feedback[0].Id;
        Assert.False(await Store.DeleteFeedbackAsync(foreign, feedback, Token));
        Assert.Null(await Store.UpdateFeedbackAsync(foreign, feedback, f => f, Token));
        Assert.Equal(0, await Store.DeleteRunsAsync(foreign, [run.RunId], Token));
        Assert.Equal(
            0,
            await Store.DeleteTracesAsync(foreign, [run.TraceId.Value], Project, Token)
        );
        Assert.Equal(0, await Store.DeleteProjectRunsAsync(foreign, Project, Token));
        Assert.Equal(
            0,
            await Store.ExpireAsync(
                new ExpireRequest
                {
                    WorkspaceId = foreign,
                    ProjectId = Project,
                    Before = DateTimeOffset.MaxValue,
                },
                Token
            )
        );

        // A change from there makes nothing here.
        await AppendAsync(foreign, [Update(run.RunId, r => r.Error = "foreign")], []);
        Assert.Equal(sample.Runs.Count, (await RunsAsync()).Count);
        Assert.NotEqual("foreign", (await FindAsync(run.RunId))?.Error);
    }

    private async Task<FeedbackRecord?> OneAsync(Guid id) =>
        (await Store.FeedbackAsync(new FeedbackQuery { WorkspaceId = Workspace, Id = id }, Token))
            is [var one]
            ? one
            : null;
}
