using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;
using Assay.Evaluation;
using Microsoft.Extensions.AI;

namespace Assay.Core.Evaluators.Judges;

/// <summary>A judge's prompt made executable: templates, variables, examples by people, the form of the answer. Immutable, thread-safe.</summary>
public sealed class JudgePrompt
{
    /// <summary>The longest question to a judge, in characters; more is no judgement any more but a bill.</summary>
    public const int MaxLength = 1_000_000;

    private readonly PromptVariant _variant;
    private readonly JudgeSettings _settings;

    private JudgePrompt(JudgeSettings settings, PromptVariant variant, string? commit)
    {
        _settings = settings;
        _variant = variant;
        Commit = commit;
        Sources = variant
            .Names.Select(n =>
                (Name: n, Source: settings.Mapping.GetValueOrDefault(n) ?? VariableSource.Usual(n))
            )
            .ToDictionary(
                s => s.Name,
                s => s.Source is { } text ? VariableSource.Parse(s.Name, text) : null,
                StringComparer.Ordinal
            );
    }

    /// <summary>The commit of a prompt of the hub; null for own messages.</summary>
    public string? Commit { get; }

    /// <summary>Each variable with its place in the row; null for one that is mapped to nothing.</summary>
    public IReadOnlyDictionary<string, VariableSource?> Sources { get; }

    /// <summary>Makes a prompt of settings and, for one of the hub, the commit's manifest.</summary>
    /// <exception cref="InvalidEvaluatorException">It cannot be executed; it says why.</exception>
    public static JudgePrompt Of(JudgeSettings settings, PromptCommit? commit)
    {
        try
        {
            var json = new JsonObject
            {
                ["provider"] = settings.Provider.ToString(),
                ["model"] = settings.Model,
                ["schema"] = JsonNode.Parse(settings.Verdict.Schema().GetRawText()),
            };
            if (settings.Parameters is { } parameters)
            {
                json["parameters"] = JsonNode.Parse(parameters.GetRawText());
            }

            if (settings.Hub is { } hub && commit is not null)
            {
                var pulled = ChatPrompt.FromManifest(JsonElement.Parse(commit.Manifest));
                json["format"] = pulled.Format == TemplateFormat.Mustache ? "mustache" : "f-string";
                json["messages"] = new JsonArray([
                    .. pulled.Messages.Select(m =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["role"] = m.Role,
                                ["content"] = JsonNode.Parse(m.Content.GetRawText()),
                            }
                    ),
                ]);
                json["partials"] = ChatPromptManifest.Partials(JsonElement.Parse(commit.Manifest));
                json["prompt"] = new JsonObject
                {
                    ["handle"] = hub.Handle,
                    ["commit"] = commit.Hash,
                };
            }
            else
            {
                json["format"] = settings.Format;
                json["messages"] = JsonNode.Parse(settings.Messages!.Value.GetRawText());
            }

            return new JudgePrompt(
                settings,
                PromptVariant.Read(JsonSerializer.SerializeToElement(json)),
                commit?.Hash
            );
        }
        catch (Exception e)
            when (e is InvalidVariantException or InvalidPromptException or TemplateException)
        {
            throw new InvalidEvaluatorException("messages", e.Message, e);
        }
    }

    /// <summary>What the judge has to look at beside inputs and outputs.</summary>
    public EvaluatorNeeds Needs =>
        Sources
            .Values.Select(s =>
                s?.Part switch
                {
                    "tool_calls" => EvaluatorNeeds.ToolCalls,
                    "documents" => EvaluatorNeeds.Documents,
                    _ => EvaluatorNeeds.None,
                }
            )
            .Aggregate(EvaluatorNeeds.None, (a, b) => a | b);

    /// <summary>The variables of a row, and for each that has no value why.</summary>
    public (IReadOnlyDictionary<string, JsonElement> Values, IReadOnlyList<string> Missing) Fill(
        EvaluationInput input
    )
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var (name, source) in Sources)
        {
            if (source?.Find(input) is { } value)
            {
                values[name] = value;
            }
            else if (source?.IsOptional == true)
            {
                values[name] = JsonSerializer.SerializeToElement("");
            }
            else
            {
                missing.Add(
                    source is null
                        ? $"{name} is mapped to nothing"
                        : $"{name} ({source.Text}) has no value here"
                );
            }
        }

        return (values, missing);
    }

    /// <summary>The call that asks for one verdict.</summary>
    /// <param name="values">The variables.</param>
    /// <param name="run">The run that is judged; examples about it are left out.</param>
    /// <param name="projectName">The project the call's run goes to.</param>
    /// <exception cref="InvalidEvaluatorException">The prompt cannot be rendered with these values.</exception>
    public ModelCall Render(
        IReadOnlyDictionary<string, JsonElement> values,
        Guid? run,
        string projectName
    )
    {
        try
        {
            var call = _variant.Render(values, projectName);
            var messages = new List<ChatMessage>();
            var asked = call.Messages.ToList();
            var first = asked.FindIndex(m => m.Role != ChatRole.System);
            messages.AddRange(first < 0 ? asked : asked.Take(first));
            foreach (var example in _settings.Examples.Where(e => run is null || e.Run != run))
            {
                messages.AddRange(
                    Question([
                        .. _variant
                            .Render(WithAll(example.Values), projectName)
                            .Messages.Where(m => m.Role != ChatRole.System),
                    ])
                );
                messages.Add(
                    new ChatMessage(
                        ChatRole.Assistant,
                        _settings.Verdict.Written(example.Verdict, example.Reason)
                    )
                );
            }

            messages.AddRange(Question(first < 0 ? [] : [.. asked.Skip(first)]));
            if (messages.Sum(m => (long)m.Text.Length) > MaxLength)
            {
                throw new InvalidEvaluatorException(
                    "inputs",
                    $"the question to the judge is longer than {MaxLength:N0} characters"
                );
            }

            return call with
            {
                Messages = messages,
            };
        }
        catch (InvalidVariantException e)
        {
            throw new InvalidEvaluatorException("messages", e.Message, e);
        }
    }

    /// <summary>Examples were taken with an earlier version's variables; what they do not know is empty.</summary>
    private Dictionary<string, JsonElement> WithAll(
        IReadOnlyDictionary<string, JsonElement> values
    ) =>
        Sources.Keys.ToDictionary(
            n => n,
            n =>
                values.TryGetValue(n, out var value)
                    ? value
                    : JsonSerializer.SerializeToElement(""),
            StringComparer.Ordinal
        );

    /// <summary>The question with what has to be answered, at its end: closest to where the model writes.</summary>
    private List<ChatMessage> Question(List<ChatMessage> messages)
    {
        var instruction = _settings.Verdict.Instruction();
        if (messages is not [.., { } last] || last.Role != ChatRole.User)
        {
            return [.. messages, new ChatMessage(ChatRole.User, instruction)];
        }

        ChatMessage with = last.Contents is [TextContent only]
            ? new(ChatRole.User, $"{only.Text}\n\n{instruction}")
            : new(ChatRole.User, [.. last.Contents, new TextContent(instruction)]);
        return [.. messages.SkipLast(1), with];
    }
}
