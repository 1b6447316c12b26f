using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Traces;
using Assay.Evaluation;

namespace Assay.Core.Evaluators;

/// <summary>Builds what evaluators look at from runs and examples. Thread-safe.</summary>
public sealed class EvaluationInputs(TraceQueries queries)
{
    /// <summary>The most child runs that are read for tool calls and documents.</summary>
    public const int MaxSteps = 500;

    private static readonly string[] s_expectedCalls =
    [
        "tool_calls",
        "expected_tool_calls",
        "trajectory",
    ];

    // What a run without retrievers was given to read; its "output" is its answer and no document.
    private static readonly string[] s_context = ["documents", "context", "contexts"];

    private static readonly string[] s_retrieved = [.. s_context, "output"];

    private static readonly string[] s_relevant =
    [
        "relevant_documents",
        "relevant_ids",
        "documents",
    ];

    /// <summary>
    /// A row: the example's inputs (or the run's own) and outputs as reference, the run's outputs and figures. Expected tool calls are read from the
    /// example's outputs under <c>tool_calls</c>, <c>expected_tool_calls</c> or <c>trajectory</c>; relevant documents under
    /// <c>relevant_documents</c>, <c>relevant_ids</c> or <c>documents</c>.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="run">The run, with inputs and outputs (<see cref="RunParts.Inputs"/>, <see cref="RunParts.Outputs"/>).</param>
    /// <param name="example">The example it answered, if any.</param>
    /// <param name="needs">What else is wanted.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<EvaluationInput> OfAsync(
        Caller caller,
        Run run,
        Example? example,
        EvaluatorNeeds needs,
        CancellationToken cancellationToken
    )
    {
        var steps =
            needs == EvaluatorNeeds.None
                ? []
                : await StepsAsync(caller, run, needs, cancellationToken);
        return Of(
            run.Id,
            example,
            Json(run, PayloadKind.Inputs),
            Json(run, PayloadKind.Outputs),
            FactsOf(run),
            steps,
            needs
        );
    }

    /// <summary>
    /// A row whose answer is at hand and has no tool or retriever below it: what reading its run back would give, without reading it.
    /// </summary>
    /// <param name="runId">The run that has the answer.</param>
    /// <param name="example">The example it answered; its inputs are the run's.</param>
    /// <param name="outputs">The answer.</param>
    /// <param name="facts">Figures of the run.</param>
    /// <param name="needs">What else is wanted.</param>
    public static EvaluationInput OfAnswer(
        Guid runId,
        Example example,
        JsonElement outputs,
        RunFacts facts,
        EvaluatorNeeds needs
    ) => Of(runId, example, Json(example.InputsJson), outputs, facts, [], needs);

    private static EvaluationInput Of(
        Guid runId,
        Example? example,
        JsonElement? inputs,
        JsonElement? outputs,
        RunFacts facts,
        IReadOnlyList<Run> steps,
        EvaluatorNeeds needs
    )
    {
        var reference = Json(example?.OutputsJson);
        return new EvaluationInput
        {
            Inputs = Json(example?.InputsJson) ?? inputs,
            Outputs = outputs,
            ReferenceOutputs = reference,
            RunId = runId,
            ExampleId = example?.Id,
            Facts = facts,
            ToolCalls = needs.HasFlag(EvaluatorNeeds.ToolCalls) ? Calls(steps, outputs) : null,
            ReferenceToolCalls = ReferenceCalls(reference),
            Documents = needs.HasFlag(EvaluatorNeeds.Documents)
                ? Documents(steps, outputs, inputs)
                : null,
            RelevantDocuments = Relevant(reference),
        };
    }

    private static RunFacts FactsOf(Run run) =>
        new()
        {
            Latency = run.Latency,
            TimeToFirstToken = run.FirstTokenLatency,
            UsDollars = run.Totals.TotalCost > 0 ? run.Totals.TotalCost : run.Cost?.Total,
            InputTokens =
                run.Totals.TotalTokens > 0 ? run.Totals.PromptTokens : run.Usage?.PromptTokens,
            OutputTokens =
                run.Totals.TotalTokens > 0
                    ? run.Totals.CompletionTokens
                    : run.Usage?.CompletionTokens,
            Error = run.Error,
        };

    private async Task<IReadOnlyList<Run>> StepsAsync(
        Caller caller,
        Run run,
        EvaluatorNeeds needs,
        CancellationToken cancellationToken
    )
    {
        var below = (
            await queries.ReadTraceAsync(
                caller,
                run.TraceId,
                run.ProjectId,
                RunParts.None,
                cancellationToken
            )
        )
            .Where(r =>
                (r.Kind == RunKind.Tool && needs.HasFlag(EvaluatorNeeds.ToolCalls))
                || (r.Kind == RunKind.Retriever && needs.HasFlag(EvaluatorNeeds.Documents))
            )
            .Where(r => r.DottedOrder.StartsWith(run.DottedOrder, StringComparison.Ordinal))
            .Take(MaxSteps)
            .Select(r => r.Id)
            .ToList();
        if (below.Count == 0)
        {
            return [];
        }

        var read = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [run.ProjectId],
                RunIds = below,
                Limit = below.Count,
                Parts = RunParts.Inputs | RunParts.Outputs,
            },
            cancellationToken
        );
        var order = below.Select((id, i) => (id, i)).ToDictionary(p => p.id, p => p.i);
        return [.. read.Runs.OrderBy(r => order.GetValueOrDefault(r.Id))];
    }

    private static List<ToolCall> Calls(IReadOnlyList<Run> steps, JsonElement? outputs)
    {
        var ran = steps
            .Where(r => r.Kind == RunKind.Tool)
            .Select(r => new ToolCall(r.Name, Json(r, PayloadKind.Inputs)))
            .ToList();
        if (ran.Count > 0 || outputs is not { } said)
        {
            return ran;
        }

        // An application that only asks for tools and does not run them has them in its messages.
        return
        [
            .. Objects(said, 0)
                .Select(o => Member(o, "tool_calls"))
                .Where(c => c is { ValueKind: JsonValueKind.Array })
                .SelectMany(c => c!.Value.EnumerateArray())
                .Select(Call)
                .OfType<ToolCall>(),
        ];
    }

    private static IEnumerable<JsonElement> Objects(JsonElement json, int depth)
    {
        if (depth > 6)
        {
            return [];
        }

        return json.ValueKind switch
        {
            JsonValueKind.Object => json.EnumerateObject()
                .SelectMany(p => Objects(p.Value, depth + 1))
                .Prepend(json),
            JsonValueKind.Array => json.EnumerateArray().SelectMany(e => Objects(e, depth + 1)),
            _ => [],
        };
    }

    private static List<ToolCall>? ReferenceCalls(JsonElement? reference) =>
        Named(reference, s_expectedCalls) is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Select(Call).OfType<ToolCall>()]
            : null;

    private static ToolCall? Call(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String)
        {
            return new ToolCall(json.GetString()!);
        }

        var function = Member(json, "function") is { ValueKind: JsonValueKind.Object } f ? f : json;
        if (Member(function, "name") is not { ValueKind: JsonValueKind.String } name)
        {
            return null;
        }

        var arguments =
            Member(function, "arguments") ?? Member(function, "args") ?? Member(function, "input");
        return new ToolCall(
            name.GetString()!,
            arguments is { ValueKind: JsonValueKind.String } text
                ? Json(text.GetString()) ?? arguments
                : arguments
        );
    }

    private static List<RetrievedDocument>? Documents(
        IReadOnlyList<Run> steps,
        JsonElement? outputs,
        JsonElement? inputs
    )
    {
        var found = steps
            .Where(r => r.Kind == RunKind.Retriever)
            .Select(r => Json(r, PayloadKind.Outputs))
            .OfType<JsonElement>()
            .SelectMany(d => List(d, s_retrieved))
            .ToList();
        if (found.Count == 0)
        {
            foreach (var side in (JsonElement?[])[outputs, inputs])
            {
                found = [.. List(side ?? default, s_context)];
                if (found.Count > 0)
                {
                    break;
                }
            }
        }

        return found.Count == 0 ? null : [.. found.Select(Document)];
    }

    private static IEnumerable<JsonElement> List(JsonElement json, string[] names) =>
        json.ValueKind == JsonValueKind.Array
            ? json.EnumerateArray()
            : Named(json.ValueKind == JsonValueKind.Object ? json : null, names) switch
            {
                { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
                { ValueKind: JsonValueKind.String } text => [text],
                _ => [],
            };

    private static RetrievedDocument Document(JsonElement json, int index)
    {
        if (json.ValueKind == JsonValueKind.String)
        {
            return new RetrievedDocument(Number(index), json.GetString());
        }

        var metadata = Member(json, "metadata");
        var id =
            Text(json, "id")
            ?? (metadata is { } m ? Text(m, "id") ?? Text(m, "source") : null)
            ?? Number(index);
        var text =
            Text(json, "page_content")
            ?? Text(json, "content")
            ?? Text(json, "text")
            ?? json.GetRawText();
        return new RetrievedDocument(id, text);
    }

    private static List<RelevantDocument>? Relevant(JsonElement? reference) =>
        Named(reference, s_relevant) is { ValueKind: JsonValueKind.Array } list
            ?
            [
                .. list.EnumerateArray()
                    .Select(d =>
                        d.ValueKind switch
                        {
                            JsonValueKind.String => new RelevantDocument(d.GetString()!),
                            JsonValueKind.Object when Text(d, "id") is { } id =>
                                new RelevantDocument(
                                    id,
                                    Member(d, "gain") is { ValueKind: JsonValueKind.Number } gain
                                        ? gain.GetDouble()
                                        : 1
                                ),
                            _ => null,
                        }
                    )
                    .OfType<RelevantDocument>(),
            ]
            : null;

    private static JsonElement? Named(JsonElement? json, string[] names) =>
        json is { } value
            ? names.Select(n => Member(value, n)).FirstOrDefault(m => m is not null)
            : null;

    private static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : null;

    private static string? Text(JsonElement json, string name) =>
        Member(json, name) switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
            _ => null,
        };

    private static string Number(int index) => (index + 1).ToString(CultureInfo.InvariantCulture);

    private static JsonElement? Json(Run run, PayloadKind kind)
    {
        if (!run.Payloads.TryGetValue(kind, out var bytes))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = 256 });
            return JsonElement.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement? Json(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
