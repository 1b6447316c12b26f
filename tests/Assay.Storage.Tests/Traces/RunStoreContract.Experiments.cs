using Assay.Core.Experiments;

namespace Assay.Storage.Tests.Traces;

public abstract partial class RunStoreContract
{
    [Fact]
    public async Task Figures_of_an_experiment_are_those_of_now_however_often_they_were_read()
    {
        var (example, first, second) = (
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            Guid.CreateVersion7()
        );
        await PutAsync(
            Create(first, r => r.ReferenceExampleId = example),
            // A run that is no root and one that belongs to no example do not count.
            Create(Guid.CreateVersion7(), r => r.ParentRunId = first),
            Create(Guid.CreateVersion7())
        );
        Assert.Equal([first], (await FiguresAsync()).Runs.Select(r => r.RunId));

        // A score that names only its run; a comparative one is no score of the experiment.
        var late = Feedback(first, "correct", 1);
        await GiveAsync(
            late,
            Feedback(
                first,
                "preferred",
                1,
                f => f with { ComparativeExperimentId = Guid.CreateVersion7() }
            )
        );
        await ScoresAsync("correct", 1);

        var half = Feedback(first, "correct", 0, f => f with { ProjectId = Project });
        await GiveAsync(half);
        await ScoresAsync("correct", 0.5);
        await Store.UpdateFeedbackAsync(Workspace, half.Id, f => f with { Score = 0.5 }, Token);
        await ScoresAsync("correct", 0.75);
        Assert.True(await Store.DeleteFeedbackAsync(Workspace, late.Id, Token));
        await ScoresAsync("correct", 0.5);

        await PutAsync(
            Update(first, r => r.EndTime = Start.AddSeconds(3)),
            Create(second, r => r.ReferenceExampleId = example)
        );
        var figures = await FiguresAsync();
        Assert.Equal(2, figures.Runs.Count);
        Assert.Equal(3, figures.Runs.Single(r => r.RunId == first).Latency);

        // Another workspace sees nothing of it, nor does what it sends change anything here.
        var elsewhere = Guid.CreateVersion7();
        await AppendAsync(elsewhere, [], [Feedback(first, "correct", 0)]);
        Assert.Empty((await Store.ExperimentFiguresAsync(elsewhere, Project, Token)).Runs);
        await ScoresAsync("correct", 0.5);

        await Store.DeleteRunsAsync(Workspace, [first], Token);
        Assert.Equal([second], (await FiguresAsync()).Runs.Select(r => r.RunId));
        Assert.Empty((await FiguresAsync()).Keys);
        await Store.DeleteProjectRunsAsync(Workspace, Project, Token);
        Assert.Empty((await FiguresAsync()).Runs);

        async Task ScoresAsync(string key, double expected)
        {
            // Twice: what is answered from memory must say the same.
            for (var i = 0; i < 2; i++)
            {
                var now = await FiguresAsync();
                Assert.Equal([key], now.Keys);
                Assert.Equal(expected, now.Runs.Single(r => r.RunId == first).Scores[0], 9);
            }
        }
    }

    [Fact]
    public async Task Figures_read_while_scores_arrive_end_with_all_of_them()
    {
        var runs = Enumerable.Range(0, 200).Select(_ => Guid.CreateVersion7()).ToList();
        await PutAsync(
            runs.Select(id => Create(id, r => r.ReferenceExampleId = Guid.CreateVersion7()))
        );
        using var done = new CancellationTokenSource();
        var reading = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    _ = await FiguresAsync();
                }
            },
            Token
        );
        for (var i = 0; i < runs.Count; i += 10)
        {
            await GiveAsync(runs.Skip(i).Take(10).Select(r => Feedback(r, "k", 1)));
            Assert.Equal(
                i + 10,
                (await FiguresAsync()).Runs.Count(r => r.Scores.Length == 1 && r.Scores[0] == 1)
            );
        }

        await done.CancelAsync();
        await reading;
    }

    private Task<ExperimentFigures> FiguresAsync() =>
        Store.ExperimentFiguresAsync(Workspace, Project, Token);
}
