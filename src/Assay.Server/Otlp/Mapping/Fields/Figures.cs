using System.Text.Json.Nodes;
using Assay.Core.Models;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>Token counts while they are brought to one meaning: two wholes and their parts by name. Lives for one mapping.</summary>
internal sealed class Figures(long prompt, long completion, long? total)
{
    private readonly Dictionary<string, long> _in = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _out = new(StringComparer.Ordinal);

    public long Prompt { get; private set; } = prompt;

    public long Completion { get; private set; } = completion;

    /// <summary>A part of the prompt; the first who says it is believed, nothing is said by null.</summary>
    public void In(string part, long? count)
    {
        if (count is { } known)
        {
            _in.TryAdd(part, known);
        }
    }

    /// <summary>A part of the completion.</summary>
    public void Out(string part, long? count)
    {
        if (count is { } known)
        {
            _out.TryAdd(part, known);
        }
    }

    /// <summary>Parts given as objects.</summary>
    public void AddDetails(JsonNode? prompt, JsonNode? completion)
    {
        if (prompt is JsonObject ins)
        {
            foreach (var (name, value) in ins)
            {
                In(Part(name), value.Count());
            }
        }

        if (completion is JsonObject outs)
        {
            foreach (var (name, value) in outs)
            {
                Out(Part(name), value.Count());
            }
        }
    }

    /// <summary>A part's name in the field's words.</summary>
    public static string Part(string name) =>
        name switch
        {
            "cached_tokens" or "cached" or "cache_read_tokens" or "cached_input" or "cacheRead" =>
                "cache_read",
            "cache_creation" or "cache_write" or "cache_write_tokens" or "cacheCreation" =>
                "cache_creation",
            _ when name.EndsWith("_tokens", StringComparison.Ordinal) => name[..^7],
            _ => name,
        };

    /// <summary>By the conventions the prompt includes its cached parts; a producer whose parts are larger than the whole left them out.</summary>
    public Figures Inclusive()
    {
        if (Cached > Prompt)
        {
            Prompt += Cached;
        }

        if (Reasoning > Completion && Completion + Prompt + Reasoning == (total ?? -1))
        {
            Completion += Reasoning;
        }

        return this;
    }

    /// <summary>The wholes leave the cached parts out (Anthropic's own counts).</summary>
    public Figures Exclusive()
    {
        Prompt += Cached;
        return this;
    }

    /// <summary>
    /// The total tells: wholes and parts make it, then parts stand beside the wholes; wholes alone make it, then parts are in them; neither, then a
    /// part that is larger than its whole stands beside it.
    /// </summary>
    public Figures ByTotal()
    {
        var parts = _in.Values.Sum() + _out.Values.Sum();
        if (
            parts > 0
            && total is { } all
            && Prompt + Completion != all
            && Prompt + Completion + parts == all
        )
        {
            Prompt += _in.Values.Sum();
            Completion += _out.Values.Sum();
        }
        else if (total is null || Prompt + Completion != total)
        {
            if (Cached > Prompt)
            {
                Prompt += Cached;
            }

            if (Reasoning > Completion)
            {
                Completion += Reasoning;
            }
        }

        return this;
    }

    public TokenUsage ToUsage(FigureSource source, RunCost? cost)
    {
        // Only a total is known: nobody can tell the sides apart, and most of it is prompt.
        if (Prompt + Completion == 0 && total is > 0 and var whole)
        {
            Prompt = whole;
        }

        return new TokenUsage
        {
            PromptTokens = Prompt,
            CompletionTokens = Completion,
            TotalTokens = Prompt + Completion,
            PromptDetails = Said(_in),
            CompletionDetails = Said(_out),
            Source = source,
            ReportedCost = cost,
        };
    }

    private long Cached =>
        _in.GetValueOrDefault("cache_read") + _in.GetValueOrDefault("cache_creation");

    private long Reasoning => _out.GetValueOrDefault("reasoning");

    private static Dictionary<string, long>? Said(Dictionary<string, long> parts)
    {
        if (parts.Count == 0)
        {
            return null;
        }

        var said = parts.Where(p => p.Value > 0).ToDictionary(StringComparer.Ordinal);
        return said.Count == 0 ? null : said;
    }
}
