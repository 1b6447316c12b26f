using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Text.Json;
using Anthropic;
using Assay.Core.Models.Providers;
using Assay.Gateway.Outbound;
using Assay.Gateway.Simulation;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Http.Resilience;
using OllamaSharp;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using Polly;

namespace Assay.Gateway.Providers;

/// <summary>Clients of the makers' own libraries over one guarded, retrying HTTP pipeline. Thread-safe.</summary>
public sealed class ModelClients(SafeHttp http, TimeProvider time) : IModelClients
{
    private const string OpenAIAddress = "https://api.openai.com/v1";
    private const string AnthropicAddress = "https://api.anthropic.com";
    private const string AnthropicVersion = "2023-06-01";

    // Libraries refuse to be made without a key; servers that need none ignore this one.
    private const string NoKey = "none";

    /// <inheritdoc/>
    public IChatClient Open(ModelProvider provider, string? key, string model)
    {
        if (provider.Kind == ProviderKind.Simulated)
        {
            return new SimulatedChatClient(model, time);
        }

        return Open(
            provider,
            client => new FaultTranslation(
                Chat(provider, key, model, client),
                provider.Name,
                client
            )
        );
    }

    /// <inheritdoc/>
    public IEmbeddingGenerator<string, Embedding<float>> OpenEmbeddings(
        ModelProvider provider,
        string? key,
        string model
    ) =>
        provider.Kind switch
        {
            ProviderKind.Simulated => new SimulatedEmbeddings(),
            ProviderKind.Anthropic => throw new ModelCallException(
                ModelCallFailure.BadRequest,
                $"'{provider.Name}' speaks Anthropic's dialect, which has no embeddings."
            ),
            _ => Open(
                provider,
                client => new EmbeddingFaults(
                    Embeddings(provider, key, model, client),
                    provider.Name,
                    client
                )
            ),
        };

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListModelsAsync(
        ModelProvider provider,
        string? key,
        CancellationToken cancellationToken
    )
    {
        if (provider.Kind == ProviderKind.Simulated)
        {
            return provider.Models;
        }

        using var client = Client(provider);
        using var request = new HttpRequestMessage(HttpMethod.Get, ModelsAddress(provider));
        switch (provider.Kind)
        {
            case ProviderKind.Anthropic:
                request.Headers.Add("x-api-key", key);
                request.Headers.Add("anthropic-version", AnthropicVersion);
                break;
            case ProviderKind.OpenAI or ProviderKind.OpenAIResponses when key is not null:
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                break;
        }

        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var json = await JsonDocument.ParseAsync(
                body,
                cancellationToken: cancellationToken
            );
            return Names(json.RootElement);
        }
        catch (Exception e)
            when (!cancellationToken.IsCancellationRequested && e is not OutOfMemoryException)
        {
            throw FaultTranslation.Translate(e, provider.Name);
        }
    }

    private T Open<T>(ModelProvider provider, Func<HttpClient, T> make)
    {
        var client = Client(provider);
        try
        {
            return make(client);
        }
        catch (Exception e) when (e is ArgumentException or UriFormatException)
        {
            client.Dispose();
            throw new ModelCallException(
                ModelCallFailure.BadRequest,
                $"'{provider.Name}' is not usable as configured: {e.Message}",
                null,
                e
            );
        }
    }

    private static IEmbeddingGenerator<string, Embedding<float>> Embeddings(
        ModelProvider provider,
        string? key,
        string model,
        HttpClient client
    ) =>
        provider.Kind == ProviderKind.Ollama
            ? Ollama(provider, model, client)
            : new EmbeddingClient(
                model,
                new ApiKeyCredential(key ?? NoKey),
                OpenAIOptions(provider, client)
            ).AsIEmbeddingGenerator();

    private static OllamaApiClient Ollama(ModelProvider provider, string model, HttpClient client)
    {
        client.BaseAddress = new Uri(provider.BaseUrl!.TrimEnd('/') + "/");
        return new OllamaApiClient(client, model);
    }

    private static IChatClient Chat(
        ModelProvider provider,
        string? key,
        string model,
        HttpClient client
    )
    {
        switch (provider.Kind)
        {
            case ProviderKind.Anthropic:
                return new AnthropicClient
                {
                    ApiKey = key ?? NoKey,
                    BaseUrl = provider.BaseUrl ?? AnthropicAddress,
                    HttpClient = client,
                    MaxRetries = 0,
                }.AsIChatClient(model);
            case ProviderKind.Ollama:
                return Ollama(provider, model, client);
            case ProviderKind.OpenAIResponses:
                // The library marks its client of this API as experimental; the API itself is not.
#pragma warning disable OPENAI001
                return new OpenAIClient(
                    new ApiKeyCredential(key ?? NoKey),
                    OpenAIOptions(provider, client)
                )
                    .GetResponsesClient()
                    .AsIChatClient(model);
#pragma warning restore OPENAI001
            default:
                return new Refusals(
                    new ChatClient(
                        model,
                        new ApiKeyCredential(key ?? NoKey),
                        OpenAIOptions(provider, client)
                    ).AsIChatClient()
                );
        }
    }

    private static OpenAIClientOptions OpenAIOptions(ModelProvider provider, HttpClient client) =>
        new()
        {
            Endpoint = new Uri(provider.BaseUrl ?? OpenAIAddress),
            Transport = new HttpClientPipelineTransport(client),
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        };

    private static Uri ModelsAddress(ModelProvider provider) =>
        new(
            provider.Kind switch
            {
                ProviderKind.Anthropic => (provider.BaseUrl ?? AnthropicAddress)
                    + "/v1/models?limit=1000",
                ProviderKind.Ollama => provider.BaseUrl + "/api/tags",
                _ => (provider.BaseUrl ?? OpenAIAddress) + "/models",
            }
        );

    private static IReadOnlyList<string> Names(JsonElement json)
    {
        var list =
            json.TryGetProperty("data", out var data) ? data
            : json.TryGetProperty("models", out var models) ? models
            : throw new JsonException("There is no list of models in the answer.");
        return
        [
            .. list.EnumerateArray()
                .Select(m =>
                    m.TryGetProperty("id", out var id) ? id.GetString()
                    : m.TryGetProperty("name", out var name) ? name.GetString()
                    : null
                )
                .OfType<string>()
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Faults outermost, then retries with jitter that honour Retry-After, then the time limit of one try, then the guarded socket.</summary>
    private HttpClient Client(ModelProvider provider)
    {
        var retries = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time };
        if (provider.MaxRetries > 0)
        {
            retries.AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = provider.MaxRetries,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = TimeSpan.FromMilliseconds(500),
                    ShouldRetryAfterHeader = true,
                }
            );
        }

        retries.AddTimeout(TimeSpan.FromSeconds(provider.TimeoutSeconds));
        return new HttpClient(
            new ProviderFaults(provider.Name)
            {
                InnerHandler = new ResilienceHandler(retries.Build())
                {
                    InnerHandler = new Shared(http.Handler),
                },
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Keeps the shared handler alive when a client over it is disposed.</summary>
    private sealed class Shared(HttpMessageHandler handler) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _invoker = new(handler, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => _invoker.SendAsync(request, cancellationToken);
    }
}
