using Assay.Core.Access;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;
using Assay.Core.Traces;
using Assay.Evaluation;
using Assay.Evaluation.Code;

namespace Assay.Core.Evaluators;

/// <summary>What an evaluator looks at beside inputs, outputs, reference and figures of a run.</summary>
[Flags]
public enum EvaluatorNeeds
{
    /// <summary>Nothing else.</summary>
    None = 0,

    /// <summary>The tool calls of the run.</summary>
    ToolCalls = 1,

    /// <summary>What was retrieved.</summary>
    Documents = 2,
}

/// <summary>Turns definitions into evaluators that run for a caller: its workspace's models, limits, traces. Thread-safe.</summary>
public sealed class EvaluatorFactory(
    EvaluatorCatalog catalog,
    ModelProviders providers,
    ModelCalls calls,
    ModelEmbeddings embeddings,
    PromptHistory prompts,
    PromptIncludes includes,
    TraceIngest ingest,
    VerdictCache cache,
    TimeProvider time
)
{
    /// <summary>Opens a stored evaluator; null when the workspace has none of that id and version.</summary>
    /// <param name="caller">For whom it runs.</param>
    /// <param name="id">The evaluator.</param>
    /// <param name="version">The version; null for the current one.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidEvaluatorException">It cannot run any more: its provider or prompt is gone.</exception>
    public async Task<OpenedEvaluator?> OpenAsync(
        Caller caller,
        Guid id,
        int? version,
        CancellationToken cancellationToken
    ) =>
        await catalog.FindAsync(caller, id, version, cancellationToken) is var (definition, stored)
            ? await OpenAsync(
                caller,
                new EvaluatorDraft
                {
                    Name = definition.Name,
                    FeedbackKey = definition.FeedbackKey,
                    Kind = definition.Kind,
                    SettingsJson = stored.SettingsJson,
                },
                definition,
                stored,
                cancellationToken
            )
            : null;

    /// <summary>Opens an evaluator that is not saved, for a preview; its verdicts are not kept.</summary>
    /// <exception cref="InvalidEvaluatorException">The draft makes no sense, or its provider or prompt is not there.</exception>
    public async Task<OpenedEvaluator> TryAsync(
        Caller caller,
        EvaluatorDraft draft,
        CancellationToken cancellationToken
    ) =>
        await OpenAsync(
            caller,
            draft with
            {
                SettingsJson = draft.Check(),
            },
            null,
            null,
            cancellationToken
        );

    private async Task<OpenedEvaluator> OpenAsync(
        Caller caller,
        EvaluatorDraft draft,
        EvaluatorDefinition? definition,
        EvaluatorVersion? version,
        CancellationToken cancellationToken
    )
    {
        var key = draft.FeedbackKey.Trim();
        switch (draft.Kind)
        {
            case EvaluatorKind.BuiltIn:
                var given = EvaluatorSettings.Read(draft.SettingsJson);
                if (
                    BuiltInEvaluators.ProviderOf(given) is { } asked
                    && await providers.FindAsync(caller, asked, cancellationToken)
                        is not { CanEmbed: true }
                )
                {
                    throw new InvalidEvaluatorException(
                        "provider",
                        "this workspace has no such provider of embeddings; choose another"
                    );
                }

                return new OpenedEvaluator(
                    BuiltInEvaluators.Build(given, key, Embedding(caller, draft.Name.Trim()))
                )
                {
                    Definition = definition,
                    Version = version,
                    Needs = BuiltInEvaluators.NeedsOf(given),
                };
            case EvaluatorKind.Judge:
                var settings = JudgeSettings.Read(draft.SettingsJson);
                var provider =
                    await providers.FindAsync(caller, settings.Provider, cancellationToken)
                    ?? throw new InvalidEvaluatorException(
                        "provider",
                        "this workspace has no such model provider; choose another"
                    );
                var prompt = JudgePrompt.Of(
                    settings,
                    await CommitAsync(caller, settings.Hub, cancellationToken)
                );
                return new OpenedEvaluator(
                    new Judge(
                        settings,
                        prompt,
                        new JudgeIdentity(
                            definition?.Id,
                            version?.Number ?? 0,
                            draft.Name.Trim(),
                            key
                        ),
                        provider,
                        caller,
                        calls,
                        ingest,
                        cache,
                        time
                    )
                )
                {
                    Definition = definition,
                    Version = version,
                    Needs = prompt.Needs,
                    Judge = settings,
                    Prompt = prompt,
                };
            case EvaluatorKind.Code:
                try
                {
                    return new OpenedEvaluator(
                        new CodeEvaluator(EvaluatorSettings.Code(draft.SettingsJson), key)
                    )
                    {
                        Definition = definition,
                        Version = version,
                        Needs = EvaluatorNeeds.ToolCalls | EvaluatorNeeds.Documents,
                    };
                }
                catch (FormatException e)
                {
                    throw new InvalidEvaluatorException("code", e.Message, e);
                }

            default:
                throw new InvalidEvaluatorException(
                    "kind",
                    "this server runs built-in evaluators, judges and code"
                );
        }
    }

    private Embed Embedding(Caller caller, string name) =>
        (provider, model, texts, cancellationToken) =>
            embeddings.EmbedAsync(
                caller,
                new EmbeddingCall
                {
                    ProviderId = provider,
                    Model = model,
                    Texts = texts,
                    ProjectName = Judge.Project,
                    RunName = name,
                },
                cancellationToken
            );

    private async Task<PromptCommit?> CommitAsync(
        Caller caller,
        HubPrompt? hub,
        CancellationToken cancellationToken
    )
    {
        if (hub is null)
        {
            return null;
        }

        try
        {
            var key = new PromptKey(PromptHub.Self, hub.Handle);
            return await includes.ResolveAsync(
                caller,
                key,
                await prompts.PullAsync(
                    caller,
                    key,
                    hub.Commit is { Length: > 0 } commit ? commit : "latest",
                    cancellationToken
                ),
                cancellationToken
            );
        }
        catch (Exception e) when (e is PromptNotFoundException or InvalidPromptException)
        {
            throw new InvalidEvaluatorException("hub", e.Message, e);
        }
    }
}

/// <summary>An evaluator that is ready to run for one caller. Thread-safe.</summary>
public sealed class OpenedEvaluator(IEvaluator inner) : IEvaluator
{
    /// <summary>The definition; null for one that is not saved.</summary>
    public EvaluatorDefinition? Definition { get; init; }

    /// <summary>Its version; null for one that is not saved.</summary>
    public EvaluatorVersion? Version { get; init; }

    /// <summary>What it looks at beside the usual.</summary>
    public EvaluatorNeeds Needs { get; init; }

    /// <summary>Its settings, when it is a judge.</summary>
    public JudgeSettings? Judge { get; init; }

    /// <summary>Its prompt, when it is a judge.</summary>
    public JudgePrompt? Prompt { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys => inner.Keys;

    /// <inheritdoc/>
    public ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    ) => inner.EvaluateAsync(input, cancellationToken);
}
