using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Core.Samples;

/// <summary>Makes runs of a sample: starts, ends, model calls, tools, feedback.</summary>
internal abstract class SampleRuns(Guid projectId, DateTimeOffset now)
{
    /// <summary>Seeded: the same sample every time.</summary>
    protected Random Random { get; } = new(48211);

    /// <summary>When the sample ends.</summary>
    protected DateTimeOffset Now => now;

    /// <summary>Pieces of runs.</summary>
    public List<RunWrite> Runs { get; } = [];

    /// <summary>Feedback on them.</summary>
    public List<FeedbackRecord> Feedback { get; } = [];

    protected DateTimeOffset Call(
        RunWrite parent,
        DateTimeOffset at,
        string question,
        params (string Name, string Arguments)[] calls
    )
    {
        var llm = Start(
            parent,
            "ChatOpenAI",
            RunKind.Llm,
            at.AddMilliseconds(2),
            Json(
                new
                {
                    model = "gpt-4.1",
                    temperature = 0.2,
                    tools = calls.Select(c => new
                    {
                        type = "function",
                        function = new { name = c.Name, parameters = new { type = "object" } },
                    }),
                    messages = Messages(("system", SampleText.System), ("user", question)),
                }
            )
        );
        llm.Model = "gpt-4.1";
        llm.Provider = "openai";
        llm.Usage = new TokenUsage
        {
            PromptTokens = 1_180 + Random.Next(300),
            CompletionTokens = 46,
            TotalTokens = 1_226,
            PromptDetails = new Dictionary<string, long> { ["cache_read"] = 896 },
        };
        llm.Usage = llm.Usage with
        {
            TotalTokens = llm.Usage.PromptTokens + llm.Usage.CompletionTokens,
        };
        var took = 700 + Random.Next(900);
        llm.FirstTokenTime = at.AddMilliseconds(took * 0.3);
        return End(
            llm,
            at.AddMilliseconds(took),
            Json(
                new
                {
                    choices = new[]
                    {
                        new
                        {
                            finish_reason = "tool_calls",
                            message = new
                            {
                                role = "assistant",
                                content = "I'll look up the order and check with the carrier.",
                                tool_calls = calls.Select(
                                    (c, i) =>
                                        new
                                        {
                                            id = $"call_{i + 1}Hq{c.Name.Length}",
                                            type = "function",
                                            function = new
                                            {
                                                name = c.Name,
                                                arguments = c.Arguments,
                                            },
                                        }
                                ),
                            },
                        },
                    },
                }
            )
        );
    }

    protected DateTimeOffset Llm(
        RunWrite parent,
        string name,
        string model,
        DateTimeOffset at,
        IReadOnlyList<(string, string)> messages,
        string answer,
        int prompt,
        int completion,
        bool stream,
        string? reasoning = null,
        int cached = 0,
        double scale = 1
    )
    {
        var llm = Start(
            parent,
            name,
            RunKind.Llm,
            at,
            Json(new { model, messages = Messages([.. messages]) })
        );
        llm.Model = model;
        llm.Provider = model.StartsWith("claude", StringComparison.Ordinal)
            ? "anthropic"
            : "openai";
        llm.Usage = new TokenUsage
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = prompt + completion,
            PromptDetails =
                cached > 0 ? new Dictionary<string, long> { ["cache_read"] = cached } : null,
        };
        var took = (260 + completion * 14 + Random.Next(500)) * scale;
        if (stream)
        {
            llm.FirstTokenTime = at.AddMilliseconds(took * 0.22);
            llm.Events = Json(
                new[]
                {
                    new
                    {
                        name = "new_token",
                        time = at.AddMilliseconds(took * 0.22),
                        kwargs = new { token = answer[..Math.Min(4, answer.Length)] },
                    },
                }
            );
        }

        return End(
            llm,
            at.AddMilliseconds(took),
            Json(
                new
                {
                    choices = new[]
                    {
                        new
                        {
                            finish_reason = "stop",
                            message = new
                            {
                                role = "assistant",
                                content = answer,
                                reasoning_content = reasoning,
                            },
                        },
                    },
                }
            )
        );
    }

    protected DateTimeOffset Tool(
        RunWrite parent,
        string name,
        DateTimeOffset at,
        object input,
        object output,
        int milliseconds,
        string? error
    )
    {
        var tool = Start(parent, name, RunKind.Tool, at, Json(input));
        return error is null
            ? End(tool, at.AddMilliseconds(milliseconds), Json(output))
            : Fail(tool, at.AddMilliseconds(milliseconds), error);
    }

    protected RunWrite Start(
        RunWrite? parent,
        string name,
        RunKind kind,
        DateTimeOffset at,
        Payload inputs
    )
    {
        var id = Guid.CreateVersion7(at);
        var run = new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = id,
            TraceId = parent?.TraceId ?? id,
            ParentRunId = parent?.RunId,
            ProjectId = projectId,
            ThreadId = parent?.ThreadId,
            Name = name,
            Kind = kind,
            StartTime = at,
            Inputs = inputs,
        };
        Runs.Add(run);
        return run;
    }

    protected static DateTimeOffset End(RunWrite run, DateTimeOffset at, Payload outputs)
    {
        run.EndTime = at;
        run.Outputs = outputs;
        return at;
    }

    protected static DateTimeOffset Fail(RunWrite run, DateTimeOffset at, string error)
    {
        run.EndTime = at;
        run.Error = error;
        return at;
    }

    protected void Judge(RunWrite run, string key, double score, string? comment, string source)
    {
        var at = run.EndTime ?? Now;
        Feedback.Add(
            new FeedbackRecord
            {
                Id = Guid.CreateVersion7(at),
                RunId = run.RunId,
                TraceId = run.TraceId,
                ProjectId = projectId,
                Key = key,
                Score = Math.Round(score, 2),
                Comment = comment,
                SourceType = source,
                CreatedAt = at,
                ModifiedAt = at,
            }
        );
    }

    protected static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    protected static object[] Messages(params (string Role, string Content)[] messages) =>
        [.. messages.Select(m => new { role = m.Role, content = m.Content })];

    protected static Payload Json<T>(T value) =>
        Payload.FromUtf8(JsonSerializer.SerializeToUtf8Bytes(value, s_options));

    private static readonly JsonSerializerOptions s_options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
