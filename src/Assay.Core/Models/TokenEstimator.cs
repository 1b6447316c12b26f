using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace Assay.Core.Models;

/// <summary>
/// Counts the tokens of a model call that nobody reported: the o200k tokenizer over the texts of a payload. An estimate for any model (makers
/// other than OpenAI do not publish theirs), and marked as one everywhere. Thread-safe; never throws on bad JSON, which counts as far as it goes.
/// </summary>
public static class TokenEstimator
{
    /// <summary>Texts are tokenized up to this many characters in a payload; what is longer is counted in proportion.</summary>
    public const int MaxTokenizedCharacters = 32 * 1024;

    /// <summary>A file in text form is not read by a model as text: longer runs without a space are left out.</summary>
    private const int MaxWordCharacters = 512;

    // A chat message costs its role and separators besides its text (OpenAI's cookbook counts three or four).
    private const int TokensPerMessage = 4;

    private static readonly string[] s_notText =
    [
        "role",
        "type",
        "id",
        "model",
        "object",
        "finish_reason",
        "tool_call_id",
        "lc",
        "format",
        "detail",
        "mime_type",
        "media_type",
    ];

    private static readonly Lazy<TiktokenTokenizer> s_tokenizer = new(() =>
        TiktokenTokenizer.CreateForEncoding("o200k_base")
    );

    /// <summary>Estimated usage of a call from what it was given and what it answered; null when there is no text in either.</summary>
    public static TokenUsage? Estimate(ReadOnlyMemory<byte>? inputs, ReadOnlyMemory<byte>? outputs)
    {
        var prompt = inputs is { } given ? CountPayload(given.Span) : 0;
        var completion = outputs is { } answer ? CountPayload(answer.Span) : 0;
        return prompt + completion == 0
            ? null
            : new TokenUsage
            {
                PromptTokens = prompt,
                CompletionTokens = completion,
                TotalTokens = prompt + completion,
                Source = FigureSource.Estimated,
            };
    }

    /// <summary>Tokens of one text.</summary>
    public static int Count(string text) => s_tokenizer.Value.CountTokens(text);

    private static long CountPayload(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        var text = new StringBuilder();
        long characters = 0;
        long messages = 0;
        var isText = true;
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    isText = !NamesNoText(ref reader);
                    messages += reader.ValueTextEquals("role") ? 1 : 0;
                    continue;
                }

                if (reader.TokenType == JsonTokenType.String && isText)
                {
                    characters += Take(ref reader, text);
                }

                isText = true;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Normalization reports the fault; what was readable before it counts.
        }

        if (characters == 0)
        {
            return 0;
        }

        var counted = s_tokenizer.Value.CountTokens(text.ToString());
        return (long)Math.Ceiling((double)counted * characters / text.Length)
            + (messages * TokensPerMessage);
    }

    private static bool NamesNoText(ref Utf8JsonReader reader)
    {
        foreach (var name in s_notText)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a string's text while there is room, and says how many characters it stands for.</summary>
    private static long Take(ref Utf8JsonReader reader, StringBuilder text)
    {
        var room = MaxTokenizedCharacters - text.Length;
        if (room <= 0)
        {
            return reader.ValueSpan.Length;
        }

        var buffer = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            var value = buffer.AsSpan(0, reader.CopyString(buffer));
            if (value.Length > MaxWordCharacters && value[..MaxWordCharacters].IndexOf(' ') < 0)
            {
                return 0;
            }

            text.Append(value[..Math.Min(room, value.Length)]).Append('\n');
            return value.Length + 1;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }
}
