using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Fields;
using Assay.Server.Otlp.Mapping.Messages;
using Assay.Server.Otlp.Mapping.Sources;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// From a span of any emitter to what it says (<see cref="MappedSpan"/>): one function, pure and thread-safe, that never throws on what a
/// producer may send. Order of attributes does not matter. Which key is believed when several say different things stands in
/// <see cref="Precedence"/>; what is peculiar to an emitter stands in its file under <c>Sources</c>.
/// </summary>
public sealed class SpanMapper(UnrecognizedSpans unrecognized)
{
    /// <summary>Maps a span.</summary>
    /// <param name="resource">Its resource; an empty one when the request had none.</param>
    /// <param name="scope">Its instrumentation scope; an empty one when the request had none.</param>
    /// <param name="span">The span; its ids are not looked at. An empty one asks what the log records alone say.</param>
    /// <param name="logs">The log records of this span that have arrived so far, in any order.</param>
    public MappedSpan Map(
        Resource resource,
        InstrumentationScope scope,
        Span span,
        IReadOnlyList<LogRecord> logs
    )
    {
        var view = new SpanView(resource, scope, span, logs);
        var source = Identity.Source(view);
        var told = Identity.Kind(view);
        var kind = told ?? ByFigures(view);
        var inputs = First(view, kind, inputs: true);
        var outputs = First(view, kind, inputs: false);
        var isInfrastructure = source is null && told is null && Plumbing.IsOwn(view);
        var isRecognized =
            source is not null || told is not null || inputs is not null && !isInfrastructure;
        var (error, failed) = Failures.Read(view);
        var usage = Usage.Read(view, inputs, outputs);
        WarnOfLimits(view, outputs, kind);
        if (!isRecognized && !isInfrastructure && span.SpanId.Length > 0)
        {
            unrecognized.Count(scope.Name, view.Own.Keys);
            if (view.Own.Count > 0)
            {
                view.Warn(
                    $"Nothing in this span (scope \"{scope.Name}\") was recognized as work of a language model application; its attributes are kept as they came."
                );
            }
        }

        var responded = Model(view, outputs) ?? Genkit.Model(view);
        var requested =
            Plain(view.Text(Precedence.RequestedModel))
            ?? Plain(view.Json("llm.invocation_parameters").Text("model"))
            ?? Plain(inputs?.Talk?.Rest.Text("model"));
        var name = Identity.Name(view, kind);
        var (thread, user) = (Labels.Thread(view), Labels.User(view));
        var said = Labels.Tags(view);
        var tags = said;
        var provider =
            Providers.Normalize(view.Text(Precedence.Provider))
            ?? (
                kind is RunKind.Llm or RunKind.Embedding
                    ? Providers.Guess(responded ?? requested, view.Text("server.address"))
                    : null
            );
        var (environment, release) = (Labels.Environment(view), Labels.Release(view));
        var files = LangSmithSdk.Files(view);
        var invocation = Invocation.Read(view, inputs);
        var metadata = Labels.Metadata(view);
        AddKnown(
            metadata,
            ("thread_id", thread),
            ("user_id", user),
            ("environment", environment),
            ("release", release)
        );
        if (kind is RunKind.Llm or RunKind.Embedding)
        {
            AddKnown(
                metadata,
                ("ls_provider", provider),
                ("ls_model_name", requested ?? responded)
            );
        }

        AddKnown(
            metadata,
            (
                "finish_reason",
                FinishReasons.First(
                    view.Json("gen_ai.response.finish_reasons")
                        ?? view.Json("gen_ai.response.finish_reason")
                )
            ),
            (
                "prompt_name",
                view.Text([
                    "langfuse.observation.prompt.name",
                    "gen_ai.prompt.name",
                    "traceloop.prompt.key",
                    "prompt.id",
                ])
            ),
            (
                "prompt_version",
                view.Text([
                    "langfuse.observation.prompt.version",
                    "traceloop.prompt.version",
                    "llm.prompt_template.version",
                ])
            )
        );
        if (Langfuse.TypeTag(view) is { } type && !tags.Contains(type))
        {
            tags = [.. tags, type];
        }

        var input = Json(inputs, "input");
        var output = Json(outputs, "output");
        return new MappedSpan
        {
            Source = source?.Name ?? (isInfrastructure ? "infrastructure" : "generic"),
            IsRecognized = isRecognized,
            IsInfrastructure = isInfrastructure,
            IsRepetition = GoogleAdk.IsRepetition(view),
            Name = name,
            Kind = kind,
            Inputs = input,
            Outputs = output,
            Extra = SpanJson.Extra(
                view,
                metadata,
                invocation,
                source?.Name ?? "generic",
                isInfrastructure || GoogleAdk.IsRepetition(view)
            ),
            Events = SpanJson.Events(
                view,
                e => !view.AreEventsTaken || !MessageEvents.IsContent(e.Name)
            ),
            Model = responded ?? requested,
            RequestedModel = requested,
            Provider = provider,
            Usage = usage,
            FirstTokenTime = FirstToken.Read(view),
            ThreadId = thread,
            UserId = user,
            Tags = tags,
            Environment = environment,
            Release = release,
            Error = error,
            Failed = failed,
            Project = Identity.Project(view),
            Ids = Identity.Ids(view),
            Trace = Trace(view, thread, user, said),
            Pending = PydanticAi.Pending(view),
            Scores = Judgements.Read(view),
            Files = files,
            MediaIds = MediaIds(input, output) ?? [],
            ReferenceExampleId = Guid.TryParse(
                view.Text("langsmith.reference_example_id"),
                out var example
            )
                ? example
                : null,
            Warnings = view.Warnings,
        };
    }

    /// <summary>Nobody told the type: a model with figures or messages is a model call, everything else a step.</summary>
    private static RunKind ByFigures(SpanView span)
    {
        var hasModel =
            span.Text(Precedence.RespondedModel)
            ?? span.Text(Precedence.RequestedModel.AsSpan(0, 4));
        return
            hasModel is not null
            && (
                Precedence.PromptTokens.Any(span.Has)
                || span.HasPrefix("gen_ai.prompt")
                || span.HasPrefix("llm.input_messages")
                || span.Has("gen_ai.input.messages")
                || span.Span.Events.Any(e => MessageEvents.IsContent(e.Name))
            )
            ? RunKind.Llm
            : RunKind.Chain;
    }

    private static Content? First(SpanView span, RunKind kind, bool inputs)
    {
        foreach (var (input, output) in Precedence.Contents)
        {
            if ((inputs ? input : output)(span, kind) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static ReadOnlyMemory<byte>? Json(Content? content, string name) =>
        content is null ? (ReadOnlyMemory<byte>?)null : SpanJson.Payload(content, name);

    private static string? Model(SpanView span, Content? outputs) =>
        Plain(span.Text(Precedence.RespondedModel))
        ?? outputs?.Raw.Text("model", "modelVersion", "model_version");

    private static string? Plain(string? text) =>
        text is null ? null
        : Decoding.Unquote(text) is { Length: > 0 and <= 500 } name ? name
        : null;

    private static TraceValues Trace(
        SpanView span,
        string? thread,
        string? user,
        IReadOnlyList<string> tags
    )
    {
        var inputs = span.Json("langfuse.trace.input") ?? span.Json("mlflow.traceInputs");
        var outputs = span.Json("langfuse.trace.output") ?? span.Json("mlflow.traceOutputs");
        var values = new TraceValues
        {
            Name = span.Text("langfuse.trace.name"),
            ThreadId = thread,
            UserId = user,
            Tags = tags,
            Metadata = Labels.OfTrace(span),
            Inputs = inputs is null
                ? (ReadOnlyMemory<byte>?)null
                : SpanJson.Payload(inputs, "input"),
            Outputs = outputs is null
                ? (ReadOnlyMemory<byte>?)null
                : SpanJson.Payload(outputs, "output"),
            IsRoot = Langfuse.IsRoot(span),
        };
        return values;
    }

    private static void AddKnown(
        List<KeyValuePair<string, JsonNode?>> metadata,
        params ReadOnlySpan<(string Name, string? Value)> known
    )
    {
        foreach (var (name, value) in known)
        {
            if (value is not null && !metadata.Exists(m => m.Key == name))
            {
                metadata.Add(KeyValuePair.Create(name, (JsonNode?)JsonValue.Create(value)));
            }
        }
    }

    private static void WarnOfLimits(SpanView span, Content? outputs, RunKind kind)
    {
        var (attributes, events) = (span.Span.DroppedAttributesCount, span.Span.DroppedEventsCount);
        if (attributes > 0)
        {
            var isLost = outputs is null && kind is RunKind.Llm;
            span.Warn(
                $"The SDK dropped {attributes} attributes of this span{(isLost ? ", its outputs and token counts among them" : "")}: raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT (it kept {span.Span.Attributes.Count})."
            );
        }

        if (events > 0)
        {
            span.Warn(
                $"The SDK dropped {events} events of this span: raise OTEL_SPAN_EVENT_COUNT_LIMIT."
            );
        }
    }

    private static List<string>? MediaIds(
        ReadOnlyMemory<byte>? inputs,
        ReadOnlyMemory<byte>? outputs
    )
    {
        List<string>? ids = null;
        foreach (var payload in (ReadOnlySpan<ReadOnlyMemory<byte>?>)[inputs, outputs])
        {
            if (payload is { } json && json.Span.IndexOf("@@@langfuseMedia:"u8) >= 0)
            {
                Langfuse.AddMediaIds(System.Text.Encoding.UTF8.GetString(json.Span), ids ??= []);
            }
        }

        return ids;
    }
}
