using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Core.Access;

namespace Assay.Server.Tests.Evaluators;

/// <summary>Evaluators over LangSmith's platform routes.</summary>
public sealed class EvaluatorWireTests : IAsyncLifetime
{
    private const string All = "/v1/platform/evaluators";
    private readonly InProcessServer _server = new();
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _client = _server.Client(
            await _server.KeyAsync(await _server.FirstWorkspaceAsync(), KeyScope.Full)
        );

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_judge_is_a_prompt_of_the_hub_and_answers_by_its_schema()
    {
        await CommitAsync("support-judge");
        var (status, made) = await SendAsync(
            HttpMethod.Post,
            All,
            new
            {
                name = "Support judge",
                type = "llm",
                llm_evaluator = new
                {
                    prompt_repo_handle = "support-judge",
                    variable_mapping = new
                    {
                        question = "input.question",
                        answer = "output",
                        expected = "referenceOutput.answer",
                    },
                },
            }
        );
        Assert.Equal(HttpStatusCode.Created, status);
        var evaluator = made.GetProperty("evaluator");
        Assert.Equal("llm", evaluator.GetProperty("type").GetString());
        Assert.Equal("friendliness", evaluator.GetProperty("feedback_keys")[0].GetString());
        var mapping = evaluator.GetProperty("llm_evaluator").GetProperty("variable_mapping");
        Assert.Equal("inputs.question", mapping.GetProperty("question").GetString());
        Assert.Equal("reference.answer", mapping.GetProperty("expected").GetString());
        var id = evaluator.GetProperty("id").GetGuid();

        var (_, listed) = await SendAsync(
            HttpMethod.Get,
            $"{All}?name_contains=support&type=llm&limit=10",
            null
        );
        Assert.Equal(1, listed.GetProperty("total").GetInt32());
        Assert.Equal(id, listed.GetProperty("evaluators")[0].GetProperty("id").GetGuid());

        var (_, read) = await SendAsync(HttpMethod.Get, $"{All}/{id}", null);
        Assert.Equal(id, read.GetProperty("id").GetGuid());
        var (changed, after) = await SendAsync(
            HttpMethod.Patch,
            $"{All}/{id}",
            new
            {
                name = "Renamed",
                llm_evaluator = new { variable_mapping = new { question = "input" } },
            }
        );
        Assert.Equal(HttpStatusCode.OK, changed);
        Assert.Equal("Renamed", after.GetProperty("evaluator").GetProperty("name").GetString());

        var (taken, _) = await SendAsync(
            HttpMethod.Post,
            All,
            new
            {
                name = "Another",
                type = "llm",
                llm_evaluator = new { prompt_repo_handle = "support-judge" },
            }
        );
        Assert.Equal(HttpStatusCode.Conflict, taken);

        var unknown = Guid.NewGuid();
        var (_, deleted) = await SendAsync(
            HttpMethod.Delete,
            $"{All}?evaluator_ids={id}&evaluator_ids={unknown}",
            null
        );
        Assert.Equal(id, deleted.GetProperty("succeeded")[0].GetGuid());
        Assert.Equal(unknown, deleted.GetProperty("failed")[0].GetProperty("id").GetGuid());
        var (gone, _) = await SendAsync(HttpMethod.Get, $"{All}/{id}", null);
        Assert.Equal(HttpStatusCode.NotFound, gone);
    }

    [Theory]
    [InlineData("""{"type":"llm"}""", HttpStatusCode.UnprocessableEntity, "name")]
    [InlineData("""{"name":"x"}""", HttpStatusCode.UnprocessableEntity, "type")]
    [InlineData("""{"name":"x","type":"llm"}""", HttpStatusCode.UnprocessableEntity, "object")]
    [InlineData(
        """{"name":"x","type":"llm","llm_evaluator":{}}""",
        HttpStatusCode.UnprocessableEntity,
        "prompt_repo_handle"
    )]
    [InlineData(
        """{"name":"x","type":"llm","llm_evaluator":{"prompt_repo_handle":"none"}}""",
        HttpStatusCode.NotFound,
        "not found"
    )]
    [InlineData(
        """{"name":"x","type":"code","code_evaluator":{"code":"def f(): pass"}}""",
        HttpStatusCode.UnprocessableEntity,
        "javascript"
    )]
    [InlineData("[]", HttpStatusCode.UnprocessableEntity, "object")]
    public async Task What_cannot_be_made_is_refused_with_the_field(
        string body,
        HttpStatusCode status,
        string words
    )
    {
        using var content = new StringContent(body, null, "application/json");
        var answer = await _client.PostAsync(All, content, Cancel);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private async Task CommitAsync(string handle)
    {
        var (made, _) = await SendAsync(
            HttpMethod.Post,
            "/api/v1/repos",
            new { repo_handle = handle, is_public = false }
        );
        Assert.True((int)made is 200 or 201);
        object Template(string type, string text) =>
            new
            {
                lc = 1,
                type = "constructor",
                id = new[] { "langchain_core", "prompts", "chat", type },
                kwargs = new
                {
                    prompt = new
                    {
                        lc = 1,
                        type = "constructor",
                        id = new[] { "langchain_core", "prompts", "prompt", "PromptTemplate" },
                        kwargs = new
                        {
                            template = text,
                            template_format = "f-string",
                            input_variables = Array.Empty<string>(),
                        },
                    },
                },
            };
        var (committed, told) = await SendAsync(
            HttpMethod.Post,
            $"/api/v1/commits/-/{handle}",
            new
            {
                manifest = new
                {
                    lc = 1,
                    type = "constructor",
                    id = new[] { "langchain_core", "prompts", "structured", "StructuredPrompt" },
                    kwargs = new
                    {
                        messages = new[]
                        {
                            Template("SystemMessagePromptTemplate", "Judge friendliness."),
                            Template(
                                "HumanMessagePromptTemplate",
                                "{question} {answer} {expected}"
                            ),
                        },
                        schema_ = new
                        {
                            title = "grade",
                            type = "object",
                            properties = new
                            {
                                comment = new { type = "string" },
                                friendliness = new
                                {
                                    type = "integer",
                                    minimum = 1,
                                    maximum = 5,
                                },
                            },
                        },
                    },
                },
            }
        );
        Assert.True((int)committed is 200 or 201, told.GetRawText());
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpMethod method,
        string path,
        object? body
    )
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        var answer = await _client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        return (answer.StatusCode, text.Length > 0 ? JsonElement.Parse(text) : default);
    }
}
