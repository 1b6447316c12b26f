using System.Text.Json;
using Assay.Server.Tests;

namespace Assay.UI.Tests;

/// <summary>Prompts that several tests look at and none changes.</summary>
internal static class SampleHub
{
    public const string Name = "sample-prompt";

    /// <summary>A prompt with two commits, tags, a roll-out, a remark and a webhook that nobody answers; returns the webhook.</summary>
    public static async Task<Guid> MakeAsync(RunningServer server)
    {
        var prompt = await MakeAsync(
            server,
            Name,
            "Answers what customers ask",
            "# What for\n\nThe chat on the website.",
            ["support"]
        );
        var webhook = await server.JsonAsync(
            HttpMethod.Post,
            "/api/v1/prompt-webhooks",
            new { url = "http://127.0.0.1:9/hook", include_prompts = new[] { prompt } }
        );
        var first = await CommitAsync(server, Name, "You answer in a {tone} tone.", "first words");
        var second = await CommitAsync(
            server,
            Name,
            "You answer in a {tone} tone and never guess.",
            "no guesses"
        );
        await TagAsync(server, Name, "production", first);
        await TagAsync(server, Name, "staging", second);
        await TagAsync(server, Name, "canary", second);
        await server.JsonAsync(
            HttpMethod.Put,
            $"/api/v1/repos/-/{Name}/tags/staging/rollout",
            new { commit_id = first, percent = 25 }
        );
        await server.JsonAsync(
            HttpMethod.Post,
            $"/api/v1/comments/-/{Name}",
            new { content = "Why **never**?" }
        );
        return webhook.GetProperty("id").GetGuid();
    }

    /// <summary>A prompt whose every text is too long, with as many tags as anybody has.</summary>
    public static async Task MakeUglyAsync(RunningServer server, string name)
    {
        var words =
            $"كيف حالك؟ 👩‍👩‍👧‍👦 {string.Concat(Enumerable.Repeat("without-a-space", 20))}";
        await MakeAsync(
            server,
            name,
            words,
            $"| a | b |\n|---|---|\n| {new string('c', 300)} | مرحبا |",
            [.. Enumerable.Range(0, 40).Select(i => $"topic-{i}-🏷️-{new string('x', i)}")]
        );
        var last = Guid.Empty;
        for (var i = 0; i < 30; i++)
        {
            last = await CommitAsync(server, name, $"{{name_{i}}} {words}", words + i);
        }

        for (var i = 0; i < 40; i++)
        {
            await TagAsync(server, name, $"tag-{i}-{new string('t', 2 * i)}", last);
        }

        await TagAsync(server, name, "staging", last);
        await server.JsonAsync(
            HttpMethod.Post,
            $"/api/v1/comments/-/{name}",
            new { content = new string('w', 600) + words }
        );
    }

    private static async Task<Guid> MakeAsync(
        RunningServer server,
        string name,
        string description,
        string readme,
        string[] topics
    ) => (
            await server.JsonAsync(
                HttpMethod.Post,
                "/api/v1/repos",
                new
                {
                    repo_handle = name,
                    is_public = false,
                    description,
                    readme,
                    tags = topics,
                }
            )
        ).GetProperty("repo").GetProperty("id").GetGuid();

    private static async Task<Guid> CommitAsync(
        RunningServer server,
        string name,
        string text,
        string description
    ) =>
        (
            await server.JsonAsync(
                HttpMethod.Post,
                $"/api/v1/commits/-/{name}",
                new
                {
                    manifest = new
                    {
                        id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                        kwargs = new { template = text },
                    },
                    description,
                }
            )
        )
            .GetProperty("commit")
            .GetProperty("id")
            .GetGuid();

    private static Task<JsonElement> TagAsync(
        RunningServer server,
        string name,
        string tag,
        Guid commit
    ) =>
        server.JsonAsync(
            HttpMethod.Post,
            $"/api/v1/repos/-/{name}/tags",
            new { tag_name = tag, commit_id = commit }
        );
}
