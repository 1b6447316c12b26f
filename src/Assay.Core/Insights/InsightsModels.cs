using Assay.Core.Access;
using Assay.Core.Models.Providers;

namespace Assay.Core.Insights;

/// <summary>Finds the models of a report. Thread-safe.</summary>
public sealed class InsightsModels(ModelProviders providers, WorkspaceSecrets secrets)
{
    private const string OpenAI = "openai";
    private const string Anthropic = "anthropic";

    /// <summary>A model of one of the workspace's providers, by id.</summary>
    /// <exception cref="InvalidInsightsException">There is no such provider, or no model is named.</exception>
    public async Task<InsightsModel> OfAsync(
        Caller caller,
        Guid providerId,
        string? model,
        CancellationToken cancellationToken
    )
    {
        var provider =
            await providers.FindAsync(caller, providerId, cancellationToken)
            ?? throw new InvalidInsightsException("model", "this workspace has no such provider");
        return Of(provider, model);
    }

    /// <summary>
    /// A model as LangSmith's clients ask for it: a maker (<c>openai</c>, <c>anthropic</c>), or a name. A name may be <c>provider/model</c>
    /// with the name of one of the workspace's providers (<c>simulated/sim-chat</c>), or a model of the maker.
    /// </summary>
    /// <exception cref="InvalidInsightsException">The workspace has no such provider.</exception>
    public async Task<InsightsModel> AskedForAsync(
        Caller caller,
        string maker,
        string? name,
        CancellationToken cancellationToken
    )
    {
        if (maker is not (OpenAI or Anthropic))
        {
            throw new InvalidInsightsException("model", $"must be {OpenAI} or {Anthropic}");
        }

        var all = await providers.ListAsync(caller, cancellationToken);
        if (
            name?.Split('/', 2) is [var who, var which]
            && all.FirstOrDefault(p =>
                string.Equals(p.Name, who, StringComparison.OrdinalIgnoreCase)
            )
                is { } named
        )
        {
            return Of(named, which);
        }

        var usual = maker == OpenAI ? "gpt-4.1-mini" : "claude-haiku-4-5";
        var provider =
            all.FirstOrDefault(p => p.PricedAs == maker)
            ?? await WithSecretAsync(caller, maker, usual, cancellationToken)
            ?? throw new InvalidInsightsException(
                "model",
                $"this workspace has no provider for {maker}; an admin adds one under Settings, Model providers. To use another, name it in summary_model and cluster_model as provider/model (simulated/sim-chat works without any)"
            );
        return Of(provider, name ?? (provider.Models.Count == 0 ? usual : null));
    }

    /// <summary>Clients store the maker's key as a secret and expect that to be enough.</summary>
    private async Task<ModelProvider?> WithSecretAsync(
        Caller caller,
        string maker,
        string model,
        CancellationToken cancellationToken
    )
    {
        var (secret, name, kind) =
            maker == OpenAI
                ? ("OPENAI_API_KEY", "OpenAI", ProviderKind.OpenAI)
                : ("ANTHROPIC_API_KEY", "Anthropic", ProviderKind.Anthropic);
        if (
            !caller.May(Permission.Manage)
            || await secrets.FindAsync(caller.WorkspaceId, secret, cancellationToken) is null
        )
        {
            return null;
        }

        try
        {
            return await providers.PutAsync(
                caller,
                null,
                new ProviderDraft
                {
                    Name = name,
                    Kind = kind,
                    SecretName = secret,
                    Models = [model],
                },
                cancellationToken
            );
        }
        catch (InvalidProviderException)
        {
            // Another provider has that name already; a person has to say what is meant.
            return null;
        }
    }

    private static InsightsModel Of(ModelProvider provider, string? model) =>
        new(
            provider.Id,
            provider.Name,
            model is { Length: > 0 and <= 200 } ? model
                : model is null or "" && provider.Models is [var first, ..] ? first
                : throw new InvalidInsightsException(
                    "model",
                    $"name a model of the provider '{provider.Name}', of at most 200 characters"
                ),
            provider.PricedAs
        );
}
