namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>Which model, and whose. Pure.</summary>
internal static class Providers
{
    private static readonly string[] s_suffixes =
    [
        ".chat",
        ".responses",
        ".completion",
        ".embedding",
        ".image",
        ".messages",
        ".generative-ai",
        ".transcription",
        ".speech",
    ];

    /// <summary>The provider in one spelling; null for a framework that poses as one.</summary>
    public static string? Normalize(string? name)
    {
        var plain = name?.Trim().Trim('"').ToLowerInvariant();
        if (plain is not { Length: > 0 })
        {
            return null;
        }

        foreach (var suffix in s_suffixes)
        {
            if (plain.EndsWith(suffix, StringComparison.Ordinal))
            {
                plain = plain[..^suffix.Length];
                break;
            }
        }

        return plain switch
        {
            "az.ai.openai" or "azure.ai.openai" or "azure_openai" or "azure-openai" or "azure" =>
                "azure_openai",
            "az.ai.inference" or "azure.ai.inference" => "azure.ai.inference",
            "gemini" or "gcp.gemini" or "gcp.gen_ai" or "google" or "google_genai" or "googleai" =>
                "google",
            "vertex_ai" or "vertexai" or "gcp.vertex_ai" or "google.vertex" or "vertex" =>
                "vertex_ai",
            "aws" or "bedrock" or "aws.bedrock" or "amazon-bedrock" or "aws_bedrock" => "bedrock",
            "xai" or "x_ai" => "xai",
            "mistralai" or "mistral_ai" or "mistral" => "mistralai",
            "moonshot" or "moonshot_ai" or "moonshotai" => "moonshot",
            "langchain"
            or "strands-agents"
            or "gcp.vertex.agent"
            or "_other"
            or "microsoft.agent_framework"
            or "crewai"
            or "agents"
            or "unknown" => null,
            _ => plain,
        };
    }

    /// <summary>Whose a model is, from its name or the host that was called; null when neither tells.</summary>
    public static string? Guess(string? model, string? host)
    {
        host = host?.ToLowerInvariant();
        if (host is not null)
        {
            foreach (
                var (part, provider) in (ReadOnlySpan<(string, string)>)
                    [
                        ("openai.azure.com", "azure_openai"),
                        ("api.openai.com", "openai"),
                        ("anthropic.com", "anthropic"),
                        ("aiplatform.googleapis.com", "vertex_ai"),
                        ("generativelanguage.googleapis.com", "google"),
                        ("bedrock", "bedrock"),
                        ("api.mistral.ai", "mistralai"),
                        ("api.groq.com", "groq"),
                        ("api.deepseek.com", "deepseek"),
                        ("api.x.ai", "xai"),
                        ("openrouter.ai", "openrouter"),
                        ("api.cohere", "cohere"),
                    ]
            )
            {
                if (host.Contains(part, StringComparison.Ordinal))
                {
                    return provider;
                }
            }
        }

        var name = model?.ToLowerInvariant();
        if (name is null)
        {
            return null;
        }

        // "openai/gpt-4o-mini" (Genkit, LiteLLM, OpenRouter) names it itself.
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && Normalize(name[..slash]) is { } said && IsWord(said))
        {
            return said;
        }

        return name switch
        {
            _ when Starts("gpt-")
                    || Starts("o1")
                    || Starts("o3")
                    || Starts("o4")
                    || Starts("chatgpt")
                    || Starts("text-embedding-3")
                    || Starts("text-embedding-ada") => "openai",
            _ when Starts("claude") => "anthropic",
            _ when Starts("gemini") || Starts("gemma") => "google",
            _ when Starts("mistral") || Starts("codestral") || Starts("ministral") => "mistralai",
            _ when Starts("command-") => "cohere",
            _ when Starts("grok") => "xai",
            _ when Starts("deepseek") => "deepseek",
            _ => null,
        };

        bool Starts(string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
    }

    private static bool IsWord(string text) =>
        text.Length <= 32 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');
}
